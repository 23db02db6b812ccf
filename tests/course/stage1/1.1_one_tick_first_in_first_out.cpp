// call_soon() and run_once(): callbacks wait in a queue, and a tick runs those that are in it when it begins.
#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;

  expecting("call_soon() to run nothing by itself, only to put it into the queue");
  for (const char* name : {"a", "b", "c"}) loop.call_soon([&log, name] { log(name); });
  log.check("");

  expecting("run_once() to run three callbacks in the order of call_soon(): a b c");
  loop.run_once();
  log.check("a b c");

  expecting("each callback to run once: in tick 2 only what was scheduled after tick 1");
  log.clear();
  loop.call_soon([&] { log("d"); });
  loop.run_once();
  log.check("d");

  expecting("a callback that is scheduled inside a callback to run in tick 2");
  int tick = 1, ran_in = 0;
  loop.call_soon([&] { loop.call_soon([&] { ran_in = tick; }); });
  loop.run_once();
  check(ran_in == 0, "it ran in tick 1, before run_once() had returned");
  tick = 2;
  loop.call_soon([] {});
  loop.run_once();
  check(ran_in != 0, "it did not run in tick 2");

  expecting("what a callback schedules to run after what was scheduled before the tick: outer other inner");
  log.clear();
  loop.call_soon([&] { log("outer"), loop.call_soon([&] { log("inner"); }); });
  loop.call_soon([&] { log("other"); });
  loop.run_once();
  loop.call_soon([] {});
  loop.run_once();
  log.check("outer other inner");

  expecting("a callback that schedules itself again to run once a tick");
  log.clear();
  std::function<void()> again = [&] { log("again"), loop.call_soon(again); };
  loop.call_soon(again);
  loop.run_once();
  log.check("again", "it ran: ");

  expecting("a callback to be able to schedule a thousand others, while the tick goes on");
  int ran = 0;
  VirtualLoop busy;
  busy.call_soon([&] {
    for (int i = 0; i < 1000; ++i) busy.call_soon([&] { ++ran; });
  });
  busy.call_soon([&] { ++ran; });
  busy.run_once();
  busy.run_once();
  check(ran == 1001, show(ran) + " of 1001 ran in two ticks");
}
