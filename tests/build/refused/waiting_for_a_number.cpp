// this cannot be awaited: pass a Coro, a Future, a Task, an awaitable such as sleep(1s)
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

using namespace std::chrono_literals;

asyncio::Coro<> a_coroutine() { co_await asyncio::wait_for(5, 1s); }
