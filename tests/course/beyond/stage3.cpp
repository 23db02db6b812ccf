// What stage 3 has beyond by_hand/task.h: see beyond.h, and the table in stage3_task/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/task.h>
namespace lib = by_hand;
struct KeyboardInterrupt {};
#else
#include <asyncio/run.h>
#include <asyncio/sleep.h>
#include <asyncio/task.h>
namespace lib = asyncio;
using lib::KeyboardInterrupt;
#endif

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using lib::Coro;
using lib::Future;
using lib::Loop;
using lib::Task;

static Coro<int> number(int value) { co_return value; }
static Coro<> sleep_for_an_hour() { co_await lib::sleep(1h); }

static Coro<bool> main_of_message() {
  auto task = lib::create_task(sleep_for_an_hour());
  co_await lib::sleep(0s);
  beyond::cancel(task, "enough");
  bool arrived = false;
  try {
    co_await task;
  } catch (const lib::CancelledError& error) {
    arrived = beyond::message_of(error) == "enough";
  }
  co_return arrived;
}
static bool a_cancel_carries_a_message() { return lib::run(main_of_message()); }

static Coro<int> refuse_once() {
  try {
    co_await lib::sleep(1h);
  } catch (const lib::CancelledError&) {
  }
  co_return 1;
}
static bool is_cancelling(const auto& task) {
  if constexpr (requires { task.cancelling(); }) return task.cancelling() == 1 && task.uncancel() == 0;
  return false;
}
static Coro<bool> main_of_cancelling() {
  auto task = lib::create_task(refuse_once());
  co_await lib::sleep(0s);
  task.cancel();
  const bool counted = is_cancelling(task);
  co_await task;
  co_return counted;
}
static bool requests_to_cancel_are_counted() { return lib::run(main_of_cancelling()); }

static Coro<> nest(int depth, Future<> bottom) {
  if (depth > 0) {
    co_await nest(depth - 1, bottom);
  } else {
    co_await bottom;
  }
}
static bool a_chain_of_300000_frames_is_destroyed() {
  Loop other;
  const Future<> bottom(other);
  Loop loop;
  lib::create_task(nest(300'000, bottom), {.loop = &loop});
  loop.call_later(1ms, [&] { loop.stop(); });
  loop.run_forever();
  loop.close();
  return true;
}

static Coro<bool> main_of_itself() {
  auto own = std::make_shared<std::optional<Task<>>>();
  const auto wait_for_oneself = [own]() -> Coro<> { co_await **own; };
  *own = lib::create_task(wait_for_oneself());
  bool refused = false;
  try {
    co_await **own;
  } catch (const std::runtime_error&) {
    refused = true;
  }
  co_return refused;
}
static bool a_task_that_awaits_itself_gets_an_error() { return lib::run(main_of_itself()); }

static Coro<bool> main_of_foreign(Loop* other) {
  Future<> foreign(*other);
  bool refused = false;
  try {
    co_await foreign;
  } catch (const std::runtime_error&) {
    refused = true;
  }
  co_return refused;
}
static bool a_future_of_another_loop_is_refused() {
  Loop other;
  return lib::run(main_of_foreign(&other));
}

static Coro<> main_of_interrupt(bool* cleaned_up) {
  std::raise(SIGINT);
  try {
    co_await lib::sleep(1h);
  } catch (const lib::CancelledError&) {
    *cleaned_up = true;
    throw;
  }
}
static bool ctrl_c_cancels_the_main_task() {
  std::signal(SIGINT, SIG_DFL);  // what a script starts in the background inherits that it is ignored
  bool cleaned_up = false;
  try {
    lib::run(main_of_interrupt(&cleaned_up));
  } catch (const KeyboardInterrupt&) {
    return cleaned_up;
  }
  return false;
}

static Coro<> fail() {
  throw std::runtime_error("lost");
  co_return;
}
static Coro<> main_of_lost(int* reports) {
  Loop::running().set_exception_handler([reports](Loop&, const auto&) { ++*reports; });
  lib::create_task(fail());
  co_await lib::sleep(0s);
  co_await lib::sleep(0s);
}
static bool the_error_of_a_task_that_nobody_awaits_is_reported() {
  int reports = 0;
  lib::run(main_of_lost(&reports));
  return reports == 1;
}

static Coro<long> main_of_memory() {
  long before = 0;
  for (int i = 0; i < 1100; ++i) {
    if (i == 100) before = beyond::allocations;
    auto task = lib::create_task(number(i));
    co_await task;
  }
  co_return beyond::allocations - before;
}
static bool making_and_awaiting_a_task_needs_no_memory() { return lib::run(main_of_memory()) == 0; }

static Coro<bool> main_of_repr() {
  auto task = lib::create_task(sleep_for_an_hour());
  co_await lib::sleep(0s);
  const std::string text = beyond::repr_of(task);
  task.cancel();
  co_return text.find("sleep_for_an_hour() running at stage3.cpp:") != text.npos;
}
static bool a_task_prints_what_it_runs_and_where() { return lib::run(main_of_repr()); }

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"a_cancel_carries_a_message", a_cancel_carries_a_message},
      {"requests_to_cancel_are_counted", requests_to_cancel_are_counted},
      {"a_chain_of_300000_frames_is_destroyed", a_chain_of_300000_frames_is_destroyed},
      {"a_task_that_awaits_itself_gets_an_error", a_task_that_awaits_itself_gets_an_error},
      {"a_future_of_another_loop_is_refused", a_future_of_another_loop_is_refused},
      {"ctrl_c_cancels_the_main_task", ctrl_c_cancels_the_main_task},
      {"the_error_of_a_task_that_nobody_awaits_is_reported", the_error_of_a_task_that_nobody_awaits_is_reported},
      {"making_and_awaiting_a_task_needs_no_memory", making_and_awaiting_a_task_needs_no_memory},
      {"a_task_prints_what_it_runs_and_where", a_task_prints_what_it_runs_and_where},
  };
  return beyond::run_cases(cases, argc, argv);
}
