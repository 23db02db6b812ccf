// What an observer hears of callbacks, timers and ticks; that it changes nothing; and the ones that misbehave.
#include <asyncio/loop.h>
#include <asyncio/observer.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/event_log.h"
#include "support/test_core.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

TEST(Observer, HearsOfCallbacksAndOfWhoScheduledThem) {
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  loop.call_soon([&] { loop.call_soon([] {}); });
  Handle cancelled = loop.call_soon([] {});
  cancelled.cancel();
  loop.run_ticks(2);
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "a scheduled", "b scheduled", "tick 1", "a begins",
                                                  "c scheduled by a", "a ends", "b skipped", "tick 1 ends", "tick 2",
                                                  "c begins", "c ends", "tick 2 ends"}));
}

TEST(Observer, HearsOfTimersAndOfTheWaitForThem) {
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  loop.call_later(1s, [&] {
    loop.call_later(5s, [] {}).cancel();  // armed and cancelled with nothing between
    loop.call_later(2s, [&] { loop.stop(); });
    loop.call_later(3s, [] {});
  });
  loop.run_forever();
  EXPECT_EQ(log->without_ticks(),
            (std::vector<std::string>{"added", "a armed for 1.0 s", "waits until 1.0 s", "woke, 0", "a due", "a begins",
                                      "b armed for 6.0 s by a", "b cancelled by a", "c armed for 3.0 s by a",
                                      "d armed for 4.0 s by a", "a ends", "waits until 3.0 s", "woke, 0", "c due",
                                      "c begins", "c ends"}));
}

TEST(Observer, HearsOfATimerThatWasArmedJustBeforeAnotherObserverCameOrWent) {
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  const auto other = std::make_shared<EventLog>();
  loop.add_observer(log);
  loop.call_later(1s, [] {});
  loop.add_observer(other);
  loop.call_later(2s, [] {});
  loop.remove_observer(log);
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "a armed for 1.0 s", "b armed for 2.0 s", "removed"}));
  EXPECT_EQ(other->lines, (std::vector<std::string>{"added", "a armed for 2.0 s"}));
}

TEST(Observer, ACallbackSaysWhereItWasScheduledAndATimerWhatItIs) {
  struct Places final : Observer {
    void callback_scheduled(const Observed& what, ObservedId) override { seen.push_back(what.places().at(0)); }
    void timer_armed(const Observed& what, TimePoint, ObservedId) override {
      EXPECT_EQ(what.kind(), Observed::Kind::timer);
      EXPECT_TRUE(what.repr().starts_with("<TimerHandle when=1.0")) << what.repr();
      seen.push_back(what.places().at(0));
    }
    std::vector<Place> seen;
  };
  VirtualLoop loop;
  const auto places = std::make_shared<Places>();
  loop.add_observer(places);
  const unsigned line = __LINE__;
  loop.call_soon([] {});
  loop.call_later(1s, [] {});
  loop.run_ticks(1);
  ASSERT_EQ(places->seen.size(), 2u);
  EXPECT_EQ(places->seen[0].line, line + 1);
  EXPECT_EQ(places->seen[1].line, line + 2);
  EXPECT_TRUE(std::string(places->seen[0].file).ends_with("observer_internals_test.cpp"));
  EXPECT_NE(places->seen[0].function.find("TestBody"), std::string::npos) << places->seen[0].function;
}

TEST(Observer, HearsOfWhatAThreadPosts) {
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  std::thread([&] { loop.call_soon_threadsafe([&] { loop.stop(); }); }).join();
  loop.run_forever();
  EXPECT_EQ(log->without_ticks(), (std::vector<std::string>{"added", "a posted", "a begins", "a ends"}));
}

TEST(Observer, SeveralAreToldInTheOrderInWhichTheyWereAdded) {
  struct Named final : Observer {
    Named(std::string& log, char name) : log(log), name(name) {}
    void callback_begins(const Observed&) override { log += name; }
    std::string& log;
    char name;
  };
  VirtualLoop loop;
  std::string log;
  loop.add_observer(std::make_shared<Named>(log, 'a'));
  loop.add_observer(std::make_shared<Named>(log, 'b'));
  loop.call_soon([] {});
  loop.run_ticks(1);
  EXPECT_EQ(log, "ab");
}

TEST(Observer, MayAddAndRemoveObserversInACall) {
  struct Swaps final : Observer, std::enable_shared_from_this<Swaps> {
    Swaps(Loop& loop, std::shared_ptr<Observer> other) : loop(loop), other(std::move(other)) {}
    void callback_begins(const Observed&) override {
      loop.remove_observer(shared_from_this());
      loop.add_observer(other);
    }
    Loop& loop;
    std::shared_ptr<Observer> other;
  };
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(std::make_shared<Swaps>(loop, log));
  loop.call_soon([] {});
  loop.call_soon([&] { loop.remove_observer(log); });
  loop.call_soon([] {});
  loop.run_ticks(1);
  // It knows none of the things that were there before it.
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "? ends", "a begins", "removed"}));
}

TEST(Observer, OneThatThrowsIsRemovedAndReportedOnceAtTheEndOfTheTick) {
  struct Throws final : Observer {
    void callback_begins(const Observed&) override {
      ++calls;
      throw std::runtime_error("no more paper");
    }
    int calls = 0;
  };
  VirtualLoop loop;
  const auto throws = std::make_shared<Throws>();
  loop.add_observer(throws);
  ErrorLog errors(loop);
  int ran = 0;
  for (int i = 0; i < 3; ++i) loop.call_soon([&] { ran += errors.contexts.empty(); });
  loop.run_ticks(2);
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(throws->calls, 1);
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(errors.contexts[0].message, "Exception in an observer of the loop; it was removed");
  EXPECT_EQ(describe(errors.contexts[0].exception), "std::runtime_error: no more paper");
}

// Nobody observes the loop any more when the next tick begins.
TEST(Observer, OneThatThrowsBetweenTwoTicksIsReportedInTheNext) {
  struct Throws final : Observer {
    void callback_scheduled(const Observed&, ObservedId) override { throw std::runtime_error("no more paper"); }
  };
  VirtualLoop loop;
  ErrorLog errors(loop);
  loop.add_observer(std::make_shared<Throws>());
  loop.call_soon([&] { EXPECT_TRUE(errors.contexts.empty()); });
  loop.run_ticks(1);
  EXPECT_EQ(errors.contexts.size(), 1u);
  loop.run_ticks(1);
  EXPECT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(loop.observers(), nullptr);  // and nothing more is paid
}

TEST(Observer, IfAllThrowEachIsReportedAndNoneHearsOfTheOthersEnd) {
  struct Throws final : Observer {
    void tick_begins(std::uint64_t) override { throw std::runtime_error("first"); }
    void removed(Loop&) override { throw std::runtime_error("second"); }  // there is nobody to take it
  };
  VirtualLoop loop;
  ErrorLog errors(loop);
  const auto log = std::make_shared<EventLog>();
  for (int i = 0; i < 3; ++i) loop.add_observer(std::make_shared<Throws>());
  loop.add_observer(log);
  loop.run_ticks(2);
  EXPECT_EQ(errors.contexts.size(), 3u);
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "tick 1", "tick 1 ends", "tick 2", "tick 2 ends"}));
}

TEST(Observer, OneThatThrowsWhenItIsAddedIsNotAdded) {
  struct Throws final : Observer {
    void added(Loop&) override { throw std::runtime_error("not this loop"); }
    void tick_begins(std::uint64_t) override { ADD_FAILURE() << "it was not added"; }
  };
  VirtualLoop loop;
  EXPECT_THROW(loop.add_observer(std::make_shared<Throws>()), std::runtime_error);
  EXPECT_EQ(loop.observers(), nullptr);
  loop.run_ticks(1);
}

TEST(Observer, WhenTheLoopIsClosedOneMayRemoveOthersButAddNone) {
  struct RemovesAll final : Observer {
    void removed(Loop& loop) override {
      for (const auto& other : others) loop.remove_observer(other);
      try {
        loop.add_observer(std::make_shared<EventLog>());
      } catch (const std::runtime_error& error) {
        refused = error.what();
      }
    }
    std::vector<std::shared_ptr<EventLog>> others;
    std::string refused;
  };
  VirtualLoop loop;
  const auto last = std::make_shared<RemovesAll>();
  for (int i = 0; i < 20; ++i) {
    last->others.push_back(std::make_shared<EventLog>());
    loop.add_observer(last->others.back());
  }
  loop.add_observer(last);  // the first to go
  loop.close();
  EXPECT_EQ(last->refused, "Event loop is closed");
  for (const auto& other : last->others) EXPECT_EQ(other->lines, (std::vector<std::string>{"added", "removed"}));
}

TEST(Observer, ClosingTheLoopRemovesIt) {
  const auto log = std::make_shared<EventLog>();
  {
    VirtualLoop loop;
    loop.add_observer(log);
    loop.call_soon([] {});
  }
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "a scheduled", "removed"}));
  EXPECT_EQ(log.use_count(), 1);
}

TEST(Observer, CanBeGivenToEachNewLoop) {
  const auto log = std::make_shared<EventLog>();
  const auto other = std::make_shared<EventLog>();
  const std::uint64_t first = observe_new_loops([&](Loop&) { return log; });
  const std::uint64_t second = observe_new_loops([&](Loop&) { return other; });
  { VirtualLoop loop; }
  stop_observing_new_loops(first);
  { VirtualLoop loop; }
  stop_observing_new_loops(second);
  { VirtualLoop loop; }
  EXPECT_EQ(log->lines, (std::vector<std::string>{"added", "removed"}));
  EXPECT_EQ(other->lines, (std::vector<std::string>{"added", "removed", "added", "removed"}));
}

TEST(Observer, NullIsRefusedAndSoIsAClosedLoop) {
  VirtualLoop loop;
  EXPECT_THROW(loop.add_observer(nullptr), std::invalid_argument);
  loop.remove_observer(std::make_shared<EventLog>());  // was never there
  loop.close();
  EXPECT_THROW(loop.add_observer(std::make_shared<EventLog>()), std::runtime_error);
}

TEST(Observer, AKeyboardInterruptEndsTheCallbackAndTheTick) {
  VirtualLoop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  loop.call_soon([] { throw KeyboardInterrupt(); });
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(log->lines,
            (std::vector<std::string>{"added", "a scheduled", "tick 1", "a begins", "a ends", "tick 1 ends"}));
}

TEST(LoopStats, CountTicksWaitsLagsAndTheDeepestQueue) {
  VirtualLoop loop;
  loop.run_ticks(1);
  EXPECT_EQ(loop.stats().ticks, 0u);  // the first call: it counts from here on
  loop.call_soon([] {});
  loop.run_ticks(1);
  EXPECT_EQ(loop.stats().ticks, 1u);
  EXPECT_EQ(loop.stats().waits, 0u);

  loop.call_later(1s, [&] { loop.call_later(0s, [&] { loop.stop(); }); });
  for (int i = 0; i < 5; ++i) loop.call_later(1s, [] {});
  loop.call_later(60s, [] {});
  EXPECT_EQ(loop.stats().timers, 7u);
  loop.call_soon([] {});
  EXPECT_EQ(loop.stats().ready, 1u);
  loop.run_forever();
  const LoopStats stats = loop.stats();
  EXPECT_EQ(stats.ticks, 4u);
  EXPECT_EQ(stats.waits, 2u);
  EXPECT_EQ(stats.deepest_ready, 6u);
  EXPECT_EQ(stats.timers, 1u);
  EXPECT_EQ(stats.lags, (std::vector<Duration>{0s, 0s}));
}

TEST(LoopStats, CountCallbacksWhileTheLoopIsObserved) {
  VirtualLoop loop;
  const auto observer = std::make_shared<Observer>();
  const auto run_three = [&] {
    loop.call_soon([] {});
    loop.call_later(0s, [] {});
    loop.call_soon_threadsafe([] {});
    loop.call_soon([] {}).cancel();
    loop.run_ticks(2);
  };
  run_three();
  EXPECT_EQ(loop.stats().callbacks, 0u);
  loop.add_observer(observer);
  run_three();
  EXPECT_EQ(loop.stats().callbacks, 3u);
  loop.remove_observer(observer);
  run_three();
  EXPECT_EQ(loop.stats().callbacks, 3u);
  EXPECT_EQ(loop.stats().steps, 0u);
}

}  // namespace
}  // namespace asyncio::testing
