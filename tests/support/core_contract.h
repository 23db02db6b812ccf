// The contract of every Core, as tests. The loop only works on a core that passes them all.
// Use in one .cpp of a test program (this header defines the suites):
//   INSTANTIATE_TEST_SUITE_P(Poll, CoreContract, CORE("PollCore", std::make_unique<PollCore>()), core_name);
//   INSTANTIATE_TEST_SUITE_P(Poll, RealTimeCoreContract, CORE("PollCore", std::make_unique<PollCore>()), core_name);
// The second suite is for cores that wait in real time.
#pragma once

#include "support/threads.h"

#include <asyncio/core.h>
#include <asyncio/loop.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace asyncio::testing {

using namespace std::chrono_literals;

struct CoreCase {
  const char* name;  // letters, digits and _ only: part of the test's name
  std::unique_ptr<Core> (*make)();
};

#define CORE(name, expression) \
  ::testing::Values(::asyncio::testing::CoreCase{name, []() -> std::unique_ptr<::asyncio::Core> { return expression; }})

inline std::string core_name(const ::testing::TestParamInfo<CoreCase>& info) { return info.param.name; }
inline void PrintTo(const CoreCase& core, std::ostream* out) { *out << core.name; }

class CoreContract : public ::testing::TestWithParam<CoreCase> {
 protected:
  std::unique_ptr<Core> make_core() { return GetParam().make(); }
  std::unique_ptr<Core> core_ = make_core();
};
class RealTimeCoreContract : public CoreContract {};

/// A signal handler during a test; it may wake one core or do other async-signal-safe work.
class SignalScope {
 public:
  SignalScope(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(signal_, &action, &before_);
  }
  ~SignalScope() {
    std::signal(signal_, SIG_IGN);  // a late signal (valgrind delays them) would end the process
    sigaction(signal_, &before_, nullptr);
  }
  static inline Core* core = nullptr;
  static inline volatile std::sig_atomic_t seen = 0;

 private:
  int signal_;
  struct sigaction before_ = {};
};

// ── wake() and wait() ───────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(CoreContract, WakeBeforeTheWaitIsNotLost) {
  core_->wake();
  core_->wait(std::nullopt);  // a core that lost the wake-up hangs here, or throws
}

TEST_P(CoreContract, SeveralWakesCountAsOneOrMoreAndNeverAsNone) {
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i <= round % 3; ++i) core_->wake();
    core_->wait(std::nullopt);
    core_->wait(kDoNotWait);  // consumes remaining wake-ups
  }
}

TEST_P(CoreContract, WakeBetweenTwoWaitsEndsTheSecond) {
  core_->wait(kDoNotWait);
  core_->wake();
  core_->wait(std::nullopt);
}

TEST_P(CoreContract, WakeOfAnotherThreadBeforeTheWaitIsNotLost) {
  std::thread([&] { core_->wake(); }).join();
  core_->wait(std::nullopt);
}

TEST_P(CoreContract, WakeEndsAWaitUntilTheEndOfTime) {
  core_->wake();
  core_->wait(TimePoint::max());
  EXPECT_LT(core_->now(), TimePoint::max());
}

TEST_P(CoreContract, WakeFromASignalHandlerBeforeTheWaitIsNotLost) {
  SignalScope::core = core_.get();
  const SignalScope scope(SIGUSR1, [](int) { SignalScope::core->wake(); });
  std::raise(SIGUSR1);
  core_->wait(std::nullopt);
}

TEST_P(CoreContract, MayBeDestroyedWithAWakeUnderWay) {
  core_->wake();
  core_.reset();
}

TEST_P(CoreContract, AClosedOneTellsTheTimeAndIsNotWoken) {
  for (const bool under_way : {false, true}) {
    core_ = make_core();
    const TimePoint before = core_->now();
    if (under_way) core_->wake();
    core_->close();
    core_->wake();
    core_->close();
    EXPECT_GE(core_->now(), before);
  }
}

/// What does not wait takes no time, and on a busy machine some. What waits where it must not, waits for ever.
constexpr auto kNoWait = 20s;

TEST_P(CoreContract, DoNotWaitReturnsAtOnce) {
  const TimePoint before = core_->now();
  for (int i = 0; i < 100; ++i) core_->wait(kDoNotWait);
  EXPECT_LT(core_->now() - before, kNoWait);
}

TEST_P(CoreContract, APastTimeReturnsAtOnce) {
  const TimePoint before = core_->now();
  core_->wait(before);
  core_->wait(before - 1h);
  core_->wait(TimePoint{} - 1ns);
  EXPECT_LT(core_->now() - before, kNoWait);
}

TEST_P(CoreContract, TheClockNeverGoesBack) {
  TimePoint last = core_->now();
  for (int i = 0; i < 50; ++i) {
    core_->wait(i % 2 ? last - 1s : last + 20us);
    const TimePoint now = core_->now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST_P(CoreContract, ADeadlineIsReachedInAFewWaits) {  // early returns are allowed, spinning is not
  for (const auto delay : {1us, 300us, 2500us}) {
    const TimePoint until = core_->now() + delay;
    int waits = 0;
    for (; core_->now() < until && waits < 1000; ++waits) core_->wait(until);
    EXPECT_GE(core_->now(), until);
    EXPECT_LE(waits, 20);
  }
}

TEST_P(CoreContract, AFreshCoreWatchesNothing) { EXPECT_FALSE(core_->watching()); }

// ── under a loop ────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(CoreContract, NoTimerRunsBeforeItsTime) {
  Loop loop(std::move(core_));
  for (const auto delay : {0us, 1us, 700us, 3000us}) {
    const TimePoint due = loop.time() + delay;
    TimePoint ran{};
    loop.call_at(due, [&] {
      ran = loop.time();
      loop.stop();
    });
    loop.run_forever();
    EXPECT_GE(ran, due);
  }
}

TEST_P(CoreContract, TimersRunInTheOrderOfTheirDeadlines) {
  Loop loop(std::move(core_));
  std::string order;
  const TimePoint start = loop.time() + 1ms;
  loop.call_at(start + 3ms, [&] { loop.stop(); });
  loop.call_at(start + 2ms, [&] { order += 'c'; });
  loop.call_at(start + 1ms, [&] { order += 'a'; });
  loop.call_at(start + 2ms, [&] { order += 'd'; });
  loop.call_at(start + 1ms, [&] { order += 'b'; });
  loop.run_forever();
  EXPECT_EQ(order, "abcd");
}

TEST_P(CoreContract, ThreadsLoseNoCallbackAndKeepTheirOrder) {
  Loop loop(std::move(core_));
  const Ticking ticking(loop);
  expect_complete_and_in_order(receive_from_threads(loop, 4, 500), 4, 500);
}

TEST_P(CoreContract, SwapOfTheCoreWhileThreadsPostLosesNothing) {
  Loop loop(std::move(core_));
  const Ticking ticking(loop);
  int swaps = 0;
  const auto swap = [&] {
    loop.set_core(make_core());
    ++swaps;
  };
  expect_complete_and_in_order(receive_from_threads(loop, 4, 500, swap), 4, 500);
  EXPECT_EQ(swaps, 40);
}

// ── cores in real time ──────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(RealTimeCoreContract, TheClockIsTheSteadyClock) {
  const TimePoint before = Clock::now();
  const TimePoint now = core_->now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, Clock::now());
}

TEST_P(RealTimeCoreContract, WakeOfAnotherThreadEndsTheWait) {
  std::atomic<bool> woken = false;
  std::thread other([&] {
    std::this_thread::sleep_for(2ms);
    woken = true;
    core_->wake();
  });
  while (!woken) core_->wait(std::nullopt);  // hangs if a wake-up is lost
  other.join();
}

TEST_P(RealTimeCoreContract, WakeOfAnotherThreadEndsAWaitUntilTheEndOfTime) {
  std::atomic<bool> woken = false;
  std::thread other([&] {
    std::this_thread::sleep_for(2ms);
    woken = true;
    core_->wake();
  });
  while (!woken) core_->wait(TimePoint::max());
  other.join();
}

TEST_P(RealTimeCoreContract, ThreadsThatWakeEachOtherInTurnNeverMissOne) {
  constexpr int kRounds = 2000;
  const std::unique_ptr<Core> here = make_core(), there = make_core();
  std::atomic<int> ball = 0;
  std::thread other([&] {
    for (int round = 0; round < kRounds; ++round) {
      while (ball.load() != 2 * round + 1) there->wait(std::nullopt);
      ball = 2 * round + 2;
      here->wake();
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    ball = 2 * round + 1;
    there->wake();
    while (ball.load() != 2 * round + 2) here->wait(std::nullopt);
  }
  other.join();
}

TEST_P(RealTimeCoreContract, WakeFromASignalHandlerEndsTheWait) {
  SignalScope::core = core_.get();
  SignalScope::seen = 0;
  const SignalScope scope(SIGALRM, [](int) {
    SignalScope::seen = 1;
    SignalScope::core->wake();
  });
  const itimerval in_two_ms = {{0, 0}, {0, 2000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &in_two_ms, nullptr), 0);
  while (!SignalScope::seen) core_->wait(std::nullopt);
}

TEST_P(RealTimeCoreContract, ASignalDoesNotEndALoopsWaitTooEarly) {
  const SignalScope scope(SIGALRM, [](int) {});
  const itimerval every_ms = {{0, 1000}, {0, 1000}};
  Loop loop(std::move(core_));
  const TimePoint due = loop.time() + 5ms;
  TimePoint ran{};
  loop.call_at(due, [&] {
    ran = loop.time();
    loop.stop();
  });
  ASSERT_EQ(setitimer(ITIMER_REAL, &every_ms, nullptr), 0);
  loop.run_forever();
  const itimerval off = {};
  setitimer(ITIMER_REAL, &off, nullptr);
  EXPECT_GE(ran, due);
}

TEST_P(RealTimeCoreContract, ABusyLoopStillRunsItsTimers) {
  Loop loop(std::move(core_));
  bool stopped = false;
  loop.call_later(1ms, [&] {
    stopped = true;
    loop.stop();
  });
  std::function<void()> work = [&] {
    if (!stopped) loop.call_soon([&] { work(); });
  };
  work();
  loop.run_forever();
  EXPECT_TRUE(stopped);
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe
TEST_P(RealTimeCoreContract, ThreadsafeCallbackWakesALoopThatSleeps) {
  Loop loop(std::move(core_));
  const Watchdog watchdog(loop);
  std::thread other([&] {
    std::this_thread::sleep_for(2ms);
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  other.join();
}

TEST_P(RealTimeCoreContract, ThreadsLoseNoCallbackOfALoopThatSleepsBetweenThem) {
  Loop loop(std::move(core_));
  const Watchdog watchdog(loop);
  expect_complete_and_in_order(receive_from_threads(loop, 2, 1000), 2, 1000);
}

TEST_P(RealTimeCoreContract, SwapOfTheCoreWhileThreadsPostLosesNoWakeUp) {
  Loop loop(std::move(core_));
  const Watchdog watchdog(loop);
  expect_complete_and_in_order(receive_from_threads(loop, 2, 500, [&] { loop.set_core(make_core()); }), 2, 500);
}

// test_events.py: EventLoopTestsMixin.test_timeout_rounding
TEST_P(RealTimeCoreContract, TinyDelaysDoNotMakeTheLoopSpin) {
  class Counting final : public Core {  // counts the inner core's waits
   public:
    Counting(std::unique_ptr<Core> inner, int& waits) : inner_(std::move(inner)), waits_(waits) {}
    TimePoint now() override { return inner_->now(); }
    void wait(std::optional<TimePoint> until) override {
      ++waits_;
      inner_->wait(until);
    }
    void wake() noexcept override { inner_->wake(); }

   private:
    std::unique_ptr<Core> inner_;
    int& waits_;
  };
  int waits = 0;
  Loop loop(std::make_unique<Counting>(std::move(core_), waits));
  int left = 20;
  std::function<void()> again = [&] {
    if (--left == 0) return loop.stop();
    loop.call_later(left % 2 ? 1us : 100us, [&] { again(); });
  };
  loop.call_soon([&] { again(); });
  loop.run_forever();
  EXPECT_LE(waits, 100);
}

}  // namespace asyncio::testing
