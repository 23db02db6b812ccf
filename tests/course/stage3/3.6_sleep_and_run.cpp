// sleep(): a future that a timer sets. run(): a loop for one coroutine.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
using by_hand::Duration;
Log log;

std::unique_ptr<VirtualCore> core() { return std::make_unique<VirtualCore>(); }
std::string time() {
  const auto passed = by_hand::Loop::running().time() - course::TimePoint{};
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count()) + "ms";
}

Coro<int> answer() { co_return 42; }
Coro<> says(Duration delay, std::string what) {
  co_await by_hand::sleep(delay);
  log(what + "@" + time());
}
Coro<> sleeps() {
  co_await by_hand::sleep(1h);
  log(time());
}
Coro<> hello_world() {
  const auto world = by_hand::create_task(says(200ms, "world"));
  const auto hello = by_hand::create_task(says(100ms, "hello"));
  co_await hello;
  co_await world;
}
Coro<> sleeps_for_nothing() {
  by_hand::Loop::running().call_soon([] { log("tick2"), by_hand::Loop::running().call_soon([] { log("tick3"); }); });
  co_await by_hand::sleep(0ms);
  log("woke");
  co_await by_hand::sleep(-5ms);
  log("woke-again@" + time());
}
Coro<> failing() {
  throw std::range_error("no");
  co_return;
}

}  // namespace

void course::step() {
  expecting("run() to return what the coroutine returns, 42");
  check_equal(by_hand::run(answer(), core()), 42);

  expecting("sleep(1h) to wake up after 3600000ms of the loop's time");
  by_hand::run(sleeps(), core());
  log.check("3600000ms", "it woke up after ");

  expecting("two tasks to sleep at the same time: hello@100ms world@200ms");
  log.clear();
  by_hand::run(hello_world(), core());
  log.check("hello@100ms world@200ms");

  expecting("sleep(0ms), and a sleep for less, to take one tick and no time: tick2 woke tick3 woke-again@0ms");
  log.clear();
  by_hand::run(sleeps_for_nothing(), core());
  log.check("tick2 woke tick3 woke-again@0ms");

  expecting("run() to throw the exception of the coroutine");
  check(throws<std::range_error>([] { by_hand::run(failing(), core()); }), "it returned");

  expecting("run() on the core that sleeps in real time: 20 ms");
  log.clear();
  const auto begin = by_hand::Clock::now();
  by_hand::run(by_hand::sleep(20ms));
  const std::chrono::nanoseconds passed = by_hand::Clock::now() - begin;
  check(passed >= 20ms, "it returned after " + show(passed));

  expecting("no loop to be running after run()");
  check(throws<std::runtime_error>([] { by_hand::Loop::running(); }), "Loop::running() returned one");
}
