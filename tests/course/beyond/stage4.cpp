// What stage 4 has beyond by_hand/combinators.h: see beyond.h, and the table in stage4_combinators/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/combinators.h>
namespace lib = by_hand;
#else
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/run.h>
#include <asyncio/shield.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
namespace lib = asyncio;
#endif

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lib::Coro;
using lib::Future;
using lib::Loop;
using lib::Task;

namespace {
struct Counted {
  Counted() = default;
  Counted(const Counted&) { ++copies; }
  Counted(Counted&&) noexcept {}
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) noexcept { return *this; }
  static inline int copies = 0;
};
}  // namespace

static Coro<Counted> count() { co_return Counted(); }
static Coro<int> main_of_moves() {
  std::vector<Coro<Counted>> coroutines;
  coroutines.push_back(count());
  coroutines.push_back(count());
  Counted::copies = 0;
  [[maybe_unused]] const auto results = co_await lib::gather(std::move(coroutines));
  co_return Counted::copies;
}
static bool gather_moves_the_results() { return lib::run(main_of_moves()) == 0; }

static Coro<> wait_a_moment(bool* timed_out) {
  try {
    co_await lib::wait_for(lib::sleep(1h), 10ms);
  } catch (const lib::TimeoutError&) {
    *timed_out = true;
    throw;
  }
}
static Coro<bool> main_of_both() {
  bool timed_out = false;
  auto task = lib::create_task(wait_a_moment(&timed_out));
  co_await lib::sleep(0s);
  // The loop stands still until both are due, the cancel and the end of the time: they fall into one tick.
  Loop::running().call_later(1ms, [task] { task.cancel(); });
  std::this_thread::sleep_for(20ms);
  bool cancelled = false;
  try {
    co_await task;
  } catch (const lib::CancelledError&) {
    cancelled = true;
  } catch (const lib::TimeoutError&) {
  }
  co_return cancelled && !timed_out;
}
static bool a_cancel_is_not_taken_for_a_timeout() { return lib::run(main_of_both()); }

static Coro<> begin(bool* begun) {
  *begun = true;
  co_await lib::sleep(0s);
}
static Coro<bool> main_of_no_time() {
  bool begun = false;
  bool timed_out = false;
  try {
    co_await lib::wait_for(begin(&begun), 0s);
  } catch (const lib::TimeoutError&) {
    timed_out = true;
  }
  co_return timed_out && !begun;
}
static bool with_no_time_at_all_nothing_begins() { return lib::run(main_of_no_time()); }

static Coro<long> main_of_waits() {
  const Future<> never(Loop::running());
  long before = 0;
  for (int i = 0; i < 2000; ++i) {
    if (i == 1000) before = beyond::live_bytes;
    std::vector<Future<>> futures(1, never);
    co_await lib::wait(std::move(futures), {.timeout = 1us});
  }
  co_return beyond::live_bytes - before;
}
static bool a_wait_that_is_over_leaves_nothing_behind() { return lib::run(main_of_waits()) < 10'000; }

static Coro<> finish(bool* finished) {
  co_await lib::sleep(2ms);
  *finished = true;
}
static Coro<> wait_shielded(auto task) {
  if constexpr (requires { shield(task); }) {
    co_await shield(task);
  } else {
    co_await task;
  }
}
static Coro<bool> main_of_shield() {
  bool finished = false;
  auto work = lib::create_task(finish(&finished));
  auto waiter = lib::create_task(wait_shielded(work));
  co_await lib::sleep(0s);
  waiter.cancel();
  co_await lib::sleep(10ms);
  co_return finished;
}
static bool a_shielded_task_survives_the_cancel_of_its_waiter() { return lib::run(main_of_shield()); }

static Coro<> fail_late() {
  co_await lib::sleep(1ms);
  throw std::runtime_error("late");
}
static Coro<> fail_early() {
  throw std::runtime_error("early");
  co_return;
}
static Coro<int> main_of_reports(bool* cleaned_up) {
  int reports = 0;
  Loop::running().set_exception_handler([&](Loop&, const auto&) { ++reports; });
  {
    auto unseen = lib::create_task(fail_late());
    try {
      co_await lib::gather(fail_early(), unseen);
    } catch (const std::runtime_error&) {
    }
    co_await lib::sleep(5ms);
  }
  *cleaned_up = true;
  lib::create_task(fail_early());
  co_await lib::sleep(1ms);
  co_return reports;
}
static bool an_error_is_reported_unless_gather_has_looked_at_it() {
  bool cleaned_up = false;
  return lib::run(main_of_reports(&cleaned_up)) == 1 && cleaned_up;
}

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"gather_moves_the_results", gather_moves_the_results},
      {"a_cancel_is_not_taken_for_a_timeout", a_cancel_is_not_taken_for_a_timeout},
      {"with_no_time_at_all_nothing_begins", with_no_time_at_all_nothing_begins},
      {"a_wait_that_is_over_leaves_nothing_behind", a_wait_that_is_over_leaves_nothing_behind},
      {"a_shielded_task_survives_the_cancel_of_its_waiter", a_shielded_task_survives_the_cancel_of_its_waiter},
      {"an_error_is_reported_unless_gather_has_looked_at_it", an_error_is_reported_unless_gather_has_looked_at_it},
  };
  return beyond::run_cases(cases, argc, argv);
}
