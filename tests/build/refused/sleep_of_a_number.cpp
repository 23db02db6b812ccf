// sleep() takes a duration with a unit: sleep(1s), sleep(100ms)
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

asyncio::Coro<> a_coroutine() { co_await asyncio::sleep(1); }
