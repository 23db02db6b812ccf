// Debug mode: calls from the wrong thread, and callbacks that keep the loop too long. And the shuffle.
#include <asyncio/loop.h>
#include <gtest/gtest.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::ErrorLog;
using testing::thrown;
using testing::VirtualLoop;

// test_base_events.py: BaseEventLoopTests.test_set_debug
TEST(DebugMode, IsOffUnlessItIsSwitchedOn) {
  VirtualLoop loop;
  EXPECT_FALSE(loop.get_debug());
  loop.set_debug(true);
  EXPECT_TRUE(loop.get_debug());
  loop.set_debug(false);
  EXPECT_FALSE(loop.get_debug());
}

// test_base_events.py: BaseEventLoopTests.test_env_var_debug
TEST(DebugMode, CanBeSwitchedOnFromOutside) {
  ::setenv("ASYNCIO_DEBUG", "1", 1);
  EXPECT_TRUE(VirtualLoop().get_debug());
  ::setenv("ASYNCIO_DEBUG", "", 1);
  EXPECT_FALSE(VirtualLoop().get_debug());
  ::unsetenv("ASYNCIO_DEBUG");
}

constexpr const char* kWrongThread = "Non-thread-safe operation invoked on an event loop other than the current one";

// test_base_events.py: BaseEventLoopTests.test_check_thread
TEST(DebugModeThread, SchedulingFromAForeignThreadIsAnError) {
  VirtualLoop loop;
  loop.set_debug(true);
  loop.call_soon([&] {
    std::thread([&] {
      EXPECT_EQ(thrown<std::runtime_error>([&] { loop.call_soon([] {}); }), kWrongThread);
      EXPECT_EQ(thrown<std::runtime_error>([&] { loop.call_later(1s, [] {}); }), kWrongThread);
      EXPECT_EQ(thrown<std::runtime_error>([&] { loop.call_at(TimePoint{}, [] {}); }), kWrongThread);
      loop.call_soon_threadsafe([] {});  // what one should do
    }).join();
    loop.call_soon([] {});
  });
  loop.run_ticks(1);
}

TEST(DebugModeThread, ALoopThatDoesNotRunBelongsToNobodyYet) {
  VirtualLoop loop;
  loop.set_debug(true);
  bool ran = false;
  std::thread([&] { loop.call_soon([&] { ran = true; }); }).join();
  loop.run_ticks(1);
  EXPECT_TRUE(ran);
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_log_slow_callbacks
TEST(DebugMode, ACallbackThatTakesTooLongIsReportedWithItsPlace) {
  auto core = std::make_unique<VirtualCore>();
  VirtualCore& clock = *core;
  Loop loop(std::move(core));
  ErrorLog errors(loop);
  const auto run_one = [&](Duration time) {
    loop.call_soon([&clock, time] { clock.advance(time); });
    loop.stop();
    loop.run_forever();
  };
  run_one(1s);
  EXPECT_TRUE(errors.contexts.empty());  // not in debug mode
  loop.set_debug(true);
  run_one(99ms);
  EXPECT_TRUE(errors.contexts.empty());
  run_one(100ms);
  ASSERT_EQ(errors.contexts.size(), 1u);
  const std::string& message = errors.contexts[0].message;
  EXPECT_EQ(message.find("Executing <Handle created at debug_test.cpp:"), 0u) << message;
  EXPECT_NE(message.find("> took 0.100 seconds"), message.npos) << message;
  loop.slow_callback_duration = 2s;
  run_one(1s);
  EXPECT_EQ(errors.contexts.size(), 1u);
}

// ── the shuffle ──

std::vector<int> order_of(Loop& loop, int callbacks) {
  std::vector<int> order;
  for (int i = 0; i < callbacks; ++i) loop.call_soon([&order, i] { order.push_back(i); });
  loop.stop();
  loop.run_forever();
  return order;
}

TEST(Shuffle, RunsTheCallbacksOfATickInAnotherOrder) {
  VirtualLoop loop;
  std::vector<int> in_order(100);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(order_of(loop, 100), in_order);
  loop.set_shuffle_seed(1);
  std::vector<int> first = order_of(loop, 100);
  const std::vector<int> second = order_of(loop, 100);
  EXPECT_NE(first, in_order);
  EXPECT_NE(first, second);  // a new order in each tick
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, in_order);  // each of them, once
  loop.set_shuffle_seed(std::nullopt);
  EXPECT_EQ(order_of(loop, 100), in_order);
}

TEST(Shuffle, TheSameSeedGivesTheSameOrder) {
  VirtualLoop one, same, other;
  one.set_shuffle_seed(7);
  same.set_shuffle_seed(7);
  other.set_shuffle_seed(8);
  const auto order = order_of(one, 20);
  EXPECT_EQ(order, order_of(same, 20));
  EXPECT_NE(order, order_of(other, 20));
  // Written down: the same seed, on every machine.
  VirtualLoop small;
  small.set_shuffle_seed(2024);
  EXPECT_EQ(order_of(small, 5), (std::vector{3, 0, 2, 1, 4}));
}

TEST(Shuffle, WhatACallbackSchedulesStillWaitsForTheNextTick) {
  VirtualLoop loop;
  loop.set_shuffle_seed(3);
  std::string log;
  for (int i = 0; i < 10; ++i) {
    loop.call_soon([&] {
      log += 'a';
      loop.call_soon([&] { log += 'b'; });
    });
  }
  loop.run_ticks(2);
  EXPECT_EQ(log, "aaaaaaaaaabbbbbbbbbb");
}

}  // namespace
}  // namespace asyncio
