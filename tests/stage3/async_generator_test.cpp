// Asynchronous generators: values, exceptions, cancelling, closing.
#include <asyncio/async_generator.h>
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <memory>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::ErrorLog;
using testing::make_core;
using testing::MoveOnly;
using testing::thrown;
using testing::TickCounter;
using testing::VirtualLoop;

using Log = std::vector<std::string>;

AsyncGenerator<int> count(int end) {
  for (int i = 0; i < end; ++i) co_yield i;
}

/// Yields; on closing it awaits, then logs that.
AsyncGenerator<int> tidy(Log& log) {
  const auto held = std::make_unique<Counted>();
  std::exception_ptr exit;
  try {
    for (int i = 0;; ++i) co_yield i;
  } catch (const GeneratorExit&) {
    exit = std::current_exception();
  }
  co_await sleep(1s);
  log.push_back("tidied");
  std::rethrow_exception(exit);
}

TEST(AsyncGenerator, GivesItsValuesAndThenNothingEverAfter) {
  auto program = []() -> Coro<> {
    auto numbers = count(3);
    std::vector<int> seen;
    while (auto item = co_await numbers.next()) seen.push_back(*item);
    EXPECT_EQ(seen, (std::vector{0, 1, 2}));
    const auto after = co_await numbers.next();
    EXPECT_FALSE(after.has_value());
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, AValueThatIsThereCostsNoTick) {
  auto program = []() -> Coro<> {
    const TickCounter counter(Loop::running());
    auto numbers = count(1000);
    int sum = 0;
    while (auto item = co_await numbers.next()) sum += *item;
    EXPECT_EQ(sum, 499'500);
    EXPECT_EQ(counter.ticks(), 0);
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, MayAwaitBetweenTwoValues) {
  auto slow = []() -> AsyncGenerator<std::string> {
    for (const char* word : {"a", "b"}) {
      co_await sleep(1s);
      co_yield word;
    }
  };
  auto program = [&]() -> Coro<> {
    std::string text;
    auto words = slow();
    while (auto item = co_await words.next()) text += *item;
    EXPECT_EQ(text, "ab");
    const Duration passed = Loop::running().time().time_since_epoch();
    EXPECT_EQ(passed, 2s);
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, NothingRunsBeforeTheFirstNext) {
  auto program = []() -> Coro<> {
    bool began = false;
    auto generator = [](bool& flag) -> AsyncGenerator<int> {
      flag = true;
      co_yield 1;
    };
    auto values = generator(began);
    EXPECT_FALSE(began);
    co_await values.next();
    EXPECT_TRUE(began);
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, YieldsWhatCannotBeCopied) {
  auto generator = []() -> AsyncGenerator<MoveOnly> {
    co_yield MoveOnly(1);
    MoveOnly second(2);
    co_yield std::move(second);
  };
  auto program = [&]() -> Coro<> {
    auto values = generator();
    auto first = co_await values.next();
    auto second = co_await values.next();
    EXPECT_EQ(first->value, 1);
    EXPECT_EQ(second->value, 2);
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, AnExceptionLeavesNextAndEndsIt) {
  auto generator = []() -> AsyncGenerator<int> {
    co_yield 1;
    throw std::runtime_error("broken");
  };
  auto program = [&]() -> Coro<> {
    auto values = generator();
    co_await values.next();
    std::string error;
    try {
      co_await values.next();
    } catch (const std::runtime_error& thrown) {
      error = thrown.what();
    }
    EXPECT_EQ(error, "broken");
    const auto after = co_await values.next();
    EXPECT_FALSE(after.has_value());
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, MayIterateOverAnother) {
  auto squares = [](AsyncGenerator<int> numbers) -> AsyncGenerator<int> {
    while (auto item = co_await numbers.next()) co_yield *item** item;
  };
  auto program = [&]() -> Coro<> {
    int sum = 0;
    auto values = squares(count(4));
    while (auto item = co_await values.next()) sum += *item;
    EXPECT_EQ(sum, 14);
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, ACancelIsThrownWhereItWaits) {
  auto program = []() -> Coro<> {
    Log log;
    auto generator = [](Log& log) -> AsyncGenerator<int> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError& error) {
        log.push_back(std::string("cancelled ") + error.what());
        throw;
      }
      co_yield 1;
    };
    auto values = generator(log);
    auto next = [&]() -> Coro<> { co_await values.next(); };
    auto task = create_task(next);
    co_await sleep(1s);
    task.cancel("enough");
    bool cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(log.size(), 1u);
    const auto after = co_await values.next();
    EXPECT_FALSE(after.has_value());
  };
  run(program(), make_core());
}

TEST(AsyncGenerator, TwoTasksCannotBeInNextAtOnce) {
  auto program = []() -> Coro<> {
    auto generator = []() -> AsyncGenerator<int> {
      co_await sleep(1s);
      co_yield 1;
    };
    auto values = generator();
    auto next = [&]() -> Coro<int> {
      auto item = co_await values.next();
      co_return *item;
    };
    auto task = create_task(next);
    co_await sleep(0s);
    std::string errors;
    try {
      co_await values.next();
    } catch (const std::runtime_error& error) {
      errors += error.what();
    }
    try {
      co_await values.aclose();
    } catch (const std::runtime_error& error) {
      errors += std::string("; ") + error.what();
    }
    EXPECT_EQ(
        errors,
        "anext(): asynchronous generator is already running; aclose(): asynchronous generator is already running");
    const int value = co_await task;
    EXPECT_EQ(value, 1);
  };
  run(program(), make_core());
}

// ── closing ──

TEST(AsyncGeneratorClose, ThrowsGeneratorExitAtTheYieldAndWaits) {
  Log log;
  auto program = [&]() -> Coro<> {
    auto values = tidy(log);
    co_await values.next();
    co_await values.aclose();
    EXPECT_EQ(log, Log{"tidied"});
    const auto after = co_await values.next();
    EXPECT_FALSE(after.has_value());
    co_await values.aclose();  // the second call does nothing
  };
  run(program(), make_core());
}

TEST(AsyncGeneratorClose, OneThatHasNotBegunNeverBegins) {
  auto program = []() -> Coro<> {
    Log log;
    auto values = tidy(log);
    co_await values.aclose();
    const auto after = co_await values.next();
    EXPECT_FALSE(after.has_value());
    EXPECT_TRUE(log.empty());
  };
  run(program(), make_core());
}

TEST(AsyncGeneratorClose, OneThatYieldsAgainIsAnError) {
  auto stubborn = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
  };
  auto program = [&]() -> Coro<> {
    auto values = stubborn();
    co_await values.next();
    std::string error;
    try {
      co_await values.aclose();
    } catch (const std::runtime_error& thrown) {
      error = thrown.what();
    }
    EXPECT_EQ(error, "async generator ignored GeneratorExit");
  };
  run(program(), make_core());
}

TEST(AsyncGeneratorClose, OneThatIsDroppedIsClosedByItsLoop) {
  Counted::reset();
  Log log;
  auto program = [&]() -> Coro<> {
    {
      auto values = tidy(log);
      co_await values.next();
    }
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(Counted::alive, 1);
    co_await sleep(2s);
    EXPECT_EQ(log, Log{"tidied"});
    EXPECT_EQ(Counted::alive, 0);
  };
  run(program(), make_core());
}

TEST(AsyncGeneratorClose, TheRunnerClosesThoseThatAreLeft) {
  Counted::reset();
  Log log;
  AsyncGenerator<int> outside;
  auto program = [&]() -> Coro<> {
    outside = tidy(log);
    co_await outside.next();
  };
  run(program(), make_core());
  EXPECT_EQ(log, Log{"tidied"});
  EXPECT_EQ(Counted::alive, 0);
}

TEST(AsyncGeneratorClose, AnErrorWhileTheRunnerClosesItIsReported) {
  auto rude = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw std::runtime_error("never");
    }
  };
  AsyncGenerator<int> outside;
  auto program = [&]() -> Coro<> {
    outside = rude();
    co_await outside.next();
  };
  Runner runner(make_core());
  ErrorLog errors(runner.get_loop());
  runner.run(program());
  runner.close();
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(
      errors.contexts[0].message.find("an error occurred during closing of asynchronous generator <async_generator "),
      0u);
  EXPECT_EQ(describe(errors.contexts[0].exception), "std::runtime_error: never");
}

TEST(AsyncGeneratorClose, OneThatBeginsAfterTheShutdownIsReported) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  loop.run_until_complete(shutdown_asyncgens(loop));
  auto program = []() -> Coro<> {
    auto numbers = count(1);
    while (auto item = co_await numbers.next()) EXPECT_EQ(*item, 0);
  };
  loop.run_until_complete(program());
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_NE(errors.contexts[0].message.find("was scheduled after loop.shutdown_asyncgens() call"), std::string::npos);
}

TEST(AsyncGeneratorClose, WhereTheLoopIsClosedFirstItIsJustDestroyed) {
  Counted::reset();
  Log log;
  VirtualLoop loop;
  ErrorLog errors(loop);
  AsyncGenerator<int> outside;
  auto waits_inside = [](Log& log) -> AsyncGenerator<int> {
    auto inner = tidy(log);
    const Counted local;
    co_await inner.next();
    co_await sleep(1h);
    co_yield 1;
  };
  auto program = [&]() -> Coro<> {
    outside = tidy(log);
    co_await outside.next();
    auto inside = waits_inside(log);
    co_await inside.next();
  };
  create_task(program, {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, 3);
  loop.close();
  EXPECT_EQ(Counted::alive, 1);  // held by a local variable
  outside = {};
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_TRUE(log.empty());
}

TEST(AsyncGenerator, AnEmptyHandleIsAnError) {
  auto numbers = count(1);
  auto moved = std::move(numbers);
  EXPECT_FALSE(numbers);
  EXPECT_TRUE(moved);
  EXPECT_EQ(thrown<std::runtime_error>([&] { static_cast<void>(numbers.next()); }),
            "this AsyncGenerator is empty: it was moved from");
  EXPECT_EQ(moved.repr().find("<async_generator count() defined at async_generator_test.cpp:"), 0u);
}

TEST(AsyncGeneratorClose, OneThatWasDroppedIsNoBusinessOfTheShutdown) {
  Log log;
  VirtualLoop loop;
  const ErrorLog errors(loop);
  auto drop = [&]() -> Coro<> {
    auto numbers = tidy(log);
    co_await numbers.next();
  };
  loop.run_until_complete(drop);
  loop.run_ticks(2);  // now the loop closes it, and it cleans up
  loop.run_until_complete(shutdown_asyncgens(loop));
  EXPECT_TRUE(errors.contexts.empty());
  EXPECT_TRUE(log.empty());
  loop.run_until_complete(sleep(2s));
  EXPECT_EQ(log, Log{"tidied"});
}

TEST(AsyncGeneratorClose, TheShutdownWaitsForNothingWhereClosingTasksAreEager) {
  Log log;
  auto quick = [](Log& log) -> AsyncGenerator<int> {
    std::exception_ptr exit;
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      exit = std::current_exception();
    }
    log.push_back("closed");
    std::rethrow_exception(exit);
  };
  auto program = [&]() -> Coro<> {
    Loop& loop = Loop::running();
    auto numbers = quick(log);
    co_await numbers.next();
    set_task_factory(loop, eager_task_factory);
    const TickCounter counter(loop);
    co_await shutdown_asyncgens(loop);
    EXPECT_EQ(counter.ticks(), 0);
    EXPECT_EQ(log, Log{"closed"});
  };
  run(program(), make_core());
}

}  // namespace
}  // namespace asyncio
