// Watchdog: a callback that blocks, a task that never lets the loop wait, and tasks that wait for each other.
#include "support/call_graph.h"
#include "support/io.h"
#include "support/thrown.h"

#include <asyncio/poll_core.h>
#include <asyncio/watchdog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace asyncio::testing {
namespace {

using Kind = WatchdogReport::Kind;

/// Collects the reports. They come from another thread.
class Reports {
 public:
  WatchdogOptions options(Duration limit = 1ms) {
    return {.limit = limit, .report = [this](const WatchdogReport& report) {
              const std::lock_guard lock(mutex_);
              all_.push_back(report);
              came_.notify_all();
            }};
  }
  /// Blocks the calling thread until so many have come, or for 20 s.
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, 20s, [&] { return all_.size() >= count; });
  }
  bool wait_for(Kind kind) {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, 20s, [&] {
      return std::any_of(all_.begin(), all_.end(), [&](const WatchdogReport& report) { return report.kind == kind; });
    });
  }
  std::vector<WatchdogReport> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<WatchdogReport> all_;
};

TEST(WatchdogThread, SpeaksWhileAStepBlocksAndAgainAfterTwiceTheTime) {
  Reports reports;
  std::uint_least32_t line = 0;
  run_io([&]() -> Coro<> {
    const Watchdog watchdog(reports.options());
    line = std::source_location::current().line() + 1;
    co_await sleep(0s);
    EXPECT_TRUE(reports.wait_for(2));  // the step has not ended
  });
  const auto all = reports.all();
  ASSERT_GE(all.size(), 2u);
  for (const WatchdogReport& report : all) {
    EXPECT_EQ(report.kind, Kind::blocked);
    EXPECT_TRUE(report.what.starts_with("<Task pending name='Task-")) << report.what;
    ASSERT_FALSE(report.places.empty());
    EXPECT_EQ(report.places[0].line, line);
  }
  EXPECT_GE(all[0].took, 1ms);
  EXPECT_GE(all[1].took, 2ms);
  EXPECT_NE(all[0].to_string().find(" blocks the loop for "), std::string::npos) << all[0].to_string();
#if __has_include(<execinfo.h>)
  EXPECT_GT(all[0].stack.size(), 3u);
  EXPECT_NE(all[0].to_string().find("  stack: 0x"), std::string::npos);
#endif
}

TEST(WatchdogThread, NamesTheLineThatScheduledTheCallback) {
  Reports reports;
  Loop loop;
  loop.slow_callback_duration = 1ms;
  WatchdogOptions options = reports.options();
  options.limit = std::nullopt;
  options.with_stack = false;
  const Watchdog watchdog(loop, options);
  const auto line = std::source_location::current().line() + 1;
  loop.call_soon([&] {
    EXPECT_TRUE(reports.wait_for(1));
    loop.stop();
  });
  loop.run_forever();
  const auto all = reports.all();
  ASSERT_GE(all.size(), 1u);
  EXPECT_TRUE(all[0].stack.empty());
  ASSERT_EQ(all[0].places.size(), 1u);
  EXPECT_EQ(all[0].places[0].line, line);
}

TEST(WatchdogThread, NeitherAnIdleLoopNorTheOneItLeftIsReported) {
  Reports reports;
  run_io([&]() -> Coro<> {
    {
      const Watchdog watchdog(reports.options(10s));
      co_await sleep(5ms);
    }
    std::this_thread::sleep_for(5ms);  // blocks, when nobody watches
  });
  EXPECT_TRUE(reports.all().empty());
}

TEST(WatchdogThread, ATaskThatNeverLetsTheLoopWaitIsReportedOnce) {
  Reports reports;
  run_io([&]() -> Coro<> {
    WatchdogOptions options = reports.options(60s);
    options.steps_without_a_wait = 50;
    const Watchdog watchdog(options);
    const auto busy = create_task(ticks(200), {.name = "busy"});
    for (int i = 0; i < 40; ++i) co_await sleep(0s);  // fewer
    co_await busy;
    co_await sleep(1ms);  // the loop waits
    for (int i = 0; i < 40; ++i) co_await sleep(0s);
  });
  const auto all = reports.all();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].kind, Kind::busy);
  EXPECT_EQ(all[0].steps, 50u);
  EXPECT_NE(all[0].what.find("name='busy'"), std::string::npos);
  EXPECT_NE(all[0].to_string().find("> has made 50 steps, and the loop has not waited since\n"), std::string::npos);
}

Coro<> await_other(const Task<>& other) { co_await other; }

TEST(WatchdogThread, TasksThatWaitForEachOtherAreReportedOnceWithTheirLines) {
  Reports reports;
  Loop loop(std::make_unique<PollCore>());
  const Watchdog watchdog(loop, reports.options(60s));
  Task<> ping, pong;
  const auto main = create_task(
      [&]() -> Coro<> {
        ping = create_task(await_other(pong), {.name = "ping"});
        pong = create_task(await_other(ping), {.name = "pong"});
        co_await ping;
      },
      {.loop = &loop});
  std::thread ender([&] {
    EXPECT_TRUE(reports.wait_for(1));
    for (int i = 0; i < 3; ++i) loop.call_soon_threadsafe([] {});  // it wakes, and waits again
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  ender.join();
  const auto all = reports.all();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].kind, Kind::stuck);
  const std::string text = without_places(all[0].to_string());
  EXPECT_NE(text.find("\ncycle: ping → pong → ping\n"), std::string::npos) << text;
  EXPECT_NE(text.find("await_other here\n"), std::string::npos) << text;
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});
}

// A look at a thousand tasks is not made for two steps; but when nothing else happens, it is.
TEST(WatchdogThread, ACircleOfFewAmongManyIsFoundWhenTheLoopIsSilent) {
  Reports reports;
  Loop loop(std::make_unique<PollCore>());
  const Watchdog watchdog(loop, reports.options(50ms));
  std::vector<Task<>> others;
  Task<> ping, pong;
  const Future<> begin(loop);
  const auto main = create_task(
      [&]() -> Coro<> {
        const auto waits = [](Future<> future) -> Coro<> { co_await future; };
        const Future<> never = create_future();
        for (int i = 0; i < 1000; ++i) others.push_back(create_task(waits(never)));
        co_await begin;
        ping = create_task(await_other(pong), {.name = "ping"});
        pong = create_task(await_other(ping), {.name = "pong"});
      },
      {.loop = &loop});
  std::thread ender([&] {
    loop.call_soon_threadsafe([&] { begin.set_result(); });
    EXPECT_TRUE(reports.wait_for(Kind::stuck));
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  ender.join();
  std::size_t stuck = 0;
  for (const WatchdogReport& report : reports.all()) stuck += report.kind == Kind::stuck;
  EXPECT_EQ(stuck, 1u);
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});
}

TEST(WatchdogThread, WhatTheReportThrowsIsSwallowed) {
  std::atomic<int> calls = 0;
  run_io([&]() -> Coro<> {
    const Watchdog watchdog({.limit = 1ms, .with_stack = false, .report = [&](const WatchdogReport&) {
                               ++calls;
                               throw std::runtime_error("from the report");
                             }});
    co_await sleep(0s);
    for (int i = 0; i < 2000 && calls == 0; ++i) std::this_thread::sleep_for(10ms);
  });
  EXPECT_GE(calls, 1);
}

TEST(WatchdogThread, ItsLimitsMustBePositive) {
  Loop loop;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { const Watchdog watchdog(loop, {.limit = 0s}); }),
            "Watchdog: the limit must be positive");
  EXPECT_EQ(thrown<std::invalid_argument>([&] { const Watchdog watchdog(loop, {.steps_without_a_wait = 0}); }),
            "Watchdog: steps_without_a_wait must be positive");
}

}  // namespace
}  // namespace asyncio::testing
