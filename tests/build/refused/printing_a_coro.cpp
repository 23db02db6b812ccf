// a Coro has no value that could be printed: co_await it, and print its result
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: a Coro has no value that could be printed: co_await it, and print its
//             result
// clang 16: error: static assertion failed due to requirement '!detail::is_coro<asyncio::Coro<int>>': a Coro has no
//             value that could be printed: co_await it, and print its result
#include <asyncio/asyncio.h>

#include <iostream>

asyncio::Coro<int> answer();

void a_function() { std::cout << answer(); }
