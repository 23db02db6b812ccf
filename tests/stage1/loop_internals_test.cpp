// What only our own loop has: nodes that are queued and dropped as Runnable, and a core that hands them over.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/test_core.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// A core with a list of what it finds ready, like the one of stage 6.
class WatchingCore final : public Core {
 public:
  explicit WatchingCore(std::vector<Runnable*>& found) : found_(found) { watching_ = true; }
  TimePoint now() override { return {}; }
  void wait(std::optional<TimePoint> until) override { waits.push_back(until == kDoNotWait ? 'n' : until ? 'u' : 'e'); }
  void wake() noexcept override { ++wakes; }
  void collect(ReadyQueue& ready) override {
    for (Runnable* runnable : std::exchange(found_, {})) ready.push_back(*runnable);
  }
  std::string waits;
  int wakes = 0;

 private:
  std::vector<Runnable*>& found_;
};

struct Note final : Runnable {
  Note(std::string& log, std::string text) : log(log), text(std::move(text)) {}
  void run(Loop&) override { log += text; }
  void drop() noexcept override { log += "-" + text; }
  std::string& log;
  std::string text;
};

TEST(LoopInternals, ATickRunsOlderCallSoonThenWhatTheCoreFoundThenTimers) {
  std::string log;
  Note found(log, "io ");
  std::vector<Runnable*> ready{&found};
  auto core = std::make_unique<WatchingCore>(ready);
  WatchingCore& watching = *core;
  Loop loop(std::move(core));
  loop.call_later(0s, [&] { log += "timer "; });
  loop.call_soon([&] { log += "soon "; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(log, "soon io timer ");
  EXPECT_EQ(watching.waits, "n");  // busy, yet it looked, without waiting
  loop.call_later(1s, [] {});
  ready = {&found};
  log.clear();
  found.text = "io2";
  loop.call_soon([&] { loop.call_soon([&] { loop.stop(); }); });
  loop.run_forever();
  EXPECT_EQ(log, "io2");
  EXPECT_EQ(watching.waits, "nnn");
}

TEST(LoopStats, CountEachLookIntoTheCore) {
  std::vector<Runnable*> none;
  auto core = std::make_unique<WatchingCore>(none);
  WatchingCore& watching = *core;
  Loop loop(std::move(core));
  loop.stats();
  loop.call_soon([] {});
  loop.call_later(0s, [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(watching.waits, "n");
  EXPECT_EQ(loop.stats().polls, 1u);
  EXPECT_EQ(loop.stats().waits, 0u);  // it did not wait
}

TEST(LoopInternals, OnlyTheFirstOfThePostedCallbacksWakesTheCore) {
  std::vector<Runnable*> none;
  auto core = std::make_unique<WatchingCore>(none);
  WatchingCore& watching = *core;
  Loop loop(std::move(core));
  int ran = 0;
  for (int i = 0; i < 3; ++i) loop.call_soon_threadsafe([&] { ++ran; });
  EXPECT_EQ(watching.wakes, 1);
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(ran, 3);
  loop.call_soon_threadsafe([&] { ++ran; });
  EXPECT_EQ(watching.wakes, 2);  // the loop has taken those before it
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(ran, 4);
}

TEST(LoopInternals, ARunnableStillQueuedAtCloseIsDropped) {
  std::string log;
  Note note(log, "x");
  VirtualLoop loop;
  loop.enqueue(note);
  loop.close();
  EXPECT_EQ(log, "-x");
}

}  // namespace
}  // namespace asyncio::testing
