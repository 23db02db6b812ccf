// wait_for(): a time limit. What does not end in time is cancelled, and TimeoutError is thrown.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> with_limit(Duration limit) {
  try {
    const int number = co_await by_hand::wait_for(after(20ms, 7, &log), limit);
    log(std::to_string(number));
  } catch (const by_hand::TimeoutError&) {
    log("TimeoutError@" + at());
  }
}
Coro<> fails() {
  try {
    const int number = co_await by_hand::wait_for(fails_after(10ms, "disk full"), 1h);
    log(std::to_string(number));
  } catch (const std::runtime_error& error) {
    log(std::string(error.what()) + "@" + at());
  }
}
Coro<> waits() {
  try {
    const int number = co_await by_hand::wait_for(after(1h, 1, &log), 2h);
    log(std::to_string(number));
  } catch (const by_hand::TimeoutError&) {
    log("TimeoutError");
  } catch (const CancelledError&) {
    log("CancelledError@" + at());
    throw;
  }
}
Coro<> is_cancelled() {
  const Task<> task = create_task(waits());
  co_await by_hand::sleep(10ms);
  task.cancel();
  co_await by_hand::sleep(10ms);
  log(task.cancelled() ? "task-cancelled" : "task-not-cancelled");
}
Coro<> goes_on_after_the_timeout() {
  co_await with_limit(10ms);
  co_await by_hand::sleep(10ms);
  log("slept@" + at());
}
Coro<> a_limit_that_is_over_later() {
  co_await with_limit(30ms);
  co_await by_hand::sleep(100ms);
  log("slept@" + at());
}

}  // namespace

void step() {
  expecting("wait_for() to return the result, 7, if it comes in time: end-7@20ms 7");
  in_virtual_time(with_limit(30ms));
  log.check("end-7@20ms 7");

  expecting(
      "wait_for() to cancel what takes longer than its 10 ms, and to throw TimeoutError: "
      "cancelled-7@10ms TimeoutError@10ms");
  log.clear();
  in_virtual_time(with_limit(10ms));
  log.check("cancelled-7@10ms TimeoutError@10ms");

  expecting("an exception that comes in time to pass: disk full@10ms");
  log.clear();
  in_virtual_time(fails());
  log.check("disk full@10ms");

  expecting(
      "a cancel from outside to stay a CancelledError, not to become a TimeoutError: "
      "cancelled-1@10ms CancelledError@10ms task-cancelled");
  log.clear();
  in_virtual_time(is_cancelled());
  log.check("cancelled-1@10ms CancelledError@10ms task-cancelled");

  expecting("the task to be able to go on after the TimeoutError: cancelled-7@10ms TimeoutError@10ms slept@20ms");
  log.clear();
  in_virtual_time(goes_on_after_the_timeout());
  log.check("cancelled-7@10ms TimeoutError@10ms slept@20ms");

  expecting(
      "the alarm to be switched off when the result came in time: it cancels nothing later: end-7@20ms 7 slept@120ms");
  log.clear();
  in_virtual_time(a_limit_that_is_over_later());
  log.check("end-7@20ms 7 slept@120ms");
}

}  // namespace course
