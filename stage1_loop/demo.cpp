// The notes' Loop (003), and what they do not need of it: timers, callbacks from other threads, hours in no time,
// errors that do not end the program. On asyncio::Loop or, compiled with -DBY_HAND, on by_hand::Loop: see demo_lib.h.
#include "demo_lib.h"

#include <cstdio>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

void foo() { std::puts("Hello Foo"); }
void bar() { std::puts("Hello Bar"); }

// The program of the notes; with coroutines it returns in stage 3.
void hello() {
  lib::Loop loop;
  loop.call_soon(foo);
  loop.call_soon(bar);
  loop.call_soon([&loop] { loop.stop(); });
  loop.run_forever();
  loop.close();
}

void timers() {
  lib::Loop loop;
  loop.call_later(20ms, foo);
  loop.call_later(10ms, bar);  // due first, runs first
  auto never = loop.call_later(15ms, [] { std::puts("never printed"); });
  never.cancel();
  loop.call_later(30ms, [&loop] { loop.stop(); });
  loop.run_forever();  // asleep between the timers: no processor is used
}

void ticks() {
  lib::Loop loop;
  loop.call_later(-1s, [] { std::puts("tick 1: a timer that was due already"); });
  loop.call_soon([&loop] {
    std::puts("tick 1: a callback, which schedules another");
    loop.call_soon([&loop] {
      std::puts("tick 2: the other");
      loop.stop();
    });
  });
  loop.run_forever();
}

void other_thread() {
  lib::Loop loop;
  std::thread worker([&loop] {
    for (int part = 1; part <= 3; ++part) {
      loop.call_soon_threadsafe([part] { std::printf("part %d of 3, in the loop's thread\n", part); });
    }
    loop.call_soon_threadsafe([&loop] { loop.stop(); });
  });
  loop.run_forever();  // nothing to do, no timer: it sleeps until the worker wakes it
  worker.join();
}

void an_hour() {
  lib::Loop loop(std::make_unique<lib::VirtualCore>());
  const auto report = [&loop] {
    const auto passed = std::chrono::duration_cast<std::chrono::minutes>(loop.time().time_since_epoch());
    std::printf("%2d minutes have passed\n", static_cast<int>(passed.count()));
  };
  loop.call_later(1min, report);
  loop.call_later(1h, [&] {
    report();
    loop.stop();
  });
  loop.run_forever();
}

void print_exception(lib::Loop&, const auto& context) {
  try {
    std::rethrow_exception(lib::exception_of(context));
  } catch (const std::exception& error) {
    std::printf("the exception handler hears of it: %s\n", error.what());
  }
}

void errors() {
  lib::Loop loop;
  loop.set_exception_handler([](lib::Loop& loop, const auto& context) { print_exception(loop, context); });
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  loop.call_soon([&loop] {
    std::puts("the loop goes on");
    loop.stop();
  });
  loop.run_forever();
}

#ifndef BY_HAND
void where_from() {
  asyncio::Loop loop;
  loop.set_exception_handler([](asyncio::Loop&, const asyncio::ErrorContext& context) {
    std::printf("%s\n  %s\n", context.message.c_str(), asyncio::describe(context.exception).c_str());
  });
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  loop.stop();
  loop.run_forever();
}

// Tells what the loop does: its ticks, its sleep, and which line scheduled the callback that runs now.
struct Diary : asyncio::Observer {
  void tick_begins(std::uint64_t number) override { std::printf("tick %d\n", static_cast<int>(number)); }
  void core_waits(std::optional<asyncio::TimePoint> until) override {
    const auto at = until.value().time_since_epoch();
    std::printf("  sleeps until %d s\n", static_cast<int>(at / 1s));
  }
  void callback_begins(const asyncio::Observed& callback) override {
    const char* const kind = callback.kind() == asyncio::Observed::Kind::timer ? "timer" : "callback";
    std::printf("  runs the %s of demo.cpp:%u\n", kind, callback.places().at(0).line);
  }
};

void observed() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  loop.add_observer(std::make_shared<Diary>());
  loop.call_soon([&loop] {
    loop.call_later(1h, [&loop] { loop.stop(); });
    loop.call_later(1min, foo);
  });
  loop.run_forever();
}

// The loop counts from the first question on.
void how_busy() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  loop.stats();
  for (int i = 0; i < 1000; ++i) loop.call_soon([] {});
  loop.call_later(1min, foo);
  loop.call_later(1h, [&loop] { loop.stop(); });
  loop.run_forever();
  const asyncio::LoopStats stats = loop.stats();
  std::printf("%d ticks, %d of them after a sleep; the longest queue: %d\n", static_cast<int>(stats.ticks),
              static_cast<int>(stats.waits), static_cast<int>(stats.deepest_ready));
}
#endif

int main() {
  std::puts("--- the notes' Loop");
  hello();

  std::puts("--- timers: call_later(20 ms, foo), call_later(10 ms, bar)");
  timers();

  std::puts("--- ticks");
  ticks();

  std::puts("--- another thread");
  other_thread();

  std::puts("--- an hour in virtual time");
  an_hour();

  std::puts("--- an error in a callback");
  errors();

#ifndef BY_HAND
  std::puts("--- asyncio only: where the callback came from");
  where_from();

  std::puts("--- asyncio only: an observer");
  observed();

  std::puts("--- asyncio only: how busy is the loop?");
  how_busy();
#endif
}
