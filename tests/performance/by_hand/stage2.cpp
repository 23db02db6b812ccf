// Futures of the small asyncio.
#include <by_hand/future.h>

#include "by_hand.h"

using namespace by_hand;
using measure::Iterations;
using measure::run_tick;

namespace {

void future_set_result(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state)) {
    const Future<int> future(loop);
    future.set_result(42);
    int result = future.result();
    benchmark::DoNotOptimize(result);
  }
}
MEASURE_BY_HAND("stage2/future_set_result", future_set_result);

void future_set_callback(benchmark::State& state) {
  Loop loop;
  long sum = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) {
      const Future<int> future(loop);
      future.add_done_callback([&sum](Future<int>& done) { sum += done.result(); });
      future.set_result(1);
    }
    run_tick(loop);
  }
  benchmark::DoNotOptimize(sum);
}
MEASURE_BY_HAND("stage2/future_set_callback", future_set_callback);

void future_remove_callback(benchmark::State& state) {
  Loop loop;
  const Future<int> future(loop);
  for (auto _ : Iterations(state)) future.remove_done_callback(future.add_done_callback([](Future<int>&) {}));
}
MEASURE_BY_HAND("stage2/future_remove_callback", future_remove_callback);

void run_until_complete_of_a_done_future(benchmark::State& state) {
  Loop loop;
  const Future<int> future(loop);
  future.set_result(1);
  for (auto _ : Iterations(state)) benchmark::DoNotOptimize(loop.run_until_complete(future));
}
MEASURE_BY_HAND("stage2/run_until_complete_of_a_done_future", run_until_complete_of_a_done_future);

void run_1000_jobs(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    const Future<> all_done(loop);
    long sum = 0;
    int left = 1000;
    for (int job = 0; job < 1000; ++job) {
      const Future<int> result(loop);
      result.add_done_callback([&](Future<int>& done) {
        sum += done.result();
        if (--left == 0) all_done.set_result();
      });
      loop.call_soon([result, job] { result.set_result(job); });
    }
    loop.run_until_complete(all_done);
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE_BY_HAND("stage2/run_1000_jobs", run_1000_jobs);

}  // namespace
