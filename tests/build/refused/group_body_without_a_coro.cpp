// the body of task_group() takes nothing or a TaskGroup&, and returns what can be awaited: write -> Coro<> behind
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: the body of task_group() takes nothing or a TaskGroup&, and returns what
//             can be awaited: write -> Coro<> behind its parameters, and co_return at its end
// clang 16: error: static assertion failed: the body of task_group() takes nothing or a TaskGroup&, and returns what
//             can be awaited: write -> Coro<> behind its parameters, and co_return at its end
#include <asyncio/asyncio.h>

asyncio::Coro<> work();

asyncio::Coro<> a_coroutine() {
  co_await asyncio::task_group([](asyncio::TaskGroup& group) { group.create_task(work()); });
}
