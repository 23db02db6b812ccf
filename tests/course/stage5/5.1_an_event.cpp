// Event: tasks wait in a line until it is set.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> waits(by_hand::Event& event, std::string name) {
  co_await event.wait();
  log(name + "@" + at());
}
Coro<> three_wait() {
  by_hand::Event event;
  const Task<> a = create_task(waits(event, "a")), b = create_task(waits(event, "b")),
               c = create_task(waits(event, "c"));
  co_await by_hand::sleep(10ms);
  event.set();
  log("set");
  co_await a;
  co_await b;
  co_await c;
}
Coro<> is_set_already() {
  by_hand::Event event;
  event.set();
  by_hand::Loop::running().call_soon([] { log("next-tick"); });
  co_await event.wait();
  log("waited");
  co_await by_hand::Yield();
}
Coro<> is_cleared() {
  by_hand::Event event;
  event.set();
  event.clear();
  const Task<> task = create_task(waits(event, "woke"));
  co_await by_hand::sleep(10ms);
  log(event.is_set() ? "is-set" : "is-not-set");
  event.set();
  co_await task;
}
Coro<> one_is_cancelled() {
  by_hand::Event event;
  const Task<> a = create_task(waits(event, "a")), b = create_task(waits(event, "b"));
  co_await by_hand::sleep(10ms);
  a.cancel();
  co_await by_hand::sleep(10ms);
  event.set();
  co_await b;
  log(a.cancelled() ? "a-cancelled" : "a-not-cancelled");
}
Coro<> set_twice() {
  by_hand::Event event;
  const Task<> a = create_task(waits(event, "a"));
  co_await by_hand::sleep(10ms);
  event.set();
  event.set();
  co_await a;
}

}  // namespace

void step() {
  expecting(
      "three tasks to wait until set(), which resumes none itself, and then to run in the order in which they came: "
      "set a@10ms b@10ms c@10ms");
  in_virtual_time(three_wait());
  log.check("set a@10ms b@10ms c@10ms");

  expecting("wait() of an event that is set not to take a tick: waited next-tick");
  log.clear();
  in_virtual_time(is_set_already());
  log.check("waited next-tick");

  expecting("wait() after clear() to wait for the next set(): is-not-set woke@10ms");
  log.clear();
  in_virtual_time(is_cleared());
  log.check("is-not-set woke@10ms");

  expecting("a task that is cancelled while it waits to leave the line: b@20ms a-cancelled");
  log.clear();
  in_virtual_time(one_is_cancelled());
  log.check("b@20ms a-cancelled");

  expecting("a second set(), before those that wait have run, to do nothing");
  log.clear();
  in_virtual_time(set_twice());
  log.check("a@10ms");
}

}  // namespace course
