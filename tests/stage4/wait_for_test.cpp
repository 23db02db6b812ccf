#include <asyncio/shield.h>
#include <asyncio/wait_for.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

/// Sleeps for the full time, even if cancelled.
Coro<> slow_task(bool& exited) {
  const TimePoint end = Loop::running().time() + 200ms;
  while (Loop::running().time() < end) {
    try {
      co_await sleep(end - Loop::running().time());
    } catch (const CancelledError&) {
    }
  }
  exited = true;
}

// test_waitfor.py: AsyncioWaitForTest.test_asyncio_wait_for_cancelled
TEST(WaitFor, ThatIsCancelledWaitsForTheInnerToEnd) {
  run_virtual([]() -> Coro<> {
    bool exited = false;
    auto task = create_task(wait_for(slow_task(exited), 400ms));
    co_await sleep(0s);
    task.cancel();
    std::vector<Task<>> tasks(1, task);
    co_await wait(tasks);
    EXPECT_TRUE(exited);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_asyncio_wait_for_timeout
TEST(WaitFor, ThatTimesOutWaitsForTheInnerToEnd) {
  run_virtual([]() -> Coro<> {
    bool exited = false;
    co_await wait_for(slow_task(exited), 100ms);  // slow_task swallows the cancel and returns
    EXPECT_TRUE(exited);
    EXPECT_EQ(now(), 0.2);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_future_done
TEST(WaitFor, ADoneFutureWinsAgainstNoTimeAtAll) {
  run_virtual([]() -> Coro<> {
    Future<std::string> future = create_future<std::string>();
    future.set_result("done");
    std::string value = co_await wait_for(future, 0s);
    EXPECT_EQ(value, "done");
    std::string again = co_await wait_for(future, -1s);
    EXPECT_EQ(again, "done");
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started
TEST(WaitFor, WithoutTimeTheCoroutineNeverStarts) {
  run_virtual([]() -> Coro<> {
    bool started = false;
    auto foo = [&]() -> Coro<> {
      started = true;
      co_return;
    };
    const bool timed_out = co_await throws<TimeoutError>(wait_for(foo, 0s));
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(started);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0
TEST(WaitFor, WithoutTimeARunningTaskIsCancelledAndWaitedFor) {
  run_virtual([]() -> Coro<> {
    for (const Duration limit : {Duration(0s), Duration(-1s)}) {
      bool running = false;
      Future<> started = create_future();
      auto task = create_task([&]() -> Coro<std::string> {
        running = true;
        started.set_result();
        try {
          co_await sleep(10s);
        } catch (const CancelledError&) {
          running = false;
          throw;
        }
        co_return "done";
      });
      co_await started;
      const bool timed_out = co_await throws<TimeoutError>(wait_for(task, limit));
      EXPECT_TRUE(timed_out);
      EXPECT_TRUE(task.cancelled());
      EXPECT_FALSE(running);
    }
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for
TEST(WaitFor, TheTimeoutCancelsTheTask) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(value_after(1h, 1));
    const bool timed_out = co_await throws<TimeoutError>(wait_for(task, 100ms));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(now(), 0.1);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_blocking
TEST(WaitFor, WithoutALimitIsAPlainAwait) {
  run_virtual([]() -> Coro<> {
    int value = co_await wait_for(value_after(24h, 5), std::nullopt);
    EXPECT_EQ(value, 5);
    std::optional<Duration> none;
    int same = co_await wait_for(value_after(1h, 6), none);
    EXPECT_EQ(same, 6);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_race_condition
TEST(WaitFor, AFutureSetInTimeIsReturned) {
  run_virtual([]() -> Coro<> {
    Future<std::string> future = create_future<std::string>();
    auto waits = wait_for(future, 200ms);
    Loop::running().call_soon([=] { future.set_result("ok"); });
    std::string value = co_await std::move(waits);
    EXPECT_EQ(value, "ok");
  });
}

TEST(WaitFor, IfResultAndTimeoutFallIntoTheSameTickTheTimeoutWins) {
  run_virtual([]() -> Coro<> {
    Future<int> future = create_future<int>();
    Loop::running().call_later(1s, [=] { future.set_result(1); });
    const bool timed_out = co_await throws<TimeoutError>(wait_for(future, 1s));
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(future.result(), 1);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_cancellation_race_condition
// test_waitfor.py: AsyncioWaitForTest.test_wait_for_cancel_suppressed
TEST(WaitFor, WhatSwallowsTheCancelGivesItsValue) {
  run_virtual([]() -> Coro<> {
    int value = co_await wait_for(
        []() -> Coro<int> {
          const bool cancelled = co_await throws<CancelledError>(sleep(1s));
          EXPECT_TRUE(cancelled);
          co_return 1;
        },
        10ms);
    EXPECT_EQ(value, 1);
  });
}

Coro<> cleans_up_slowly(bool& done) {
  bool cancelled = co_await throws<CancelledError>(sleep(10s));
  co_await sleep(100ms);
  done = true;
  if (cancelled) throw CancelledError();
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation
TEST(WaitFor, TimeoutErrorComesAfterASlowCleanUp) {
  run_virtual([]() -> Coro<> {
    bool done = false;
    const bool timed_out = co_await throws<TimeoutError>(wait_for(create_task(cleans_up_slowly(done)), 100ms));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(done);
    EXPECT_EQ(now(), 0.2);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation_w_timeout_0
TEST(WaitFor, WithoutTimeAlsoAfterASlowCleanUp) {
  run_virtual([]() -> Coro<> {
    bool done = false;
    auto task = create_task(cleans_up_slowly(done));
    co_await sleep(100ms);
    const bool timed_out = co_await throws<TimeoutError>(wait_for(task, 0s));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(done);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_reraises_exception_during_cancellation
TEST(WaitFor, AnExceptionOfTheCleanUpWins) {
  run_virtual([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      try {
        co_await sleep(200ms);
      } catch (const CancelledError&) {
        throw std::out_of_range("foo");
      }
    });
    const bool foo = co_await throws<std::out_of_range>(wait_for(task, 100ms));
    EXPECT_TRUE(foo);
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_cancel_blocking_wait_for
// test_waitfor.py: AsyncioWaitForTest.test_cancel_wait_for
TEST(WaitFor, ThatIsCancelledCancelsTheTask) {
  run_virtual([]() -> Coro<> {
    for (const TimeLimit limit : {TimeLimit(), TimeLimit(60s)}) {
      auto task = create_task([]() -> Coro<> { co_await create_future(); });
      auto waits = create_task(wait_for(task, limit));
      Loop::running().call_soon([=] { waits.cancel("why"); });
      const std::string message = co_await cancel_message(waits);
      EXPECT_EQ(message, "why");
      EXPECT_TRUE(task.cancelled());
    }
  });
}

// test_waitfor.py: AsyncioWaitForTest.test_wait_for_issue86296
TEST(WaitFor, ACancelInTheTickWhereTheInnerEndedIsNotLost) {
  run_virtual([]() -> Coro<> {
    auto inner = create_task(value_after(0s, std::string("done")));
    bool reached_end = false;
    auto task = create_task([&]() -> Coro<> {
      co_await wait_for(inner, 100s);
      co_await sleep(1s);
      reached_end = true;
    });
    co_await sleep(0s);
    task.cancel();
    const bool cancelled = co_await throws<CancelledError>(task);
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(reached_end);
  });
}

// test_waitfor.py: WaitForShieldTests.test_zero_timeout
TEST(WaitFor, WithoutTimeAShieldIsCancelledAndTheTaskRunsOn) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(value_after(10ms, 1));
    auto shielded = shield(task);
    const bool timed_out = co_await throws<TimeoutError>(wait_for(shielded, 0s));
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(task.done());
    EXPECT_TRUE(shielded.cancelled());
    co_await sleep(100ms);
    EXPECT_EQ(task.result(), 1);
  });
}

// test_waitfor.py: WaitForShieldTests.test_none_timeout
// test_waitfor.py: WaitForShieldTests.test_shielded_timeout
TEST(WaitFor, AShieldKeepsTheTaskRunningAfterTheTimeout) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(value_after(100ms, 1));
    const bool timed_out = co_await throws<TimeoutError>(wait_for(shield(task), 10ms));
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(task.done());
    int value = co_await wait_for(shield(task), std::nullopt);
    EXPECT_EQ(value, 1);
  });
}

TEST(WaitFor, RunsACoroutineInTheCallingTask) {
  run_virtual([]() -> Coro<> {
    const AnyTask here = current_task();
    auto body = [&]() -> Coro<bool> { co_return current_task() == here; };
    const bool same = co_await wait_for(body, 1s);
    EXPECT_TRUE(same);
    const bool other = co_await throws<TimeoutError>(wait_for(body, 0s));
    EXPECT_TRUE(other);
  });
}

TEST(WaitFor, OwnsWhatItIsGiven) {
  run_virtual([]() -> Coro<> {
    std::string captured = "captured by a lambda that is gone when it runs";
    Coro<std::string> waits;
    {
      auto body = [captured]() -> Coro<std::string> {
        co_await sleep(1s);
        co_return captured;
      };
      waits = wait_for(std::move(body), 2s);
    }
    std::string value = co_await std::move(waits);
    EXPECT_EQ(value, captured);
    co_await wait_for(sleep(1s), 2s);
    MoveOnly moved = co_await wait_for([]() -> Coro<MoveOnly> { co_return MoveOnly(3); }, 2s);
    EXPECT_EQ(moved.value, 3);
  });
}

TEST(WaitFor, RefusesALimitThatIsNotANumberAndAnEmptyFunction) {
  EXPECT_THROW(static_cast<void>(wait_for(nothing(), std::chrono::duration<double>(NAN))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(wait_for(std::function<Coro<>()>(), 1s)), std::invalid_argument);
}

TEST(WaitFor, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  VirtualLoop loop;
  const ErrorLog log(loop);
  auto task = create_task(wait_for(value_after(100s, Counted(1)), 50s), {.loop = &loop});
  loop.run_ticks(2);
  loop.close();
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log.contexts.size(), 1u);
}

}  // namespace
}  // namespace asyncio
