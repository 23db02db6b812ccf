// Mistake: awaiting a coroutine that has a name. It can be awaited once, so it has to be moved.
// g++ 12:   error: passing 'asyncio::Coro<int>' as 'this' argument discards qualifiers [-fpermissive]
// g++ 12:   error: static assertion failed: a Coro is awaited once, and is gone then: co_await std::move(coro)
// clang 16: error: no member named 'await_ready' in 'asyncio::Coro<int>'
// clang 16: error: static assertion failed due to requirement '!(is_coro<asyncio::Coro<int>> && …
#include <asyncio/coro.h>

asyncio::Coro<int> answer();

asyncio::Coro<int> ask() {
  auto coro = answer();
  const int result = co_await coro;
  co_return result;
}
