// Mistake: co_await in a function that returns something other than a coroutine's type.
// g++ 12:   error: unable to find the promise type for this coroutine
// clang 16: error: this function cannot be a coroutine: 'std::coroutine_traits<int>' has no member named 'promise_type'
#include <asyncio/coro.h>

asyncio::Coro<int> answer();

int ask() { return co_await answer(); }
