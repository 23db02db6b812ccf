// What the benchmarks of the small asyncio have in common. Each does what the benchmark of the same name in
// ../../../stageN_…/bench.cpp does; `./stages compare` shows them side by side. They measure stageN_…/by_hand/ or,
// compiled with -Dby_hand=mine and another include root, a learner's own copy, in the same program.
#pragma once

#include <by_hand/loop.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "performance/measure.h"

/// "by_hand", or "mine".
#define BY_HAND_TEXT_OF(column) #column
#define BY_HAND_TEXT(column) BY_HAND_TEXT_OF(column)

/// Registers a benchmark as "by_hand/stage1/call_soon_burst_1000". What throws fails, and is not in the table.
#define MEASURE_BY_HAND(name, function) BENCHMARK(guarded<function>)->Name(BY_HAND_TEXT(by_hand) "/" name)

namespace by_hand {

/// Waiting moves its clock, and takes no time.
struct VirtualCore : Core {
  TimePoint now() override { return now_; }
  void wait(std::optional<TimePoint> deadline) override {
    if (!deadline) throw std::logic_error("the loop would wait for ever");
    now_ = std::max(now_, *deadline);
  }
  TimePoint now_{};
};

}  // namespace by_hand

namespace {

template <void (*function)(benchmark::State&)>
void guarded(benchmark::State& state) {
  try {
    function(state);
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

}  // namespace
