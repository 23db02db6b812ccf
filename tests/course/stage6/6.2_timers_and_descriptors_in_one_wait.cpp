// One wait for both: poll(2) ends when a descriptor is ready, or when the next timer is due.
#include "sockets.h"

namespace course {
namespace {

struct CountingCore : PollCore {
  by_hand::TimePoint now() override {
    ++questions;
    return PollCore::now();
  }
  int questions = 0;
};

struct StandingCore : PollCore {  // its clock stands still
  by_hand::TimePoint now() override { return {}; }
};

std::chrono::nanoseconds since(by_hand::TimePoint begin) { return by_hand::Clock::now() - begin; }

}  // namespace

void step() {
  Log log;
  Pair pair;

  expecting("timers to run in their order and time, 5 ms and 30.5 ms, though the loop waits in poll(2)");
  auto core = std::make_unique<CountingCore>();
  CountingCore& counting = *core;
  by_hand::Loop loop(std::move(core));
  auto begin = by_hand::Clock::now();
  loop.call_later(30500us, [&] { log("second"), loop.stop(); });
  loop.call_later(5ms, [&] { log("first"); });
  counting.questions = 0;
  loop.run_forever();
  log.check("first second");
  check(since(begin) >= 30500us, "the second ran after " + show(since(begin)));

  expecting("a descriptor that gets ready to end the wait, though the next timer is due in an hour");
  log.clear();
  loop.call_later(1h, [] {});
  by_hand::add_reader(loop, pair.b, [&] { log("readable"), loop.stop(); });
  std::thread writer([&] {
    std::this_thread::sleep_for(20ms);
    pair.say("x");
  });
  loop.run_forever();
  writer.join();
  log.check("readable");

  expecting("a wait of 20 ms to take 20 ms");
  StandingCore standing;
  for (int i = 0; i < 3; ++i) {  // a machine that does something else makes one longer than it is
    begin = by_hand::Clock::now();
    standing.wait(by_hand::TimePoint() + 20ms);
    check(since(begin) >= 20ms, "it was over after " + show(since(begin)));
  }
  expecting("a wait of 0.5 ms to be rounded up to poll()'s milliseconds, not down to 0");
  for (int i = 0; i < 20; ++i) {
    begin = by_hand::Clock::now();
    standing.wait(by_hand::TimePoint() + 500us);
    check(since(begin) >= 500us, "it was over after " + show(since(begin)));
  }

  expecting("the loop to sleep in between");
  check(counting.questions < 50, "it looked at the clock " + show(counting.questions) + " times");

  expecting("a descriptor to end a wait without any timer");
  Pair later;
  core = std::make_unique<CountingCore>();
  CountingCore& asleep = *core;
  by_hand::Loop without_timers(std::move(core));
  by_hand::add_reader(without_timers, later.b, [&] { without_timers.stop(); });
  std::thread late_writer([&] {
    std::this_thread::sleep_for(20ms);
    later.say("x");
  });
  without_timers.run_forever();
  late_writer.join();
  expecting("the loop to sleep meanwhile, for there is no deadline");
  check(asleep.questions < 50, "it looked at the clock " + show(asleep.questions) + " times");

  expecting("a ready descriptor to be found while callbacks keep the loop busy");
  log.clear();
  int turns = 0;
  by_hand::Loop busy(std::make_unique<PollCore>());
  std::function<void()> again = [&] {
    if (++turns == 1000) fail("after 1000 ticks it was not");
    busy.call_soon(again);
  };
  busy.call_soon(again);
  by_hand::add_reader(busy, pair.b, [&] { busy.stop(); });
  busy.run_forever();

  expecting("a tick with work to do not to wait for descriptors: the quickest of 20 takes less than 10 ms");
  by_hand::Loop quick(std::make_unique<PollCore>());
  Pair silent;
  by_hand::add_reader(quick, silent.b, [] {});
  turns = 0;
  std::chrono::nanoseconds quickest = 1h;
  std::function<void()> tick = [&] {
    if (turns > 0) quickest = std::min(quickest, since(begin));
    begin = by_hand::Clock::now();
    ++turns == 20 ? quick.stop() : void(quick.call_soon(tick));
  };
  quick.call_later(1h, [] {});
  quick.call_soon(tick);
  quick.run_forever();
  check(quickest < 10ms, "it took " + show(quickest));

  expecting("a timer that is due already not to become a wait without end: poll() takes a negative time for that");
  by_hand::Loop late(std::make_unique<PollCore>());
  late.call_at(by_hand::Clock::now() - 1s, [&] { late.stop(); });
  late.run_forever();
}

}  // namespace course
