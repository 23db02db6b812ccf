// Condition: its owner lets go of the lock, sleeps until somebody notifies, and has the lock again when it goes on.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> waits(by_hand::Condition& condition, std::string name) {
  co_await condition.acquire();
  co_await condition.wait();
  log(name + "@" + at() + (condition.locked() ? "" : "-without-the-lock"));
  condition.release();
}
Coro<> is_notified() {
  by_hand::Condition condition;
  const Task<> a = create_task(waits(condition, "a")), b = create_task(waits(condition, "b")),
               c = create_task(waits(condition, "c"));
  co_await by_hand::sleep(10ms);
  log(condition.locked() ? "locked" : "free");
  co_await condition.acquire();
  condition.notify();
  co_await by_hand::sleep(10ms);
  log("released@" + at());
  condition.release();
  co_await by_hand::sleep(10ms);
  co_await condition.acquire();
  condition.notify_all();
  condition.release();
  co_await c;
}
Coro<> waits_and_is_cancelled(by_hand::Condition& condition) {
  co_await condition.acquire();
  try {
    co_await condition.wait();
    log("no-exception");
  } catch (const CancelledError&) {
    log("CancelledError@" + at() + (condition.locked() ? "" : "-without-the-lock"));
    condition.release();
    throw;
  }
}
Coro<> is_cancelled() {
  by_hand::Condition condition;
  const Task<> task = create_task(waits_and_is_cancelled(condition));
  co_await by_hand::sleep(10ms);
  co_await condition.acquire();
  task.cancel();
  co_await by_hand::sleep(10ms);
  log("released@" + at());
  condition.release();
  co_await by_hand::sleep(10ms);
  log(task.cancelled() ? "task-cancelled" : "task-not-cancelled");
  log(condition.locked() ? "locked" : "free");
}
Coro<> cancelled_while_it_acquires() {
  by_hand::Condition condition;
  const Task<> task = create_task(waits_and_is_cancelled(condition));
  co_await by_hand::sleep(10ms);
  co_await condition.acquire();
  condition.notify();
  co_await by_hand::sleep(10ms);
  task.cancel();  // it waits for the lock by now
  co_await by_hand::sleep(10ms);
  log("released@" + at());
  condition.release();
  co_await by_hand::sleep(10ms);
  log(task.cancelled() ? "task-cancelled" : "task-not-cancelled");
}

}  // namespace

void step() {
  expecting(
      "wait() to let go of the lock; notify() to wake one task, which goes on when it has the lock again; "
      "notify_all() to wake the others: free released@20ms a@20ms b@30ms c@30ms");
  in_virtual_time(is_notified());
  log.check("free released@20ms a@20ms b@30ms c@30ms");

  expecting(
      "a task that is cancelled in wait() to get the lock back first, and then CancelledError: "
      "released@20ms CancelledError@20ms task-cancelled free");
  log.clear();
  in_virtual_time(is_cancelled());
  log.check("released@20ms CancelledError@20ms task-cancelled free");

  expecting(
      "a task that is cancelled while it waits for the lock, after notify(), to get it, and then CancelledError: "
      "released@30ms CancelledError@30ms task-cancelled");
  log.clear();
  in_virtual_time(cancelled_while_it_acquires());
  log.check("released@30ms CancelledError@30ms task-cancelled");
}

}  // namespace course
