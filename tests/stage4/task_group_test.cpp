#include <asyncio/task_group.h>
#include <asyncio/wait.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;
using Strings = std::vector<std::string>;

/// The messages of the errors in the thrown group; a nested group as "[…]".
Strings messages_of(const ExceptionGroup& group) {
  Strings messages;
  for (const std::exception_ptr& error : group.exceptions()) {
    try {
      std::rethrow_exception(error);
    } catch (const ExceptionGroup& inner) {
      std::string all = "[";
      for (const std::string& message : messages_of(inner)) all += (all.size() > 1 ? " " : "") + message;
      messages.push_back(all + "]");
    } catch (...) {
      messages.push_back(what_of(error));
    }
  }
  return messages;
}
template <class A>
Coro<Strings> errors_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const ExceptionGroup& group) {
    co_return messages_of(group);
  } catch (const CancelledError&) {
    co_return Strings(1, "CancelledError");
  }
  co_return Strings();
}

/// Throws when cancelled.
Coro<> crashes_in_cleanup(std::string what = "crash") {
  const bool cancelled = co_await throws<CancelledError>(sleep(10s));
  if (cancelled) throw std::runtime_error(what);
}

/// Counts the cancel and rethrows it.
Coro<> counts_cancel(int& count, int by = 1) {
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    count += by;
    throw;
  }
}

/// Starts a task, cancels it after 100 ms, returns its outcome.
template <class F>
Strings errors_when_cancelled(F runner) {
  return run_virtual([runner]() mutable -> Coro<Strings> {
    auto task = create_task(runner);
    co_await sleep(100ms);
    EXPECT_FALSE(task.done());
    task.cancel();
    co_return co_await errors_of(task);
  });
}

// ── results ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_01
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_02
TEST(TaskGroup, WaitsForItsTasksAlsoForThoseMadeLater) {
  run_virtual([]() -> Coro<> {
    Task<int> first;
    Task<int> second;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      first = group.create_task(value_after(100ms, 42));
      co_await sleep(150ms);
      second = group.create_task(value_after(200ms, 11));
    });
    EXPECT_EQ(first.result(), 42);
    EXPECT_EQ(second.result(), 11);
    EXPECT_EQ(now(), 0.35);
  });
}

TEST(TaskGroup, GivesWhatTheBodyGives) {
  run_virtual([]() -> Coro<> {
    MoveOnly value = co_await task_group([](TaskGroup& group) -> Coro<MoveOnly> {
      auto task = group.create_task(value_after(1s, 4));
      const int four = co_await task;
      co_return MoveOnly(four);
    });
    EXPECT_EQ(value.value, 4);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_03
TEST(TaskGroup, CancellingOneTaskDoesNotFailTheGroup) {
  run_virtual([]() -> Coro<> {
    Task<int> first;
    Task<int> second;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      first = group.create_task(value_after(1s, 42));
      co_await sleep(150ms);
      first.cancel();
      second = group.create_task(value_after(200ms, 11));
    });
    EXPECT_TRUE(first.cancelled());
    EXPECT_EQ(second.result(), 11);
  });
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_04
TEST(TaskGroup, AFailingTaskCancelsItsSibling) {
  run_virtual([]() -> Coro<> {
    int cancels = 0;
    bool reached = false;
    Task<> sibling;
    auto runner = create_task([&]() -> Coro<> {
      co_await task_group([&](TaskGroup& group) -> Coro<> {
        group.create_task(fail_after(100ms));
        sibling = group.create_task(counts_cancel(cancels));
        co_return;
      });
      reached = true;
    });
    Strings errors = co_await errors_of(runner);
    EXPECT_EQ(errors, Strings{"failed"});
    EXPECT_EQ(cancels, 1);
    EXPECT_TRUE(sibling.cancelled());
    EXPECT_FALSE(reached);
    EXPECT_EQ(now(), 0.1);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_cancel_children_on_child_error
TEST(TaskGroup, CollectsTheErrorsInTheOrderInWhichTheyHappened) {
  run_virtual([]() -> Coro<> {
    int cancels = 0;
    Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
      for (const char* name : {"one", "two", "three"}) group.create_task(fail_after(100ms, name));
      group.create_task(counts_cancel(cancels));
      co_await counts_cancel(cancels, 10);
    }));
    EXPECT_EQ(errors, (Strings{"one", "two", "three"}));
    EXPECT_EQ(cancels, 11);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_09
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_10
TEST(TaskGroup, AnErrorOfTheBodyCancelsTheTasksAndIsWrapped) {
  run_virtual([]() -> Coro<> {
    for (const Duration delay : {Duration(100ms), Duration(0s)}) {
      Task<int> task;
      Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
        task = group.create_task(value_after(1s, 42));
        if (delay > 0s) co_await sleep(delay);
        throw std::runtime_error("body");
      }));
      EXPECT_EQ(errors, Strings{"body"});
      EXPECT_TRUE(task.cancelled());
    }
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_19
TEST(TaskGroup, TheBodysOwnErrorIsTheLast) {
  run_virtual([]() -> Coro<> {
    Strings errors = co_await errors_of(task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(100ms, "task"));
      co_await crashes_in_cleanup("body");
    }));
    EXPECT_EQ(errors, (Strings{"task", "body"}));
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

/// Anything can be thrown; an int is neither an exception nor a reason to leave the loop.
Coro<> throws_an_int(Duration delay) {
  co_await sleep(delay);
  throw 42;
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_20a
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_21a
TEST(TaskGroup, WhatIsNoStandardExceptionIsGroupedAsWell) {
  run_virtual([]() -> Coro<> {
    Strings of_body = co_await errors_of(task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(100ms, "task"));
      const bool cancelled = co_await throws<CancelledError>(sleep(10s));
      if (cancelled) throw 42;
    }));
    EXPECT_EQ(of_body, (Strings{"task", "?"}));
    Strings of_task = co_await errors_of(task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(throws_an_int(100ms));
      co_await crashes_in_cleanup("body");
    }));
    EXPECT_EQ(of_task, (Strings{"?", "body"}));
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_20
TEST(TaskGroup, KeyboardInterruptOfTheBodyBeatsAllErrors) {
  EXPECT_THROW(run_virtual([]() -> Coro<> {
                 co_await task_group([](TaskGroup& group) -> Coro<> {
                   group.create_task(fail_after(100ms));
                   const bool cancelled = co_await throws<CancelledError>(sleep(10s));
                   EXPECT_TRUE(cancelled);
                   throw KeyboardInterrupt();
                 });
               }),
               KeyboardInterrupt);
}

TEST(TaskGroup, SystemExitOfATaskLeavesTheLoopAndThenTheGroup) {
  VirtualLoop loop;
  auto task = create_task(
      []() -> Coro<> {
        co_await task_group([](TaskGroup& group) -> Coro<> {
          group.create_task([]() -> Coro<> {
            throw SystemExit(3);
            co_return;
          });
          co_await sleep(1s);
        });
      },
      {.loop = &loop});
  EXPECT_THROW(loop.run_until_complete(task), SystemExit);
  EXPECT_FALSE(task.done());
  EXPECT_THROW(loop.run_until_complete(task), SystemExit);
  EXPECT_TRUE(task.done());
}

// ── cancelling from outside ─────────────────────────────────────────────────────────────────────────────────────────

// test_taskgroups.py: BaseTestTaskGroup.test_cancellation
TEST(TaskGroup, ACancelWhileItWaitsCancelsAllTasks) {
  int cancels = 0;
  const Strings errors = errors_when_cancelled([&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 5; ++i) group.create_task(counts_cancel(cancels));
      co_return;
    });
  });
  EXPECT_EQ(errors, Strings{"CancelledError"});
  EXPECT_EQ(cancels, 5);
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_07
TEST(TaskGroup, ACancelOfTheBodyCancelsAllTasks) {
  int cancels = 0;
  const Strings errors = errors_when_cancelled([&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 5; ++i) group.create_task(counts_cancel(cancels));
      co_await counts_cancel(cancels, 10);
    });
  });
  EXPECT_EQ(errors, Strings{"CancelledError"});
  EXPECT_EQ(cancels, 15);
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_22
TEST(TaskGroup, ACancelAfterTheBodyHasEndedCancelsTheTasks) {
  const Strings errors = errors_when_cancelled([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(sleep(1s));
      group.create_task(sleep(2s));
      co_return;
    });
  });
  EXPECT_EQ(errors, Strings{"CancelledError"});
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_08
TEST(TaskGroup, ErrorsDuringTheCancelReplaceTheCancelledError) {
  const Strings errors = errors_when_cancelled([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 5; ++i) group.create_task(crashes_in_cleanup());
      co_await sleep(10s);
    });
  });
  EXPECT_EQ(errors, Strings(5, "crash"));
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_15
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_16
TEST(TaskGroup, ATaskThatFailsWhileTheBodyDelaysItsCancelWins) {
  const Strings errors = errors_when_cancelled([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(300ms));
      const bool cancelled = co_await throws<CancelledError>(sleep(10s));
      co_await sleep(500ms);
      if (cancelled) throw CancelledError();
    });
  });
  EXPECT_EQ(errors, Strings{"failed"});
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_17
TEST(TaskGroup, WithoutTasksACancelOfTheBodyPasses) {
  int cancels = 0;
  const Strings errors = errors_when_cancelled(
      [&]() -> Coro<> { co_await task_group([&](TaskGroup&) -> Coro<> { co_await counts_cancel(cancels); }); });
  EXPECT_EQ(errors, Strings{"CancelledError"});
  EXPECT_EQ(cancels, 1);
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_18
TEST(TaskGroup, ABodyThatTurnsTheCancelIntoAnErrorFails) {
  const Strings errors = errors_when_cancelled(
      []() -> Coro<> { co_await task_group([](TaskGroup&) -> Coro<> { co_await crashes_in_cleanup("MyExc"); }); });
  EXPECT_EQ(errors, Strings{"MyExc"});
}

// test_taskgroups.py: BaseTestTaskGroup.test_error_and_cancel
TEST(TaskGroup, AnErrorAndACancelGiveTheErrorNowAndTheCancelAtTheNextAwait) {
  run_virtual([]() -> Coro<> {
    Future<> event = create_future();
    auto inner = create_task([&]() -> Coro<> {
      Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> {
          event.set_result();
          co_await sleep(0s);
          throw std::runtime_error("failed");
        });
        co_await sleep(1s);
        ADD_FAILURE() << "the sleep in the group should have been cancelled";
      }));
      EXPECT_EQ(errors, Strings{"failed"});
      EXPECT_EQ(current_task().cancelling(), 1u);
      co_await sleep(1s);
      ADD_FAILURE() << "the sleep after the group should have been cancelled";
    });
    co_await event;
    EXPECT_EQ(inner.cancelling(), 0u);
    inner.cancel();
    EXPECT_EQ(inner.cancelling(), 1u);
    const bool cancelled = co_await throws<CancelledError>(inner);
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(inner.cancelled());
  });
}

TEST(TaskGroup, WaitsForItsTasksHoweverOftenItIsCancelled) {
  run_virtual([]() -> Coro<> {
    bool finished = false;
    auto stubborn = [&]() -> Coro<> {
      for (int i = 0; i != 3; ++i) {
        const bool cancelled = co_await throws<CancelledError>(sleep(1s));
        EXPECT_EQ(cancelled, i == 0);
      }
      finished = true;
    };
    auto task = create_task(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(stubborn);
      co_return;
    }));
    for (int i = 0; i != 3; ++i) {
      co_await sleep(100ms);
      task.cancel();
    }
    const bool cancelled = co_await throws<CancelledError>(task);
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(finished);
    EXPECT_EQ(now(), 2.1);
  });
}

// ── groups in groups ────────────────────────────────────────────────────────────────────────────────────────────────

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_11
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_12
TEST(TaskGroup, ErrorsOfAnInnerGroupArriveAsAGroupInTheGroup) {
  for (const bool outer_task : {false, true}) {
    const Strings errors = errors_when_cancelled([=]() -> Coro<> {
      co_await task_group([=](TaskGroup& outer) -> Coro<> {
        if (outer_task) outer.create_task(sleep(10s));
        co_await task_group([](TaskGroup& inner) -> Coro<> {
          for (int i = 0; i != 2; ++i) inner.create_task(crashes_in_cleanup());
          co_await sleep(10s);
        });
      });
    });
    EXPECT_EQ(errors, Strings{"[crash crash]"});
  }
}

Coro<> two_groups(Duration outer_fails_after, Duration inner_fails_after) {
  co_await task_group([=](TaskGroup& outer) -> Coro<> {
    outer.create_task(fail_after(outer_fails_after, "outer"));
    co_await task_group([=](TaskGroup& inner) -> Coro<> {
      inner.create_task(fail_after(inner_fails_after, "inner"));
      co_return;
    });
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_13
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_14
TEST(TaskGroup, AFailureOutsideCancelsTheInnerGroupAndOneInsidePassesThroughTheOuter) {
  run_virtual([]() -> Coro<> {
    Strings outer = co_await errors_of(create_task(two_groups(100ms, 10s)));
    EXPECT_EQ(outer, Strings{"outer"});
    Strings inner = co_await errors_of(create_task(two_groups(10s, 100ms)));
    EXPECT_EQ(inner, Strings{"[inner]"});
    EXPECT_EQ(now(), 0.2);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_nested_groups_both_cancelled
TEST(TaskGroup, NestedGroupsThatBothFailTakeTheirCancelsBack) {
  run_virtual([]() -> Coro<> {
    Strings inner_errors;
    Strings outer_errors = co_await errors_of(task_group([&](TaskGroup& outer) -> Coro<> {
      inner_errors = co_await errors_of(task_group([&](TaskGroup& inner) -> Coro<> {
        inner.create_task(fail_after(0s, "inner"));
        outer.create_task(fail_after(0s, "outer"));
        co_return;
      }));
      EXPECT_EQ(current_task().cancelling(), 1u);
    }));
    EXPECT_EQ(inner_errors, Strings{"inner"});
    EXPECT_EQ(outer_errors, Strings{"outer"});
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_cancelling_level_preserved
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_context_manager_exit_raises
TEST(TaskGroup, AHandledGroupLeavesTheTaskUncancelled) {
  run_virtual([]() -> Coro<> {
    Strings errors = co_await errors_of(task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(0s));
      co_return;
    }));
    EXPECT_EQ(errors, Strings{"failed"});
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1s);
  });
}

// ── create_task ─────────────────────────────────────────────────────────────────────────────────────────────────────

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_23
TEST(TaskGroup, ForgetsTasksThatHaveEnded) {
  run_virtual([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 10; ++i) {
        co_await sleep(100ms);
        group.create_task(sleep(250ms));
      }
      EXPECT_EQ(group.repr(), "<TaskGroup tasks=3 entered>");
      co_await sleep(1s);
      EXPECT_FALSE(group.has_tasks());
      EXPECT_EQ(group.repr(), "<TaskGroup entered>");
    });
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_24
TEST(TaskGroup, ATaskMayMakeOthersWhenTheBodyHasEnded) {
  run_virtual([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task([&]() -> Coro<> {
        co_await sleep(100ms);
        group.create_task(sleep(100ms));
        group.create_task(sleep(200ms));
      });
      co_return;
    });
    EXPECT_NEAR(now(), 0.3, 1e-9);
  });
}

Coro<> hydra(TaskGroup& group, int& heads) {
  ++heads;
  co_await sleep(10ms);
  for (int i = 0; i != 2; ++i) group.create_task(hydra(group, heads));
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_25
TEST(TaskGroup, TasksThatMakeTasksStopWhenASiblingFails) {
  run_virtual([]() -> Coro<> {
    int heads = 0;
    Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(hydra(group, heads));
      group.create_task([&]() -> Coro<> {
        while (heads < 10) co_await sleep(15ms);
        throw std::runtime_error("Hercules");
      });
      co_return;
    }));
    EXPECT_EQ(errors, Strings{"Hercules"});
    EXPECT_GE(heads, 10);
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_task_name
// test_taskgroups.py: BaseTestTaskGroup.test_name
TEST(TaskGroup, TakesTheOptionsOfCreateTask) {
  run_virtual([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      EXPECT_EQ(group.create_task(sleep(0s), {.name = "yolo"}).get_name(), "yolo");
      co_return;
    });
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_no_create_task_after_failure
// test_taskgroups.py: BaseTestTaskGroup.test_coro_closed_when_tg_closed
TEST(TaskGroup, RefusesNewTasksWhileItIsCancelledAndDestroysTheCoroutine) {
  Counted::reset();
  run_virtual([]() -> Coro<> {
    std::string refusal;
    auto counted = [](Counted) -> Coro<> { co_return; };
    Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(1ms));
      group.create_task([&]() -> Coro<> {
        const bool cancelled = co_await throws<CancelledError>(sleep(1s));
        EXPECT_TRUE(cancelled);
        try {
          group.create_task(counted(Counted()));
        } catch (const std::runtime_error& error) {
          refusal = error.what();
        }
        EXPECT_EQ(Counted::alive, 0);
      });
      co_return;
    }));
    EXPECT_EQ(refusal, "TaskGroup <TaskGroup tasks=1 errors=1 cancelling> is shutting down");
    EXPECT_EQ(errors, Strings{"failed"});
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_finished
// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_without_parent_task
TEST(TaskGroup, RefusesNewTasksWhenItIsFinishedAndCannotBeEnteredOutsideOfATask) {
  EXPECT_THROW(TaskGroup(), std::runtime_error);
  run_virtual([]() -> Coro<> {
    TaskGroup group;
    group.exit();
    EXPECT_THROW(group.create_task(nothing()), std::runtime_error);
    co_return;
  });
}

// test_taskgroups.py: BaseTestTaskGroup.test_cancels_task_if_created_during_creation
TEST(TaskGroup, ATaskThatFailsIsReportedToTheGroupOfItsMakersToo) {
  run_virtual([]() -> Coro<> {
    bool cancelled = false;
    Strings errors = co_await errors_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task([&]() -> Coro<> {
        group.create_task(fail());
        cancelled = co_await throws<CancelledError>(sleep(1s));
        if (cancelled) throw CancelledError();
      });
      co_return;
    }));
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(errors, Strings{"failed"});
    EXPECT_EQ(current_task().cancelling(), 0u);
  });
}

TEST(TaskGroup, OwnsItsBody) {
  run_virtual([]() -> Coro<> {
    Coro<std::string> waits;
    {
      std::string captured = "captured by a lambda that is gone when it runs";
      auto body = [captured](TaskGroup& group) -> Coro<std::string> {
        group.create_task(sleep(1s));
        co_await sleep(2s);
        co_return captured;
      };
      waits = task_group(std::move(body));
    }
    std::string value = co_await std::move(waits);
    EXPECT_EQ(value, "captured by a lambda that is gone when it runs");
  });
}

TEST(TaskGroup, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  Counted::reset();
  for (int ticks = 1; ticks != 5; ++ticks) {
    VirtualLoop loop;
    const ErrorLog log(loop);
    auto counted = [](Counted) -> Coro<> { co_await sleep(100s); };
    auto task = create_task(
        [&]() -> Coro<> {
          co_await task_group([&](TaskGroup& group) -> Coro<> {
            group.create_task(counted(Counted()));
            group.create_task(nothing());  // done at the end, but its callback may not have run
            co_return;
          });
        },
        {.loop = &loop});
    loop.run_ticks(ticks);
    loop.close();
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(Counted::alive, 0);
  }
}

// ── ExceptionGroup ──────────────────────────────────────────────────────────────────────────────────────────────────

std::exception_ptr error(const char* what) { return std::make_exception_ptr(std::runtime_error(what)); }

TEST(ExceptionGroup, SaysHowManyThereAre) {
  const ExceptionGroup two("unhandled errors in a TaskGroup", {error("a"), error("b")});
  EXPECT_STREQ(two.what(), "unhandled errors in a TaskGroup (2 sub-exceptions)");
  const ExceptionGroup one("message", {error("a")});
  EXPECT_STREQ(one.what(), "message (1 sub-exception)");
  EXPECT_EQ(one.message(), "message");
}

TEST(ExceptionGroup, PrintsAndFindsWhatIsInIt) {
  const ExceptionGroup inner("inner", {error("a"), std::make_exception_ptr(TimeoutError("late"))});
  const ExceptionGroup outer("outer", {error("b"), std::make_exception_ptr(inner)});
  EXPECT_EQ(outer.to_string(),
            "outer (2 sub-exceptions)\n"
            "  - std::runtime_error: b\n"
            "  - inner (2 sub-exceptions)\n"
            "    - std::runtime_error: a\n"
            "    - asyncio::TimeoutError: late");
  EXPECT_EQ(outer.matching<TimeoutError>().size(), 1u);
  EXPECT_EQ(outer.matching<std::runtime_error>().size(), 3u);
  EXPECT_TRUE(outer.matching<CancelledError>().empty());
}

TEST(ExceptionGroup, RefusesToBeEmpty) {
  EXPECT_THROW(ExceptionGroup("none", {}), std::invalid_argument);
  EXPECT_THROW(ExceptionGroup("null", {nullptr}), std::invalid_argument);
}

}  // namespace
}  // namespace asyncio
