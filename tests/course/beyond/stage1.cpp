// What stage 1 has beyond by_hand/loop.h: see beyond.h, and the table in stage1_loop/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/loop.h>
namespace lib = by_hand;
using Duration = lib::Duration;
struct KeyboardInterrupt {};
#else
#include <asyncio/loop.h>
namespace lib = asyncio;
using lib::Duration;
using lib::KeyboardInterrupt;
#endif

#include <chrono>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using lib::Loop;

static void one_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

static bool the_steady_state_needs_no_memory() {
  Loop loop;
  return beyond::allocations_of([&] {
           loop.call_soon([] {});
           one_tick(loop);
         }) == 0;
}

static bool cancelled_timers_do_not_pile_up() {
  Loop loop;
  const long before = beyond::live_bytes;
  for (int i = 0; i < 100'000; ++i) {
    auto timer = loop.call_later(1h, [] {});
    timer.cancel();
  }
  return beyond::live_bytes - before < 100'000;
}

static bool a_delay_may_be_longer_than_the_clock_can_count() {
  Loop loop;
  bool fired = false;
  loop.call_later(Duration::max(), [&] { fired = true; });
  loop.call_later(1ms, [&] { loop.stop(); });
  loop.run_forever();
  return !fired;
}

static bool keyboard_interrupt_leaves_the_loop() {
  Loop loop;
  loop.call_soon([] { throw KeyboardInterrupt(); });
  loop.call_later(10ms, [&] { loop.stop(); });
  try {
    loop.run_forever();
  } catch (const KeyboardInterrupt&) {
    return true;
  }
  return false;
}

static bool an_error_names_the_place_that_scheduled_the_callback() {
  Loop loop;
  std::string message;
  loop.set_exception_handler([&](Loop&, const auto& error) { message = beyond::message_of(error); });
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  one_tick(loop);
  return message.find("stage1.cpp:") != message.npos;
}

static bool a_closed_loop_refuses_callbacks() {
  Loop loop;
  loop.close();
  try {
    loop.call_soon([] {});
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

static bool a_handler_that_throws_is_reported_too() {
  Loop loop;
  int after = 0;
  loop.set_exception_handler([](Loop&, const auto&) { throw std::runtime_error("in the handler"); });
  loop.call_soon([] { throw std::runtime_error("in the callback"); });
  loop.call_soon([&] { ++after; });
  one_tick(loop);
  return after == 1;
}

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"the_steady_state_needs_no_memory", the_steady_state_needs_no_memory},
      {"cancelled_timers_do_not_pile_up", cancelled_timers_do_not_pile_up},
      {"a_delay_may_be_longer_than_the_clock_can_count", a_delay_may_be_longer_than_the_clock_can_count},
      {"keyboard_interrupt_leaves_the_loop", keyboard_interrupt_leaves_the_loop},
      {"an_error_names_the_place_that_scheduled_the_callback", an_error_names_the_place_that_scheduled_the_callback},
      {"a_closed_loop_refuses_callbacks", a_closed_loop_refuses_callbacks},
      {"a_handler_that_throws_is_reported_too", a_handler_that_throws_is_reported_too},
  };
  return beyond::run_cases(cases, argc, argv);
}
