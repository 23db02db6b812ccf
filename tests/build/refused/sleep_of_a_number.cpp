// sleep() takes a duration with a unit: sleep(1s), sleep(100ms)
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: sleep() takes a duration with a unit: sleep(1s), sleep(100ms)
// clang 16: error: static assertion failed due to requirement '!std::is_arithmetic_v<int>': sleep() takes a duration
//             with a unit: sleep(1s), sleep(100ms)
#include <asyncio/asyncio.h>

asyncio::Coro<> a_coroutine() { co_await asyncio::sleep(1); }
