// this cannot be awaited: pass a Coro, a Future, a Task, an awaitable such as sleep(1s)
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

asyncio::Coro<int> answer();

asyncio::Coro<> a_coroutine() { co_await asyncio::gather(answer(), 5); }
