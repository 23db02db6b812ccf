// A task drives a coroutine. Its first step is a callback of the next tick.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
Log log;

Coro<> says(std::string name) {
  log(name);
  co_return;
}
Coro<int> answer() { co_return 42; }
Coro<> looks_for_its_task(bool& has_task) {
  has_task = by_hand::TaskState::current != nullptr;
  co_return;
}

}  // namespace

void course::step() {
  VirtualLoop loop;

  expecting("create_task() to run nothing of the coroutine at once");
  const by_hand::Task<> task = by_hand::create_task(says("task"), {&loop});
  log.check("");
  expecting("a new task not to be done");
  check(!task.done(), "done() was true");
  expecting("the first step of a task to run in the next tick");
  loop.run_once();
  log.check("task");

  expecting("the task to be done when its coroutine has ended");
  check(task.done(), "done() was false");

  expecting("the task to have the result of the coroutine, 42");
  const by_hand::Task<int> number = by_hand::create_task(answer(), {&loop});
  loop.run_once();
  check(number.done(), "it was not done after its first step");
  check_equal(number.result(), 42);
  expecting("the loop to keep no task that is done");
  check(loop.tasks.empty(), "it kept " + show(loop.tasks.size()));

  log.clear();
  expecting("the first step to be a callback among the others, in the order of scheduling: before task after");
  log.clear();
  loop.call_soon([] { log("before"); });
  const by_hand::Task<> second = by_hand::create_task(says("task"), {&loop});
  loop.call_soon([] { log("after"); });
  loop.run_once();
  log.check("before task after");

  expecting("the loop to keep a task that nobody else has");
  log.clear();
  static_cast<void>(by_hand::create_task(says("forgotten"), {&loop}));
  loop.call_soon([] {});
  loop.run_once();
  log.check("forgotten");

  expecting("TaskState::current to be set while a task makes a step");
  bool has_task = false;
  const by_hand::Task<> third = by_hand::create_task(looks_for_its_task(has_task), {&loop});
  loop.call_soon([] {});
  loop.run_once();
  check(has_task, "it was null");
  expecting("TaskState::current to be null again after the step");
  check(by_hand::TaskState::current == nullptr, "it was not");

  expecting("create_task() without a loop to use the one that runs");
  log.clear();
  loop.call_soon([&] {
    static_cast<void>(by_hand::create_task(says("in-the-running-loop")));
    loop.call_soon([&] { loop.stop(); });
  });
  loop.run_forever();
  log.check("in-the-running-loop");
}
