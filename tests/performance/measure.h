// What every benchmark measures with: the time, the allocations and the instructions of one of the things it does.
// Mirrors: nothing in CPython. Read next: ../../stage1_loop/bench.cpp, then compare.cpp
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

/// Registers a benchmark as "stage3/run_1000_jobs": the same job has the same name at each stage, and one program,
/// asyncio_compare, holds them all.
#define MEASURE(stage, function) BENCHMARK(function)->Name(#stage "/" #function)->Apply(measure::fix_iterations)

namespace measure {

/// If the environment sets MEASURE_ITERATIONS, the benchmark runs exactly that often; `count` needs it so.
void fix_iterations(benchmark::internal::Benchmark* benchmark);

/// What operator new has handed out to this thread.
struct Heap {
  std::int64_t calls = 0;
  std::int64_t bytes = 0;  // that have not been given back
};
const Heap& heap() noexcept;

/// How many instructions this thread has executed outside the kernel; -1 where nobody counts them, and then
/// why_no_instructions() says why.
std::int64_t instructions() noexcept;
const char* why_no_instructions() noexcept;

/// The iterations of a benchmark, each of which does something `items` times. When they are over the report has three
/// more columns, for one item: `per_item` (seconds of processor time), `allocations`, and `instructions` if counted.
///
///   for (auto _ : Iterations(state, 1000)) …
///   Iterations more(state); while (more()) …      by any number of tasks, who may ask again after the end
class Iterations {
 public:
  explicit Iterations(benchmark::State& state, double items = 1) : state_(state), items_(items) {}
  Iterations(const Iterations&) = delete;
  ~Iterations() { finish(); }

  auto begin() {
    start();
    return state_.begin();
  }
  auto end() { return state_.end(); }

  bool operator()() {
    if (phase_ == Phase::running && state_.KeepRunning()) return true;
    return next_phase();
  }

 private:
  enum class Phase { before, running, after };

  void start() noexcept;
  void finish();
  bool next_phase();

  benchmark::State& state_;
  double items_;
  Phase phase_ = Phase::before;
  std::int64_t allocations_ = 0;  // as they were at the start
  std::int64_t instructions_ = 0;
};

/// One tick of a loop.
template <class Loop>
void run_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

}  // namespace measure
