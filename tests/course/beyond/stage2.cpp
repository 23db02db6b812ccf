// What stage 2 has beyond by_hand/future.h: see beyond.h, and the table in stage2_future/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/future.h>
namespace lib = by_hand;
#else
#include <asyncio/future.h>
namespace lib = asyncio;
#endif

#include <stdexcept>
#include <string>
#include <utility>

using lib::Future;
using lib::Loop;

static bool an_exception_that_nobody_looks_at_is_reported() {
  Loop loop;
  int reports = 0;
  loop.set_exception_handler([&](Loop&, const auto&) { ++reports; });
  { Future<int>(loop).set_exception(std::make_exception_ptr(std::runtime_error("lost"))); }
  return reports == 1;
}

namespace {
struct Counted {
  Counted() = default;
  Counted(const Counted&) { ++copies; }
  Counted(Counted&&) noexcept {}
  Counted& operator=(const Counted&) = default;
  static inline int copies = 0;
};
}  // namespace

static bool the_last_handle_moves_the_result_out() {
  Loop loop;
  Future<Counted> future(loop);
  future.set_result(Counted());
  Counted::copies = 0;
  [[maybe_unused]] const Counted result = std::move(future).result();
  return Counted::copies == 0;
}

static bool an_error_tells_the_state_that_it_found() {
  Loop loop;
  Future<int> future(loop);
  future.set_result(1);
  try {
    future.set_result(2);
  } catch (const std::exception& error) {
    return std::string(error.what()).find("FINISHED") != std::string::npos;
  }
  return false;
}

static bool completing_a_future_of_a_closed_loop_changes_nothing() {
  Loop loop;
  Future<int> future(loop);
  future.add_done_callback([](auto&) {});
  loop.close();
  try {
    future.set_result(1);
  } catch (const std::runtime_error&) {
    return !future.done();
  }
  return false;
}

static bool a_future_prints_itself() {
  Loop loop;
  Future<int> future(loop);
  future.set_result(42);
  return beyond::repr_of(future) == "<Future finished result=42>";
}

static bool a_cancel_carries_a_message() {
  Loop loop;
  Future<int> future(loop);
  beyond::cancel(future, "enough");
  try {
    future.result();
  } catch (const lib::CancelledError& error) {
    return beyond::message_of(error) == "enough";
  }
  return false;
}

static bool the_steady_state_needs_no_memory() {
  Loop loop;
  return beyond::allocations_of([&] {
           Future<int> future(loop);
           future.add_done_callback([](auto&) {});
           future.set_result(1);
           loop.stop();
           loop.run_forever();
         }) == 0;
}

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"an_exception_that_nobody_looks_at_is_reported", an_exception_that_nobody_looks_at_is_reported},
      {"the_last_handle_moves_the_result_out", the_last_handle_moves_the_result_out},
      {"an_error_tells_the_state_that_it_found", an_error_tells_the_state_that_it_found},
      {"completing_a_future_of_a_closed_loop_changes_nothing", completing_a_future_of_a_closed_loop_changes_nothing},
      {"a_future_prints_itself", a_future_prints_itself},
      {"a_cancel_carries_a_message", a_cancel_carries_a_message},
      {"the_steady_state_needs_no_memory", the_steady_state_needs_no_memory},
  };
  return beyond::run_cases(cases, argc, argv);
}
