// Passes extreme durations and time points to every function that takes one: a time in the past is due at once, one
// that never comes does not make the loop spin, and no sum overflows.
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/run.h>
#include <asyncio/sleep_core.h>
#include <asyncio/timeouts.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

template <class Use>
void for_each_extreme(Use use) {
  const auto both = [&use](auto min, auto max) {
    use(min, false);
    use(max, true);
  };
  both(std::chrono::nanoseconds::min(), std::chrono::nanoseconds::max());
  both(std::chrono::microseconds::min(), std::chrono::microseconds::max());
  both(std::chrono::seconds::min(), std::chrono::seconds::max());
  both(std::chrono::hours::min(), std::chrono::hours::max());
  both(std::chrono::years::min(), std::chrono::years::max());
  both(std::chrono::duration<std::uint64_t>(0), std::chrono::duration<std::uint64_t>::max());
  both(std::chrono::duration<std::int8_t, std::ratio<31'556'952>>(-128),
       std::chrono::duration<std::uint64_t, std::nano>::max());
  both(Seconds::min(), Seconds::max());
  both(Seconds(-std::numeric_limits<double>::infinity()), Seconds(std::numeric_limits<double>::infinity()));
  both(Seconds(-0.0), std::chrono::duration<float, std::ratio<3600>>(1e30f));
  both(std::chrono::duration<float>(-1e-40f), std::chrono::duration<long double>::max());
}

/// Runs `awaitable` in a task, which must be done after 20 ms, or, if `never`, be pending and end when cancelled.
template <class Awaitable>
Coro<> expect_end(Awaitable awaitable, bool never, const char* what) {
  const auto task = create_task(std::move(awaitable));
  co_await sleep(20ms);
  EXPECT_EQ(task.done(), !never) << what;
  task.cancel();
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_TRUE(task.done()) << what;
  if (!task.cancelled()) task.exception();
}

template <class D>
Coro<> use_duration(D delay, bool never) {
  Loop& loop = Loop::running();
  co_await expect_end(sleep(delay), never, "sleep");
  co_await expect_end(sleep(delay, 1), never, "sleep with a result");
  int called = 0;
  TimerHandle timer = loop.call_later(delay, [&] { ++called; });
  co_await sleep(20ms);
  EXPECT_EQ(called, never ? 0 : 1);
  timer.cancel();
  static_cast<void>(timer.repr());
  const auto body = []() -> Coro<> { co_await sleep(1h); };
  co_await expect_end(timeout(delay, body), never, "timeout");
  co_await expect_end(wait_for(sleep(1h), delay), never, "wait_for");
  const Future<> future = create_future();
  const std::vector<Future<>> only{future};
  co_await expect_end(wait(only, {.timeout = delay}), never, "wait");
  auto completed = as_completed(only, delay);
  co_await expect_end(completed.next(), never, "as_completed");
  Timeout scope(loop.time());
  static_cast<void>(scope.repr());
}

TEST(ExtremeTimes, EveryFunctionTakesEveryDuration) {
  for_each_extreme([](auto delay, bool never) {
    const auto main = [=]() -> Coro<> { co_await use_duration(delay, never); };
    run(main, std::make_unique<VirtualCore>());
  });
}

TEST(ExtremeTimes, OnRealCoresToo) {
  for_each_extreme([](auto delay, bool never) {
    const auto main = [=]() -> Coro<> { co_await expect_end(sleep(delay), never, "sleep"); };
    run(main, std::make_unique<SleepCore>());
    run(main, testing::make_core());
  });
}

TEST(ExtremeTimes, EveryTimePoint) {
  for (const TimePoint when :
       {TimePoint::min(), TimePoint::min() + 1ns, TimePoint(), TimePoint::max() - 1ns, TimePoint::max()}) {
    const bool never = when > TimePoint(1h);
    const auto main = [=]() -> Coro<> {
      int called = 0;
      TimerHandle timer = Loop::running().call_at(when, [&] { ++called; });
      co_await sleep(1s);
      EXPECT_EQ(called, never ? 0 : 1);
      timer.cancel();
      const auto body = []() -> Coro<> { co_await sleep(1h); };
      co_await expect_end(timeout_at(when, body), never, "timeout_at");
      Timeout scope;
      const auto rescheduled = [&]() -> Coro<> {
        scope.reschedule(when);
        static_cast<void>(scope.repr());
        co_await sleep(1h);
      };
      co_await expect_end(timeout(scope, rescheduled), never, "reschedule");
    };
    run(main, std::make_unique<VirtualCore>());
    const auto real = [=]() -> Coro<> {
      const auto body = []() -> Coro<> { co_await sleep(1h); };
      co_await expect_end(timeout_at(when, body), never, "timeout_at");
    };
    run(real, std::make_unique<SleepCore>());
    run(real, testing::make_core());
  }
}

// In virtual time an endless wait is an error, even beside a timer that is never due.
TEST(ExtremeTimes, ToSleepForEverInVirtualTimeIsAnError) {
  for_each_extreme([](auto delay, bool never) {
    if (never) {
      EXPECT_THROW(run(sleep(delay), std::make_unique<VirtualCore>()), std::logic_error);
    } else {
      run(sleep(delay), std::make_unique<VirtualCore>());
    }
  });
}

TEST(ExtremeTimes, AVirtualClockEndsAtItsEndAndDoesNotGoBack) {
  VirtualCore core;
  core.advance(1h);
  core.advance(-2h);
  EXPECT_EQ(core.now(), TimePoint(1h));
  core.advance(Duration::min());
  EXPECT_EQ(core.now(), TimePoint(1h));
  core.advance(Duration::max());
  core.advance(Duration::max());
  EXPECT_EQ(core.now(), TimePoint::max());
}

TEST(ExtremeTimes, WhatIsNotANumberIsRefused) {
  const Seconds nan(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(static_cast<void>(sleep(nan)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(TimeLimit(nan)), std::invalid_argument);
  Loop loop;
  EXPECT_THROW(loop.call_later(nan, [] {}), std::invalid_argument);
}

TEST(ExtremeTimes, NoCallbackIsTooSlowForTheLongestDurationAndEachForTheShortest) {
  for (const Duration limit : {Duration::max(), Duration::min()}) {
    Loop loop(std::make_unique<VirtualCore>());
    int reports = 0;
    loop.set_exception_handler([&](Loop&, const ErrorContext&) { ++reports; });
    loop.set_debug(true);
    loop.slow_callback_duration = limit;
    loop.call_soon([] {});
    loop.run_until_complete(sleep(0s));
    EXPECT_EQ(reports > 0, limit < 0s);
  }
}

}  // namespace
}  // namespace asyncio
