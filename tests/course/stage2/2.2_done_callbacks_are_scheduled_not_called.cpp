// Those that wait for a future leave a callback. The loop calls it, a tick after the future is done.
#include <by_hand/future.h>

#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;
  const auto says = [&log](const char* name) { return [&log, name](auto&) { log(name); }; };

  const by_hand::Future<int> future(loop);
  expecting("no callback to run before the future is done");
  for (const char* name : {"a", "b", "c"}) future.add_done_callback(says(name));
  loop.call_soon([] {});
  loop.run_once();
  log.check("");

  expecting("set_result() to call no callback itself: the loop does, in the next tick");
  loop.call_soon([&] {
    future.set_result(1);
    log("set");
  });
  loop.run_once();
  log.check("set");
  expecting("the callbacks to run one tick after set_result(), in the order in which they were added: set a b c");
  loop.call_soon([] {});
  loop.run_once();
  log.check("set a b c");

  expecting("each callback to run once");
  loop.call_soon([] {});
  loop.run_once();
  log.check("set a b c");

  expecting("add_done_callback() of a future that is done to call nothing at once");
  log.clear();
  future.add_done_callback(says("late"));
  log.check("");
  expecting("a callback that is added to a done future to run in the next tick");
  loop.call_soon([] {});
  loop.run_once();
  log.check("late");

  expecting("a callback to be given the future, which is done and has the result 7");
  by_hand::Future<int> seven(loop);
  int got = 0;
  seven.add_done_callback([&](auto& done) { got = done.result(); });
  seven.set_result(7);
  loop.call_soon([] {});
  loop.run_once();
  check(got == 7, got == 0 ? "it was not called" : "it saw the result " + show(got));

  expecting("the future to live until its callbacks have run, though nobody else has it");
  log.clear();
  {
    const by_hand::Future<std::string> forgotten(loop);
    forgotten.add_done_callback([&](auto& done) { log(done.result()); });
    forgotten.set_result("a text that is too long to be kept in place");
  }
  loop.call_soon([] {});
  loop.run_once();
  log.check("a text that is too long to be kept in place");

  expecting("a future that is never done not to be kept alive by its own callbacks");
  const auto captured = std::make_shared<int>(1);
  {
    const by_hand::Future<> never(loop);
    never.add_done_callback([captured](auto&) {});
  }
  check(captured.use_count() == 1, "what its callback had captured was still alive after the future was gone");

  expecting("two callbacks of one future to have two numbers");
  const by_hand::Future<> numbered(loop);
  const int first = numbered.add_done_callback(says("1")), second = numbered.add_done_callback(says("2"));
  check(first != second, "both had the number " + show(first));
}
