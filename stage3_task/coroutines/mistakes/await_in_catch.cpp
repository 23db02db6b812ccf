// Mistake: co_await in a handler.
// g++ 12:   error: await expressions are not permitted in handlers
// clang 16: error: 'co_await' cannot be used in the handler of a try block
#include <asyncio/coro.h>

asyncio::Coro<> work();
asyncio::Coro<> say_goodbye();

asyncio::Coro<> careful() {
  try {
    co_await work();
  } catch (...) {
    co_await say_goodbye();
    throw;
  }
}
