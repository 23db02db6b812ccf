// join() waits until each item that was put has been taken, and reported by task_done().
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> works(by_hand::Queue<int>& queue) {
  for (;;) {
    const int item = co_await queue.get();
    co_await by_hand::sleep(10ms);
    log("done" + std::to_string(item));
    queue.task_done();
  }
}
Coro<> joins(by_hand::Queue<int>& queue) {
  co_await queue.join();
  log("joined@" + at());
}
Coro<> waits_for_the_work() {
  by_hand::Queue<int> queue;
  for (int i = 1; i <= 3; ++i) queue.put_nowait(i);
  const Task<> worker = create_task(works(queue));
  const Task<> first = create_task(joins(queue)), second = create_task(joins(queue));
  co_await first;
  co_await second;
  worker.cancel();
  co_await by_hand::Yield();  // it has let go of the queue when this one goes on
  co_await by_hand::Yield();
}
Coro<> nothing_to_do() {
  by_hand::Queue<int> queue;
  co_await joins(queue);
  queue.put_nowait(1);
  queue.get_nowait();
  queue.task_done();
  co_await joins(queue);
}
Coro<> taken_but_not_done() {
  by_hand::Queue<int> queue;
  for (const int item : {1, 2}) queue.put_nowait(item);
  while (!queue.empty()) queue.get_nowait();
  const Task<> joiner = create_task(joins(queue));
  for (int i = 0; i < 2; ++i) {
    co_await by_hand::sleep(10ms);
    log(joiner.done() ? "joined-too-early" : "waits");
    queue.task_done();
  }
  co_await joiner;
}

}  // namespace

void step() {
  expecting(
      "join() to wait until the third task_done(), and to wake all that wait: "
      "done1 done2 done3 joined@30ms joined@30ms");
  in_virtual_time(waits_for_the_work());
  log.check("done1 done2 done3 joined@30ms joined@30ms");

  expecting("join() to return at once when there is nothing left to do: joined@0ms joined@0ms");
  log.clear();
  in_virtual_time(nothing_to_do());
  log.check("joined@0ms joined@0ms");

  expecting(
      "join() to wait for two items that were taken, but not both reported by task_done(): waits waits joined@20ms");
  log.clear();
  in_virtual_time(taken_but_not_done());
  log.check("waits waits joined@20ms");
}

}  // namespace course
