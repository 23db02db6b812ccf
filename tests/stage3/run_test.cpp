// run() and Runner: run a coroutine from main(), then clean up everything.
#include <asyncio/async_generator.h>
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::ErrorLog;
using testing::Log;
using testing::make_core;
using testing::thrown;

Coro<int> answer() { co_return 42; }

// ── run ──

// test_runners.py: RunTests.test_asyncio_run_return
TEST(Run, GivesTheResult) { EXPECT_EQ(run(answer(), make_core()), 42); }

// test_runners.py: RunTests.test_asyncio_run_raises
TEST(Run, ThrowsTheException) {
  auto main = []() -> Coro<> {
    co_await sleep(0s);
    throw std::out_of_range("spam");
  };
  EXPECT_THROW(run(main, make_core()), std::out_of_range);
}

// test_runners.py: RunnerTests.test_run_awaitable
TEST(Run, TakesACoroutineAFunctionOrAnythingElseThatCanBeAwaited) {
  EXPECT_EQ(run(answer(), make_core()), 42);
  EXPECT_EQ(run(answer, make_core()), 42);
  EXPECT_EQ(run([]() -> Coro<int> { co_return 1; }, make_core()), 1);
  run(sleep(1h), make_core());
}

TEST(Run, AnEmptyFunctionIsAnError) {
  const std::function<Coro<int>()> empty;
  EXPECT_THROW(run(empty, make_core()), std::invalid_argument);
}

TEST(Run, GivesWhatCanOnlyBeMoved) {
  auto main = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  EXPECT_EQ(*run(main, make_core()), 5);
}

// test_runners.py: RunTests.test_asyncio_run_debug
// test_runners.py: RunnerTests.test_debug
// test_runners.py: RunnerTests.test_non_debug
TEST(Run, SwitchesDebugModeOnOrOff) {
  for (const bool debug : {false, true}) {
    auto main = [=]() -> Coro<> {
      EXPECT_EQ(Loop::running().get_debug(), debug);
      co_return;
    };
    run(main, make_core(), debug);
    Runner runner(make_core(), debug);
    EXPECT_EQ(runner.get_loop().get_debug(), debug);
  }
}

// test_runners.py: RunTests.test_asyncio_run_loop_factory
// test_runners.py: RunnerTests.test_custom_factory
TEST(Run, UsesTheCoreItIsGiven) {
  std::unique_ptr<Core> given = make_core();
  Core* const core = given.get();
  run(
      [&]() -> Coro<> {
        EXPECT_EQ(&Loop::running().core(), core);
        co_return;
      },
      std::move(given));
  std::unique_ptr<Core> another = make_core();
  Core* const other = another.get();
  Runner runner(std::move(another));
  EXPECT_EQ(&runner.get_loop().core(), other);
}

/// A result that counts how often it is printed.
struct Printed {
  explicit Printed(int& times) : times(times) {}
  int& times;
  [[maybe_unused]] friend std::ostream& operator<<(std::ostream& out, const Printed& result) {
    ++result.times;
    return out;
  }
};

// test_runners.py: RunnerTests.test_no_repr_is_call_on_the_task_result
TEST(Run, DoesNotPrintTheResult) {
  int times = 0;
  run([&]() -> Coro<Printed> { co_return Printed(times); }, make_core());
  EXPECT_EQ(times, 0);
}

TEST(Run, UsesTheDefaultCoreWithoutAnother) { EXPECT_EQ(run(answer()), 42); }

// test_runners.py: RunTests.test_asyncio_run_from_running_loop
TEST(Run, InsideARunningLoopIsAnError) {
  Counted::reset();
  auto inner = [](Counted) -> Coro<> { co_return; };
  auto main = [&]() -> Coro<std::string> { co_return thrown<std::runtime_error>([&] { run(inner(Counted(1))); }); };
  EXPECT_EQ(run(main, make_core()), "asyncio.run() cannot be called from a running event loop");
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Run, ThrowsCancelledErrorIfItsTaskIsCancelled) {
  auto main = []() -> Coro<> {
    current_task().cancel("by myself");
    co_await sleep(1s);
  };
  try {
    run(main, make_core());
    ADD_FAILURE();
  } catch (const CancelledError& error) {
    EXPECT_EQ(error.message(), "by myself");
  }
}

// ── leftovers at the end ──

// test_runners.py: RunTests.test_asyncio_run_cancels_hanging_tasks
TEST(RunShutdown, CancelsWhatIsLeftAndWaitsForItsCleaningUp) {
  Log log;
  Task<> left;
  auto main = [&]() -> Coro<int> {
    left = create_task([&]() -> Coro<> {
      bool cancelled = false;
      try {
        co_await sleep(1000s);
      } catch (const CancelledError&) {
        cancelled = true;
      }
      log.push_back("cancelled");
      co_await sleep(1s);
      log.push_back("cleaned up");
      if (cancelled) throw CancelledError();
    });
    co_await sleep(0s);
    co_return 123;
  };
  EXPECT_EQ(run(main, make_core()), 123);
  EXPECT_EQ(log, (Log{"cancelled", "cleaned up"}));
  EXPECT_TRUE(left.cancelled());
}

TEST(RunShutdown, HappensAlsoWhenTheMainTaskThrows) {
  Task<> left;
  auto main = [&]() -> Coro<> {
    left = create_task(sleep(1000s));
    co_await sleep(0s);
    throw std::runtime_error("main failed");
  };
  EXPECT_EQ(thrown<std::runtime_error>([&] { run(main, make_core()); }), "main failed");
  EXPECT_TRUE(left.cancelled());
}

// test_runners.py: RunTests.test_asyncio_run_reports_hanging_tasks_errors
TEST(RunShutdown, ReportsWhatTheLeftOverTasksThrow) {
  std::unique_ptr<ErrorLog> errors;
  auto main = [&]() -> Coro<> {
    errors = std::make_unique<ErrorLog>(Loop::running());
    auto body = []() -> Coro<> {
      try {
        co_await sleep(1000s);
      } catch (const CancelledError&) {
        throw std::runtime_error("while cleaning up");
      }
    };
    create_task(body(), {.name = "left over"});
    co_await sleep(0s);
  };
  run(main, make_core());
  ASSERT_EQ(errors->messages(), (Log{"unhandled exception during asyncio.run() shutdown"}));
  EXPECT_EQ(describe(errors->contexts[0].exception), "std::runtime_error: while cleaning up");
  EXPECT_NE(errors->contexts[0].detail("task").find("name='left over'"), std::string::npos);
}

// test_runners.py: RunTests.test_asyncio_run_closes_gens_after_hanging_tasks_errors
TEST(RunShutdown, ClosesTheGeneratorsAlsoAfterATaskThatFailsToEnd) {
  Log log;
  auto fidget = [&]() -> AsyncGenerator<int> {
    struct Closed {
      explicit Closed(Log& log) : log(log) {}
      ~Closed() { log.push_back("generator closed"); }
      Log& log;
    };
    const Closed closed(log);
    for (;;) {
      co_yield 1;
      co_await sleep(1s);
    }
  };
  AsyncGenerator<int> generator;
  auto spin = [&]() -> Coro<> {
    int items = 0;
    generator = fidget();
    try {
      while (auto item = co_await generator.next()) items += *item;
    } catch (const CancelledError&) {
      EXPECT_EQ(items, 1);
      throw std::runtime_error("failed to end");
    }
  };
  Runner runner(make_core());
  ErrorLog errors(runner.get_loop());
  Task<> lazy;
  auto main = [&]() -> Coro<> {
    lazy = create_task(spin);
    co_await sleep(0s);
    throw std::out_of_range("fancy exit");
  };
  EXPECT_THROW(runner.run(main), std::out_of_range);
  runner.close();
  EXPECT_TRUE(lazy.done());
  EXPECT_EQ(log, Log{"generator closed"});
  EXPECT_EQ(errors.messages(), Log{"unhandled exception during asyncio.run() shutdown"});
}

TEST(RunShutdown, ATaskThatRefusesToEndMayFinish) {
  Task<int> left;
  auto main = [&]() -> Coro<> {
    left = create_task([]() -> Coro<int> {
      try {
        co_await sleep(1000s);
      } catch (const CancelledError&) {
      }
      co_await sleep(1s);
      co_return 5;
    });
    co_await sleep(0s);
  };
  run(main, make_core());
  EXPECT_EQ(left.result(), 5);
}

TEST(RunShutdown, ATaskMadeDuringItIsNotCancelledButDestroyed) {
  std::unique_ptr<ErrorLog> errors;
  Log log;
  auto main = [&]() -> Coro<> {
    errors = std::make_unique<ErrorLog>(Loop::running());
    create_task([&]() -> Coro<> {
      try {
        co_await sleep(1000s);
      } catch (const CancelledError&) {
        create_task(
            [&]() -> Coro<> {
              log.push_back("late one starts");
              try {
                co_await sleep(1000s);
              } catch (const CancelledError&) {
                log.push_back("late one cancelled");
              }
            },
            {.name = "late"});
        throw;
      }
    });
    co_await sleep(0s);
  };
  run(main, make_core());
  EXPECT_EQ(log, (Log{"late one starts"}));
  ASSERT_EQ(errors->messages(), (Log{"Task was destroyed but it is pending!"}));
  EXPECT_NE(errors->contexts[0].detail("task").find("name='late'"), std::string::npos);
}

// ── Runner ──

// test_runners.py: RunnerTests.test_run
TEST(Runner, RunsSeveralTimesOnOneLoop) {
  Runner runner(make_core());
  Loop* first = nullptr;
  auto main = [&]() -> Coro<int> {
    first = &Loop::running();
    co_await sleep(1s);
    co_return 1;
  };
  EXPECT_EQ(runner.run(main), 1);
  EXPECT_EQ(runner.run(answer()), 42);
  EXPECT_EQ(first, &runner.get_loop());
  EXPECT_FALSE(runner.get_loop().is_running());
}

TEST(Runner, ATaskGoesOnInTheNextRun) {
  Runner runner(make_core());
  Task<int> task;
  runner.run([&]() -> Coro<> {
    task = create_task(sleep(10s, 3));
    co_await sleep(1s);
  });
  EXPECT_FALSE(task.done());
  EXPECT_EQ(runner.run([&]() -> Coro<int> {
    int value = co_await task;
    co_return value;
  }),
            3);
}

// test_runners.py: RunnerTests.test_run_future
TEST(Runner, TakesAFutureOfItsLoop) {
  Runner runner(make_core());
  Future<std::string> future(runner.get_loop());
  future.set_result("bar");
  EXPECT_EQ(runner.run(future), "bar");
}

// test_runners.py: RunnerTests.test_explicit_close
// test_runners.py: RunnerTests.test_double_close
// test_runners.py: RunnerTests.test_second_with_block_raises
TEST(Runner, ClosesItsLoopOnceAndIsOfNoUseThen) {
  Runner runner(make_core());
  Loop& loop = runner.get_loop();
  runner.close();
  EXPECT_TRUE(loop.is_closed());
  runner.close();
  EXPECT_EQ(thrown<std::runtime_error>([&] { runner.get_loop(); }), "Runner is closed");
  EXPECT_EQ(thrown<std::runtime_error>([&] { runner.run(answer()); }), "Runner is closed");
}

TEST(Runner, ClosedBeforeItsFirstUseIsAsNew) {  // as in CPython
  Runner runner(make_core());
  runner.close();
  EXPECT_EQ(runner.run(answer()), 42);
}

TEST(Runner, CleansUpWhenItIsDestroyed) {
  Task<> left;
  {
    Runner runner(make_core());
    runner.run([&]() -> Coro<> {
      left = create_task(sleep(1000s));
      co_return;
    });
    EXPECT_FALSE(left.done());
  }
  EXPECT_TRUE(left.cancelled());
}

TEST(Runner, AFatalErrorWhileItIsDestroyedIsPrinted) {
  ::testing::internal::CaptureStderr();
  {
    Runner runner(make_core());
    runner.run([]() -> Coro<> {
      create_task([]() -> Coro<> {
        try {
          co_await sleep(1000s);
        } catch (const CancelledError&) {
          throw SystemExit();
        }
      });
      co_await sleep(0s);
    });
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with("Exception while closing a Runner\nasyncio::SystemExit\n")) << text;
}

// test_runners.py: RunnerTests.test_recursive_run
TEST(Runner, RunInsideItsOwnRunIsAnErrorAndTheCoroutineIsDestroyed) {
  Counted::reset();
  Runner runner(make_core());
  auto inner = [](Counted) -> Coro<> { co_return; };
  const std::string message = runner.run(
      [&]() -> Coro<std::string> { co_return thrown<std::runtime_error>([&] { runner.run(inner(Counted(1))); }); });
  EXPECT_EQ(message, "Runner.run() cannot be called from a running event loop");
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Runner, StaysUsableAfterAnException) {
  Runner runner(make_core());
  EXPECT_THROW(runner.run([]() -> Coro<> {
    throw std::runtime_error("once");
    co_return;
  }),
               std::runtime_error);
  EXPECT_EQ(runner.run(answer()), 42);
}

TEST(Runner, TwoLivingSideBySideDoNotDisturbEachOther) {
  Runner one(make_core());
  Runner two(make_core());
  EXPECT_EQ(one.run(answer()) + two.run(answer()) + one.run(answer()), 126);
}

}  // namespace
}  // namespace asyncio
