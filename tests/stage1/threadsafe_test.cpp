// What other threads and signal handlers may do: call_soon_threadsafe(), its handle, and notify_signal().
#include <asyncio/loop.h>
#include <asyncio/sleep_core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe_same_thread
TEST(CallSoonThreadsafe, OnTheLoopsThreadItKeepsItsPlaceAmongCallSoon) {
  VirtualLoop loop;
  std::string order;
  loop.call_soon([&] { order += 'a'; });
  loop.call_soon_threadsafe([&] { order += 'b'; });
  loop.call_soon([&] { order += 'c'; });
  loop.call_soon_threadsafe([&] { order += 'd'; });
  loop.call_soon_threadsafe([&] { order += 'e'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "abcde");
}

TEST(CallSoonThreadsafe, FromACallbackItWaitsForTheNextTick) {
  VirtualLoop loop;
  std::string order;
  loop.call_later(0s, [&] { order += 't'; });
  loop.call_soon([&] {
    loop.call_soon_threadsafe([&] { order += 'b'; });
    loop.call_soon([&] { order += 'c'; });
    loop.call_later(0s, [&] { order += 'd'; });
    order += 'a';
  });
  loop.run_ticks(1);
  EXPECT_EQ(order, "at");
  loop.run_ticks(1);
  EXPECT_EQ(order, "atbcd");
}

TEST(CallSoonThreadsafe, ALoneOneEndsTheWait) {
  VirtualLoop loop;
  bool ran = false;
  loop.call_later(1h, [&] { loop.stop(); });
  loop.call_soon([&] {
    loop.call_soon_threadsafe([&] {
      ran = true;
      EXPECT_EQ(loop.time(), TimePoint{});
    });
  });
  loop.run_forever();
  EXPECT_TRUE(ran);
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe
TEST(CallSoonThreadsafe, ThreadsPostBeforeTheLoopRuns) {
  VirtualLoop loop;
  std::string order;
  std::thread([&] { loop.call_soon_threadsafe([&] { order += 'a'; }); }).join();
  loop.call_soon([&] { order += 'b'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "ab");
}

TEST(CallSoonThreadsafe, AThreadMayPostUntilTheLoopIsClosedAndIsRefusedThen) {
  for (int round = 0; round < 20; ++round) {
    Counted::reset();
    Loop loop;
    std::atomic<int> posted = 0, refused = 0, ran = 0;
    std::thread other([&] {
      while (refused == 0) {
        try {
          loop.call_soon_threadsafe([&ran] { ++ran; });
          ++posted;
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "Event loop is closed");
          ++refused;
        }
      }
    });
    while (posted < 10) std::this_thread::yield();
    loop.stop();
    loop.run_forever();
    loop.close();
    other.join();
    EXPECT_GE(ran, 10);
    EXPECT_LE(ran, posted);
    EXPECT_EQ(refused, 1);
  }
}

TEST(CallSoonThreadsafe, CallbacksOfOneThreadKeepTheirOrderWhileAnotherLoopRuns) {
  Loop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 2000; ++i) loop.call_soon_threadsafe([&order, i] { order.push_back(i); });
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  other.join();
  ASSERT_EQ(order.size(), 2000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

// ── its handle ──────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(ThreadSafeHandle, CancelBeforeTheRunPreventsIt) {
  VirtualLoop loop;
  bool ran = false;
  ThreadSafeHandle before_arrival = loop.call_soon_threadsafe([&] { ran = true; });
  ThreadSafeHandle after_arrival = loop.call_soon_threadsafe([&] { ran = true; });
  before_arrival.cancel();
  loop.call_soon([&] { after_arrival.cancel(); });
  ThreadSafeHandle within_tick;
  loop.call_soon([&] { within_tick.cancel(); });
  within_tick = loop.call_soon_threadsafe([&] { ran = true; });
  loop.run_ticks(1);
  EXPECT_TRUE(before_arrival.cancelled());
  EXPECT_TRUE(within_tick.cancelled());
  EXPECT_TRUE(ran);  // after_arrival's: it had its turn before the one that cancels it
  EXPECT_TRUE(after_arrival.cancelled());
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_same_thread
TEST(ThreadSafeHandle, CancelFromItsOwnCallbackDoesNotDeadlock) {
  VirtualLoop loop;
  Counted::reset();
  ThreadSafeHandle handle;
  int ran = 0;
  handle = loop.call_soon_threadsafe([&, held = Counted(5)] {
    handle.cancel();
    EXPECT_TRUE(handle.cancelled());
    EXPECT_EQ(Counted::alive, 1);  // it is running: its captures are still needed
    ran = held.value;
  });
  loop.run_ticks(1);
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(Counted::alive, 0);
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_other_thread
TEST(ThreadSafeHandle, CancelFromAnotherThreadBeforeTheRunPreventsIt) {
  VirtualLoop loop;
  bool ran = false;
  ThreadSafeHandle handle = loop.call_soon_threadsafe([&] { ran = true; });
  loop.call_soon([&] { EXPECT_TRUE(handle.cancelled()); });
  std::thread([&] { handle.cancel(); }).join();
  loop.run_ticks(1);
  EXPECT_FALSE(ran);
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_cancellation
TEST(ThreadSafeHandle, CancelFromAnotherThreadWaitsForTheRunningCallback) {
  Loop loop;
  std::promise<void> started;
  std::atomic<bool> finished = false;
  bool finished_when_cancel_returned = false;
  ThreadSafeHandle handle = loop.call_soon_threadsafe([&] {
    started.set_value();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();  // the other thread is in cancel() by now, mostly
    finished = true;
    loop.stop();
  });
  std::thread other([&] {
    started.get_future().wait();
    handle.cancel();
    finished_when_cancel_returned = finished;
  });
  loop.run_forever();
  other.join();
  EXPECT_TRUE(finished_when_cancel_returned);
}

// test_events.py: EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_check_cancelled
TEST(ThreadSafeHandle, CancelledFromAnotherThreadWaitsForTheRunningCallback) {
  Loop loop;
  std::promise<void> started;
  std::atomic<bool> finished = false;
  bool finished_when_it_returned = false, cancelled = true;
  ThreadSafeHandle handle = loop.call_soon_threadsafe([&] {
    started.set_value();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    finished = true;
    loop.stop();
  });
  std::thread other([&] {
    started.get_future().wait();
    cancelled = handle.cancelled();
    finished_when_it_returned = finished;
  });
  loop.run_forever();
  other.join();
  EXPECT_TRUE(finished_when_it_returned);
  EXPECT_FALSE(cancelled);
}

TEST(ThreadSafeHandle, ThreadsCancelWhileTheLoopRunsAndEachCallbackRunsOrNot) {
  Loop loop;
  constexpr int kCount = 2000;
  std::atomic<int> ran = 0;
  std::thread other([&] {
    for (int i = 0; i < kCount; ++i) {
      ThreadSafeHandle handle =
          loop.call_soon_threadsafe([&, owned = std::make_unique<int>(i)] { ran += 1 + 0 * *owned; });
      if (i % 2) handle.cancel();
      EXPECT_EQ(handle.cancelled(), i % 2 == 1);
    }
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  other.join();
  EXPECT_GE(ran, kCount / 2);
}

TEST(ThreadSafeHandle, OutlivesItsLoop) {
  Counted::reset();
  ThreadSafeHandle handle;
  {
    VirtualLoop loop;
    handle = loop.call_soon_threadsafe([held = Counted()] {});
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_TRUE(handle.cancelled());
  handle.cancel();
}

TEST(ThreadSafeHandle, ACallbackMayHoldItsOwnHandle) {
  Counted::reset();
  VirtualLoop loop;
  auto holder = std::make_shared<std::pair<ThreadSafeHandle, Counted>>();
  holder->first = loop.call_soon_threadsafe([holder] {});
  ThreadSafeHandle copy = holder->first;
  holder.reset();
  copy.cancel();
  EXPECT_EQ(Counted::alive, 0);
  holder = std::make_shared<std::pair<ThreadSafeHandle, Counted>>();
  holder->first = loop.call_soon_threadsafe([holder] { holder->first.cancel(); });
  holder.reset();
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, 0);
}

// ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(NotifySignal, TheCallbackRunsInTheLoopOncePerSignalNumber) {
  VirtualLoop loop;
  std::vector<int> signals;
  loop.inbox().set_signal_callback([&](int signal) { signals.push_back(signal); });
  loop.call_soon([&] { signals.push_back(0); });
  loop.inbox().notify_signal(SIGTERM);
  loop.inbox().notify_signal(SIGINT);
  loop.inbox().notify_signal(63);
  loop.inbox().notify_signal(SIGINT);
  EXPECT_TRUE(signals.empty());
  loop.run_ticks(1);
  EXPECT_EQ(signals, (std::vector{0, SIGINT, SIGTERM, 63}));
}

TEST(NotifySignal, WithoutACallbackItIsIgnored) {
  VirtualLoop loop;
  loop.inbox().notify_signal(SIGTERM);
  loop.run_ticks(2);
}

TEST(NotifySignal, EndsTheWait) {
  VirtualLoop loop;
  loop.inbox().set_signal_callback([&](int) { loop.stop(); });
  loop.call_later(1h, [&] { loop.stop(); });
  loop.call_soon([&] { loop.inbox().notify_signal(SIGUSR1); });
  loop.run_forever();
  EXPECT_EQ(loop.time(), TimePoint{});
}

TEST(NotifySignal, FromARealSignalHandler) {
  static Loop* target = nullptr;
  Loop loop;
  target = &loop;
  const auto before = std::signal(SIGUSR1, [](int signal) { target->inbox().notify_signal(signal); });
  int seen = 0;
  loop.inbox().set_signal_callback([&](int signal) {
    seen = signal;
    loop.stop();
  });
  loop.call_soon([] { std::raise(SIGUSR1); });
  loop.run_forever();
  std::signal(SIGUSR1, before);
  EXPECT_EQ(seen, SIGUSR1);
}

TEST(NotifySignal, AnExceptionOfTheCallbackIsReported) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  loop.inbox().set_signal_callback([](int) { throw std::runtime_error("x"); });
  loop.inbox().notify_signal(SIGINT);
  loop.run_ticks(1);
  EXPECT_EQ(errors.contexts.size(), 1u);
  loop.inbox().set_signal_callback([](int) { throw KeyboardInterrupt(); });
  loop.inbox().notify_signal(SIGINT);
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
}

}  // namespace
}  // namespace asyncio::testing
