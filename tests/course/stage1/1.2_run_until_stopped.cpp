// run_forever() ticks until stop(). The tick in which stop() is called runs to its end.
#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;

  expecting("run_forever() to go on, tick after tick, until stop() is called in tick 3");
  int ticks = 0;
  std::function<void()> count = [&] { ++ticks == 3 ? loop.stop() : void(loop.call_soon(count)); };
  loop.call_soon(count);
  loop.run_forever();
  check(ticks == 3, "it returned after tick " + show(ticks));

  expecting("the tick in which stop() is called to run to its end: before stop after");
  loop.call_soon([&] { log("before"); });
  loop.call_soon([&] { log("stop"), loop.stop(); });
  loop.call_soon([&] { log("after"), loop.call_soon([&] { log("next-run"); }); });
  loop.run_forever();
  check(!log.text().empty(), "this second run made no tick at all, as if the stop() of the first still held");
  log.check("before stop after");

  expecting("a callback scheduled in the last tick to run in the next run, after a stop() before it: one tick");
  log.clear();
  loop.stop();
  loop.run_forever();
  log.check("next-run");

  expecting("a stop() before the run to allow one tick, and no second");
  log.clear();
  loop.call_soon([&] { log("tick1"), loop.call_soon([&] { log("tick2"), loop.stop(); }); });
  loop.stop();
  loop.run_forever();
  log.check("tick1");

  expecting("a stop() to end one run: the next run goes on until it is stopped itself");
  loop.call_soon([&] { loop.call_soon([&] { loop.call_soon([&] { log("tick4"), loop.stop(); }); }); });
  loop.run_forever();
  log.check("tick1 tick2");
  loop.run_forever();
  log.check("tick1 tick2 tick4");

  expecting("Loop::running() to be, inside a callback, the loop that runs it");
  bool is_running = false;
  loop.call_soon([&] {
    is_running = &by_hand::Loop::running() == &loop;
    loop.stop();
  });
  loop.run_forever();
  check(is_running, "it was another loop");

  expecting("Loop::running() to throw a std::runtime_error when no loop runs");
  check(throws<std::runtime_error>([] { by_hand::Loop::running(); }),
        "it returned a loop: the run has left itself there");

  expecting("run_forever() inside a callback to throw a std::runtime_error: one loop a thread");
  bool refused = false;
  VirtualLoop other;
  other.call_soon([&] { other.stop(); });
  loop.call_soon([&] {
    refused = throws<std::runtime_error>([&] { other.run_forever(); });
    loop.stop();
  });
  loop.run_forever();
  check(refused, "it ran another loop");
}
