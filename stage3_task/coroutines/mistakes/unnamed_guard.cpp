// Mistake: a guard without a name. The lock is released again at the semicolon.
// g++ 12:   nothing
// clang 16: warning: ignoring return value of function declared with 'nodiscard' attribute [-Wunused-result]
#include <asyncio/coro.h>

struct [[nodiscard]] Guard {  // stage 5 has the real one: co_await lock.scoped()
  ~Guard() {}
};
asyncio::Coro<Guard> scoped();
asyncio::Coro<> write();

asyncio::Coro<> update() {
  co_await scoped();  // write: const Guard guard = co_await scoped();
  co_await write();
}
