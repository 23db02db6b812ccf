// The ticks that each combinator takes: as many as the same programs take in CPython.
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/wait_for.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

/// The ticks from the line before `co_await body()` to the line after.
template <class F>
int ticks(F body) {
  return run_virtual([body]() mutable -> Coro<int> {
    const TickCounter counter(Loop::running());
    try {
      co_await body();
    } catch (...) {
    }
    co_return counter.ticks();
  });
}

/// A finished future.
Future<int> done_future() {
  Future<int> future = create_future<int>();
  future.set_result(1);
  return future;
}

TEST(Ticks, GatherOfTwoThatDoNotSuspendTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(nothing(), nothing()); }), 3);
}
TEST(Ticks, GatherOfNothingTakesNone) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(); }), 0);
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(std::vector<Task<>>()); }), 0);
}
TEST(Ticks, GatherOfDoneFuturesTakesNone) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(done_future(), done_future()); }), 0);
}
TEST(Ticks, GatherOfADoneFutureAndANewCoroutineTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(done_future(), nothing()); }), 3);
}
TEST(Ticks, GatherThatFailsTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(fail(), sleep(1s)); }), 3);
}
TEST(Ticks, GatherInGatherTakesFour) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await gather(gather(nothing()), nothing()); }), 4);
}
TEST(Ticks, GatherThatIsCancelledTakesThreeFromTheCancel) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              auto both = gather(sleep(10s), sleep(10s));
              co_await sleep(0s);
              co_await sleep(0s);
              both.cancel();
              co_await both;
            }),
            5);
}
TEST(Ticks, GatherWhoseFutureIsCancelledByTheNextCallbackTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              Future<> future = create_future();
              auto all = gather(future);
              Loop::running().call_soon([&] { future.cancel(); });
              co_await all;
            }),
            3);
}

TEST(Ticks, WaitForANewTaskTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Task<>> tasks(1, create_task(nothing()));
              co_await wait(tasks);
            }),
            3);
}
TEST(Ticks, WaitAlwaysSuspendsTwoTicksForADoneTask) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Future<int>> futures(1, done_future());
              co_await wait(futures);
            }),
            2);
}
TEST(Ticks, WaitForTheFirstThatTheNextCallbackCompletesTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Future<>> futures;
              futures.push_back(create_future());
              futures.push_back(create_future());
              Loop::running().call_soon([&] { futures[0].set_result(); });
              co_await wait(futures, {.return_when = FIRST_COMPLETED});
            }),
            3);
}
TEST(Ticks, WaitWithATimeoutOfZeroTakesTwo) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Future<>> futures(1, create_future());
              co_await wait(futures, {.timeout = 0s});
            }),
            2);
}

TEST(Ticks, WaitForOfACoroutineThatDoesNotSuspendTakesNone) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await wait_for(nothing(), 10s); }), 0);
  EXPECT_EQ(ticks([]() -> Coro<> { co_await wait_for(nothing(), std::nullopt); }), 0);
}
TEST(Ticks, WaitForOfACoroutineWithoutTimeTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await wait_for(nothing(), 0s); }), 3);
}
TEST(Ticks, WaitForOfADoneFutureTakesNone) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await wait_for(done_future(), 10s); }), 0);
  EXPECT_EQ(ticks([]() -> Coro<> { co_await wait_for(done_future(), 0s); }), 0);
}
TEST(Ticks, WaitForOfAFutureSetByTheNextCallbackTakesTwo) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              Future<> future = create_future();
              Loop::running().call_soon([&] { future.set_result(); });
              co_await wait_for(future, 10s);
            }),
            2);
}
TEST(Ticks, WaitForOfAFutureCancelledByTheNextCallbackTakesTwo) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              Future<> future = create_future();
              Loop::running().call_soon([&] { future.cancel(); });
              co_await wait_for(future, 10s);
            }),
            2);
}
TEST(Ticks, WaitForWithoutTimeWaitsForTheTaskToCleanUp) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              auto task = create_task([]() -> Coro<> {
                try {
                  co_await sleep(10s);
                } catch (const CancelledError&) {
                }
                co_await sleep(0s);
                throw CancelledError();
              });
              co_await sleep(0s);
              co_await wait_for(task, 0s);
            }),
            5);
}
TEST(Ticks, TimeoutOfZeroStrikesAfterTwo) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await timeout(0s, []() -> Coro<> { co_await sleep(10s); }); }), 2);
}

TEST(Ticks, ShieldOfACoroutineThatDoesNotSuspendTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await shield(nothing()); }), 3);
}
TEST(Ticks, ShieldOfAGatherTakesFour) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await shield(gather(nothing())); }), 4);
}
TEST(Ticks, ShieldCancelledFromOutsideTakesTwoAndFromInsideThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              Future<> inner = create_future();
              auto outer = shield(inner);
              Loop::running().call_soon([&] { outer.cancel(); });
              co_await outer;
            }),
            2);
  EXPECT_EQ(ticks([]() -> Coro<> {
              Future<> inner = create_future();
              auto outer = shield(inner);
              Loop::running().call_soon([&] { inner.cancel(); });
              co_await outer;
            }),
            3);
}

TEST(Ticks, TaskGroupWithoutTasksTakesNone) {
  EXPECT_EQ(ticks([]() -> Coro<> { co_await task_group([](TaskGroup&) -> Coro<> { co_return; }); }), 0);
}
TEST(Ticks, TaskGroupWithOneTaskThatDoesNotSuspendTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              co_await task_group([](TaskGroup& group) -> Coro<> {
                group.create_task(nothing());
                co_return;
              });
            }),
            3);
}
TEST(Ticks, TaskGroupWhoseTaskFailsTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              co_await task_group([](TaskGroup& group) -> Coro<> {
                group.create_task(fail());
                co_await sleep(10s);
              });
            }),
            3);
}
TEST(Ticks, TaskGroupWhoseBodyFailsTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              co_await task_group([](TaskGroup& group) -> Coro<> {
                group.create_task(sleep(10s));
                throw std::runtime_error("body");
                co_return;
              });
            }),
            3);
}
TEST(Ticks, TaskGroupInATaskOfATaskGroupTakesSix) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              co_await task_group([](TaskGroup& group) -> Coro<> {
                group.create_task([]() -> Coro<> {
                  co_await task_group([](TaskGroup& inner) -> Coro<> {
                    inner.create_task(nothing());
                    co_return;
                  });
                });
                co_return;
              });
            }),
            6);
}

TEST(Ticks, AsCompletedOfACoroutineThatDoesNotSuspendTakesThree) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Coro<>> coroutines;
              coroutines.push_back(nothing());
              for (auto& next : as_completed(std::move(coroutines))) co_await next;
            }),
            3);
}
TEST(Ticks, AsCompletedOfTwoDoneFuturesTakesTwo) {
  EXPECT_EQ(ticks([]() -> Coro<> {
              std::vector<Future<int>> futures;
              futures.push_back(done_future());
              futures.push_back(done_future());
              for (auto& next : as_completed(futures)) co_await next;
            }),
            2);
}

}  // namespace
}  // namespace asyncio
