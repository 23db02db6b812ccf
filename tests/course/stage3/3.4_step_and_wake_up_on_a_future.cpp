// A task whose coroutine awaits a future leaves a callback there, and steps again when the future is done.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
using by_hand::Future;
Log log;

Coro<> waits_for(Future<int> future) {
  log("begin");
  const int number = co_await future;
  log("got-" + std::to_string(number));
}
Coro<> yields(std::string name, int turns) {
  for (int i = 1; i <= turns; ++i) {
    log(name + std::to_string(i));
    co_await by_hand::Yield();
  }
}
Coro<> catches(Future<> future) {
  try {
    co_await future;
  } catch (const std::runtime_error& error) {
    log(error.what());
  }
}
Coro<int> inner(Future<int> future) {
  const int number = co_await future;
  log("inner");
  co_return number + 1;
}
Coro<> outer(Future<int> future) {
  const int number = co_await inner(future);
  log("outer-" + std::to_string(number));
}

void tick(by_hand::Loop& loop) {
  loop.call_soon([] {});
  loop.run_once();
}

}  // namespace

void course::step() {
  VirtualLoop loop;

  expecting("a task to stop at the await of a future that is not done");
  const Future<int> future(loop);
  const auto task = by_hand::create_task(waits_for(future), {&loop});
  tick(loop);
  log.check("begin");
  tick(loop);
  log.check("begin");

  expecting("set_result() to resume nothing itself: the task runs in the next tick");
  loop.call_soon([&] {
    future.set_result(5);
    log("set");
  });
  loop.run_once();
  log.check("begin set");
  expecting("the task to go on in the tick after set_result(), with the result: begin set got-5");
  tick(loop);
  log.check("begin set got-5");

  expecting("the await of a future that is done already not to wait: begin got-7 in one tick");
  log.clear();
  const Future<int> done(loop);
  done.set_result(7);
  const auto quick = by_hand::create_task(waits_for(done), {&loop});
  tick(loop);
  log.check("begin got-7");

  expecting("two tasks that yield to take turns, one step a tick each: a1 b1 a2 b2");
  log.clear();
  const auto a = by_hand::create_task(yields("a", 2), {&loop});
  const auto b = by_hand::create_task(yields("b", 2), {&loop});
  tick(loop);
  log.check("a1 b1", "after tick 1 there had run: ");
  tick(loop);
  log.check("a1 b1 a2 b2");

  expecting("an exception that is set on the future to be thrown at the await: disk full");
  log.clear();
  const Future<> failing(loop);
  const auto catching = by_hand::create_task(catches(failing), {&loop});
  tick(loop);
  failing.set_exception(std::make_exception_ptr(std::runtime_error("disk full")));
  tick(loop);
  log.check("disk full");

  expecting("the innermost coroutine to be resumed, and the one that awaits it when it has ended: inner outer-4");
  log.clear();
  const Future<int> deep(loop);
  const auto nested = by_hand::create_task(outer(deep), {&loop});
  tick(loop);
  deep.set_result(3);
  tick(loop);
  log.check("inner outer-4");
}
