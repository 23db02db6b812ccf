// The jobs of our benchmarks that libuv knows: callbacks and timers. Its nearest to call_soon() is the idle handle,
// whose callback runs once in each round of the loop; the handles are made once, as libuv's users do.
#include <uv.h>

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "performance/measure.h"

using namespace std::chrono_literals;
using measure::Iterations;

namespace {

/// A loop, and its handles' way out.
struct Loop {
  Loop() { uv_loop_init(&loop); }
  ~Loop() {
    uv_walk(
        &loop, [](uv_handle_t* handle, void*) { uv_close(handle, nullptr); }, nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  uv_loop_t loop;
};

void call_soon_burst_1000(benchmark::State& state) {
  std::vector<uv_idle_t> idles(1000);
  Loop loop;
  long count = 0;
  for (uv_idle_t& idle : idles) {
    uv_idle_init(&loop.loop, &idle);
    idle.data = &count;
  }
  for (auto _ : Iterations(state, 1000)) {
    for (uv_idle_t& idle : idles) {
      uv_idle_start(&idle, [](uv_idle_t* ready) {
        ++*static_cast<long*>(ready->data);
        uv_idle_stop(ready);
      });
    }
    uv_run(&loop.loop, UV_RUN_DEFAULT);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE(stage1, call_soon_burst_1000);

void call_soon_chain(benchmark::State& state) {
  uv_idle_t idle;
  Loop loop;
  uv_idle_init(&loop.loop, &idle);
  for (auto _ : Iterations(state, 1000)) {
    long left = 1000;
    idle.data = &left;
    uv_idle_start(&idle, [](uv_idle_t* ready) {
      if (--*static_cast<long*>(ready->data) == 0) uv_idle_stop(ready);
    });
    uv_run(&loop.loop, UV_RUN_DEFAULT);
  }
}
MEASURE(stage1, call_soon_chain);

// Timers count whole milliseconds.

constexpr int kMany = 100'000;

std::vector<std::uint64_t> random_delays() {
  std::mt19937 random(1);
  std::vector<std::uint64_t> delays(kMany);
  for (std::uint64_t& delay : delays) delay = 1 + random() % 1'000'000;
  return delays;
}

void start_all(Loop& loop, std::vector<uv_timer_t>& timers, const std::vector<std::uint64_t>& delays, int divisor) {
  for (int i = 0; i < kMany; ++i) {
    uv_timer_init(&loop.loop, &timers[i]);
    uv_timer_start(
        &timers[i], [](uv_timer_t*) {}, delays[i] / divisor, 0);
  }
}

void timers_due_100k(benchmark::State& state) {
  const auto delays = random_delays();
  std::vector<uv_timer_t> timers(kMany);
  for (auto _ : Iterations(state, kMany)) {
    Loop loop;
    start_all(loop, timers, delays, 10'000);
    std::this_thread::sleep_for(100ms);
    uv_run(&loop.loop, UV_RUN_DEFAULT);
  }
}
MEASURE(stage1, timers_due_100k);

void call_later_cancel_bulk_100k(benchmark::State& state) {
  const auto delays = random_delays();
  std::vector<uv_timer_t> timers(kMany);
  for (auto _ : Iterations(state, kMany)) {
    Loop loop;
    start_all(loop, timers, delays, 1);
    for (uv_timer_t& timer : timers) uv_timer_stop(&timer);
  }
}
MEASURE(stage1, call_later_cancel_bulk_100k);

void call_later_cancel_one_beside_100k(benchmark::State& state) {
  std::vector<uv_timer_t> others(kMany);
  uv_timer_t one;
  Loop loop;
  start_all(loop, others, random_delays(), 1);
  uv_timer_init(&loop.loop, &one);
  for (auto _ : Iterations(state)) {
    uv_timer_start(
        &one, [](uv_timer_t*) {}, 30'000, 0);
    uv_timer_stop(&one);
  }
}
MEASURE(stage1, call_later_cancel_one_beside_100k);

}  // namespace
