// The loop itself: the order of callbacks, ticks, stopping, nesting, closing.
#include <asyncio/loop.h>
#include <asyncio/sleep_core.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// ── ticks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_events.py: EventLoopTestsMixin.test_call_soon
// test_base_events.py: BaseEventLoopTests.test_call_soon
TEST(Loop, CallSoonRunsInFifoOrder) {
  VirtualLoop loop;
  std::string order;
  for (const char c : {'a', 'b', 'c'}) loop.call_soon([&order, c] { order += c; });
  EXPECT_EQ(order, "");
  loop.run_ticks(1);
  EXPECT_EQ(order, "abc");
}

TEST(Loop, ManyCallbacksKeepTheirOrderWhileTheQueueGrows) {
  VirtualLoop loop;
  std::vector<int> order;
  std::function<void(int)> schedule = [&](int from) {  // the ring wraps round, and grows while it is wrapped
    for (int i = from; i < from + 50; ++i) {
      loop.call_soon([&, i] {
        order.push_back(i);
        if (i % 25 == 0 && i < 2000) schedule(100 * i + 10000);
      });
    }
  };
  schedule(0);
  loop.run_ticks(4);
  std::vector<int> expected;
  std::vector<int> starts{0};
  for (std::size_t at = 0; at < starts.size(); ++at) {
    for (int i = starts[at]; i < starts[at] + 50; ++i) {
      expected.push_back(i);
      if (i % 25 == 0 && i < 2000) starts.push_back(100 * i + 10000);
    }
  }
  EXPECT_EQ(order, expected);
}

TEST(Loop, TenThousandCallbacksRunInOneTick) {
  VirtualLoop loop;
  int next = 0;
  for (int i = 0; i < 10000; ++i) loop.call_soon([&next, i] { EXPECT_EQ(next++, i); });
  loop.run_ticks(1);
  EXPECT_EQ(next, 10000);
}

// test_base_events.py: BaseEventLoopTests.test__run_once_schedule_handle
TEST(Loop, ACallbackScheduledByACallbackWaitsForTheNextTick) {
  VirtualLoop loop;
  std::string order;
  loop.call_soon([&] {
    order += 'a';
    loop.call_soon([&] { order += 'c'; });
  });
  loop.call_soon([&] { order += 'b'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "ab");
  loop.run_ticks(1);
  EXPECT_EQ(order, "abc");
}

TEST(Loop, AHandleCancelledWithinItsTickIsSkipped) {
  VirtualLoop loop;
  std::string order;
  Handle second;
  loop.call_soon([&] {
    order += 'a';
    second.cancel();
  });
  second = loop.call_soon([&] { order += 'b'; });
  loop.call_soon([&] { order += 'c'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "ac");
  EXPECT_TRUE(second.cancelled());
}

TEST(Loop, WithinATickOlderCallSoonComesBeforeTimers) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(0s, [&] { order += "t"; });
  loop.call_soon([&] {
    order += "s";
    loop.call_soon([&] { order += "n"; });  // the timer of this tick is older than this
  });
  loop.run_ticks(2);
  EXPECT_EQ(order, "stn");
}

// ── stop ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_base_events.py: BaseEventLoopTests.test_run_forever_pre_stopped
TEST(Loop, StopBeforeTheRunMeansOneTickWithoutWaiting) {
  VirtualLoop loop;
  int ran = 0;
  loop.call_later(1h, [&] { ++ran; });
  loop.call_soon([&] { ++ran; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(loop.time(), TimePoint{});
}

TEST(Loop, StopWithNothingToDoReturns) {
  VirtualLoop loop;
  loop.stop();
  loop.run_forever();
  loop.stop();
  loop.run_forever();
}

TEST(Loop, StopLetsTheTickEndAndKeepsWhatItScheduled) {
  VirtualLoop loop;
  std::string order;
  loop.call_soon([&] {
    loop.stop();
    order += 'a';
    loop.call_soon([&] {
      order += 'c';
      loop.stop();
    });
  });
  loop.call_soon([&] { order += 'b'; });
  loop.run_forever();
  EXPECT_EQ(order, "ab");
  loop.run_forever();
  EXPECT_EQ(order, "abc");
}

TEST(Loop, StopCountsForOneRunOnly) {
  VirtualLoop loop;
  loop.stop();
  loop.stop();
  loop.run_forever();
  int ran = 0;
  loop.call_soon([&] { loop.call_soon([&] { ++ran, loop.stop(); }); });
  loop.run_forever();  // two ticks: it was not left stopped
  EXPECT_EQ(ran, 1);
}

// test_base_events.py: BaseEventLoopTests.test_run_once
TEST(Loop, StopScheduledAsACallbackRunsOneTick) {
  VirtualLoop loop;
  int ran = 0;
  loop.call_soon([&] { loop.stop(); });
  loop.call_soon([&] { ++ran; });
  loop.run_forever();
  EXPECT_EQ(ran, 1);
}

// ── who runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_events.py: GetEventLoopTestsMixin.test_get_running_loop_already_running
// test_events.py: GetEventLoopTestsMixin.test_get_event_loop_returns_running_loop
TEST(Loop, RunningIsTheLoopThatRunsInThisThread) {
  VirtualLoop loop;
  EXPECT_EQ(Loop::running_or_null(), nullptr);
  EXPECT_EQ(thrown<std::runtime_error>([] { Loop::running(); }), "no running event loop");
  EXPECT_FALSE(loop.is_running());
  Loop* seen = nullptr;
  loop.call_soon([&] {
    seen = &Loop::running();
    EXPECT_TRUE(loop.is_running());
    EXPECT_EQ(Loop::running_or_null(), &loop);
    EXPECT_EQ(&get_running_loop(), &loop);
  });
  loop.run_ticks(1);
  EXPECT_EQ(seen, &loop);
  EXPECT_FALSE(loop.is_running());
  EXPECT_EQ(Loop::running_or_null(), nullptr);
}

// test_events.py: EventLoopTestsMixin.test_run_until_complete_nesting
TEST(Loop, RunningTwiceIsRefusedAndDoesNoHarm) {
  VirtualLoop loop;
  std::string message;
  bool later = false;
  loop.call_soon([&] {
    message = thrown<std::runtime_error>([&] { loop.run_forever(); });
    EXPECT_TRUE(loop.is_running());
    EXPECT_EQ(&Loop::running(), &loop);
    loop.call_soon([&] { later = true; });
  });
  loop.run_ticks(2);
  EXPECT_EQ(message, "This event loop is already running");
  EXPECT_TRUE(later);
}

// test_base_events.py: RunningLoopTests.test_running_loop_within_a_loop
TEST(Loop, AnotherLoopInTheSameThreadIsRefusedAndDoesNoHarm) {
  VirtualLoop outer, inner;
  std::string message;
  outer.call_soon([&] {
    message = thrown<std::runtime_error>([&] { inner.run_forever(); });
    EXPECT_EQ(&Loop::running(), &outer);
    EXPECT_FALSE(inner.is_running());
  });
  outer.run_ticks(1);
  EXPECT_EQ(message, "Cannot run the event loop while another loop is running");
  inner.run_ticks(1);  // and later it runs
}

TEST(Loop, TwoLoopsTakeTurns) {
  VirtualLoop a, b;
  std::string order;
  a.call_soon([&] { b.call_soon([&] { order += 'b'; }); });
  a.run_ticks(1);
  EXPECT_EQ(order, "");
  b.run_ticks(1);
  EXPECT_EQ(order, "b");
}

TEST(Loop, AnExceptionOfTheCoreLeavesTheLoopUsable) {
  Loop loop(std::make_unique<VirtualCore>());
  EXPECT_EQ(thrown<std::logic_error>([&] { loop.run_forever(); }),
            "VirtualCore: no callback is ready and no timer is pending; the loop would wait for ever");
  EXPECT_FALSE(loop.is_running());
  bool ran = false;
  loop.call_soon([&] {
    ran = true;
    loop.stop();
  });
  loop.run_forever();
  EXPECT_TRUE(ran);
}

// ── KeyboardInterrupt and SystemExit ────────────────────────────────────────────────────────────────────────────────

// test_base_events.py: BaseEventLoopTests.test_run_until_complete_baseexception
TEST(Loop, KeyboardInterruptLeavesAtOnceAndTheRestRunsNextTime) {
  VirtualLoop loop;
  std::string order;
  loop.call_soon([&] { order += 'a'; });
  loop.call_soon([] { throw KeyboardInterrupt(); });
  loop.call_soon([&] { order += 'b'; });
  loop.stop();
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(order, "a");
  EXPECT_FALSE(loop.is_running());
  EXPECT_EQ(Loop::running_or_null(), nullptr);
  int ticks = 0;
  loop.call_soon([&] { loop.call_soon([&] { ++ticks, loop.stop(); }); });
  loop.run_forever();  // not left stopped
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(ticks, 1);
}

TEST(Loop, SystemExitLeavesAtOnceWithItsCode) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Counted::reset();
  loop.call_soon([held = Counted()] { throw SystemExit(3); });
  int code = 0;
  try {
    loop.run_forever();
  } catch (const SystemExit& exit) {
    code = exit.code();
  }
  EXPECT_EQ(code, 3);
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_TRUE(errors.contexts.empty());
}

TEST(Loop, KeyboardInterruptOfATimerLeavesAtOnce) {
  VirtualLoop loop;
  bool ran = false;
  loop.call_later(1s, [] { throw KeyboardInterrupt(); });
  loop.call_later(1s, [&] { ran = true; });
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_FALSE(ran);
  loop.run_ticks(1);
  EXPECT_TRUE(ran);
}

TEST(Loop, FatalExceptionsAreNoStandardExceptions) {
  EXPECT_FALSE((std::is_base_of_v<std::exception, KeyboardInterrupt>));
  EXPECT_FALSE((std::is_base_of_v<std::exception, SystemExit>));
  EXPECT_STREQ(KeyboardInterrupt().what(), "KeyboardInterrupt");
  EXPECT_STREQ(SystemExit().what(), "SystemExit");
  EXPECT_EQ(SystemExit().code(), 0);
}

// ── close ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_base_events.py: BaseEventLoopTests.test_close
TEST(Loop, CloseIsIdempotentAndAClosedLoopDoesNotRun) {
  VirtualLoop loop;
  EXPECT_FALSE(loop.is_closed());
  loop.close();
  EXPECT_TRUE(loop.is_closed());
  loop.close();
  EXPECT_TRUE(loop.is_closed());
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_forever(); }), "Event loop is closed");
}

// test_events.py: EventLoopTestsMixin.test_close
TEST(Loop, AClosedLoopRefusesCallbacks) {
  VirtualLoop loop;
  loop.close();
  const auto refused = [](auto call) { return thrown<std::runtime_error>(call); };
  EXPECT_EQ(refused([&] { loop.call_soon([] {}); }), "Event loop is closed");
  EXPECT_EQ(refused([&] { loop.call_soon_threadsafe([] {}); }), "Event loop is closed");
  EXPECT_EQ(refused([&] { loop.call_later(1s, [] {}); }), "Event loop is closed");
  EXPECT_EQ(refused([&] { loop.call_at(loop.time() + 1s, [] {}); }), "Event loop is closed");
}

TEST(Loop, ARefusedCallbackIsDestroyed) {
  VirtualLoop loop;
  loop.close();
  Counted::reset();
  EXPECT_THROW(loop.call_soon([held = Counted()] {}), std::runtime_error);
  EXPECT_THROW(loop.call_later(1s, [held = Counted()] {}), std::runtime_error);
  EXPECT_THROW(loop.call_soon_threadsafe([held = Counted()] {}), std::runtime_error);
  EXPECT_EQ(Counted::alive, 0);
}

// test_events.py: EventLoopTestsMixin.test_close_running_event_loop
TEST(Loop, CloseOfARunningLoopIsRefused) {
  VirtualLoop loop;
  std::string message;
  loop.call_soon([&] { message = thrown<std::runtime_error>([&] { loop.close(); }); });
  loop.run_ticks(1);
  EXPECT_EQ(message, "Cannot close a running event loop");
  EXPECT_FALSE(loop.is_closed());
}

TEST(Loop, CloseDropsCallbacksUnrunAndDestroysThem) {
  Counted::reset();
  bool ran = false;
  VirtualLoop loop;
  loop.call_soon([&, held = Counted()] { ran = true; });
  loop.call_later(1s, [&, held = Counted()] { ran = true; });
  loop.call_later(0s, [&, held = Counted()] { ran = true; });
  loop.call_soon_threadsafe([&, held = Counted()] { ran = true; });
  const TimerHandle kept = loop.call_later(2s, [&, held = Counted()] { ran = true; });
  loop.close();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_FALSE(ran);
  EXPECT_TRUE(kept.cancelled());
}

TEST(Loop, TheDestructorCloses) {
  Counted::reset();
  TimerHandle timer;
  Handle handle;
  {
    VirtualLoop loop;
    handle = loop.call_soon([held = Counted()] {});
    timer = loop.call_later(1s, [held = Counted()] {});
  }
  EXPECT_EQ(Counted::alive, 0);
  handle.cancel();  // handles may outlive their loop
  timer.cancel();
  EXPECT_EQ(timer.when(), TimePoint{} + 1s);
}

// Schedules something else when it is destroyed, `depth` times over.
struct SchedulesAtItsEnd {
  SchedulesAtItsEnd(Loop& loop, int depth) : loop(&loop), depth(depth) {}
  SchedulesAtItsEnd(SchedulesAtItsEnd&& other) noexcept
      : loop(std::exchange(other.loop, nullptr)), depth(other.depth), held(std::move(other.held)) {}
  ~SchedulesAtItsEnd() {
    if (!loop || depth == 0) return;
    loop->call_soon([next = SchedulesAtItsEnd(*loop, depth - 1)] {});
    loop->call_later(1s, [held = Counted()] {});
    loop->call_later(1s, [next = SchedulesAtItsEnd(*loop, depth - 1)] {});
  }
  Loop* loop;
  int depth;
  Counted held;
};

TEST(Loop, WhatADroppedCallbackSchedulesAtItsEndIsDroppedToo) {
  Counted::reset();
  VirtualLoop loop;
  loop.call_later(1s, [end = SchedulesAtItsEnd(loop, 3)] {});
  loop.call_soon([end = SchedulesAtItsEnd(loop, 3)] {});
  EXPECT_GT(Counted::alive, 0);
  loop.close();
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Loop, ALoopWithoutCoreIsRefused) {
  EXPECT_THROW(Loop(std::unique_ptr<Core>()), std::invalid_argument);
  VirtualLoop loop;
  EXPECT_THROW(loop.set_core(nullptr), std::invalid_argument);
}

TEST(Loop, TheDefaultCoreSleeps) {
  Loop loop;
  EXPECT_NE(dynamic_cast<SleepCore*>(&loop.core()), nullptr);
  bool ran = false;
  loop.call_soon([&] {
    ran = true;
    loop.stop();
  });
  loop.run_forever();
  EXPECT_TRUE(ran);
}

// ── the core can be swapped ─────────────────────────────────────────────────────────────────────────────────────────

TEST(Loop, CallbacksAndTimersSurviveASwapOfTheCore) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(1s, [&] { order += 't', loop.stop(); });
  loop.call_soon_threadsafe([&] { order += 'p'; });
  loop.call_soon([&] { order += 's'; });
  loop.set_core(make_core());
  loop.run_forever();
  EXPECT_EQ(order, "pst");
}

TEST(Loop, ACallbackMaySwapTheCore) {
  VirtualLoop loop;
  Core* before = &loop.core();
  std::string order;
  loop.call_soon([&] {
    loop.set_core(make_core());
    loop.call_soon_threadsafe([&] { order += 'b'; });
    order += 'a';
  });
  loop.call_later(1h, [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(order, "ab");
  EXPECT_NE(&loop.core(), before);
}

}  // namespace
}  // namespace asyncio::testing
