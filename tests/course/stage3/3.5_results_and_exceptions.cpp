// The result of the coroutine becomes that of the task; so does its exception.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
using by_hand::Task;
Log log;

Coro<int> answer() { co_return 42; }
Coro<std::string> later() {
  co_await by_hand::Yield();
  co_return "hello";
}
Coro<int> failing() {
  throw std::range_error("no");
  co_return 1;
}
Coro<int> adds(Task<int> task) {
  const int number = co_await task;
  co_return number + 1;
}
Coro<> holds(std::shared_ptr<int>) { co_return; }

}  // namespace

void course::step() {
  VirtualLoop loop;

  expecting("run_until_complete() of a coroutine to return what it returns, 42");
  check_equal(loop.run_until_complete(answer()), 42);
  expecting("a coroutine that waits in between to return its result, \"hello\"");
  check_equal(loop.run_until_complete(later()), std::string("hello"));

  expecting("a task to be done in the tick in which its coroutine returns");
  const Task<int> task = by_hand::create_task(answer(), {&loop});
  loop.run_once();
  check(task.done(), "done() was false after that tick");
  check_equal(task.result(), 42, "its result was ");

  expecting("the exception of the coroutine to be that of the task");
  const Task<int> fails = by_hand::create_task(failing(), {&loop});
  check(throws<std::range_error>([&] { loop.run_until_complete(fails); }), "run_until_complete() returned");
  check(fails.exception() != nullptr, "exception() was null");
  expecting("a task whose coroutine throws not to be cancelled");
  check(!fails.cancelled(), "cancelled() was true");

  expecting("a task to be awaitable by another, as every future: 42 + 1 = 43");
  const Task<int> awaited = by_hand::create_task(answer(), {&loop});
  check_equal(loop.run_until_complete(adds(awaited)), 43);

  expecting("the done-callbacks of a task to run in the tick after its end");
  const Task<int> watched = by_hand::create_task(answer(), {&loop});
  watched.add_done_callback([](auto&) { log("callback"); });
  loop.run_once();
  log.check("", "in the tick of its end there ran: ");
  loop.run_once();
  log.check("callback");

  expecting("the frame of a coroutine to be destroyed when the task ends, though somebody keeps the task");
  const auto argument = std::make_shared<int>(1);
  const Task<> kept = by_hand::create_task(holds(argument), {&loop});
  loop.run_until_complete(kept);
  check(argument.use_count() == 1, "its argument was still alive");

  expecting("the loop to keep no task that is done");
  check(loop.tasks.empty(), "it kept " + show(loop.tasks.size()));
}
