// Timers: the order they are due in, negative delays, cancelling many; and durations.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// test_base_events.py: BaseEventLoopTests.test_call_later
// test_events.py: EventLoopTestsMixin.test_call_later
TEST(Timer, RunsWhenItsDelayIsOver) {
  VirtualLoop loop;
  TimePoint ran{};
  loop.call_later(100ms, [&] {
    ran = loop.time();
    loop.stop();
  });
  loop.run_forever();
  EXPECT_EQ(ran, TimePoint{} + 100ms);
}

// test_base_events.py: BaseEventLoopTests.test_time_and_call_at
TEST(Timer, CallAtRunsAtThatTimeOfTheLoopsClock) {
  VirtualLoop loop;
  TimePoint ran{};
  const TimePoint when = loop.time() + 5ms;
  loop.call_at(when, [&] { ran = loop.time(), loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(ran, when);
}

TEST(Timer, HoursPassAtOnceInVirtualTime) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(48h, [&] { order += 'b', loop.stop(); });
  loop.call_later(24h, [&] { order += 'a'; });
  loop.run_forever();
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(loop.time(), TimePoint{} + 48h);
}

TEST(Timer, EqualDeadlinesRunFirstInFirstOut) {
  VirtualLoop loop;
  std::vector<int> order;
  const TimePoint when = loop.time() + 1s;
  for (int i = 0; i < 300; ++i) {
    loop.call_at(when, [&, i] { order.push_back(i); });
    if (i % 3 == 0) loop.call_at(when - 1ms, [] {}).cancel();
    if (i % 50 == 49) loop.run_ticks(1);  // the inbox is emptied into the heap now and then
  }
  loop.call_at(when, [&] { loop.stop(); });
  loop.run_forever();
  ASSERT_EQ(order.size(), 300u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

// test_base_events.py: BaseEventLoopTests.test_call_later_negative_delays
TEST(Timer, NegativeDelaysRunInTheOrderOfTheirDeadlines) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(-1s, [&] { order += 'a'; });
  loop.call_later(-2s, [&] { order += 'b'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "ba");
}

TEST(Timer, ANegativeDelayStillComesAfterOlderCallSoon) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(-1s, [&] { order += 't'; });
  loop.call_soon([&] { order += 's'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "st");
  EXPECT_EQ(loop.time(), TimePoint{});
}

TEST(Timer, ADueTimerMadeByACallbackWaitsForTheNextTick) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(0s, [&] {
    order += 'a';
    loop.call_later(0s, [&] { order += 'c'; });
    loop.call_later(-5s, [&] { order += 'b'; });
  });
  loop.run_ticks(1);
  EXPECT_EQ(order, "a");
  loop.run_ticks(1);
  EXPECT_EQ(order, "abc");
}

TEST(Timer, AllThatAreDueRunInOneTickAndNoOther) {
  VirtualLoop loop;
  std::string order;
  loop.call_at(TimePoint{} + 1s, [&] { order += 'a', loop.stop(); });
  loop.call_at(TimePoint{} + 1s + 1ns, [&] { order += 'c'; });
  loop.call_at(TimePoint{} + 1s, [&] { order += 'b'; });
  loop.run_forever();
  EXPECT_EQ(order, "ab");  // due at its deadline, not a nanosecond before
}

TEST(Timer, MayBeMadeWhileOthersAreOlder) {  // a heap, then an inbox with an earlier deadline, then with a later one
  VirtualLoop loop;
  std::string order;
  loop.call_later(2s, [&] { order += 'b'; });
  loop.run_ticks(1);
  loop.call_later(1s, [&] { order += 'a'; });
  loop.call_later(3s, [&] { order += 'c', loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(order, "abc");
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_base_events.py: BaseEventLoopTests.test__run_once
TEST(Timer, ACancelledHeadIsNotWaitedFor) {
  VirtualLoop loop;
  TimerHandle first = loop.call_later(1s, [] {});
  loop.run_ticks(1);
  loop.call_later(2s, [&] { loop.stop(); });
  first.cancel();
  int ticks = 0;
  loop.call_soon([&] { loop.call_soon([&] { ++ticks; }); });
  loop.run_forever();
  EXPECT_EQ(loop.time(), TimePoint{} + 2s);
  EXPECT_EQ(ticks, 1);
}

TEST(Timer, WithAllTimersCancelledNothingIsLeftToWaitFor) {
  Loop loop(std::make_unique<VirtualCore>());
  std::vector<TimerHandle> timers;
  for (int i = 0; i < 10; ++i) timers.push_back(loop.call_later(1s, [] {}));
  for (TimerHandle& timer : timers) timer.cancel();
  EXPECT_THROW(loop.run_forever(), std::logic_error);  // it would wait for ever
  EXPECT_EQ(loop.time(), TimePoint{});
}

TEST(Timer, MayCancelAnotherThatIsDueInTheSameTick) {
  VirtualLoop loop;
  std::string order;
  TimerHandle second;
  loop.call_later(1s, [&] { order += 'a', second.cancel(); });
  second = loop.call_later(1s, [&] { order += 'b'; });
  loop.call_later(1s, [&] { order += 'c', loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(order, "ac");
}

TEST(Timer, ACancelledTimerThatIsNoHeadDoesNotRun) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(1s, [&] { order += 'a'; });
  TimerHandle second = loop.call_later(2s, [&] { order += 'b'; });
  loop.call_later(3s, [&] { order += 'c', loop.stop(); });
  loop.run_ticks(1);
  second.cancel();
  loop.run_forever();
  EXPECT_EQ(order, "ac");
}

// ── durations ───────────────────────────────────────────────────────────────────────────────────────────────────────

using Seconds = std::chrono::duration<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A value of a context, whose end makes a timer and cancels one.
struct DisturbsTimersAtItsEnd {
  Loop& loop;
  std::vector<TimerHandle>& others;
  int& ran;
  DisturbsTimersAtItsEnd(Loop& loop, std::vector<TimerHandle>& others, int& ran)
      : loop(loop), others(others), ran(ran) {}
  DisturbsTimersAtItsEnd(const DisturbsTimersAtItsEnd&) = delete;
  ~DisturbsTimersAtItsEnd() {
    loop.call_later(1ms, [&ran = ran] { ++ran; });
    if (others.empty()) return;
    others.back().cancel();
    others.pop_back();
  }
};

// The context goes with the timer, which is in the midst of the search for the next, or of a sweep.
TEST(Timer, TheContextOfACancelledOneMayMakeAndCancelOthersAtItsEnd) {
  const ContextVar<std::shared_ptr<DisturbsTimersAtItsEnd>> value("value");
  for (const int timers : {1, 3, 60, 300}) {
    for (const bool in_the_heap : {false, true}) {
      VirtualLoop loop;
      int ran = 0;
      std::vector<TimerHandle> others, cancelled;
      for (int i = 0; i < timers; ++i) {
        others.push_back(loop.call_later(1h, [&ran] { ++ran; }));
        Context context;
        context.run([&] { value.set(std::make_shared<DisturbsTimersAtItsEnd>(loop, others, ran)); });
        cancelled.push_back(loop.call_later(
            1s * (i % 7 + 1), [&ran] { ++ran; }, context));
      }
      if (in_the_heap) loop.run_ticks(1);
      for (TimerHandle& timer : cancelled) timer.cancel();
      cancelled.clear();
      loop.call_later(2h, [&loop] { loop.stop(); });
      loop.run_forever();
      EXPECT_EQ(ran, timers) << "of those that the destructors made";
      EXPECT_EQ(others.size(), 0u);
      EXPECT_EQ(loop.stats().timers, 0u);
    }
  }
}

TEST(Duration, AnyChronoDurationIsADelay) {
  EXPECT_EQ(to_duration(5ms), 5'000'000ns);
  EXPECT_EQ(to_duration(Seconds(0.25)), 250ms);
  EXPECT_EQ(to_duration(std::chrono::duration<float, std::milli>(1.5f)), 1500us);
  EXPECT_EQ(to_duration(std::chrono::days(2)), 48h);
  EXPECT_FALSE(AnyDuration<int>);
  EXPECT_FALSE(AnyDuration<double>);
}

TEST(Duration, AFractionOfANanosecondIsRoundedUp) {
  EXPECT_EQ(to_duration(Seconds(1e-12)), 1ns);
  EXPECT_EQ(to_duration(std::chrono::duration<long, std::pico>(1001)), 2ns);
  EXPECT_EQ(to_duration(std::chrono::duration<long, std::pico>(-1001)), -1ns);
  EXPECT_EQ(to_duration(std::chrono::duration<long, std::ratio<1, 3>>(1)), 333'333'334ns);
}

// test_tasks.py: BaseTaskTests.test_sleep_when_delay_is_nan
TEST(Duration, NotANumberIsRefused) {
  VirtualLoop loop;
  const Seconds nan(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(thrown<std::invalid_argument>([&] { to_duration(nan); }), "Invalid delay: NaN (not a number)");
  EXPECT_THROW(loop.call_later(nan, [] {}), std::invalid_argument);
}

TEST(Duration, WhatIsTooLongMeansForEver) {
  EXPECT_EQ(to_duration(Seconds(kInfinity)), Duration::max());
  EXPECT_EQ(to_duration(Seconds(-kInfinity)), Duration::min());
  EXPECT_EQ(to_duration(Seconds(1e300)), Duration::max());
  EXPECT_EQ(to_duration(std::chrono::hours::max()), Duration::max());
  EXPECT_EQ(to_duration(std::chrono::hours::min()), Duration::min());
  EXPECT_EQ(to_duration(std::chrono::years(300)), Duration::max());
  EXPECT_EQ(to_duration(Duration::max()), Duration::max());
}

TEST(Duration, NearTheEndOfTheRangeNothingOverflows) {  // UBSan watches
  const auto near_end = {9223372036.854774, 9223372036.8547, 9223372000.0};
  for (const double seconds : near_end) {
    EXPECT_NEAR(static_cast<double>(to_duration(Seconds(seconds)).count()), seconds * 1e9, 1e4);
    EXPECT_NEAR(static_cast<double>(to_duration(Seconds(-seconds)).count()), -seconds * 1e9, 1e4);
  }
  for (float seconds = 9.2e9f; seconds < 9.3e9f; seconds = std::nextafter(seconds, 1e10f)) {
    EXPECT_GT(to_duration(std::chrono::duration<float>(seconds)), 291 * 365 * 24h);
    EXPECT_LT(to_duration(std::chrono::duration<float>(-seconds)), -291 * 365 * 24h);
  }
  for (std::int64_t ms = 9223372036850; ms < 9223372036860; ++ms) {
    EXPECT_GT(to_duration(std::chrono::milliseconds(ms)), Duration::max() - 10ms);
  }
}

TEST(Duration, ADeadlineIsClampedToTheRangeOfTheClock) {
  EXPECT_EQ(deadline_after(TimePoint{} + 1s, Duration::max()), TimePoint::max());
  EXPECT_EQ(deadline_after(TimePoint{} - 1s, Duration::min()), TimePoint::min());
  EXPECT_EQ(deadline_after(TimePoint::max(), 1ns), TimePoint::max());
  EXPECT_EQ(deadline_after(TimePoint::max(), -1ns), TimePoint::max() - 1ns);
  EXPECT_EQ(deadline_after(TimePoint{} + 1s, 2s), TimePoint{} + 3s);
}

TEST(Timer, OneThatIsNeverDueDoesNotDisturb) {
  VirtualLoop loop;
  bool ran = false;
  loop.call_later(Seconds(kInfinity), [] { FAIL(); });
  loop.call_at(TimePoint::max(), [] { FAIL(); });
  loop.call_later(1s, [&] { ran = true, loop.stop(); });
  loop.run_forever();
  EXPECT_TRUE(ran);
}

TEST(Timer, OneThatWasDueLongAgoRunsNow) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(Seconds(-kInfinity), [&] { order += 'b'; });
  loop.call_at(TimePoint::min(), [&] { order += 'a'; });
  loop.call_later(0s, [&] { order += 'c', loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(order.size(), 3u);
  EXPECT_EQ(order.back(), 'c');
  EXPECT_EQ(loop.time(), TimePoint{});
}

}  // namespace
}  // namespace asyncio::testing
