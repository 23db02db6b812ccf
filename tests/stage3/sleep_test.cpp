// sleep(): a timer that wakes a task, or one tick.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <limits>
#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::TickCounter;
using testing::VirtualLoop;

TEST(Sleep, TakesAsLongAsItSays) {
  auto main = []() -> Coro<Duration> {
    const TimePoint start = Loop::running().time();
    co_await sleep(1500ms);
    co_await sleep(std::chrono::duration<double>(0.25));
    co_return Loop::running().time() - start;
  };
  EXPECT_EQ(run(main, make_core()), 1750ms);
}

TEST(Sleep, CountsFromTheAwaitNotFromTheCall) {
  auto main = []() -> Coro<Duration> {
    const TimePoint start = Loop::running().time();
    auto later = sleep(1s);
    co_await sleep(10s);
    co_await later;
    co_return Loop::running().time() - start;
  };
  EXPECT_EQ(run(main, make_core()), 11s);
}

// test_tasks.py: BaseTaskTests.test_sleep
TEST(Sleep, GivesTheResultItWasGiven) {
  auto main = []() -> Coro<std::string> {
    std::string first = co_await sleep(1s, std::string("yeah"));
    int second = co_await sleep(0s, 5);
    co_return first + std::to_string(second);
  };
  EXPECT_EQ(run(main, make_core()), "yeah5");
}

// test_tasks.py: SleepTests.test_sleep_zero
TEST(Sleep, OfZeroLetsAnEarlierCallbackRunAndTakesNoTimer) {
  auto main = []() -> Coro<int> {
    int result = 0;
    Loop::running().call_soon([&] { result = 10; });
    TickCounter counter(Loop::running());
    co_await sleep(0s);
    EXPECT_EQ(counter.ticks(), 1);
    co_return result;
  };
  EXPECT_EQ(run(main, make_core()), 10);
}

TEST(Sleep, OfLessThanZeroIsASleepOfZero) {
  auto main = []() -> Coro<int> {
    TickCounter counter(Loop::running());
    co_await sleep(-5s);
    co_await sleep(Duration::min());
    co_return counter.ticks();
  };
  EXPECT_EQ(run(main, make_core()), 2);
}

TEST(Sleep, OfTheSmallestTimeUsesATimer) {
  VirtualLoop loop;
  loop.run_until_complete(sleep(1ns));
  EXPECT_EQ(loop.time(), TimePoint{} + 1ns);
}

// test_tasks.py: BaseTaskTests.test_sleep_when_delay_is_nan
TEST(Sleep, OfNotANumberIsAnError) {
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(static_cast<void>(sleep(nan)), std::invalid_argument);
  EXPECT_THROW(run(sleep(nan, 1), make_core()), std::invalid_argument);
}

TEST(Sleep, ForEverIsPossible) {
  auto main = []() -> Coro<bool> {
    Task<> a = create_task(sleep(std::chrono::hours::max()));
    Task<> b = create_task(sleep(std::chrono::duration<double>(std::numeric_limits<double>::infinity())));
    co_await sleep(std::chrono::hours(24 * 365));
    co_return !a.done() && !b.done();
  };
  EXPECT_TRUE(run(main, make_core()));
}

TEST(Sleep, WakesInOrderOfDeadlinesAndEqualOnesInOrderOfSleeping) {
  std::string log;
  auto sleeper = [&](char name, Duration delay) -> Coro<> {
    co_await sleep(delay);
    log += name;
  };
  auto main = [&]() -> Coro<> {
    create_task(sleeper('d', 4s));
    create_task(sleeper('b', 2s));
    create_task(sleeper('a', 1s));
    create_task(sleeper('c', 2s));
    co_await sleep(5s);
  };
  run(main, make_core());
  EXPECT_EQ(log, "abcd");
}

// test_tasks.py: BaseTaskTests.test_sleep_cancel
TEST(Sleep, CancelledRemovesItsTimer) {
  VirtualLoop loop;
  Task<> task = create_task(sleep(10s), {.loop = &loop});
  loop.run_ticks(1);
  task.cancel();
  EXPECT_THROW(loop.run_until_complete(task), CancelledError);
  EXPECT_EQ(loop.time(), TimePoint{});
  EXPECT_THROW(loop.run_forever(), std::logic_error);  // VirtualCore has nothing to wait for
}

TEST(Sleep, IsAwaitableAnyNumberOfTimes) {
  auto main = []() -> Coro<Duration> {
    const auto second = sleep(1s);
    for (int i = 0; i < 3; ++i) co_await second;
    co_return Loop::running().time().time_since_epoch();
  };
  EXPECT_EQ(run(main, make_core()), 3s);
}

}  // namespace
}  // namespace asyncio
