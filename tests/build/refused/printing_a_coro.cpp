// a Coro has no value that could be printed: co_await it, and print its result
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

#include <iostream>

asyncio::Coro<int> answer();

void a_function() { std::cout << answer(); }
