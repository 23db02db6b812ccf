#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

TimePoint after(Duration delay) { return Loop::running().time() + delay; }

// test_timeouts.py: TimeoutTests.test_timeout_basic
// test_timeouts.py: TimeoutTests.test_waiter_cancelled
TEST(Timeout, InsideItIsCancelledErrorAndOutsideTimeoutError) {
  run_virtual([]() -> Coro<> {
    bool cancelled = false;
    const bool timed_out = co_await throws<TimeoutError>(timeout(10ms, [&](Timeout& scope) -> Coro<> {
      EXPECT_EQ(scope.when(), after(10ms));
      cancelled = co_await throws<CancelledError>(sleep(10s));
      EXPECT_TRUE(scope.expired());
      throw CancelledError();
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(now(), 0.01);
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_at_basic
TEST(Timeout, AtAPointInTime) {
  run_virtual([]() -> Coro<> {
    const TimePoint deadline = after(10ms);
    Timeout scope(deadline);
    const bool timed_out = co_await throws<TimeoutError>(timeout(scope, []() -> Coro<> { co_await sleep(10s); }));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(scope.when(), deadline);
    const bool again = co_await throws<TimeoutError>(timeout_at(after(1s), []() -> Coro<> { co_await sleep(10s); }));
    EXPECT_TRUE(again);
  });
}

TEST(Timeout, GivesWhatTheBodyGives) {
  run_virtual([]() -> Coro<> {
    int value = co_await timeout(1s, []() -> Coro<int> { co_return 4; });
    EXPECT_EQ(value, 4);
    MoveOnly moved = co_await timeout(1s, [](Timeout&) -> Coro<MoveOnly> { co_return MoveOnly(5); });
    EXPECT_EQ(moved.value, 5);
  });
}

// test_timeouts.py: TimeoutTests.test_nested_timeouts
TEST(Timeout, OfTwoWithTheSameDeadlineOnlyTheOuterThrowsTimeoutError) {
  run_virtual([]() -> Coro<> {
    const TimePoint deadline = after(10ms);
    Timeout outer(deadline);
    Timeout inner(deadline);
    bool cancelled = false;
    const bool timed_out = co_await throws<TimeoutError>(timeout(outer, [&]() -> Coro<> {
      cancelled = co_await throws<CancelledError>(timeout(inner, []() -> Coro<> { co_await sleep(10s); }));
      throw CancelledError();
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(outer.expired());
    EXPECT_TRUE(inner.expired());
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_not_called
// test_timeouts.py: TimeoutTests.test_timeout_disabled
// test_timeouts.py: TimeoutTests.test_timeout_at_disabled
TEST(Timeout, ThatIsNotReachedOrThatIsNoneDoesNothing) {
  run_virtual([]() -> Coro<> {
    Timeout scope(after(10s));
    co_await timeout(scope, []() -> Coro<> { co_await sleep(10ms); });
    EXPECT_FALSE(scope.expired());
    EXPECT_GT(*scope.when(), Loop::running().time());
    co_await timeout(std::nullopt, [](Timeout& none) -> Coro<> {
      EXPECT_EQ(none.when(), std::nullopt);
      co_await sleep(24h);
      EXPECT_FALSE(none.expired());
    });
    co_await timeout_at(std::nullopt, []() -> Coro<> { co_await sleep(24h); });
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_zero
// test_timeouts.py: TimeoutTests.test_timeout_zero_sleep_zero
// test_timeouts.py: TimeoutTests.test_timeout_in_the_past_sleep_zero
TEST(Timeout, OfZeroOrInThePastStrikesAtTheFirstSuspension) {
  run_virtual([]() -> Coro<> {
    for (const Duration limit : {Duration(0s), Duration(-11s)}) {
      for (const Duration delay : {Duration(0s), Duration(10s)}) {
        const bool timed_out =
            co_await throws<TimeoutError>(timeout(limit, [=]() -> Coro<> { co_await sleep(delay); }));
        EXPECT_TRUE(timed_out);
      }
    }
    EXPECT_EQ(now(), 0);
  });
}

TEST(Timeout, OfZeroDoesNothingToABodyThatDoesNotSuspend) {
  run_virtual([]() -> Coro<> {
    Timeout scope(after(0s));
    int value = co_await timeout(scope, []() -> Coro<int> { co_return 1; });
    EXPECT_EQ(value, 1);
    EXPECT_FALSE(scope.expired());
    co_await sleep(1s);  // the timer was cancelled
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_foreign_exception_passed
TEST(Timeout, OtherExceptionsPass) {
  run_virtual([]() -> Coro<> {
    Timeout scope(after(10ms));
    const bool passed = co_await throws<std::runtime_error>(timeout(scope, []() -> Coro<> { return fail(); }));
    EXPECT_TRUE(passed);
    EXPECT_FALSE(scope.expired());
  });
}

// test_timeouts.py: TimeoutTests.test_foreign_exception_on_timeout
TEST(Timeout, AnExceptionOfTheCleanUpPassesAndTheTaskIsNotCancelled) {
  run_virtual([]() -> Coro<> {
    Timeout scope(after(10ms));
    const bool passed = co_await throws<std::out_of_range>(timeout(scope, []() -> Coro<> {
      try {
        co_await sleep(1s);
      } catch (const CancelledError&) {
        throw std::out_of_range("crash");
      }
    }));
    EXPECT_TRUE(passed);
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_foreign_cancel_doesnt_timeout_if_not_expired
TEST(Timeout, ACancelFromElsewhereStaysACancel) {
  run_virtual([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      Timeout scope(after(10s));
      const bool cancelled = co_await throws<CancelledError>(timeout(scope, []() -> Coro<> {
        current_task().cancel();
        co_await sleep(10s);
      }));
      EXPECT_TRUE(cancelled);
      EXPECT_FALSE(scope.expired());
      throw CancelledError();
    });
    const bool cancelled = co_await throws<CancelledError>(task);
    EXPECT_TRUE(cancelled);
  });
}

TEST(Timeout, ACancelFromElsewhereTogetherWithTheTimeoutStaysACancel) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(timeout(1s, []() -> Coro<> { co_await sleep(10s); }));
    co_await sleep(0s);  // its timer first, then ours
    Loop::running().call_later(1s, [=] { task.cancel(); });
    const bool cancelled = co_await throws<CancelledError>(task);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(task.cancelling(), 1u);
  });
}

// test_timeouts.py: TimeoutTests.test_outer_task_is_not_cancelled
TEST(Timeout, ThatWasHandledLeavesTheTaskUncancelled) {
  run_virtual([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      const bool timed_out = co_await throws<TimeoutError>(timeout(1ms, []() -> Coro<> { co_await sleep(10s); }));
      EXPECT_TRUE(timed_out);
      co_await sleep(1s);
    });
    co_await task;
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_nested_timeouts_concurrent
TEST(Timeout, IfOnlyTheOuterIsOverTheInnerLetsTheCancelPass) {
  run_virtual([]() -> Coro<> {
    bool inner_timed_out = false;
    const bool timed_out = co_await throws<TimeoutError>(timeout(2ms, [&]() -> Coro<> {
      inner_timed_out = co_await throws<TimeoutError>(timeout(100ms, []() -> Coro<> { co_await sleep(1s); }));
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(inner_timed_out);
    EXPECT_EQ(now(), .002);
  });
}

// test_timeouts.py: TimeoutTests.test_nested_timeouts_loop_busy
TEST(Timeout, InnerAndOuterBothStrikeAlthoughTheLoopWasBusyPastBoth) {
  run_virtual([]() -> Coro<> {
    bool inner_timed_out = false;
    const TimePoint past = after(0s);
    const bool timed_out = co_await throws<TimeoutError>(timeout_at(past, [&]() -> Coro<> {
      inner_timed_out = co_await throws<TimeoutError>(timeout_at(past, []() -> Coro<> { co_await sleep(1s); }));
      co_await sleep(10s);
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(inner_timed_out);  // both expire in one tick: only the outermost throws TimeoutError
    EXPECT_EQ(now(), 0);
  });
}

// test_timeouts.py: TimeoutTests.test_reschedule
TEST(Timeout, CanBeMovedAndDisabled) {
  run_virtual([]() -> Coro<> {
    const TimePoint deadline = after(10s);
    Timeout scope(deadline);
    auto task = create_task(timeout(scope, []() -> Coro<> { co_await sleep(50s); }));
    co_await sleep(0s);
    EXPECT_EQ(scope.when(), deadline);
    scope.reschedule(deadline + 20s);
    EXPECT_EQ(scope.when(), deadline + 20s);
    co_await sleep(15s);
    EXPECT_FALSE(scope.expired());
    scope.reschedule(std::nullopt);
    EXPECT_EQ(scope.when(), std::nullopt);
    co_await sleep(20s);
    task.cancel();
    const bool cancelled = co_await throws<CancelledError>(task);
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(scope.expired());
  });
}

TEST(Timeout, MovedToThePastStrikesAtOnce) {
  run_virtual([]() -> Coro<> {
    const bool timed_out = co_await throws<TimeoutError>(timeout(10s, [](Timeout& scope) -> Coro<> {
      scope.reschedule(Loop::running().time() - 1s);
      co_await sleep(1s);
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(now(), 0);
  });
}

// test_timeouts.py: TimeoutTests.test_nested_timeout_in_finally
TEST(Timeout, InTheCleanUpOfAnotherTimeout) {
  run_virtual([]() -> Coro<> {
    bool inner_timed_out = false;
    const bool timed_out = co_await throws<TimeoutError>(timeout(10ms, [&]() -> Coro<> {
      const bool cancelled = co_await throws<CancelledError>(sleep(1s));
      inner_timed_out = co_await throws<TimeoutError>(timeout(10ms, []() -> Coro<> { co_await sleep(10s); }));
      if (cancelled) throw CancelledError();
    }));
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(inner_timed_out);
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_after_cancellation
// test_timeouts.py: TimeoutTests.test_cancel_in_timeout_after_cancellation
TEST(Timeout, TheCountOfCancelsAtTheEntryIsTheBaseline) {
  run_virtual([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      current_task().cancel();
      const bool swallowed = co_await throws<CancelledError>(sleep(1s));
      EXPECT_TRUE(swallowed);
      EXPECT_EQ(current_task().cancelling(), 1u);
      const bool timed_out = co_await throws<TimeoutError>(timeout(0s, []() -> Coro<> { co_await sleep(1s); }));
      EXPECT_TRUE(timed_out);
      const bool cancelled = co_await throws<CancelledError>(timeout(1s, []() -> Coro<> {
        current_task().cancel();
        co_await sleep(2s);
      }));
      EXPECT_TRUE(cancelled);
    });
    co_await task;
  });
}

template <class F>
std::string runtime_error_of(F f) {
  try {
    f();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// test_timeouts.py: TimeoutTests.test_timeout_already_entered
// test_timeouts.py: TimeoutTests.test_timeout_double_enter
// test_timeouts.py: TimeoutTests.test_timeout_finished
// test_timeouts.py: TimeoutTests.test_timeout_expired
// test_timeouts.py: TimeoutTests.test_timeout_not_entered
TEST(Timeout, RefusesWhatItsStateDoesNotAllow) {
  run_virtual([]() -> Coro<> {
    auto reschedule = [](Timeout& scope) { return runtime_error_of([&] { scope.reschedule(after(20ms)); }); };
    Timeout scope(after(10ms));
    EXPECT_EQ(reschedule(scope), "Timeout has not been entered");
    bool refused = false;
    co_await timeout(scope, [&]() -> Coro<> {
      refused = co_await throws<std::runtime_error>(timeout(scope, []() -> Coro<> { co_return; }));
    });
    EXPECT_TRUE(refused);
    EXPECT_EQ(reschedule(scope), "Cannot change state of finished Timeout");
    const bool twice = co_await throws<std::runtime_error>(timeout(scope, []() -> Coro<> { co_return; }));
    EXPECT_TRUE(twice);
    Timeout expired(after(10ms));
    const bool timed_out = co_await throws<TimeoutError>(timeout(expired, []() -> Coro<> { co_await sleep(1s); }));
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(reschedule(expired), "Cannot change state of expired Timeout");
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_expiring
TEST(Timeout, WhoSwallowsTheCancelInsideGetsNoTimeoutError) {
  run_virtual([]() -> Coro<> {
    Timeout scope(after(10ms));
    std::string refusal;
    co_await timeout(scope, [&]() -> Coro<> {
      const bool cancelled = co_await throws<CancelledError>(sleep(1s));
      EXPECT_TRUE(cancelled);
      refusal = runtime_error_of([&] { scope.reschedule(after(20ms)); });
    });
    EXPECT_EQ(refusal, "Cannot change state of expiring Timeout");
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_timeout_without_task
TEST(Timeout, CannotBeEnteredOutsideOfATask) {
  Timeout scope;
  EXPECT_EQ(runtime_error_of([&] { scope.enter(); }), "Timeout should be used inside a task");
}

// test_timeouts.py: TimeoutTests.test_timeout_taskgroup
TEST(Timeout, AroundATaskGroupWhoseTasksFailInTheirCleanUp) {
  run_virtual([]() -> Coro<> {
    auto crashes_in_cleanup = []() -> Coro<> {
      try {
        co_await sleep(2s);
      } catch (const CancelledError&) {
        throw std::out_of_range("crash");
      }
    };
    Timeout scope(after(10ms));
    std::vector<std::exception_ptr> errors;
    try {
      co_await timeout(scope, [&]() -> Coro<> {
        co_await task_group([&](TaskGroup& group) -> Coro<> {
          group.create_task(crashes_in_cleanup);
          co_await sleep(1s);
        });
      });
    } catch (const ExceptionGroup& group) {
      errors = group.exceptions();
    }
    EXPECT_EQ(errors.size(), 1u);
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_timeouts.py: TimeoutTests.test_repr_active
// test_timeouts.py: TimeoutTests.test_repr_expired
// test_timeouts.py: TimeoutTests.test_repr_finished
// test_timeouts.py: TimeoutTests.test_repr_disabled
TEST(Timeout, PrintsItsState) {
  run_virtual([]() -> Coro<> {
    Timeout scope(TimePoint(12500ms));
    EXPECT_EQ(scope.repr(), "<Timeout [created]>");
    co_await timeout(scope, [&]() -> Coro<> {
      EXPECT_EQ(scope.repr(), "<Timeout [active] when=12.5>");
      scope.reschedule(std::nullopt);
      EXPECT_EQ(scope.repr(), "<Timeout [active] when=None>");
      co_return;
    });
    EXPECT_EQ(scope.repr(), "<Timeout [finished]>");
  });
}

TEST(Timeout, OwnsItsBody) {
  run_virtual([]() -> Coro<> {
    Coro<std::string> waits;
    {
      std::string captured = "captured by a lambda that is gone when it runs";
      auto body = [captured]() -> Coro<std::string> {
        co_await sleep(1s);
        co_return captured;
      };
      waits = timeout(2s, std::move(body));
    }
    std::string value = co_await std::move(waits);
    EXPECT_EQ(value, "captured by a lambda that is gone when it runs");
  });
}

TEST(Timeout, IsCountedFromTheAwait) {
  run_virtual([]() -> Coro<> {
    auto waits = timeout(2s, []() -> Coro<> { co_await sleep(1s); });
    co_await sleep(10s);
    co_await std::move(waits);
  });
}

TEST(Timeout, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  VirtualLoop loop;
  const ErrorLog log(loop);
  auto task = create_task(timeout(10s, []() -> Coro<> { co_await sleep(20s); }), {.loop = &loop});
  loop.run_ticks(2);
  loop.close();
  EXPECT_TRUE(task.cancelled());
}

}  // namespace
}  // namespace asyncio
