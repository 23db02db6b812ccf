// How often a busy loop reads the clock: once in so many callbacks, and what that means for timers.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

/// Time goes on by a millisecond with each callback; counts how often it is asked.
class CountingCore final : public Core {
 public:
  TimePoint now() override {
    ++reads;
    return time;
  }
  bool clock_may_have_advanced() override {
    if (coarse_step == 0ms) return false;
    const std::int64_t step = time.time_since_epoch() / coarse_step;
    return std::exchange(last_step, step) != step;
  }
  void wait(std::optional<TimePoint> until) override { time = std::max(time, until.value_or(time)); }
  void wake() noexcept override {}

  TimePoint time{};
  int reads = 0;
  Duration coarse_step = 0ms;  // of the cheaper clock; zero: it stands still
  std::int64_t last_step = 0;
};

class BusyClock : public ::testing::Test {
 protected:
  BusyClock() : BusyClock(std::make_unique<CountingCore>()) {}

  /// Each tick runs one callback, which takes a millisecond, until `ticks` have passed.
  void keep_busy(int ticks) {
    if (ticks == 0) return loop.stop();
    core.time += 1ms;
    loop.call_soon([this, ticks] {
      ++ran;
      keep_busy(ticks - 1);
    });
  }
  void run(int ticks) {
    keep_busy(ticks);
    loop.run_forever();
  }

  CountingCore& core;
  Loop loop;
  int ran = 0;

 private:
  explicit BusyClock(std::unique_ptr<CountingCore> given) : core(*given), loop(std::move(given)) {}
};

TEST_F(BusyClock, WithoutTimersItIsNotReadAtAll) {
  run(1000);
  EXPECT_EQ(core.reads, 0);
}

TEST_F(BusyClock, BesideATimerItIsReadOnceInSixteenCallbacks) {
  loop.call_at(TimePoint{} + 1h, [] {});
  run(1600);
  EXPECT_LE(core.reads, 101);
  EXPECT_GE(core.reads, 99);
}

TEST_F(BusyClock, ATimerIsLateByLessThanSixteenCallbacks) {
  std::optional<int> fired;
  loop.call_at(TimePoint{} + 500ms, [&] { fired = ran; });
  run(1000);
  ASSERT_TRUE(fired);
  EXPECT_GE(*fired, 498);
  EXPECT_LT(*fired, 500 + 16);
}

TEST_F(BusyClock, ATimerIsInTimeWhenTheCoarserClockHasGoneOn) {
  core.coarse_step = 4ms;
  std::optional<int> fired;
  loop.call_at(TimePoint{} + 502ms, [&] { fired = ran; });
  run(1000);
  ASSERT_TRUE(fired);
  EXPECT_GE(*fired, 502);
  EXPECT_LE(*fired, 504);
}

TEST_F(BusyClock, OneThatIsDueWhenItIsMadeRunsInTheNextTick) {
  std::optional<int> fired;
  loop.call_at(TimePoint{} + 1h, [] {});
  for (int at : {100, 107, 111}) {  // wherever in the sixteen
    fired.reset();
    ran = 0;
    loop.call_soon([&] { loop.call_later(0s, [&] { fired = ran; }); });
    run(at);
    EXPECT_EQ(fired, 2);  // after the callback that was ready already
  }
}

TEST_F(BusyClock, ManyCallbacksInATickAreOneLook) {
  loop.call_at(TimePoint{} + 1h, [] {});
  for (int tick = 0; tick < 10; ++tick) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([] {});
    loop.stop();
    loop.run_forever();
  }
  EXPECT_LE(core.reads, 10);
}

}  // namespace
}  // namespace asyncio
