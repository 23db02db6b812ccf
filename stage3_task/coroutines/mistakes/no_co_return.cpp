// Mistake: the end of a coroutine that has a result is reached without co_return.
// g++ 12:   nothing
// clang 16: warning: non-void coroutine does not return a value [-Wreturn-type]
#include <asyncio/coro.h>

asyncio::Coro<> work();

asyncio::Coro<int> answer() { co_await work(); }
