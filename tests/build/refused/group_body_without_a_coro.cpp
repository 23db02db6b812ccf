// the body of task_group() takes nothing or a TaskGroup&, and returns what can be awaited: write -> Coro<> behind
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

asyncio::Coro<> work();

asyncio::Coro<> a_coroutine() {
  co_await asyncio::task_group([](asyncio::TaskGroup& group) { group.create_task(work()); });
}
