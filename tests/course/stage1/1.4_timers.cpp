// call_at() and call_later(): a tick also runs the timers that are due, the earliest first.
#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;
  const auto tick_at = [&](Duration when) {
    loop.virtual_core.advance(when - loop.passed());
    loop.call_soon([] {});  // there is work, so that the tick does not wait
    loop.run_once();
  };

  expecting("a timer of 10 ms not to run at 9 ms");
  loop.call_later(10ms, [&] { log("timer"); });
  tick_at(9ms);
  log.check("");
  expecting("a timer of 10 ms to run at 10 ms");
  tick_at(10ms);
  log.check("timer");
  expecting("a timer to run once");
  tick_at(11ms);
  log.check("timer");

  expecting("call_at() to take a point in time, here 20 ms");
  log.clear();
  loop.call_at(course::TimePoint{} + 20ms, [&] { log("at"); });
  tick_at(19ms);
  log.check("", "at 19 ms there ran: ");
  tick_at(20ms);
  log.check("at");

  expecting("timers to run in the order of their deadlines, not in that of their making: 1ms 2ms 3ms");
  log.clear();
  loop.call_later(3ms, [&] { log("3ms"); });
  loop.call_later(1ms, [&] { log("1ms"); });
  loop.call_later(2ms, [&] { log("2ms"); });
  tick_at(30ms);
  log.check("1ms 2ms 3ms");

  expecting("timers with one deadline to run first in, first out: a b c d e");
  log.clear();
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    loop.call_at(course::TimePoint{} + 35ms, [&log, name] { log(name); });
  }
  tick_at(40ms);
  log.check("a b c d e");

  expecting("what call_soon() scheduled before the tick to run before the timers that are due: soon timer");
  log.clear();
  loop.call_later(-1s, [&] { log("timer"); });
  loop.call_soon([&] { log("soon"); });
  loop.run_once();
  log.check("soon timer");

  expecting("a timer that a callback makes for \"now\" to run in the next tick");
  log.clear();
  loop.call_soon([&] { loop.call_later(0s, [&] { log("timer"); }); });
  loop.run_once();
  log.check("", "in the same tick there ran: ");
  tick_at(41ms);
  log.check("timer");

  expecting("a cancelled timer not to run: kept");
  log.clear();
  by_hand::Handle cancelled = loop.call_later(1ms, [&] { log("cancelled"); });
  loop.call_later(2ms, [&] { log("kept"); });
  cancelled.cancel();
  tick_at(50ms);
  log.check("kept");

  expecting("a timer that one callback cancels in the tick in which both are due not to run: first");
  log.clear();
  by_hand::Handle second = cancelled;
  loop.call_later(1ms, [&] { log("first"), second.cancel(); });
  second = loop.call_later(2ms, [&] { log("second"); });
  tick_at(60ms);
  log.check("first");
}
