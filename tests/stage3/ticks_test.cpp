// The ticks that each await costs: as many as measured in CPython.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::TickCounter;

Coro<> nothing() { co_return; }

/// The ticks that pass while `body` runs.
template <class Body>
int ticks_of(Body body) {
  auto main = [&]() -> Coro<int> {
    co_await sleep(0s);
    TickCounter counter(Loop::running());
    co_await body();
    co_return counter.ticks();
  };
  return run(main, make_core());
}

TEST(Ticks, AwaitOfACoroutine) {
  EXPECT_EQ(ticks_of([]() -> Coro<> { co_await nothing(); }), 0);
}

TEST(Ticks, AwaitOfADoneFuture) {
  auto body = []() -> Coro<> {
    Future<> future = create_future();
    future.set_result();
    co_await future;
  };
  EXPECT_EQ(ticks_of(body), 0);
}

TEST(Ticks, AwaitOfADoneTask) {
  auto body = []() -> Coro<> {
    Task<> task = create_task(nothing());
    co_await sleep(0s);
    EXPECT_TRUE(task.done());
    co_await task;
  };
  EXPECT_EQ(ticks_of(body), 1);  // the sleep(0)
}

TEST(Ticks, SleepOfZeroOrLess) {
  EXPECT_EQ(ticks_of([]() -> Coro<> { co_await sleep(0s); }), 1);
  EXPECT_EQ(ticks_of([]() -> Coro<> { co_await sleep(-5s); }), 1);
}

TEST(Ticks, AwaitOfANewTaskThatNeverSuspends) {  // its step, our wake-up
  EXPECT_EQ(ticks_of([]() -> Coro<> { co_await create_task(nothing()); }), 2);
}

TEST(Ticks, AwaitOfANewTaskThatSleepsZero) {
  EXPECT_EQ(ticks_of([]() -> Coro<> { co_await create_task(sleep(0s)); }), 3);
}

TEST(Ticks, AwaitOfANewTaskThatAwaitsANewTask) {
  auto inner = []() -> Coro<> { co_await create_task(nothing()); };
  EXPECT_EQ(ticks_of([&]() -> Coro<> { co_await create_task(inner()); }), 4);
}

TEST(Ticks, AwaitOfAFutureThatTheNextCallbackSets) {
  auto body = []() -> Coro<> {
    Future<> future = create_future();
    Loop::running().call_soon([future] { future.set_result(); });
    co_await future;
  };
  EXPECT_EQ(ticks_of(body), 2);
}

TEST(Ticks, CancelBeforeTheFirstStepThenAwait) {
  auto body = []() -> Coro<> {
    Task<> task = create_task(nothing());
    task.cancel();
    try {
      co_await task;
      ADD_FAILURE();
    } catch (const CancelledError&) {
    }
  };
  EXPECT_EQ(ticks_of(body), 2);
}

TEST(Ticks, CancelASleepingTaskThenAwait) {
  auto body = []() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    co_await sleep(0s);
    task.cancel();
    try {
      co_await task;
      ADD_FAILURE();
    } catch (const CancelledError&) {
    }
  };
  EXPECT_EQ(ticks_of(body), 1 + 2);
}

TEST(Ticks, CancelReachesTheEndOfAChainOfTasksOneTickATask) {
  auto body = []() -> Coro<> {
    Task<> inner = create_task(sleep(10s));
    Task<> outer = create_task([inner]() -> Coro<> { co_await inner; });
    co_await sleep(0s);
    outer.cancel();
    try {
      co_await outer;
      ADD_FAILURE();
    } catch (const CancelledError&) {
    }
  };
  EXPECT_EQ(ticks_of(body), 1 + 3);
}

TEST(Ticks, RunUntilCompleteStopsOneTickAfterTheTaskIsDone) {
  testing::VirtualLoop loop;
  TickCounter counter(loop);
  Task<> task = create_task(nothing(), {.loop = &loop});
  loop.run_until_complete(task);
  EXPECT_EQ(counter.ticks(), 2);
  loop.run_until_complete(task);  // already done, but its callback is still scheduled
  EXPECT_EQ(counter.ticks(), 3);
}

}  // namespace
}  // namespace asyncio
