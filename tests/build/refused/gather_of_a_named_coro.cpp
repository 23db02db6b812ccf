// a Coro is awaited once, and is gone then: pass std::move(coro)
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: a Coro is awaited once, and is gone then: pass std::move(coro)
// clang 16: error: static assertion failed due to requirement '!is_lvalue_coro<asyncio::Coro<int> &>': a Coro is
//             awaited once, and is gone then: pass std::move(coro)
#include <asyncio/asyncio.h>

asyncio::Coro<int> answer();

asyncio::Coro<> a_coroutine() {
  auto coro = answer();
  co_await asyncio::gather(coro, answer());
}
