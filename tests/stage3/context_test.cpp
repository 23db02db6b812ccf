// Context variables and tasks: a task copies its creator's context, or runs in a given one.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::ErrorLog;
using testing::make_core;
using testing::thrown;
using testing::VirtualLoop;

const ContextVar<int> number("number", 0);

Coro<int> add(int amount) {
  const int before = number.get();
  number.set(before + amount);
  co_await sleep(1s);
  co_return number.get();
}

// test_tasks.py: BaseTaskTests.test_context_1
TEST(TaskContext, IsACopyOfItsCreatorsAtTheMomentOfCreation) {
  auto program = []() -> Coro<> {
    number.set(1);
    auto task = create_task(add(10));
    number.set(2);
    auto other = create_task(add(100));
    const int first = co_await task;
    const int second = co_await other;
    EXPECT_EQ(first, 11);
    EXPECT_EQ(second, 102);
    EXPECT_EQ(number.get(), 2);
    EXPECT_EQ(task.get_context().get(number), 11);
  };
  run(program(), make_core());
  EXPECT_EQ(number.get(), 0);
}

TEST(TaskContext, ACoroutineThatIsAwaitedRunsInItsCallersContext) {
  auto program = []() -> Coro<> {
    const int result = co_await add(5);
    EXPECT_EQ(result, 5);
    EXPECT_EQ(number.get(), 5);
  };
  run(program(), make_core());
}

// test_tasks.py: BaseTaskTests.test_context_3
TEST(TaskContext, SurvivesSuspensionsWhileOthersRun) {
  std::vector<int> seen;
  auto one = [&](int id) -> Coro<> {
    number.set(id);
    for (int i = 0; i < 3; ++i) {
      co_await sleep(0s);
      seen.push_back(number.get());
    }
  };
  auto program = [&]() -> Coro<> {
    auto a = create_task(one(1));
    auto b = create_task(one(2));
    co_await a;
    co_await b;
  };
  run(program(), make_core());
  EXPECT_EQ(seen, (std::vector{1, 2, 1, 2, 1, 2}));
}

// test_tasks.py: BaseTaskTests.test_context_4
// test_tasks.py: BaseTaskTests.test_context_5
// test_tasks.py: BaseTaskTests.test_context_6
// test_tasks.py: BaseTaskTests.test_get_context
TEST(TaskContext, CanBeGivenAndShared) {
  auto program = []() -> Coro<> {
    const Context context;
    auto a = create_task(add(1), {.context = &context});
    auto b = create_task(add(10), {.context = &context});
    co_await a;
    co_await b;
    EXPECT_EQ(context.get(number), 11);
    EXPECT_EQ(number.get(), 0);
    const bool same = a.get_context() == context;
    EXPECT_TRUE(same);
  };
  run(program(), make_core());
}

TEST(TaskContext, IsWhatTheTaskItselfGets) {
  auto program = []() -> Coro<> {
    const Context mine = current_task().get_context();
    number.set(3);
    EXPECT_EQ(mine.get(number), 3);
    co_await sleep(0s);
    number.set(4);
    EXPECT_EQ(mine.get(number), 4);
  };
  run(program(), make_core());
}

TEST(TaskContext, ADoneCallbackRunsInTheContextInWhichItWasAdded) {
  std::vector<int> seen;
  auto program = [&]() -> Coro<> {
    auto future = create_future<>();
    const Context given;
    given.run([] { number.set(9); });
    number.set(1);
    auto note = [&](auto&) { seen.push_back(number.get()); };
    future.add_done_callback(note);
    future.add_done_callback(note, given);
    number.set(2);
    future.set_result();
    future.add_done_callback(note);
    co_await sleep(0s);
  };
  run(program(), make_core());
  EXPECT_EQ(seen, (std::vector{1, 9, 2}));
}

// test_tasks.py: BaseTaskTests.test_context_2
TEST(TaskContext, ACallbackThatATaskAddsDoesNotDisturbIt) {
  auto program = []() -> Coro<> {
    for (int round = 1; round < 3; ++round) {
      Future<> future = create_future();
      future.add_done_callback([](Future<>&) { number.set(-1); });
      number.set(round);
      Loop::running().call_soon([future] { future.set_result(); });
      co_await future;
      EXPECT_EQ(number.get(), round);
      for (int value : {10, 20, 30}) {
        number.set(value);
        co_await sleep(1ms);
        EXPECT_EQ(number.get(), value);
      }
    }
  };
  run(program(), make_core());
  EXPECT_EQ(number.get(), 0);
}

// test_futures2.py: FutureTests.test_task_exc_handler_correct_context
TEST(TaskContext, TheExceptionHandlerRunsInTheTasks) {
  VirtualLoop loop;
  std::vector<int> seen;
  loop.set_exception_handler([&](Loop&, const ErrorContext&) { seen.push_back(number.get()); });
  auto fail = []() -> Coro<> {
    number.set(7);
    co_await sleep(0s);
    throw std::runtime_error("x");
  };
  auto wait = []() -> Coro<> {
    number.set(8);
    co_await sleep(1s);
  };
  create_task(fail, {.loop = &loop});
  create_task(wait, {.loop = &loop});
  loop.run_ticks(3);
  EXPECT_EQ(seen, std::vector{7});  // never retrieved
  loop.close();
  EXPECT_EQ(seen, (std::vector{7, 8}));  // destroyed, but pending
}

// test_runners.py: RunnerTests.test_run_keeps_context
TEST(RunnerContext, WhatOneRunSetsTheNextOneSees) {
  Runner runner(make_core());
  const int first = runner.run(add(1));
  const int second = runner.run(add(10));
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 11);
  EXPECT_EQ(number.get(), 0);
}

TEST(RunnerContext, CanBeGiven) {
  Runner runner(make_core());
  const Context context;
  context.run([] { number.set(100); });
  EXPECT_EQ(runner.run(add(1), context), 101);
  EXPECT_EQ(runner.run(add(1)), 1);
  EXPECT_EQ(context.get(number), 101);
}

TEST(RunnerContext, BeginsAsACopyOfTheThreads) {
  auto token = number.set(5);
  EXPECT_EQ(run(add(1), make_core()), 6);
  EXPECT_EQ(number.get(), 5);
  number.reset(token);
}

TEST(TaskContext, CannotBeEnteredFromInsideHoweverDeep) {
  const Context outer, inner;
  std::vector<std::string> refusals;
  const auto enter_outer = [&] { outer.run([] {}); };
  auto in_another = [&]() -> Coro<> {
    inner.run([&] { refusals.push_back(thrown<std::runtime_error>(enter_outer)); });
    co_return;
  };
  auto in_an_eager_task = [&]() -> Coro<> {
    auto child = [&]() -> Coro<> {
      refusals.push_back(thrown<std::runtime_error>(enter_outer));
      co_return;
    };
    create_task(child, {.eager_start = true});
    co_return;
  };
  VirtualLoop loop;
  create_task(in_another, {.loop = &loop, .context = &outer});
  create_task(in_an_eager_task, {.loop = &loop, .context = &outer});
  loop.run_ticks(1);
  EXPECT_EQ(refusals, std::vector<std::string>(2, "cannot enter context: it is already entered"));
  enter_outer();  // possible: the tasks have left the context
}

class SeesNumberAtItsEnd {
 public:
  explicit SeesNumberAtItsEnd(int& seen) : seen_(&seen) {}
  SeesNumberAtItsEnd(SeesNumberAtItsEnd&& other) noexcept : seen_(std::exchange(other.seen_, nullptr)) {}
  ~SeesNumberAtItsEnd() {
    if (seen_) *seen_ = number.get();
  }

 private:
  int* seen_;
};

// CPython clears a coroutine's frame during its last step; if it never began, during the step that throws
// CancelledError.
TEST(TaskContext, IsStillThereWhenTheArgumentsOfItsCoroutineAreDestroyed) {
  const auto takes = [](SeesNumberAtItsEnd, Duration delay) -> Coro<> { co_await sleep(delay); };
  int ended = 0, never_begun = 0, pending = 0;
  auto program = [&]() -> Coro<> {
    number.set(7);
    create_task(takes(SeesNumberAtItsEnd(ended), 0s));
    create_task(takes(SeesNumberAtItsEnd(never_begun), 0s)).cancel();
    create_task(takes(SeesNumberAtItsEnd(pending), 1h)).set_log_destroy_pending(false);
    number.set(8);
    co_return;
  };
  {
    VirtualLoop loop;
    create_task(program, {.loop = &loop});
    loop.run_ticks(4);
    EXPECT_EQ(ended, 7);
    EXPECT_EQ(never_begun, 7);
    EXPECT_EQ(pending, 0);
  }  // closing the loop clears a waiting coroutine's frame
  EXPECT_EQ(pending, 7);
}

}  // namespace
}  // namespace asyncio
