// One program, compiled with the small asyncio and with the real one. Each line that it prints contains its tick or its
// time, and both must print the same. Anything else may take different ticks.
#include "../../../stage1_loop/demo_lib.h"
#include "../../../stage4_combinators/demo_lib.h"
#include "../../../stage5_sync/demo_lib.h"

#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lib::Coro;
using lib::Future;
using lib::Loop;
using lib::Task;

namespace {

int tick = 0;
std::function<bool()> over;  // ticks are counted until it returns true

void count_ticks() {
  ++tick;
  if (!over()) Loop::running().call_soon(count_ticks);
}

void log(const std::string& text) { std::cout << "  " << tick << ": " << text << '\n'; }

/// Runs the scenario; `tick` counts.
void scenario(const char* name, Coro<> (*body)()) {
  std::cout << name << '\n';
  Loop loop(std::make_unique<lib::VirtualCore>());
  tick = 0;
  Task<> main = create_task(body(), {.loop = &loop});
  over = [main] { return main.done(); };
  loop.call_soon(count_ticks);
  loop.run_until_complete(main);
  over = nullptr;
}

Coro<> yield(int times) {
  for (int i = 0; i < times; ++i) co_await lib::sleep(0s);
}

Coro<int> number(std::string name, int ticks, int result) {
  log(name + " begins");
  try {
    co_await yield(ticks);
  } catch (const lib::CancelledError&) {
    log(name + " is cancelled");
    throw;
  }
  if (result < 0) {
    log(name + " throws");
    throw std::runtime_error(name);
  }
  log(name + " ends");
  co_return result;
}

/// Awaits a future or a task, and logs how it ends.
template <class F>
Coro<> show(std::string name, F future) {
  try {
    co_await future;
    log(name + ": done");
  } catch (const lib::CancelledError&) {
    log(name + ": CancelledError");
  } catch (const std::exception& error) {
    log(name + ": " + error.what());
  }
}

/// Awaits all of them. (g++ 12 rejects a braced vector beside a co_await.)
template <class T>
Coro<> all(Task<T> first, Task<T> second) {
  std::vector<Task<T>> tasks;
  tasks.push_back(first);
  tasks.push_back(second);
  co_await lib::wait(tasks);
}

// ── tasks ──

Coro<> awaiting() {
  Future<int> future(Loop::running());
  auto waiting = [](Future<int> future) -> Coro<int> {
    const int value = co_await future;
    log("it has the future's " + std::to_string(value));
    co_return value;
  };
  Task<int> first = create_task(waiting(future));
  Task<int> second = create_task(waiting(future));
  Task<> third = create_task(show("first", first));
  future.add_done_callback([](auto&) { log("done-callback"); });
  co_await yield(2);
  log("set_result");
  future.set_result(7);
  co_await third;
  co_await second;
  const int again = co_await second;  // done: no tick
  log("and again " + std::to_string(again));
}

Coro<> cancelling() {
  Task<int> unborn = create_task(number("unborn", 1, 1));
  unborn.cancel();
  co_await show("unborn", unborn);

  Task<int> waiting = create_task(number("waiting", 9, 1));
  co_await yield(2);
  waiting.cancel();
  waiting.cancel();  // one CancelledError
  co_await show("waiting", waiting);

  Future<int> ready(Loop::running());
  auto wait_for_it = [](Future<int> future) -> Coro<int> {
    try {
      int value = co_await future;
      log("not cancelled");
      co_return value;
    } catch (const lib::CancelledError&) {
      log("cancelled, though the future is done");
      throw;
    }
  };
  Task<int> woken = create_task(wait_for_it(ready));
  co_await yield(2);
  ready.set_result(1);
  woken.cancel();
  co_await show("woken", woken);

  auto survives = []() -> Coro<int> {
    const Future<> never(Loop::running());
    try {
      co_await never;
    } catch (const lib::CancelledError&) {
      log("caught");
    }
    co_await yield(1);
    co_return 5;
  };
  Task<int> survivor = create_task(survives());
  co_await yield(1);
  survivor.cancel();
  co_await show("survivor", survivor);

  Future<> chain(Loop::running());
  Task<> inner = create_task(show("inner", chain));
  Task<> outer = create_task(show("outer", inner));
  co_await yield(2);
  outer.cancel();  // cancels inner, which cancels chain, which inner catches
  co_await outer;
  log(std::string("chain is cancelled: ") + (chain.cancelled() ? "true" : "false"));
}

Coro<> cancelling_itself() {
  Task<>* me = nullptr;
  auto body = [&]() -> Coro<> {
    co_await yield(1);
    me->cancel();
    log("has cancelled itself");
    try {
      co_await yield(2);
      log("not cancelled");
    } catch (const lib::CancelledError&) {
      log("cancelled at the next await");
      throw;
    }
  };
  Task<> task = create_task(body());
  me = &task;
  co_await show("it", task);

  auto returns = [&]() -> Coro<> {
    co_await yield(1);
    me->cancel();
    log("returns");
  };
  Task<> last_step = create_task(returns());
  me = &last_step;
  co_await show("in its last step", last_step);
}

// ── several at once ──

Coro<> gathering() {
  auto results = co_await lib::gather(number("a", 3, 1), number("b", 1, 2), number("c", 2, 3));
  log("gathered " + std::to_string(std::get<0>(results)) + std::to_string(std::get<1>(results)));
  auto failing = lib::gather(number("d", 5, 1), number("e", 1, -1), number("f", 3, -1));
  co_await show("failing", failing);
  co_await yield(6);
  auto cancelled = lib::gather(number("g", 9, 1), number("h", 9, 2));
  co_await yield(2);
  log(cancelled.cancel() ? "cancel: true" : "cancel: false");
  co_await show("cancelled", cancelled);
  log(cancelled.cancelled() ? "cancelled: true" : "cancelled: false");
  auto one_is = lib::gather(number("i", 3, 1), number("j", 1, 2));
  std::vector<Coro<int>> none;
  co_await show("none", lib::gather(std::move(none)));
  co_await show("one_is", one_is);
}

Coro<> waiting() {
  std::vector<Task<int>> tasks;
  for (const int ticks : {7, 1, 5}) tasks.push_back(create_task(number(std::to_string(ticks), ticks, ticks)));
  auto [first, others] = co_await lib::wait(tasks, {.return_when = lib::FIRST_COMPLETED});
  log(std::to_string(first.size()) + " done, " + std::to_string(others.size()) + " pending");
  auto [rest, none] = co_await lib::wait(others);
  log(std::to_string(rest.size()) + " done, " + std::to_string(none.size()) + " pending");
  auto [again, nothing] = co_await lib::wait(tasks);
  log("all were done: " + std::to_string(again.size()) + std::to_string(nothing.size()));
  std::vector<Task<int>> no_tasks;
  try {
    co_await lib::wait(no_tasks);
  } catch (const std::invalid_argument& error) {
    log(error.what());
  }

  std::vector<Coro<int>> coroutines;
  for (const int ticks : {3, 1, 2}) coroutines.push_back(number(std::to_string(ticks), ticks, ticks));
  for (auto& next : lib::as_completed(std::move(coroutines))) {
    int value = co_await next;
    log("completed: " + std::to_string(value));
  }
}

// ── synchronisation ──

Coro<> locking() {
  lib::Lock lock;
  auto use = [&](std::string name, int ticks) -> Coro<> {
    try {
      const auto guard = co_await lock.scoped();
      log(name + " has the lock");
      co_await yield(ticks);
      log(name + " releases");
    } catch (const lib::CancelledError&) {
      log(name + " is cancelled");
    }
  };
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d"}) tasks.push_back(create_task(use(name, 2)));
  co_await yield(1);
  tasks[1].cancel();
  co_await yield(1);
  co_await lib::wait(tasks);
  Task<> e = create_task(use("e", 1));
  Task<> f = create_task(use("f", 1));
  Task<> g = create_task(use("g", 1));
  co_await yield(2);
  f.cancel();  // in the tick in which e releases
  co_await all(e, f);
  co_await g;
}

Coro<> permits() {
  lib::Semaphore semaphore(2);
  auto use = [&](std::string name) -> Coro<> {
    const auto permit = co_await semaphore.scoped();
    log(name + " has a permit");
    co_await yield(2);
    log(name + " gives it back");
  };
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d", "e"}) tasks.push_back(create_task(use(name)));
  co_await lib::wait(tasks);
}

Coro<> events() {
  lib::Event event;
  auto wait = [&](std::string name) -> Coro<> {
    co_await event.wait();
    log(name + " goes on");
  };
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(wait("a")));
  tasks.push_back(create_task(wait("b")));
  co_await yield(2);
  log("set, clear");
  event.set();
  event.clear();
  tasks.push_back(create_task(wait("c")));
  co_await yield(3);
  log("set");
  event.set();
  co_await event.wait();  // it is set: no tick
  log("main goes on");
  co_await lib::wait(tasks);
}

Coro<> conditions() {
  lib::Condition condition;
  auto wait = [&](std::string name) -> Coro<> {
    try {
      const auto guard = co_await condition.scoped();
      co_await condition.wait();
      log(name + " is notified");
    } catch (const lib::CancelledError&) {
      log(name + " is cancelled");
    }
  };
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d"}) tasks.push_back(create_task(wait(name)));
  co_await yield(2);
  tasks[1].cancel();
  co_await yield(3);
  {
    const auto guard = co_await condition.scoped();
    log("notify(1)");
    condition.notify(1);
    co_await yield(2);
    log("notify_all");
    condition.notify_all();
  }
  co_await lib::wait(tasks);
}

Coro<> queues() {
  lib::Queue<int> queue(2);
  auto produce = [&](int first) -> Coro<> {
    for (int i = first; i < first + 4; ++i) {
      co_await queue.put(i);
      log("put " + std::to_string(i));
    }
  };
  auto consume = [&](std::string name) -> Coro<> {
    for (;;) {
      const int item = co_await queue.get();
      log(name + " got " + std::to_string(item));
      co_await yield(1);
      queue.task_done();
    }
  };
  Task<> a = create_task(consume("a"));
  Task<> b = create_task(consume("b"));
  Task<> odd = create_task(produce(10));
  Task<> even = create_task(produce(20));
  co_await odd;
  co_await even;
  co_await queue.join();
  log("joined");
  a.cancel();
  b.cancel();
  co_await show("a", a);

  lib::PriorityQueue<int> smallest;
  for (const int item : {3, 1, 2}) smallest.put_nowait(item);
  for (int i = 0; i < 3; ++i) {
    const int item = co_await smallest.get();
    log("smallest " + std::to_string(item));
  }
}

// ── timers: ticks are not counted here, or time would stand still ──

// Takes all it needs by value: one that is left behind is cancelled when timed() is gone.
Coro<int> sleep_and_say(std::function<void(std::string)> at, std::string name, lib::Duration delay) {
  try {
    co_await lib::sleep(delay);
    at(name + " has slept");
    co_return 1;
  } catch (const lib::CancelledError&) {
    at(name + " is cancelled");
    throw;
  }
}

Coro<> timed() {
  const auto begin = Loop::running().time();
  const auto at = [begin](std::string text) {
    tick =
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(Loop::running().time() - begin).count());
    log(text);
  };
  const auto sleeper = [at](std::string name, lib::Duration delay) {
    return sleep_and_say(at, std::move(name), delay);
  };
  for (const char* name : {"same a", "same b"}) Loop::running().call_later(10ms, [=] { at(name); });
  Task<int> a = create_task(sleeper("a", 20ms));
  Task<int> b = create_task(sleeper("b", 10ms));
  co_await all(a, b);
  const int in_time = co_await lib::wait_for(sleeper("c", 10ms), 20ms);
  at("in time: " + std::to_string(in_time));
  try {
    co_await lib::wait_for(sleeper("d", 1h), 20ms);
  } catch (const lib::TimeoutError&) {
    at("TimeoutError");
  }
  Task<int> e = create_task(sleeper("e", 30ms));
  try {
    co_await lib::wait_for(e, 30ms);  // the task's timer comes first, but its result a tick later
    at("no timeout");
  } catch (const lib::TimeoutError&) {
    at("TimeoutError");
  }
  std::vector<Task<int>> tasks;
  for (int i = 1; i <= 3; ++i) tasks.push_back(create_task(sleeper("task " + std::to_string(i), 10ms * i)));
  auto [done, pending] = co_await lib::wait(tasks, {.timeout = 25ms});
  at(std::to_string(done.size()) + " done, " + std::to_string(pending.size()) + " pending");
}

}  // namespace

int main() {
  scenario("awaiting", awaiting);
  scenario("cancelling", cancelling);
  scenario("cancelling itself", cancelling_itself);
  scenario("gather", gathering);
  scenario("wait, as_completed", waiting);
  scenario("lock", locking);
  scenario("semaphore", permits);
  scenario("event", events);
  scenario("condition", conditions);
  scenario("queue", queues);
  std::cout << "time, in ms\n";
  lib::run(timed(), std::make_unique<lib::VirtualCore>());
}
