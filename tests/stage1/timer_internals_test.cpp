// The heap of timers by itself: its order, and that cancelled timers take no room.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

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

// Many timers at once, which become a pile: in random order, in order, in reverse, and with many ties.
TEST(TimerHeap, ManyMadeTogetherAreDueInOrderAmongThoseMadeLater) {
  constexpr int kMany = 5000;
  for (int kind = 0; kind < 5; ++kind) {
    std::mt19937 random(static_cast<unsigned>(kind));
    VirtualLoop loop;
    std::vector<int> ran;
    Heap timers;
    std::vector<std::pair<int, int>> expected;  // when, and the number of the timer
    std::vector<TimerHandle> handles;
    const auto add = [&](int when) {
      const int number = static_cast<int>(handles.size());
      handles.push_back(timers.add(TimePoint{} + 1s * when, number, ran));
      expected.emplace_back(when, number);
    };
    for (int i = 0; i < kMany; ++i) {
      const int by_chance = static_cast<int>(random() % kMany);
      add(kind == 0 ? by_chance : kind == 1 ? i : kind == 2 ? kMany - i : kind == 3 ? 7 : by_chance % 3);
    }
    const auto cancel = [&](int number) {
      handles[static_cast<std::size_t>(number)].cancel();
      std::erase_if(expected, [&](const auto& timer) { return timer.second == number; });
    };
    for (int i = 0; i < kMany; i += 5) cancel(i);  // too few for a sweep
    std::vector<int> order;
    for (int now = 0; now <= kMany; now += 50) {
      timers.run_due(loop, TimePoint{} + 1s * now);
      std::stable_sort(expected.begin(), expected.end());
      while (!expected.empty() && expected.front().first <= now) {
        order.push_back(expected.front().second);
        expected.erase(expected.begin());
      }
      ASSERT_EQ(ran, order) << "kind " << kind << ", at " << now;
      if (now < kMany) add(now + 1 + static_cast<int>(random() % 200));
      if (!expected.empty() && now % 250 == 0) cancel(expected.back().second);
    }
    timers.run_due(loop, TimePoint{} + 2s * kMany);
    EXPECT_EQ(timers.heap.next_deadline(), std::nullopt);
    EXPECT_TRUE(timers.heap.empty());
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

}  // namespace
}  // namespace asyncio::testing
