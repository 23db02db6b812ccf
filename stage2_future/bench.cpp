// What a future costs: made, completed, and its callback run. `call_soon_burst_1000` of stage 1 is the measure.
#include <asyncio/future.h>

#include <benchmark/benchmark.h>

using namespace asyncio;

namespace {

/// Adds a column: the time of one of the `count` things that each iteration does.
void per_item(benchmark::State& state, double count) {
  using benchmark::Counter;
  state.counters["per_item"] = Counter(count, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void run_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

/// As in stage 1, for comparison within this program.
void call_soon_burst_1000(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([&count] { ++count; });
    run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
  per_item(state, 1000);
}
BENCHMARK(call_soon_burst_1000);

/// Make one, set its result, read it. No callback, no tick.
void future_set_result(benchmark::State& state) {
  Loop loop;
  for (auto _ : state) {
    const Future<int> future(loop);
    future.set_result(42);
    benchmark::DoNotOptimize(future.result());
  }
}
BENCHMARK(future_set_result);

/// Make one, add a callback, set the result, let the callback run: a thousand of them in a tick.
void future_set_callback(benchmark::State& state) {
  Loop loop;
  long sum = 0;
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const Future<int> future(loop);
      future.add_done_callback([&sum](Future<int>& done) { sum += done.result(); });
      future.set_result(1);
    }
    run_tick(loop);
  }
  benchmark::DoNotOptimize(sum);
  per_item(state, 1000);
}
BENCHMARK(future_set_callback);

/// A callback added and removed again.
void future_remove_callback(benchmark::State& state) {
  Loop loop;
  const Future<int> future(loop);
  for (auto _ : state) future.remove_done_callback(future.add_done_callback([](Future<int>&) {}));
}
BENCHMARK(future_remove_callback);

void run_until_complete_of_a_done_future(benchmark::State& state) {
  Loop loop;
  const Future<int> future(loop);
  future.set_result(1);
  for (auto _ : state) benchmark::DoNotOptimize(loop.run_until_complete(future));
}
BENCHMARK(run_until_complete_of_a_done_future);

/// The job of all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum. Here each
/// has a future, which it completes when its tick has come.
void run_1000_jobs(benchmark::State& state) {
  Loop loop;
  for (auto _ : state) {
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
  per_item(state, 1000);
}
BENCHMARK(run_1000_jobs)->Unit(benchmark::kMicrosecond);

}  // namespace
