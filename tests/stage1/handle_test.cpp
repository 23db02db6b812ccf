// Handles and the callbacks behind them: who owns what, what is copied, when it is destroyed.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// test_events.py: HandleTests.test_handle
TEST(Handle, CancelIsIdempotent) {
  VirtualLoop loop;
  bool ran = false;
  Handle handle = loop.call_soon([&] { ran = true; });
  EXPECT_FALSE(handle.cancelled());
  handle.cancel();
  EXPECT_TRUE(handle.cancelled());
  handle.cancel();
  EXPECT_TRUE(handle.cancelled());
  loop.run_ticks(1);
  EXPECT_FALSE(ran);
}

TEST(Handle, CopiesSpeakOfTheSameCallback) {
  VirtualLoop loop;
  const Handle one = loop.call_soon([] {});
  Handle two = one;
  two.cancel();
  EXPECT_TRUE(one.cancelled());
}

TEST(Handle, MayBeDroppedAndTheCallbackRunsAllTheSame) {
  VirtualLoop loop;
  int ran = 0;
  loop.call_soon([&] { ++ran; });
  loop.call_later(0s, [&] { ++ran; });
  loop.run_ticks(1);
  EXPECT_EQ(ran, 2);
}

TEST(Handle, CancelAfterTheRunHasNoEffect) {
  VirtualLoop loop;
  int ran = 0;
  Handle handle = loop.call_soon([&] { ++ran; });
  TimerHandle timer = loop.call_later(0s, [&] { ++ran; });
  loop.run_ticks(1);
  handle.cancel();
  timer.cancel();
  EXPECT_TRUE(handle.cancelled());
  EXPECT_EQ(ran, 2);
}

TEST(Handle, EmptyHandlesDoNothing) {
  Handle handle;
  handle.cancel();
  EXPECT_FALSE(handle.cancelled());
  EXPECT_EQ(handle.repr(), "<Handle empty>");
  TimerHandle timer;
  timer.cancel();
  EXPECT_EQ(timer.when(), TimePoint{});
  ThreadSafeHandle threadsafe;
  threadsafe.cancel();
  EXPECT_FALSE(threadsafe.cancelled());
}

TEST(Handle, CancelFromItsOwnCallback) {
  VirtualLoop loop;
  Counted::reset();
  Handle handle;
  TimerHandle timer;
  int ran = 0;
  handle = loop.call_soon([&, held = Counted(1)] {
    handle.cancel();
    EXPECT_EQ(Counted::alive, 2);  // its own and the timer's: it is running, its captures are still needed
    handle = Handle();
    ran += held.value;
  });
  timer = loop.call_later(0s, [&, held = Counted(2)] {
    timer.cancel();
    timer = TimerHandle();
    ran += held.value;
  });
  loop.run_ticks(1);
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Handle, CapturesAreDestroyedRightAfterTheRun) {
  VirtualLoop loop;
  Counted::reset();
  Handle handle = loop.call_soon([held = Counted()] {});
  TimerHandle timer = loop.call_later(0s, [held = Counted()] {});
  ThreadSafeHandle threadsafe = loop.call_soon_threadsafe([held = Counted()] {});
  int alive_in_next_callback = -1;
  loop.call_soon([&] { alive_in_next_callback = Counted::alive; });
  EXPECT_EQ(Counted::alive, 3);
  loop.run_ticks(1);
  EXPECT_EQ(alive_in_next_callback, 1);  // the timer's, which runs later in the tick
  EXPECT_EQ(Counted::alive, 0);          // although the handles are still held
}

TEST(Handle, CapturesAreDestroyedByCancelAtOnce) {
  VirtualLoop loop;
  Counted::reset();
  Handle handle = loop.call_soon([held = Counted()] {});
  TimerHandle timer = loop.call_later(1h, [held = Counted()] {});
  ThreadSafeHandle threadsafe = loop.call_soon_threadsafe([held = Counted()] {});
  handle.cancel();
  EXPECT_EQ(Counted::alive, 2);
  timer.cancel();
  EXPECT_EQ(Counted::alive, 1);
  threadsafe.cancel();
  EXPECT_EQ(Counted::alive, 0);
  loop.run_ticks(1);
}

TEST(Handle, CapturesAreDestroyedWhenTheCallbackThrows) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Counted::reset();
  loop.call_soon([held = Counted()] { throw std::runtime_error("x"); });
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(errors.contexts.size(), 1u);
}

TEST(Handle, ACallbackIsMovedNotCopiedIntoTheLoop) {
  VirtualLoop loop;
  Counted::reset();
  loop.call_soon([held = Counted()] {});
  loop.call_later(0s, [held = Counted()] {});
  loop.call_soon_threadsafe([held = Counted()] {});
  EXPECT_EQ(Counted::copies, 0);
  auto callback = [held = Counted()] {};
  loop.call_soon(callback);  // an lvalue is copied, once, and stays the caller's
  EXPECT_EQ(Counted::copies, 1);
  loop.call_soon(std::move(callback));
  EXPECT_EQ(Counted::copies, 1);
  loop.run_ticks(1);
}

// Holds a handle to the very callback that it is captured by.
struct HoldsItsHandle {
  TimerHandle timer;
  Handle handle;
  Counted before, after;
};

TEST(Handle, ACallbackMayHoldItsOwnHandle) {
  Counted::reset();
  VirtualLoop loop;
  for (const bool cancel_later : {false, true}) {
    auto holder = std::make_shared<HoldsItsHandle>();
    HoldsItsHandle& held = *holder;
    if (cancel_later) loop.call_later(1h, [] {});  // a timer made after it: it is not the last in the inbox
    held.timer = loop.call_later(1h, [holder] { FAIL(); });
    if (cancel_later) loop.call_later(1h, [] {});
    held.handle = loop.call_soon([holder] { FAIL(); });
    holder.reset();
    held.handle.cancel();
    held.timer.cancel();  // destroys the callback, and with it the handle through which it is called
    EXPECT_EQ(Counted::alive, 0);
  }
  loop.run_ticks(1);
}

TEST(Handle, ACaptureMayCancelOtherTimersWhenItIsDestroyed) {
  struct CancelsOthers {
    explicit CancelsOthers(std::vector<TimerHandle>& others) : others(&others) {}
    CancelsOthers(CancelsOthers&& from) noexcept : others(std::exchange(from.others, nullptr)) {}
    ~CancelsOthers() {
      if (others) {
        for (TimerHandle& other : *others) other.cancel();
      }
    }
    std::vector<TimerHandle>* others;
  };
  for (const bool by_close : {false, true}) {  // more than 100: the heap is swept on the way
    Counted::reset();
    std::vector<TimerHandle> others;
    VirtualLoop loop;
    TimerHandle first = loop.call_later(1h, [cancels = CancelsOthers(others)] {});
    for (int i = 0; i < 300; ++i) others.push_back(loop.call_later(1h, [held = Counted()] {}));
    TimerHandle last = loop.call_later(2h, [cancels = CancelsOthers(others)] {});
    if (by_close) {
      loop.close();
    } else {
      first.cancel();
    }
    EXPECT_EQ(Counted::alive, 0);
    last.cancel();
  }
}

TEST(Handle, ACaptureMayScheduleWhenItIsDestroyed) {
  struct Schedules {
    Schedules(Loop& loop, int& ran) : loop(&loop), ran(&ran) {}
    Schedules(Schedules&& from) noexcept : loop(std::exchange(from.loop, nullptr)), ran(from.ran) {}
    ~Schedules() {
      if (loop) loop->call_soon([ran = ran] { ++*ran; });
    }
    Loop* loop;
    int* ran;
  };
  VirtualLoop loop;
  int ran = 0;
  loop.call_soon([schedules = Schedules(loop, ran)] {});
  loop.call_later(1h, [schedules = Schedules(loop, ran)] {}).cancel();
  loop.run_ticks(1);
  EXPECT_EQ(ran, 1);
  loop.run_ticks(1);
  EXPECT_EQ(ran, 2);
}

// ── what can be called ──────────────────────────────────────────────────────────────────────────────────────────────

int function_calls = 0;
void function() { ++function_calls; }

TEST(Callback, FunctionsPointersLambdasAndMoveOnlyObjects) {
  VirtualLoop loop;
  function_calls = 0;
  loop.call_soon(function);
  loop.call_soon(&function);
  loop.call_later(0s, function);
  loop.call_soon_threadsafe(function);
  loop.call_soon(std::function<void()>(function));
  loop.call_soon(std::ref(function));
  int result = 0;
  loop.call_soon([&result, owned = std::make_unique<int>(5)] { result += *owned; });
  loop.call_later(0s, [&result, owned = MoveOnly(7)] { result += owned.value; });
  loop.call_soon_threadsafe([&result, owned = MoveOnly(9)] { result += owned.value; });
  loop.call_soon([&result, count = 0]() mutable { return result += ++count; });  // what it returns is dropped
  loop.run_ticks(1);
  EXPECT_EQ(function_calls, 6);
  EXPECT_EQ(result, 22);
}

TEST(Callback, BigAndOveralignedCapturesAreFine) {
  struct alignas(64) Wide {
    char bytes[64] = {};
  };
  struct Big {
    char bytes[5000] = {};
  };
  VirtualLoop loop;
  bool aligned = false;
  loop.call_soon([&, wide = Wide()] { aligned = reinterpret_cast<std::uintptr_t>(&wide) % 64 == 0; });
  loop.call_later(0s, [big = Big()] { EXPECT_EQ(big.bytes[4999], 0); });
  loop.run_ticks(1);
  EXPECT_TRUE(aligned);
}

TEST(Callback, AnEmptyOneIsRefused) {
  VirtualLoop loop;
  void (*null)() = nullptr;
  const std::function<void()> empty;
  const std::string message = "a callable object was expected, got an empty one";
  const auto refused = [](auto call) { return thrown<std::invalid_argument>(call); };
  EXPECT_EQ(refused([&] { loop.call_soon(null); }), message);
  EXPECT_EQ(refused([&] { loop.call_soon(empty); }), message);
  EXPECT_EQ(refused([&] { loop.call_soon(std::function<int()>()); }), message);
  EXPECT_EQ(refused([&] { loop.call_later(1s, null); }), message);
  EXPECT_EQ(refused([&] { loop.call_at(loop.time(), empty); }), message);
  EXPECT_EQ(refused([&] { loop.call_soon_threadsafe(null); }), message);
  EXPECT_EQ(refused([&] { loop.call_soon_threadsafe(empty); }), message);
}

TEST(Callback, WhatNeedsArgumentsIsNoCallback) {
  EXPECT_FALSE(Callback<void (*)(int)>);
  EXPECT_FALSE(Callback<int>);
  EXPECT_TRUE(Callback<void()> && Callback<std::function<int()>> && Callback<void (&)()>);
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_events.py: HandleTests.test_handle_repr
TEST(Handle, ReprNamesTheLineThatScheduledIt) {
  VirtualLoop loop;
  Handle handle = loop.call_soon([] {});
  const auto line = std::to_string(__LINE__ - 1);
  EXPECT_EQ(handle.repr(), "<Handle created at handle_test.cpp:" + line + ">");
  handle.cancel();
  EXPECT_EQ(handle.repr(), "<Handle cancelled>");
}

// test_events.py: TimerTests.test_timer
// test_events.py: TimerTests.test_timer_repr
TEST(TimerHandle, ReprShowsTheDeadline) {
  VirtualLoop loop;
  TimerHandle timer = loop.call_at(TimePoint{} + 1500ms, [] {});
  const auto line = std::to_string(__LINE__ - 1);
  EXPECT_EQ(timer.repr(), "<TimerHandle when=1.500000 created at handle_test.cpp:" + line + ">");
  timer.cancel();
  EXPECT_EQ(timer.repr(), "<TimerHandle cancelled when=1.500000>");
  EXPECT_EQ(loop.call_at(TimePoint::max(), [] {}).repr().substr(0, 32), "<TimerHandle when=9223372036.854");
}

// test_events.py: TimerTests.test_when
TEST(TimerHandle, WhenIsTheDeadline) {
  VirtualLoop loop;
  EXPECT_EQ(loop.call_at(TimePoint{} + 3s, [] {}).when(), TimePoint{} + 3s);
  EXPECT_EQ(loop.call_later(2s, [] {}).when(), loop.time() + 2s);
}

}  // namespace
}  // namespace asyncio::testing
