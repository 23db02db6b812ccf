// the body of timeout() takes nothing or a Timeout&, and returns what can be awaited: write -> Coro<> behind
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: the body of timeout() takes nothing or a Timeout&, and returns what can
//             be awaited: write -> Coro<> behind its parameters, and co_return at its end
// clang 16: error: static assertion failed: the body of timeout() takes nothing or a Timeout&, and returns what can
//             be awaited: write -> Coro<> behind its parameters, and co_return at its end
#include <asyncio/asyncio.h>

using namespace std::chrono_literals;

asyncio::Coro<> a_coroutine() {
  co_await asyncio::timeout(1s, [] {});
}
