// a Coro is awaited once, and is gone then: pass std::move(list)
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: a Coro is awaited once, and is gone then: pass std::move(list)
// clang 16: error: static assertion failed: a Coro is awaited once, and is gone then: pass std::move(list)
#include <asyncio/asyncio.h>

asyncio::Coro<> a_coroutine() {
  std::vector<asyncio::Coro<int>> all(2);
  co_await asyncio::gather(all);
}
