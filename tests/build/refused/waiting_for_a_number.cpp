// this cannot be awaited: pass a Coro, a Future, a Task, an awaitable such as sleep(1s)
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: this cannot be awaited: pass a Coro, a Future, a Task, an awaitable such
//             as sleep(1s), or a function without parameters that returns a Coro
// clang 16: error: static assertion failed due to requirement 'runs<int> || std::invocable<int &>': this cannot be
//             awaited: pass a Coro, a Future, a Task, an awaitable such as sleep(1s), or a function without
//             parameters that returns a Coro
#include <asyncio/asyncio.h>

using namespace std::chrono_literals;

asyncio::Coro<> a_coroutine() { co_await asyncio::wait_for(5, 1s); }
