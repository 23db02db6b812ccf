// run_until_complete(): a done-callback stops the loop. So the run ends one tick after the future is done.
#include <by_hand/future.h>

#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;

  expecting("run_until_complete() to return the result, 42, that a timer sets after 10 ms");
  const by_hand::Future<int> future(loop);
  loop.call_later(10ms, [&] { future.set_result(42); });
  check_equal(loop.run_until_complete(future), 42);
  expecting("it to return at 10 ms");
  check(loop.passed() == 10ms, "it returned at " + show(loop.passed()));

  expecting("the run to end with the tick after the one that sets the result: set next-tick");
  const by_hand::Future<> ticks(loop);
  loop.call_soon([&] {
    ticks.set_result();
    log("set");
    loop.call_soon([&] { log("next-tick"), loop.call_soon([&] { log("too-late"); }); });
  });
  loop.run_until_complete(ticks);
  log.check("set next-tick");

  expecting("what was left over to run in the next run, and a future that is done already to end it after one tick");
  loop.run_until_complete(ticks);
  log.check("set next-tick too-late");

  expecting("run_until_complete() to throw the exception of the future");
  const by_hand::Future<> failing(loop);
  loop.call_soon([&] { failing.set_exception(std::make_exception_ptr(std::range_error("no"))); });
  check(throws<std::range_error>([&] { loop.run_until_complete(failing); }), "it returned");

  expecting("run_until_complete() to throw a std::runtime_error if the loop is stopped before the future is done");
  const by_hand::Future<> never(loop);
  loop.call_soon([&] { loop.stop(); });
  std::string message = "it returned";
  try {
    loop.run_until_complete(never);
  } catch (const std::runtime_error&) {
    message = "";
  } catch (const by_hand::InvalidStateError&) {
    message = "it threw InvalidStateError";
  }
  check(message.empty(), message);

  expecting(
      "the done-callback of a run that was stopped to be removed: the future does not stop the next run: "
      "tick3");
  log.clear();
  loop.call_soon([&] {
    never.set_result();
    loop.call_soon([&] { loop.call_soon([&] { log("tick3"), loop.stop(); }); });
  });
  loop.run_forever();
  log.check("tick3");
}
