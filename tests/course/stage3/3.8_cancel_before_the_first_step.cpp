// cancel() before the first step, in the tick of the result, and before the end: the coroutine hears of it, or the
// task.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::CancelledError;
using by_hand::Coro;
using by_hand::Future;
using by_hand::Task;
Log log;

Coro<int> begins() {
  log("began");
  co_return 1;
}
Coro<> waits_for(Future<int> future) {
  try {
    const int number = co_await future;
    log("got-" + std::to_string(number));
  } catch (const CancelledError&) {
    log("cancelled");
    throw;
  }
}
Coro<int> returns_after_cancel() {
  by_hand::TaskState::current->cancel();
  log("returns");
  co_return 1;
}
Coro<> throws_after_cancel() {
  by_hand::TaskState::current->cancel();
  throw std::range_error("no");
  co_return;
}

void tick(by_hand::Loop& loop) {
  loop.call_soon([] {});
  loop.run_once();
}

}  // namespace

void course::step() {
  VirtualLoop loop;

  expecting("cancel() of a task that has not begun to return true");
  const Task<int> early = by_hand::create_task(begins(), {&loop});
  check(early.cancel(), "it returned false");
  expecting("a task not to be done before the next tick, though it was cancelled before it began");
  check(!early.done(), "it was done at once");
  expecting("a task that is cancelled before its first step to be cancelled");
  tick(loop);
  check(early.cancelled(), early.done() ? "it was done, but not cancelled" : "it was not done in the next tick");
  expecting("nothing of its coroutine to run");
  log.check("");
  expecting("the loop not to keep it");
  check(loop.tasks.empty(), "it did");

  expecting("a cancel() after set_result(), in the same tick, to come first: the await throws CancelledError");
  const Future<int> future(loop);
  const Task<> late = by_hand::create_task(waits_for(future), {&loop});
  tick(loop);
  future.set_result(3);
  check(late.cancel(), "cancel() returned false");
  tick(loop);
  log.check("cancelled");
  check(late.cancelled(), "the task was not cancelled");
  expecting("the future to keep the result, 3, that the task did not take");
  check(!future.cancelled(), "it was cancelled");
  check_equal(future.result(), 3);

  expecting("a task that cancels itself and returns without another await to be cancelled");
  log.clear();
  const Task<int> itself = by_hand::create_task(returns_after_cancel(), {&loop});
  tick(loop);
  log.check("returns");
  check(itself.cancelled(), itself.done() ? "it had a result" : "it was not done");

  expecting("an exception to win over a cancel() that came before it");
  const Task<> fails = by_hand::create_task(throws_after_cancel(), {&loop});
  tick(loop);
  check(fails.done() && !fails.cancelled(), "the task was cancelled");
  check(throws<std::range_error>([&] { fails.result(); }), "result() did not throw it");
}
