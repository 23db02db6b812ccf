// Task<T>: its steps, its names, its printed form, and the ways to make one.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

// At global scope, so that their names are printed like a program's.
asyncio::Coro<int> execute(int number) { co_return number; }
asyncio::Coro<int> fail_with(std::string message) {
  throw std::runtime_error(message);
  co_return 0;
}
asyncio::Coro<> doze() { co_await asyncio::sleep(std::chrono::seconds(1)); }
asyncio::Coro<std::function<void(int)>> make_function(std::map<int, int>) {
  co_return [](int) {};
}
template <class T>
asyncio::Coro<T> echo(T value) {
  co_return value;
}
namespace {
asyncio::Coro<> hidden() { co_return; }
struct Robot {
  asyncio::Coro<> walk() const { co_return; }
};
}  // namespace

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::MoveOnly;
using testing::VirtualLoop;

// ── steps ──

// test_tasks.py: BaseTaskTests.test_task_basics
// test_tasks.py: BaseTaskTests.test_bare_create_task
TEST(Task, RunsItsCoroutineAndHoldsItsResult) {
  VirtualLoop loop;
  Task<int> task = create_task(execute(3), {.loop = &loop});
  EXPECT_FALSE(task.done());
  EXPECT_EQ(loop.run_until_complete(task), 3);
  EXPECT_TRUE(task.done());
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.result(), 3);
  EXPECT_EQ(task.exception(), nullptr);
  EXPECT_EQ(&task.get_loop(), &loop);
}

TEST(Task, TakesItsFirstStepInTheNextTickInOrderOfCreation) {
  std::string log;
  auto body = [&](char name) -> Coro<> {
    log += name;
    co_return;
  };
  VirtualLoop loop;
  Task<> a = create_task(body('a'), {.loop = &loop});
  loop.call_soon([&] { log += 'x'; });
  Task<> b = create_task(body('b'), {.loop = &loop});
  EXPECT_EQ(log, "");
  loop.run_ticks(1);
  EXPECT_EQ(log, "axb");
}

TEST(Task, RunsEvenIfNoHandleIsKept) {
  bool ran = false;
  auto body = [&]() -> Coro<> {
    co_await sleep(1s);
    ran = true;
  };
  auto main = [&]() -> Coro<> {
    create_task(body);
    co_await sleep(2s);
  };
  run(main, make_core());
  EXPECT_TRUE(ran);
}

TEST(Task, HandsItsExceptionToWhoAwaitsIt) {
  auto main = []() -> Coro<std::string> {
    Task<int> task = create_task(fail_with("boom"));
    try {
      co_await task;
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "";
  };
  EXPECT_EQ(run(main, make_core()), "boom");
}

TEST(Task, SchedulesItsDoneCallbacksInTheOrderTheyWereAdded) {
  VirtualLoop loop;
  std::string log;
  Task<int> task = create_task(execute(1), {.loop = &loop});
  task.add_done_callback([&](Task<int>& done) { log += 'a' + static_cast<char>(done.result() - 1); });
  task.add_done_callback([&](Task<int>&) { log += 'b'; });
  const CallbackId removed = task.add_done_callback([&](Task<int>&) { log += 'x'; });
  EXPECT_EQ(task.remove_done_callback(removed), 1u);
  loop.run_ticks(1);
  EXPECT_TRUE(task.done());
  EXPECT_EQ(log, "");  // one tick later
  task.add_done_callback([&](Task<int>&) { log += 'c'; });
  loop.run_ticks(1);
  EXPECT_EQ(log, "abc");
}

TEST(Task, MayHoldWhatCanOnlyBeMovedAndWhatHasNoDefaultConstructor) {
  struct NoDefault {
    explicit NoDefault(int number) : number(number) {}
    int number;
  };
  auto move_only = []() -> Coro<MoveOnly> { co_return MoveOnly(5); };
  auto no_default = []() -> Coro<NoDefault> { co_return NoDefault(6); };
  auto main = [&]() -> Coro<int> {
    MoveOnly first = co_await create_task(move_only());
    NoDefault second = co_await create_task(no_default());
    co_return first.value * 10 + second.number;
  };
  EXPECT_EQ(run(main, make_core()), 56);
}

TEST(Task, AResultWhoseMoveThrowsBecomesTheTasksException) {
  struct Heavy {
    Heavy() = default;
    Heavy(Heavy&&) { throw std::runtime_error("too heavy"); }
  };
  auto make = []() -> Coro<Heavy> { co_return {}; };
  VirtualLoop loop;
  Task<Heavy> task = create_task(make(), {.loop = &loop});
  loop.run_ticks(1);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(describe(task.exception()), "std::runtime_error: too heavy");
}

// test_tasks.py: BaseTaskTests.test_stop_while_run_in_complete
TEST(Task, StaysPendingIfTheLoopIsStoppedAndGoesOnInTheNextRun) {
  VirtualLoop loop;
  int rounds = 0;
  auto body = [&]() -> Coro<> {
    for (; rounds < 10; ++rounds) {
      co_await sleep(100ms);
      if (rounds == 1) loop.stop();
    }
  };
  Task<> task = create_task(body, {.loop = &loop});
  try {
    loop.run_until_complete(task);
    ADD_FAILURE() << "the loop was stopped";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "Event loop stopped before Future completed.");
  }
  EXPECT_FALSE(task.done());
  EXPECT_EQ(rounds, 2);
  EXPECT_EQ(loop.time(), TimePoint{} + 200ms);
  loop.run_until_complete(task);
  EXPECT_EQ(rounds, 10);
}

// ── ways to make one ──

// test_tasks.py: BaseTaskTests.test_create_task_with_async_function
TEST(CreateTask, TakesACoroutineACallableOrAnythingElseThatCanBeAwaited) {
  auto main = []() -> Coro<int> {
    Task<int> of_coroutine = create_task(execute(1));
    Task<int> of_callable = create_task([]() -> Coro<int> { co_return 20; });
    Task<> of_sleep = create_task(sleep(1s));
    Future<int> future = create_future<int>();
    future.set_result(300);
    Task<int> of_future = create_task(future);
    int sum = co_await of_coroutine;
    sum += co_await of_callable;
    sum += co_await of_future;
    co_await of_sleep;
    co_return sum;
  };
  EXPECT_EQ(run(main, make_core()), 321);
}

TEST(CreateTask, WithoutARunningLoopIsAnErrorAndDestroysTheCoroutine) {
  Counted::reset();
  auto body = [](Counted) -> Coro<> { co_return; };
  try {
    create_task(body(Counted(1)));
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no running event loop");
  }
  EXPECT_EQ(Counted::alive, 0);
}

// test_base_events.py: BaseEventLoopTests.test_create_task_error_closes_coro
TEST(CreateTask, OnAClosedLoopIsAnError) {
  VirtualLoop loop;
  loop.close();
  Counted::reset();
  auto hold = [](Counted) -> Coro<> { co_return; };
  try {
    ensure_future(hold(Counted(1)), loop);
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "Event loop is closed");
  }
  EXPECT_EQ(Counted::alive, 0) << "the coroutine is destroyed";
}

TEST(CreateTask, OfAnEmptyFunctionIsAnError) {
  VirtualLoop loop;
  std::function<Coro<int>()> empty;
  EXPECT_THROW(create_task(empty, {.loop = &loop}), std::invalid_argument);
  Coro<int> (*null)() = nullptr;
  EXPECT_THROW(create_task(null, {.loop = &loop}), std::invalid_argument);
}

// test_tasks.py: BaseTaskTests.test_ensure_future_coroutine
// test_tasks.py: BaseTaskTests.test_ensure_future_future
// test_tasks.py: BaseTaskTests.test_ensure_future_task
TEST(EnsureFuture, MakesATaskOfACoroutineAndGivesBackAFutureAsItIs) {
  auto main = []() -> Coro<> {
    Task<int> task = ensure_future(execute(7));
    Task<int> same_task = ensure_future(task);
    EXPECT_EQ(same_task, task);
    Future<int> future = create_future<int>();
    Future<int> same_future = ensure_future(future);
    EXPECT_EQ(same_future, future);
    Future<int> base_of_task = task;
    EXPECT_EQ(ensure_future(base_of_task), task);
    int value = co_await task;
    EXPECT_EQ(value, 7);
  };
  run(main, make_core());
}

TEST(EnsureFuture, OfAnotherLoopIsAnError) {
  VirtualLoop mine;
  VirtualLoop other;
  Future<int> future(other);
  Task<int> task = create_task(execute(1), {.loop = &other});
  const char* message = "The future belongs to a different loop than the one specified as the loop argument";
  for (int kind = 0; kind < 2; ++kind) {
    try {
      kind == 0 ? static_cast<void>(ensure_future(future, mine)) : static_cast<void>(ensure_future(task, mine));
      ADD_FAILURE();
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), message);
    }
  }
  EXPECT_THROW(mine.run_until_complete(task), std::invalid_argument);
  other.run_until_complete(task);
}

/// A user's class that forwards co_await to a coroutine.
class Wrapped {
 public:
  explicit Wrapped(Coro<std::string> coro) : coro_(std::move(coro)) {}
  auto operator co_await() && { return std::move(coro_).operator co_await(); }

 private:
  Coro<std::string> coro_;
};
/// A user's class that may be awaited repeatedly.
class SaysOk {
 public:
  SaysOk() noexcept {}
  auto operator co_await() const { return sleep(0s, std::string("ok")).operator co_await(); }
};

// test_tasks.py: BaseTaskTests.test_ensure_future_awaitable
// test_tasks.py: BaseTaskTests.test_ensure_future_task_awaitable
TEST(EnsureFuture, TakesAClassOfTheUsersThatCanBeAwaited) {
  VirtualLoop loop;
  Task<std::string> wrapped = ensure_future(Wrapped(echo(std::string("wrapped"))), loop);
  EXPECT_EQ(loop.run_until_complete(wrapped), "wrapped");
  const SaysOk says_ok;
  Task<std::string> once = ensure_future(says_ok, loop);
  Task<std::string> twice = ensure_future(says_ok, loop);
  EXPECT_EQ(loop.run_until_complete(once) + loop.run_until_complete(twice), "okok");
}

// ── names ──

// test_tasks.py: BaseTaskTests.test_bare_create_named_task
// test_tasks.py: BaseTaskTests.test_task_repr_autogenerated
// test_base_events.py: BaseEventLoopTests.test_create_named_task_with_default_factory
TEST(TaskName, IsTheOneGivenOrCountedUp) {
  VirtualLoop loop;
  Task<int> named = create_task(execute(1), {.name = "my task", .loop = &loop});
  EXPECT_EQ(named.get_name(), "my task");
  named.set_name("renamed");
  EXPECT_EQ(named.get_name(), "renamed");

  Task<int> first = create_task(execute(1), {.loop = &loop});
  Task<int> with_name = create_task(execute(1), {.name = "takes no number", .loop = &loop});
  Task<int> second = create_task(execute(1), {.loop = &loop});
  std::smatch match;
  const std::string name = first.get_name();
  ASSERT_TRUE(std::regex_match(name, match, std::regex("Task-([0-9]+)")));
  EXPECT_EQ(second.get_name(), "Task-" + std::to_string(std::stoi(match[1]) + 1));
  loop.run_ticks(2);
}

TEST(TaskName, MayBeATemporaryStringAndOutlivesIt) {
  VirtualLoop loop;
  Task<int> task =
      create_task(execute(1), {.name = std::string("a name too long for the small buffer"), .loop = &loop});
  EXPECT_EQ(task.get_name(), "a name too long for the small buffer");
  loop.run_ticks(1);
}

// ── the printed form ──

std::string repr_at_line(const AnyFuture& task) {
  std::ostringstream out;
  out << task;
  return std::regex_replace(out.str(), std::regex("([a-z_]+\\.(cpp|h)):[0-9]+"), "$1:LINE");
}

// test_tasks.py: BaseTaskTests.test_task_repr
TEST(TaskRepr, IsThatOfTheNotesWhilePendingAndWhenFinished) {
  VirtualLoop loop;
  Task<int> task = create_task(execute(1), {.name = "Task-1", .loop = &loop});
  EXPECT_EQ(repr_at_line(task), "<Task pending name='Task-1' coro=<execute() running at task_test.cpp:LINE>>");
  loop.run_until_complete(task);
  EXPECT_EQ(repr_at_line(task),
            "<Task finished name='Task-1' coro=<execute() done, defined at task_test.cpp:LINE> result=1>");
}

TEST(TaskRepr, ShowsTheExceptionOrThatItWasCancelled) {
  VirtualLoop loop;
  Task<int> failed = create_task(fail_with("boom"), {.name = "f", .loop = &loop});
  Task<> cancelled = create_task(doze(), {.name = "c", .loop = &loop});
  loop.run_ticks(1);
  cancelled.cancel();
  EXPECT_EQ(repr_at_line(cancelled), "<Task cancelling name='c' coro=<doze() running at task_test.cpp:LINE>>");
  loop.run_ticks(1);
  EXPECT_EQ(repr_at_line(cancelled), "<Task cancelled name='c' coro=<doze() done, defined at task_test.cpp:LINE>>");
  EXPECT_EQ(repr_at_line(failed),
            "<Task finished name='f' coro=<fail_with() done, defined at task_test.cpp:LINE> "
            "exception=std::runtime_error: boom>");
  failed.exception();
}

TEST(TaskRepr, PointsToTheLineOfTheAwaitWhereItWaits) {
  VirtualLoop loop;
  const int before = __LINE__ + 1;
  auto body = []() -> Coro<> {
    co_await sleep(0s);
    co_await sleep(0s);
  };
  Task<> task = create_task(body(), {.name = "t", .loop = &loop});
  auto line = [&](int offset) {
    return "<Task pending name='t' coro=<<lambda>() running at task_test.cpp:" + std::to_string(before + offset) + ">>";
  };
  loop.run_ticks(1);  // (before its first step it points to the function: clang to its first line, g++ to its last)
  EXPECT_EQ(task.repr(), line(1));
  loop.run_ticks(1);
  EXPECT_EQ(task.repr(), line(2));
  loop.run_ticks(1);
}

TEST(TaskRepr, NamesFunctionsOfAllKinds) {
  VirtualLoop loop;
  auto name = [&](auto coro) {
    auto task = create_task(std::move(coro), {.loop = &loop});
    const std::string text = task.repr();
    loop.run_until_complete(task);
    const std::size_t begin = text.find("coro=<") + 6;
    return text.substr(begin, text.find(" running at") - begin);
  };
  EXPECT_EQ(name(hidden()), "hidden()");
  EXPECT_EQ(name(Robot().walk()), "Robot::walk()");
  EXPECT_EQ(name(make_function({})), "make_function()");
  EXPECT_EQ(name(echo(std::string("text"))), "echo()");
  EXPECT_EQ(name(echo(1)), "echo()");
}

TEST(TaskRepr, OfAnEmptyHandleSaysSo) { EXPECT_EQ(Task<int>().repr(), "<Future empty>"); }

// ── the handle ──

// test_tasks.py: BaseTaskTests.test_task_set_methods
TEST(Task, ItsResultCannotBeSetThroughAHandleToAFuture) {
  VirtualLoop loop;
  Task<int> task = create_task(execute(1), {.loop = &loop});
  Future<int> future = task;
  EXPECT_THROW(future.set_result(2), std::runtime_error);
  EXPECT_THROW(future.set_exception(std::runtime_error("no")), std::runtime_error);
  EXPECT_EQ(loop.run_until_complete(task), 1);
}

}  // namespace
}  // namespace asyncio
