// a Coro is awaited once, and is gone then: pass std::move(coro)
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

asyncio::Coro<int> answer();

asyncio::Coro<> a_coroutine() {
  auto coro = answer();
  co_await asyncio::gather(coro, answer());
}
