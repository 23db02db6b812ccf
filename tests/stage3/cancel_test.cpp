// Cancelling: an exception at the await, as in CPython's tasks.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::VirtualLoop;

using Log = std::vector<std::string>;

/// The outcome of awaiting the future: "cancelled: message", "error: what", or "result".
template <class F>
Coro<std::string> outcome(F future) {
  try {
    co_await future;
  } catch (const CancelledError& error) {
    co_return "cancelled: " + std::string(error.message());
  } catch (const std::exception& error) {
    co_return std::string("error: ") + error.what();
  }
  co_return "result";
}

// ── when the cancel arrives ──

// test_tasks.py: BaseTaskTests.test_cancel_with_message_before_starting_task
TEST(Cancel, BeforeTheFirstStepTheBodyNeverRuns) {
  Counted::reset();
  bool ran = false;
  auto body = [&](Counted) -> Coro<> {
    ran = true;
    co_return;
  };
  auto main = [&]() -> Coro<> {
    Task<> task = create_task(body(Counted(1)));
    EXPECT_TRUE(task.cancel("my message"));
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: my message");
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(Counted::alive, 0);
  };
  run(main, make_core());
  EXPECT_FALSE(ran);
}

// test_tasks.py: BaseTaskTests.test_cancel
TEST(Cancel, WhileItSleepsThrowsAtTheAwait) {
  VirtualLoop loop;
  Log log;
  auto body = [&]() -> Coro<> {
    try {
      co_await sleep(10s);
    } catch (const CancelledError& error) {
      log.push_back(std::string(error.message()));
      throw;
    }
  };
  Task<> task = create_task(body, {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_TRUE(task.cancel("why"));
  EXPECT_FALSE(task.done());  // at its next step
  EXPECT_FALSE(task.cancelled());
  loop.run_ticks(1);
  EXPECT_TRUE(task.done());
  EXPECT_TRUE(task.cancelled());
  EXPECT_FALSE(task.cancel());
  EXPECT_THROW(task.result(), CancelledError);
  EXPECT_THROW(task.exception(), CancelledError);
  EXPECT_EQ(log, (Log{"why"}));
  EXPECT_EQ(loop.time(), TimePoint{});
}

// test_tasks.py: BaseTaskTests.test_cancel_yield
TEST(Cancel, WhileItYieldsIsThrownAtTheNextStep) {
  VirtualLoop loop;
  int steps = 0;
  auto body = [&]() -> Coro<int> {
    ++steps;
    co_await sleep(0s);
    ++steps;
    co_return 12;
  };
  Task<int> task = create_task(body, {.loop = &loop});
  loop.run_ticks(1);
  task.cancel();
  loop.run_ticks(1);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(steps, 1);
}

TEST(Cancel, IsNoPointOfCancellationWhereNothingSuspends) {
  auto nothing = []() -> Coro<int> { co_return 1; };
  auto body = [&]() -> Coro<std::string> {
    Future<int> done = create_future<int>();
    done.set_result(1);
    current_task().cancel();
    std::string log;
    int first = co_await nothing();
    int second = co_await done;
    log += std::to_string(first + second);
    try {
      co_await sleep(0s);
      log += " not cancelled";
    } catch (const CancelledError&) {
      log += " cancelled";
    }
    co_return log;
  };
  EXPECT_EQ(run(body, make_core()), "2 cancelled");
}

// test_tasks.py: BaseTaskTests.test_cancel_inner_future
TEST(Cancel, OfTheAwaitedFutureBySomeoneElseCancelsTheTask) {
  auto main = []() -> Coro<> {
    Future<> future = create_future();
    Task<> task = create_task([&]() -> Coro<> { co_await future; });
    co_await sleep(0s);
    future.cancel("from below");
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: from below");
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0u);  // only the future was cancelled
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_cancel_both_task_and_inner_future
TEST(Cancel, OfTaskAndAwaitedFutureInOneTickThrowsOnce) {
  auto main = []() -> Coro<> {
    Future<> future = create_future();
    int caught = 0;
    auto body = [&]() -> Coro<> {
      for (int i = 0; i < 2; ++i) {
        try {
          co_await future;
        } catch (const CancelledError&) {
          ++caught;
        }
        if (i == 0) co_await sleep(0s);
      }
      throw CancelledError();
    };
    Task<> task = create_task(body);
    co_await sleep(0s);
    future.cancel();
    EXPECT_TRUE(task.cancel());
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
    EXPECT_EQ(caught, 2);  // the second comes from the cancelled future
    EXPECT_TRUE(future.cancelled());
  };
  run(main, make_core());
}

// ── races within one tick ──

TEST(Cancel, AfterTheFutureIsDoneButBeforeTheWakeUpDiscardsTheResult) {
  auto main = []() -> Coro<> {
    Future<int> future = create_future<int>();
    Task<int> task = create_task([&]() -> Coro<int> {
      int value = co_await future;
      co_return value;
    });
    co_await sleep(0s);
    future.set_result(1);
    EXPECT_TRUE(task.cancel("later wins"));
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: later wins");
    EXPECT_EQ(future.result(), 1);
  };
  run(main, make_core());
}

TEST(Cancel, AfterTheFutureFailedButBeforeTheWakeUpDiscardsTheException) {
  auto main = []() -> Coro<> {
    testing::ErrorLog errors(Loop::running());
    {
      Future<int> future = create_future<int>();
      Task<int> task = create_task([&]() -> Coro<int> {
        int value = co_await future;
        co_return value;
      });
      co_await sleep(0s);
      future.set_exception(std::runtime_error("unseen"));
      task.cancel();
      std::string what = co_await outcome(task);
      EXPECT_EQ(what, "cancelled: ");
    }
    Loop::running().set_exception_handler(nullptr);
    co_return;
  };
  run(main, make_core());
}

TEST(Cancel, ATimerThatFiredInTheSameTickLosesAgainstTheCancel) {
  auto main = []() -> Coro<> {
    Task<> task = create_task(sleep(1s));
    co_await sleep(0s);
    Loop::running().call_later(1s, [task] { task.cancel(); });  // runs after the sleeper's timer, same tick
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
  };
  run(main, make_core());
}

TEST(Cancel, OfADoneTaskIsRefusedAndChangesNothing) {
  auto main = []() -> Coro<> {
    Task<int> task = create_task([]() -> Coro<int> { co_return 1; });
    co_await task;
    EXPECT_FALSE(task.cancel());
    EXPECT_EQ(task.cancelling(), 0u);
    EXPECT_EQ(task.result(), 1);
  };
  run(main, make_core());
}

// ── twice ──

TEST(Cancel, TwiceBeforeTheDeliveryThrowsOnceWithTheFirstMessage) {
  auto main = []() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    co_await sleep(0s);
    EXPECT_TRUE(task.cancel("first"));
    EXPECT_TRUE(task.cancel("second"));
    EXPECT_EQ(task.cancelling(), 2u);
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: first");
  };
  run(main, make_core());
}

TEST(Cancel, TwiceBeforeTheFirstStepGivesTheLastMessage) {  // as in CPython
  auto main = []() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    task.cancel("first");
    task.cancel("second");
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: second");
  };
  run(main, make_core());
}

TEST(Cancel, DuringTheHandlersOwnAwaitIsDeliveredAgain) {
  auto main = []() -> Coro<> {
    Log log;
    Task<> task = create_task([&]() -> Coro<> {
      bool cancelled = false;
      try {
        co_await sleep(10s);
      } catch (const CancelledError& error) {
        log.push_back(std::string(error.message()));
        cancelled = true;
      }
      EXPECT_TRUE(cancelled);
      try {
        co_await sleep(10s);  // cleaning up
      } catch (const CancelledError& error) {
        log.push_back(std::string(error.message()));
        throw;
      }
    });
    co_await sleep(0s);
    task.cancel("one");
    co_await sleep(0s);
    EXPECT_EQ(log, (Log{"one"}));
    task.cancel("two");
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: two");
    EXPECT_EQ(log, (Log{"one", "two"}));
    EXPECT_EQ(task.cancelling(), 2u);
  };
  run(main, make_core());
}

// ── refusing ──

// test_tasks.py: BaseTaskTests.test_cancel_task_catching
TEST(Cancel, MayBeCaughtAndTheTaskThenHasAResult) {
  auto main = []() -> Coro<> {
    Future<> future = create_future();
    Task<int> task = create_task([&]() -> Coro<int> {
      try {
        co_await future;
      } catch (const CancelledError&) {
        co_return 42;
      }
      co_return 0;
    });
    co_await sleep(0s);
    task.cancel();
    EXPECT_TRUE(future.cancelled());  // at once
    int value = co_await task;
    EXPECT_EQ(value, 42);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1u);  // catching leaves the count
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_cancel_task_ignoring
TEST(Cancel, MayBeIgnoredAndTheNextAwaitIsNormal) {
  auto main = []() -> Coro<> {
    Future<> first = create_future();
    Future<> second = create_future();
    Task<int> task = create_task([&]() -> Coro<int> {
      try {
        co_await first;
      } catch (const CancelledError&) {
      }
      co_await second;
      co_return 42;
    });
    co_await sleep(0s);
    task.cancel();
    co_await sleep(0s);
    EXPECT_TRUE(first.cancelled());
    EXPECT_FALSE(second.done());
    second.set_result();
    int value = co_await task;
    EXPECT_EQ(value, 42);
  };
  run(main, make_core());
}

TEST(Cancel, AnErrorWhileCleaningUpIsTheOutcome) {
  auto main = []() -> Coro<> {
    Task<> task = create_task([]() -> Coro<> {
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        throw std::runtime_error("cleaning up failed");
      }
    });
    co_await sleep(0s);
    task.cancel();
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "error: cleaning up failed");
    EXPECT_FALSE(task.cancelled());
  };
  run(main, make_core());
}

TEST(Cancel, IsNotCaughtAsAStdException) {
  auto main = []() -> Coro<> {
    Task<> task = create_task([]() -> Coro<> {
      try {
        co_await sleep(10s);
      } catch (const std::exception&) {
        ADD_FAILURE() << "a cancellation is no std::exception";
      }
    });
    co_await sleep(0s);
    task.cancel();
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
  };
  run(main, make_core());
}

TEST(Cancel, ThrownByTheCoroutineItselfMakesItCancelled) {
  auto main = []() -> Coro<> {
    Task<> task = create_task([]() -> Coro<> {
      co_await sleep(0s);
      throw CancelledError("of its own");
    });
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: of its own");
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0u);
  };
  run(main, make_core());
}

// ── cancelling itself ──

// test_tasks.py: BaseTaskTests.test_cancel_current_task
TEST(Cancel, OfItselfHitsTheNextRealSuspension) {
  auto main = []() -> Coro<> {
    Future<> future = create_future();
    Task<> task = create_task([&]() -> Coro<> {
      current_task().cancel("me");
      co_await future;
    });
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: me");
    EXPECT_TRUE(future.cancelled());
  };
  run(main, make_core());
}

TEST(Cancel, OfItselfHitsTheNextSleep) {
  VirtualLoop loop;
  Task<> task = create_task(
      []() -> Coro<> {
        current_task().cancel();
        co_await sleep(100s);
      },
      {.loop = &loop});
  EXPECT_THROW(loop.run_until_complete(task), CancelledError);
  EXPECT_EQ(loop.time(), TimePoint{});
}

// test_tasks.py: BaseTaskTests.test_cancel_at_end
TEST(Cancel, OfItselfAndThenReturningCancelsItAndDropsTheValue) {
  Counted::reset();
  auto main = []() -> Coro<> {
    Task<Counted> task = create_task([]() -> Coro<Counted> {
      current_task().cancel();
      co_return Counted(12);
    });
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
    EXPECT_EQ(Counted::alive, 0);
  };
  run(main, make_core());
}

TEST(Cancel, OfItselfAndThenThrowingKeepsTheException) {
  auto main = []() -> Coro<> {
    Task<> task = create_task([]() -> Coro<> {
      current_task().cancel();
      throw std::runtime_error("mine");
      co_return;
    });
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "error: mine");
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_cancel_awaited_task
TEST(Cancel, OfItselfBeforeAwaitingATaskCancelsThatTaskAndItsFuture) {
  auto main = []() -> Coro<> {
    Future<> future = create_future();
    Task<> nested = create_task([&]() -> Coro<> { co_await future; });
    co_await sleep(0s);
    Task<> task = create_task([&]() -> Coro<> {
      current_task().cancel();
      co_await nested;
    });
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
    EXPECT_TRUE(nested.cancelled());
    EXPECT_TRUE(future.cancelled());
  };
  run(main, make_core());
}

// ── through frames, and through tasks ──

// test_tasks.py: BaseTaskTests.test_yield_future_passes_cancel
TEST(Cancel, PassesThroughTheFramesOfATaskFromTheInsideOut) {
  auto main = []() -> Coro<> {
    Log log;
    Future<> future = create_future();
    auto inner = [&]() -> Coro<> {
      try {
        co_await future;
      } catch (const CancelledError&) {
        log.push_back("inner");
        throw;
      }
    };
    auto outer = [&]() -> Coro<int> {
      try {
        co_await inner();
      } catch (const CancelledError&) {
        log.push_back("outer swallows");
      }
      co_return 1;
    };
    Task<int> task = create_task(outer);
    co_await sleep(0s);
    task.cancel();
    int value = co_await task;
    EXPECT_EQ(value, 1);
    EXPECT_EQ(log, (Log{"inner", "outer swallows"}));
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_cancel_with_message_then_future_exception
TEST(Cancel, ItsMessageComesOutOfExceptionTooIfNobodyAwaitedTheTask) {
  for (const std::string message : {"", "my message"}) {
    VirtualLoop loop;
    Task<> task = create_task(sleep(10s), {.loop = &loop});
    loop.run_ticks(1);
    message.empty() ? task.cancel() : task.cancel(message);
    loop.run_ticks(2);
    ASSERT_TRUE(task.cancelled());
    try {
      task.exception();
      ADD_FAILURE();
    } catch (const CancelledError& error) {
      EXPECT_EQ(error.message(), message);
      EXPECT_EQ(error.has_message(), !message.empty());
    }
  }
}

// test_tasks.py: BaseTaskTests.test_cancel_with_message_then_future_result
// test_tasks.py: BaseTaskTests.test_task_cancel_message_getter
TEST(Cancel, CarriesItsMessageThroughAChainOfTasks) {
  auto main = []() -> Coro<> {
    Task<> innermost = create_task(sleep(10s));
    Task<> middle = create_task([&]() -> Coro<> { co_await innermost; });
    Task<> outermost = create_task([&]() -> Coro<> { co_await middle; });
    co_await sleep(0s);
    co_await sleep(0s);
    outermost.cancel("the message");
    std::string what = co_await outcome(outermost);
    EXPECT_EQ(what, "cancelled: the message");
    EXPECT_TRUE(innermost.cancelled());
    EXPECT_TRUE(middle.cancelled());
    for (const Task<>& task : {outermost, middle, innermost}) {
      for (int twice = 0; twice < 2; ++twice) {
        try {
          task.result();
          ADD_FAILURE();
        } catch (const CancelledError& error) {
          EXPECT_EQ(error.message(), "");  // as in CPython: the awaited error took it
        }
      }
    }
    EXPECT_EQ(outermost.cancelling(), 1u);
    EXPECT_EQ(innermost.cancelling(), 1u);  // the cancel was forwarded
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_task_cancel_sleeping_task
// test_tasks.py: BaseTaskTests.test_task_cancel_waiter_future
TEST(Cancel, OfAnAwaitedTaskIsSeenByTheOneThatAwaitsIt) {
  auto main = []() -> Coro<> {
    Task<> sleeper = create_task(sleep(10s));
    Loop::running().call_soon([sleeper] { sleeper.cancel("woken up"); });
    std::string what = co_await outcome(sleeper);
    EXPECT_EQ(what, "cancelled: woken up");
    EXPECT_EQ(current_task().cancelling(), 0u);
  };
  run(main, make_core());
}

TEST(Cancel, DestroysLocalsFromTheInsideOut) {
  Log log;
  struct Note {
    Log& log;
    std::string text;
    Note(Log& log, std::string text) : log(log), text(std::move(text)) {}
    ~Note() { log.push_back(text); }
  };
  auto main = [&]() -> Coro<> {
    auto inner = [&]() -> Coro<> {
      Note note(log, "inner");
      co_await sleep(10s);
    };
    auto outer = [&]() -> Coro<> {
      Note note(log, "outer");
      co_await inner();
    };
    Task<> task = create_task(outer);
    co_await sleep(0s);
    task.cancel();
    co_await outcome(task);
  };
  run(main, make_core());
  EXPECT_EQ(log, (Log{"inner", "outer"}));
}

// CPython: RecursionError
TEST(Cancel, ACircleOfTasksIsAnErrorAndNoCrash) {
  VirtualLoop loop;
  Task<> first, second;
  first = create_task([&]() -> Coro<> { co_await second; }, {.loop = &loop});
  second = create_task([&]() -> Coro<> { co_await first; }, {.loop = &loop});
  first.set_log_destroy_pending(false);
  second.set_log_destroy_pending(false);
  loop.run_ticks(1);
  EXPECT_THROW(first.cancel(), std::runtime_error);
  EXPECT_FALSE(first.done());
}

}  // namespace
}  // namespace asyncio
