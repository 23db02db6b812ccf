// Mistake: a coroutine is called, and never awaited. It never runs.
// g++ 12:   warning: ignoring returned value of type 'asyncio::Coro<void>', declared with attribute 'nodiscard': …
// clang 16: warning: ignoring return value of function declared with 'nodiscard' attribute: …
#include <asyncio/coro.h>

asyncio::Coro<> work();

asyncio::Coro<> forget() {
  work();
  co_return;
}
