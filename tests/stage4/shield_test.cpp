#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/wait.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

// test_tasks.py: BaseTaskTests.test_shield_result
TEST(Shield, PassesTheResultOn) {
  VirtualLoop loop;
  const Future<int> inner(loop);
  auto outer = shield(inner);
  inner.set_result(42);
  EXPECT_EQ(loop.run_until_complete(outer), 42);
}

// test_tasks.py: BaseTaskTests.test_shield_exception
TEST(Shield, PassesTheExceptionOn) {
  VirtualLoop loop;
  const Future<int> inner(loop);
  auto outer = shield(inner);
  inner.set_exception(std::runtime_error("expected"));
  loop.run_ticks(2);
  EXPECT_EQ(what_of(outer.exception()), "expected");
}

// test_tasks.py: BaseTaskTests.test_shield_cancel_inner
TEST(Shield, IsCancelledWithWhatItShields) {
  VirtualLoop loop;
  const Future<int> inner(loop);
  auto outer = shield(inner);
  inner.cancel();
  loop.run_ticks(2);
  EXPECT_TRUE(outer.cancelled());
}

// test_tasks.py: BaseTaskTests.test_shield_cancel_outer
// test_tasks.py: BaseTaskTests.test_shield_cancel_outer_result
TEST(Shield, ItsCancelDoesNotReachTheInnerFuture) {
  VirtualLoop loop;
  ErrorLog log(loop);
  const Future<int> inner(loop);
  auto outer = shield(inner);
  loop.run_ticks(1);
  EXPECT_TRUE(outer.cancel());
  loop.run_ticks(2);
  EXPECT_TRUE(outer.cancelled());
  EXPECT_FALSE(inner.done());
  inner.set_result(1);
  loop.run_ticks(2);
  EXPECT_TRUE(log.contexts.empty());
}

// test_tasks.py: BaseTaskTests.test_shield_cancel_outer_exception
TEST(Shield, AnExceptionThatComesAfterTheCancelIsReported) {
  VirtualLoop loop;
  ErrorLog log(loop);
  const Future<int> inner(loop);
  auto outer = shield(inner);
  outer.cancel();
  loop.run_ticks(1);
  inner.set_exception(std::runtime_error("Expected"));
  loop.run_ticks(1);
  ASSERT_EQ(log.contexts.size(), 1u);
  EXPECT_EQ(log.contexts[0].message, "std::runtime_error exception in shielded future");
  EXPECT_EQ(what_of(log.contexts[0].exception), "Expected");
}

// test_tasks.py: BaseTaskTests.test_shield_duplicate_log_once
TEST(Shield, SeveralShieldsReportAnExceptionOnce) {
  VirtualLoop loop;
  ErrorLog log(loop);
  const Future<int> inner(loop);
  for (int i = 0; i != 2; ++i) {
    auto outer = shield(inner);
    loop.run_ticks(1);
    outer.cancel();
    loop.run_ticks(1);
  }
  inner.set_exception(std::runtime_error("Expected"));
  loop.run_ticks(2);
  EXPECT_EQ(log.contexts.size(), 1u);
}

// test_tasks.py: BaseTaskTests.test_shield_shortcut
TEST(Shield, ADoneFutureComesBackAsItIs) {
  VirtualLoop loop;
  const Future<int> inner(loop);
  inner.set_result(42);
  EXPECT_EQ(shield(inner), inner);
}

// test_tasks.py: BaseTaskTests.test_shield_effect
TEST(Shield, WhatItShieldsRunsOnWhenTheAwaiterIsCancelled) {
  VirtualLoop loop;
  int proof = 0;
  const Future<> waiter(loop);
  auto inner = [&]() -> Coro<> {
    co_await waiter;
    ++proof;
  };
  auto outer = create_task(
      [&]() -> Coro<> {
        co_await shield(inner);
        proof += 100;
      },
      {.loop = &loop});
  loop.run_ticks(2);
  outer.cancel();
  EXPECT_THROW(loop.run_until_complete(outer), CancelledError);
  waiter.set_result();
  loop.run_ticks(2);
  EXPECT_EQ(proof, 1);
}

// test_tasks.py: BaseTaskTests.test_shield_gather
TEST(Shield, OfAGatherKeepsTheChildren) {
  VirtualLoop loop;
  const Future<int> child1(loop);
  const Future<int> child2(loop);
  auto parent = gather(child1, child2);
  auto outer = shield(parent);
  loop.run_ticks(2);
  outer.cancel();
  loop.run_ticks(2);
  EXPECT_TRUE(outer.cancelled());
  child1.set_result(1);
  child2.set_result(2);
  loop.run_ticks(2);
  EXPECT_EQ(parent.result(), std::make_tuple(1, 2));
}

// test_tasks.py: BaseTaskTests.test_shield_coroutine_without_loop
// test_tasks.py: BaseTaskTests.test_shield_coroutine_use_running_loop
TEST(Shield, ACoroutineNeedsARunningLoop) {
  EXPECT_THROW(shield(nothing()), std::runtime_error);
  VirtualLoop loop;
  auto outer = loop.run_until_complete([]() -> Coro<Future<int>> { co_return shield(value_after(0s, 42)); });
  EXPECT_EQ(&outer.get_loop(), &loop);
  EXPECT_EQ(loop.run_until_complete(outer), 42);
}

TEST(Shield, MovesAResultThatNobodyElseSees) {
  Counted::reset();
  run_virtual([]() -> Coro<> {
    Counted value = co_await shield([]() -> Coro<Counted> { co_return Counted(1); });
    EXPECT_EQ(value.value, 1);
    EXPECT_EQ(Counted::copies, 0);
    auto task = create_task([]() -> Coro<Counted> { co_return Counted(2); });
    Counted copy = co_await shield(task);
    EXPECT_EQ(copy.value, 2);
    EXPECT_EQ(task.result().value, 2);
    MoveOnly moved = co_await shield([]() -> Coro<MoveOnly> { co_return MoveOnly(3); });
    EXPECT_EQ(moved.value, 3);
  });
  EXPECT_EQ(Counted::copies, 1);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Shield, OfAFutureThatNobodyKeepsLeaksNothing) {
  VirtualLoop loop;
  auto outer = shield(Future<int>(loop));
  loop.run_ticks(1);
  EXPECT_TRUE(outer.cancel());
  loop.run_ticks(1);
  auto pending = shield(shield(Future<int>(loop)));
  loop.run_ticks(1);
  EXPECT_FALSE(pending.done());
}

TEST(Shield, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  VirtualLoop loop;
  const ErrorLog log(loop);
  auto task = create_task([]() -> Coro<> { co_await shield(sleep(100s)); }, {.loop = &loop});
  loop.run_ticks(3);
  loop.close();
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log.contexts.size(), 2u);  // the awaiter and the shielded task, as in CPython
}

}  // namespace
}  // namespace asyncio
