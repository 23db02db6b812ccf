// Cancelling gather() cancels the children.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> waits_for_both() {
  try {
    co_await by_hand::gather(after(1h, 1, &log), after(2h, 2, &log));
    log("no-exception");
  } catch (const CancelledError&) {
    log("CancelledError@" + at());
    throw;
  }
}
Coro<> cancels_after_10_ms() {
  const Task<> task = create_task(waits_for_both());
  co_await by_hand::sleep(10ms);
  log(task.cancel() ? "true" : "false");
  co_await by_hand::sleep(10ms);
  log(task.cancelled() ? "task-cancelled" : "task-not-cancelled");
}
Coro<> cancels_when_one_is_done() {
  const auto all = by_hand::gather(after(10ms, 1, &log), after(1h, 2, &log));
  co_await by_hand::sleep(20ms);
  log(all.cancel() ? "true" : "false");
  log(all.done() ? "done-at-once" : "not-yet");
  co_await by_hand::sleep(10ms);
  log(all.done() ? "done" : "not-done");
}
Coro<int> stubborn() {
  try {
    co_await by_hand::sleep(1h);
  } catch (const CancelledError&) {
    log("stubborn");
  }
  co_return 1;
}
Coro<> children_that_go_on() {
  const auto all = by_hand::gather(stubborn());
  co_await by_hand::sleep(10ms);
  all.cancel();
  try {
    co_await all;
    log("result");
  } catch (const CancelledError&) {
    log("CancelledError");
  }
}
Coro<> too_late() {
  const auto all = by_hand::gather(after(10ms, 1));
  co_await all;
  log(all.cancel() ? "true" : "false");
}

}  // namespace

void step() {
  expecting(
      "the cancel of a task that awaits gather() to cancel both children, and to be thrown at the await: "
      "true cancelled-1@10ms cancelled-2@10ms CancelledError@10ms task-cancelled");
  in_virtual_time(cancels_after_10_ms());
  log.check("true cancelled-1@10ms cancelled-2@10ms CancelledError@10ms task-cancelled");

  expecting(
      "cancel() to cancel the child that is left, and gather() to be done when that is: "
      "end-1@10ms true not-yet cancelled-2@20ms done");
  log.clear();
  in_virtual_time(cancels_when_one_is_done());
  log.check("end-1@10ms true not-yet cancelled-2@20ms done");

  expecting(
      "gather() to throw CancelledError after a cancel(), even if the children catch it and return: "
      "stubborn CancelledError");
  log.clear();
  in_virtual_time(children_that_go_on());
  log.check("stubborn CancelledError");

  expecting("cancel() of a gather() that is done to return false");
  log.clear();
  in_virtual_time(too_late());
  log.check("false");
}

}  // namespace course
