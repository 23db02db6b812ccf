// gather() fails with the first exception. The others run on.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> one_fails() {
  try {
    co_await by_hand::gather(after(30ms, 1, &log), fails_after(10ms, "disk full"));
    log("no-exception");
  } catch (const std::runtime_error& error) {
    log(std::string(error.what()) + "@" + at());
  }
  co_await by_hand::sleep(50ms);
}
Coro<> two_fail() {
  try {
    co_await by_hand::gather(fails_after(20ms, "second"), fails_after(10ms, "first"));
  } catch (const std::runtime_error& error) {
    log(error.what());
  }
  co_await by_hand::sleep(50ms);
}
Coro<> one_is_cancelled() {
  const Task<int> sleeper = create_task(after(1h, 1));
  const auto all = by_hand::gather(sleeper, after(20ms, 2, &log));
  co_await by_hand::sleep(10ms);
  sleeper.cancel();
  try {
    co_await all;
    log("no-exception");
  } catch (const CancelledError&) {
    log("CancelledError@" + at());
  }
  log(all.cancelled() ? "gather-cancelled" : "gather-failed");
  co_await by_hand::sleep(50ms);
}

}  // namespace

void step() {
  expecting(
      "gather() to throw the exception of a child as soon as it comes, at 10 ms, and the other child to run on: "
      "disk full@10ms end-1@30ms");
  in_virtual_time(one_fails());
  log.check("disk full@10ms end-1@30ms");

  expecting("of two exceptions the one that comes first in time to be thrown: first");
  log.clear();
  in_virtual_time(two_fail());
  log.check("first");

  expecting(
      "gather() to throw CancelledError when a child was cancelled by somebody else, as an exception of its own: "
      "CancelledError@10ms gather-failed end-2@20ms");
  log.clear();
  in_virtual_time(one_is_cancelled());
  log.check("CancelledError@10ms gather-failed end-2@20ms");
}

}  // namespace course
