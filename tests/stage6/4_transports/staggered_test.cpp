// The race that happy eyeballs uses, in virtual time.
#include "support/tasks.h"

#include <asyncio/detail/staggered.h>
#include <asyncio/run.h>
#include <asyncio/sleep.h>
#include <gtest/gtest.h>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;
using detail::RaceResult;
using detail::staggered_race;
using Attempts = std::vector<std::function<Coro<int>()>>;

/// Each attempt's exception; "-" if it won or never ended.
std::vector<std::string> errors_of(const RaceResult<int>& result) {
  std::vector<std::string> all;
  for (const std::exception_ptr& error : result.exceptions) all.push_back(error ? describe(error) : "-");
  return all;
}

Coro<int> succeed_after(Duration delay, int value) {
  co_await sleep(delay);
  co_return value;
}
Coro<int> throw_after(Duration delay, std::string what) {
  co_await sleep(delay);
  throw std::runtime_error(what);
}

// test_staggered.py: StaggeredTests.test_empty
TEST(StaggeredRace, WithoutAnyoneNobodyWins) {
  run_virtual([]() -> Coro<> {
    const RaceResult<int> result = co_await staggered_race(Attempts(), std::nullopt);
    EXPECT_FALSE(result.winner);
    EXPECT_TRUE(result.exceptions.empty());
  });
}

// test_staggered.py: StaggeredTests.test_one_successful
TEST(StaggeredRace, OneThatSucceedsWins) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.emplace_back([] { return succeed_after(0s, 7); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), 10s);
    EXPECT_EQ(result.winner, 7);
    EXPECT_EQ(result.index, 0u);
    EXPECT_EQ(errors_of(result), std::vector<std::string>{"-"});
  });
}

// test_staggered.py: StaggeredTests.test_first_error_second_successful
TEST(StaggeredRace, AFailureStartsTheNextAtOnce) {
  run_virtual([]() -> Coro<> {
    const TimePoint start = Loop::running().time();
    Attempts attempts;
    attempts.emplace_back([] { return throw_after(1s, "no"); });
    attempts.emplace_back([] { return succeed_after(1s, 2); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), 10s);
    EXPECT_EQ(result.winner, 2);
    EXPECT_EQ(result.index, 1u);
    EXPECT_EQ(errors_of(result), (std::vector<std::string>{"std::runtime_error: no", "-"}));
    EXPECT_EQ(Loop::running().time() - start, 2s);
  });
}

// test_staggered.py: StaggeredTests.test_first_timeout_second_successful
TEST(StaggeredRace, TheNextStartsAfterTheDelayAndTheLoserIsCancelled) {
  run_virtual([]() -> Coro<> {
    const TimePoint start = Loop::running().time();
    Attempts attempts;
    attempts.emplace_back([] { return succeed_after(1h, 1); });
    attempts.emplace_back([] { return succeed_after(1s, 2); });
    attempts.emplace_back([] { return succeed_after(0s, 3); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), 5s);
    EXPECT_EQ(result.winner, 2);
    EXPECT_EQ(result.index, 1u);
    EXPECT_EQ(errors_of(result), (std::vector<std::string>{"asyncio::CancelledError", "-"}));
    EXPECT_EQ(Loop::running().time() - start, 6s);
  });
}

// test_staggered.py: StaggeredTests.test_none_successful
TEST(StaggeredRace, IfAllFailAllErrorsAreKept) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.emplace_back([] { return throw_after(0s, "one"); });
    attempts.emplace_back([] { return throw_after(1s, "two"); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), std::nullopt);
    EXPECT_FALSE(result.winner);
    EXPECT_EQ(errors_of(result), (std::vector<std::string>{"std::runtime_error: one", "std::runtime_error: two"}));
  });
}

// test_staggered.py: StaggeredTests.test_multiple_winners
TEST(StaggeredRace, OfTwoThatAreDoneInOneTickTheFirstWins) {
  run_virtual([]() -> Coro<> {
    Event event;
    Attempts attempts;
    for (int i = 0; i < 2; ++i) {
      attempts.emplace_back([&event, i] {
        return [](Event& event, int i) -> Coro<int> {
          co_await event.wait();
          co_return i;
        }(event, i);
      });
    }
    attempts.emplace_back([&event] {
      event.set();
      return succeed_after(1h, 3);
    });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), 100ms);
    EXPECT_EQ(result.winner, 0);
    EXPECT_EQ(result.index, 0u);
    const std::string cancelled = "asyncio::CancelledError";
    EXPECT_EQ(errors_of(result), (std::vector<std::string>{"-", cancelled, cancelled}));
  });
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_staggered_race_with_eager_tasks
TEST(StaggeredRace, WithEagerTasksTheFirstToSucceedWins) {
  run_eagerly([]() -> Coro<> {
    Attempts attempts;
    attempts.emplace_back([] { return succeed_after(1h, 0); });
    attempts.emplace_back([] { return succeed_after(1s, 1); });
    attempts.emplace_back([] { return throw_after(0s, "no good"); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), 250ms);
    EXPECT_EQ(result.winner, 1);
    EXPECT_EQ(result.index, 1u);
    EXPECT_EQ(errors_of(result),
              (std::vector<std::string>{"asyncio::CancelledError", "-", "std::runtime_error: no good"}));
  });
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_staggered_race_with_eager_tasks_no_delay
TEST(StaggeredRace, WithEagerTasksAndNoDelayTheNextStartsOnlyAfterAFailure) {
  run_eagerly([]() -> Coro<> {
    Attempts attempts;
    attempts.emplace_back([]() -> Coro<int> {
      throw std::runtime_error("no good");
      co_return 0;
    });
    attempts.emplace_back([] { return succeed_after(1s, 1); });
    attempts.emplace_back([] { return succeed_after(0s, 2); });
    const RaceResult<int> result = co_await staggered_race(std::move(attempts), std::nullopt);
    EXPECT_EQ(result.winner, 1);
    EXPECT_EQ(result.index, 1u);
    EXPECT_EQ(errors_of(result), (std::vector<std::string>{"std::runtime_error: no good", "-"}));
  });
}

// test_staggered.py: StaggeredTests.test_cancelled
TEST(StaggeredRace, CancelledItWaitsForAllToEnd) {
  run_virtual([]() -> Coro<> {
    int cleaned_up = 0;
    Attempts attempts;
    for (int i = 0; i < 2; ++i) {
      attempts.emplace_back([&cleaned_up]() -> Coro<int> {
        return [](int& cleaned_up) -> Coro<int> {
          bool cancelled = false;
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
            cancelled = true;
          }
          co_await sleep(1s);
          cleaned_up += cancelled;
          throw CancelledError();
        }(cleaned_up);
      });
    }
    auto race = create_task(staggered_race(std::move(attempts), 1s));
    co_await sleep(2s);
    race.cancel("enough");
    const TimePoint start = Loop::running().time();
    std::string message;
    try {
      co_await race;
    } catch (const CancelledError& error) {
      message = error.message();
    }
    EXPECT_EQ(message, "enough");
    EXPECT_EQ(cleaned_up, 2);
    EXPECT_EQ(Loop::running().time() - start, 1s);
  });
}

}  // namespace
}  // namespace asyncio::testing
