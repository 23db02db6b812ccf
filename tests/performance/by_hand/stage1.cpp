// Callbacks and timers of the small asyncio.
#include <array>
#include <random>
#include <thread>
#include <vector>

#include "by_hand.h"

using namespace by_hand;
using namespace std::chrono_literals;
using measure::Iterations;
using measure::run_tick;

namespace {

void call_soon_burst_1000(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([&count] { ++count; });
    run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE_BY_HAND("stage1/call_soon_burst_1000", call_soon_burst_1000);

struct Chain {
  Loop& loop;
  long& left;
  void operator()() const { --left > 0 ? void(loop.call_soon(*this)) : loop.stop(); }
};

void call_soon_chain(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    long left = 1000;
    loop.call_soon(Chain{loop, left});
    loop.run_forever();
  }
}
MEASURE_BY_HAND("stage1/call_soon_chain", call_soon_chain);

void call_soon_cancel_1000(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([] {}).cancel();
    run_tick(loop);
  }
}
MEASURE_BY_HAND("stage1/call_soon_cancel_1000", call_soon_cancel_1000);

void call_soon_threadsafe(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon_threadsafe([&count] { ++count; });
    run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE_BY_HAND("stage1/call_soon_threadsafe", call_soon_threadsafe);

void run_1000_jobs(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    int left = 1000;
    for (int job = 0; job < 1000; ++job) {
      loop.call_soon([&, job] {
        loop.call_soon([&, job] {
          sum += job;
          if (--left == 0) loop.stop();
        });
      });
    }
    loop.run_forever();
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE_BY_HAND("stage1/run_1000_jobs", run_1000_jobs);

constexpr int kMany = 100'000;

std::vector<Duration> random_delays() {
  std::mt19937 random(1);
  std::vector<Duration> delays(kMany);
  for (Duration& delay : delays) delay = std::chrono::microseconds(1 + random() % 1'000'000'000);
  return delays;
}

void call_later_fire_100k(benchmark::State& state) {
  const auto delays = random_delays();
  Loop loop(std::make_unique<VirtualCore>());
  for (auto _ : Iterations(state, kMany)) {
    int left = kMany;
    for (const Duration delay : delays) {
      loop.call_later(delay, [&] {
        if (--left == 0) loop.stop();
      });
    }
    loop.run_forever();
  }
}
MEASURE_BY_HAND("stage1/call_later_fire_100k", call_later_fire_100k);

void timers_due_100k(benchmark::State& state) {
  const auto delays = random_delays();
  Loop loop;
  for (auto _ : Iterations(state, kMany)) {
    int left = kMany;
    for (const Duration delay : delays) {
      loop.call_later(delay / 10'000, [&] {
        if (--left == 0) loop.stop();
      });
    }
    std::this_thread::sleep_for(100ms);
    loop.run_forever();
  }
}
MEASURE_BY_HAND("stage1/timers_due_100k", timers_due_100k);

void call_later_cancel_bulk_100k(benchmark::State& state) {
  const auto delays = random_delays();
  Loop loop(std::make_unique<VirtualCore>());
  std::vector<Handle> timers;
  timers.reserve(kMany);
  for (auto _ : Iterations(state, kMany)) {
    timers.clear();
    for (const Duration delay : delays) timers.push_back(loop.call_later(delay, [] {}));
    loop.call_later(0s, [&] { loop.stop(); });
    loop.run_forever();
    for (Handle& timer : timers) timer.cancel();
  }
}
MEASURE_BY_HAND("stage1/call_later_cancel_bulk_100k", call_later_cancel_bulk_100k);

}  // namespace
