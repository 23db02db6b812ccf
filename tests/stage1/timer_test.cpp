// Timers: the order they are due in, negative delays, cancelling many; and durations.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
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

// A TimerHeap by itself, filled with nodes as Loop::call_at makes them.
class Heap {
 public:
  TimerHandle add(TimePoint when, int number, std::vector<int>& ran) {
    const auto callback = [&ran, number] { ran.push_back(number); };
    using Node = detail::CallbackNode<decltype(callback)&, detail::TimerState>;
    detail::Ref<detail::TimerState> node(new Node(callback, std::source_location::current(), OptionalContext(), when),
                                         detail::adopt);
    heap.push(node);
    return TimerHandle(std::move(node));
  }
  void run_due(Loop& loop, TimePoint now) {
    heap.pop_due(now, ready);
    while (!ready.empty()) ready.pop_front().run(loop);
  }
  detail::TimerHeap heap;
  ReadyQueue ready;
};

// test_base_events.py: BaseEventLoopTests.test__run_once_cancelled_event_cleanup
TEST(TimerHeap, SweepsWhenMoreThanHalfOfManyAreCancelled) {
  std::vector<int> ran;
  Heap timers;
  std::vector<TimerHandle> handles;
  const auto fill = [&](int count) {
    handles.clear();
    for (int i = 0; i < count; ++i) handles.push_back(timers.add(TimePoint{} + 1s * i, i, ran));
    timers.heap.next_deadline();
  };
  fill(100);
  for (int i = 1; i < 100; ++i) handles[i].cancel();  // few timers: they stay where they are, but for cancelled heads
  EXPECT_EQ(timers.heap.size(), 100u);
  handles[0].cancel();
  EXPECT_EQ(timers.heap.next_deadline(), std::nullopt);
  EXPECT_EQ(timers.heap.size(), 0u);

  fill(1000);
  for (int i = 0; i < 500; ++i) handles[2 * i].cancel();
  EXPECT_EQ(timers.heap.size(), 1000u);  // half of them: not yet
  handles[1].cancel();
  EXPECT_EQ(timers.heap.size(), 499u);
  EXPECT_EQ(timers.heap.next_deadline(), TimePoint{} + 3s);
  for (int i = 3; i < 1000; i += 2) {
    EXPECT_EQ(timers.heap.next_deadline(), TimePoint{} + 1s * i);
    handles[i].cancel();
  }
  EXPECT_EQ(timers.heap.next_deadline(), std::nullopt);
  EXPECT_TRUE(ran.empty());
}

TEST(TimerHeap, ManyTimeoutsThatNeverFireTakeNoRoom) {
  std::vector<int> ran;
  Heap timers;
  const TimerHandle live = timers.add(TimePoint{} + 1h, 1, ran);
  std::vector<TimerHandle> window;
  for (int i = 0; i < 100000; ++i) {  // cancelled later, in the order of making, as a server's time-outs are
    window.push_back(timers.add(TimePoint{} + 1s * i, i, ran));
    if (window.size() == 20) {
      for (TimerHandle& timer : window) timer.cancel();
      window.clear();
    }
    if (i % 7 == 0) timers.heap.next_deadline();
    ASSERT_LT(timers.heap.size(), 400u);
  }
}

TEST(TimerHeap, MadeLastAndCancelledFirstLeavesNoTrace) {
  std::vector<int> ran;
  Heap timers;
  for (int i = 0; i < 10; ++i) timers.add(TimePoint{} + 1s, i, ran);
  for (int i = 0; i < 1000; ++i) timers.add(TimePoint{} + 1s, i, ran).cancel();
  EXPECT_EQ(timers.heap.size(), 10u);
}

TEST(TimerHeap, CancelledCallbacksAreDestroyedAtOnceThoughTheirEntriesStay) {
  VirtualLoop loop;
  Counted::reset();
  std::vector<TimerHandle> handles;
  for (int i = 0; i < 50; ++i) handles.push_back(loop.call_later(1h, [held = Counted()] {}));
  for (int i = 0; i < 49; ++i) handles[i].cancel();
  EXPECT_EQ(Counted::alive, 1);
}

TEST(TimerHeap, BehavesAsASortedListDoes) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    VirtualLoop loop;
    Heap timers;
    std::multimap<TimePoint, int> model;  // equal keys stay in the order of insertion
    std::map<int, std::pair<TimerHandle, std::multimap<TimePoint, int>::iterator>> live;
    std::vector<int> ran, expected;
    TimePoint now{};
    int next = 0;
    const unsigned range = seed % 2 ? 50 : 5000;  // few timers and many ties, or many timers
    const auto often = seed % 3;                  // some runs mostly add, some mostly cancel, some do both
    for (int step = 0; step < 3000; ++step) {
      const unsigned what = random() % 10;
      if (what < 5 + (often == 1 ? 3 : 0)) {
        const TimePoint when = now + 1s * (static_cast<int>(random() % range) - 5);
        const TimerHandle handle = timers.add(when, next, ran);
        live.emplace(next, std::pair(handle, model.emplace(when, next)));
        ++next;
      } else if (what < 9) {
        unsigned count = often == 2 ? random() % 4 : 1;
        if (random() % 100 == 0) count = static_cast<unsigned>(live.size()) * 2 / 3;  // many at once: a sweep
        for (; count > 0 && !live.empty(); --count) {
          auto chosen = live.lower_bound(static_cast<int>(random() % static_cast<unsigned>(next)));
          if (chosen == live.end()) chosen = live.begin();
          chosen->second.first.cancel();
          model.erase(chosen->second.second);
          live.erase(chosen);
        }
      } else {
        now += 1s * static_cast<int>(random() % 8);
        while (!model.empty() && model.begin()->first <= now) {
          expected.push_back(model.begin()->second);
          live.erase(model.begin()->second);
          model.erase(model.begin());
        }
        timers.run_due(loop, now);
        ASSERT_EQ(ran, expected) << "seed " << seed << ", step " << step;
        const auto deadline = timers.heap.next_deadline();
        ASSERT_EQ(deadline, model.empty() ? std::nullopt : std::optional(model.begin()->first));
      }
    }
  }
}

TEST(TimerHeap, IsInOrderAfterASweepThatLeavesFew) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    std::vector<int> ran;
    Heap timers;
    std::vector<std::pair<int, TimerHandle>> all;
    for (int i = 0; i < 110; ++i) {
      const int due = static_cast<int>(random() % 1000);
      all.emplace_back(due, timers.add(TimePoint{} + 1s * due, due, ran));
    }
    timers.heap.next_deadline();
    std::shuffle(all.begin(), all.end(), random);
    for (int i = 0; i < 101; ++i) all[i].second.cancel();
    ASSERT_EQ(timers.heap.size(), 9u);
    std::vector<int> expected;
    for (auto timer = all.begin() + 101; timer != all.end(); ++timer) expected.push_back(timer->first);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(timers.heap.next_deadline(), TimePoint{} + 1s * expected.front());
    VirtualLoop loop;
    timers.run_due(loop, TimePoint{} + 1000s);
    EXPECT_EQ(ran, expected) << "seed " << seed;
  }
}

// ── durations ───────────────────────────────────────────────────────────────────────────────────────────────────────

using Seconds = std::chrono::duration<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Duration, AnyChronoDurationIsADelay) {
  EXPECT_EQ(to_duration(5ms), 5'000'000ns);
  EXPECT_EQ(to_duration(Seconds(0.25)), 250ms);
  EXPECT_EQ(to_duration(std::chrono::duration<float, std::milli>(1.5f)), 1500us);
  EXPECT_EQ(to_duration(std::chrono::days(2)), 48h);
  static_assert(!AnyDuration<int> && !AnyDuration<double>);
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
