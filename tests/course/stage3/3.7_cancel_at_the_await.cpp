// cancel(): CancelledError is thrown at the await where the task waits. The coroutine may clean up, or catch it.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::CancelledError;
using by_hand::Coro;
using by_hand::Future;
using by_hand::Task;
Log log;

Coro<> waits_for(Future<> future) {
  try {
    co_await future;
    log("went-on");
  } catch (const CancelledError&) {
    log("cancelled");
    throw;
  }
}
Coro<> throws_cancelled() {
  throw CancelledError();
  co_return;
}
Coro<int> survives(Future<> future) {
  try {
    co_await future;
  } catch (const CancelledError&) {
    log("caught");
  }
  co_await by_hand::Yield();
  co_return 5;
}
Coro<> yields() {
  for (int i = 1;; ++i) {
    log("turn" + std::to_string(i));
    co_await by_hand::Yield();
  }
}
Coro<int> survives_while_it_yields() {
  try {
    co_await by_hand::Yield();
    log("went-on");
  } catch (const CancelledError&) {
    log("caught");
  }
  for (int i = 0; i < 3; ++i) co_await by_hand::Yield();
  co_return 6;
}
Coro<> awaits(Task<> task) { co_await task; }
Coro<> sleeps() { co_await by_hand::sleep(1h); }
Coro<> cancels_the_waiter(std::string& cancelled) {
  const Task<> sleeper = by_hand::create_task(sleeps());
  const Task<> waiter = by_hand::create_task(awaits(sleeper));
  for (int i = 0; i < 3; ++i) co_await by_hand::Yield();
  waiter.cancel();
  for (int i = 0; i < 5; ++i) co_await by_hand::Yield();
  if (sleeper.cancelled()) cancelled += "sleeper ";
  if (waiter.cancelled()) cancelled += "waiter ";
}
Coro<> cancels_itself(Future<> future) {
  by_hand::TaskState::current->cancel();
  log("still-here");
  co_await future;
  log("went-on");
}
Coro<> cancels_in_the_tick_of_the_end(bool& cancelled) {
  const Task<> sleeper = by_hand::create_task(sleeps());
  by_hand::Loop::running().call_later(1h, [&] { sleeper.cancel(); });  // the same deadline; the first made comes first
  co_await by_hand::sleep(2h);
  cancelled = sleeper.cancelled();
}
Coro<> left_behind() {
  try {
    co_await by_hand::sleep(1h);
  } catch (const CancelledError&) {
    log("left-behind-cancelled");
    throw;
  }
}
Coro<> leaves_a_task() {
  static_cast<void>(by_hand::create_task(left_behind()));
  co_await by_hand::Yield();
}

void tick(by_hand::Loop& loop) {
  loop.call_soon([] {});
  loop.run_once();
}

}  // namespace

void course::step() {
  VirtualLoop loop;

  expecting("cancel() of a task that waits to return true");
  const Future<> future(loop);
  const Task<> task = by_hand::create_task(waits_for(future), {&loop});
  tick(loop);
  check(task.cancel(), "it returned false");
  expecting("cancel() to cancel the future that the task waits for");
  check(future.cancelled(), "the future was not cancelled");
  expecting("cancel() to throw nothing into the coroutine at once, only in the next tick");
  log.check("");
  check(!task.done(), "the task was done at once");
  tick(loop);
  expecting("CancelledError to be thrown at the await");
  log.check("cancelled");
  expecting("a task whose coroutine lets CancelledError pass to be cancelled");
  check(task.cancelled(), task.done() ? "it was done, but not cancelled" : "it was not done");
  expecting("cancel() of a task that is done to return false");
  check(!task.cancel(), "it returned true");

  expecting("a task whose coroutine throws CancelledError to be cancelled");
  const Task<> gone = by_hand::create_task(throws_cancelled(), {&loop});
  tick(loop);
  check(gone.done(), "it was not done");
  check(gone.cancelled(), "cancelled() was false");

  expecting("a coroutine that catches CancelledError to live on, and return 5");
  log.clear();
  const Task<int> survivor = by_hand::create_task(survives(Future<>(loop)), {&loop});
  tick(loop);
  survivor.cancel();
  check_equal(loop.run_until_complete(survivor), 5);
  log.check("caught");

  expecting("a task that only yields to be cancelled at its next step: turn1");
  log.clear();
  const Task<> turns = by_hand::create_task(yields(), {&loop});
  tick(loop);
  turns.cancel();
  tick(loop);
  tick(loop);
  log.check("turn1");
  check(turns.cancelled(), "the task was not cancelled");

  expecting("a cancel() to be thrown once: the coroutine that catches it yields three times more, and returns 6");
  log.clear();
  const Task<int> yielding = by_hand::create_task(survives_while_it_yields(), {&loop});
  tick(loop);
  yielding.cancel();
  for (int i = 0; i < 5; ++i) tick(loop);
  log.check("caught");
  check(yielding.done() && !yielding.cancelled(), "the task was cancelled, or not done");
  check_equal(yielding.result(), 6);

  expecting("a task that waits for another task to hand the cancel() on to it");
  std::string cancelled;
  loop.run_until_complete(cancels_the_waiter(cancelled));
  check(cancelled.find("sleeper") != std::string::npos, "the other task was not cancelled");
  check(cancelled.find("waiter") != std::string::npos, "the task itself was not cancelled");
  expecting("sleep(1h), of step 3.6, to leave no timer behind when it is cancelled: the loop would wait for it");
  loop.virtual_core.waits.clear();
  bool idle = false;
  loop.virtual_core.idle = [&] { idle = true, loop.stop(); };
  loop.run_once();
  check(loop.virtual_core.waits.empty(), "it waited until " + show(loop.virtual_core.waits));

  expecting("a task that cancels itself to run to its next await, and to be cancelled there: still-here");
  log.clear();
  const Task<> itself = by_hand::create_task(cancels_itself(Future<>(loop)), {&loop});
  tick(loop);
  tick(loop);
  log.check("still-here");
  check(itself.cancelled(), itself.done() ? "it was done, but not cancelled" : "it was not done");

  expecting("a task to be cancelled also in the tick in which its sleep(1h) ends, and no callback to throw");
  VirtualLoop other;
  other.set_exception_handler([](by_hand::Loop&, std::exception_ptr) {
    course::fail("a callback threw, as the timer of sleep(), of step 3.6, does if it sets a future that is cancelled");
  });
  bool was_cancelled = false;
  other.run_until_complete(cancels_in_the_tick_of_the_end(was_cancelled));
  check(was_cancelled, "it was not cancelled");

  expecting("run(), of step 3.6, to cancel the tasks that are left behind, and to let them end");
  log.clear();
  by_hand::run(leaves_a_task(), std::make_unique<VirtualCore>());
  log.check("left-behind-cancelled");
}
