// What a callback and a timer cost. The rows named limit_… do the same work with the least that it takes: the callbacks
// as a ring of function pointers, for example.
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>

#include <array>
#include <queue>
#include <random>
#include <thread>
#include <vector>

#include "performance/measure.h"

using namespace asyncio;
using namespace std::chrono_literals;
using measure::Iterations;
using measure::run_tick;

namespace {

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// The least that a loop can be: 1,024 places for a function and its argument.
class Ring {
 public:
  using Function = void (*)(Ring&, void*);
  void push(Function function, void* argument) { entries_[tail_++ % entries_.size()] = {function, argument}; }
  void run_once() {
    for (std::size_t todo = tail_ - head_; todo > 0; --todo) {
      const Entry entry = entries_[head_++ % entries_.size()];
      entry.function(*this, entry.argument);
    }
  }

 private:
  struct Entry {
    Function function;
    void* argument;
  };
  std::array<Entry, 1024> entries_;
  std::size_t head_ = 0, tail_ = 0;
};

void limit_function_pointer_ring(benchmark::State& state) {
  static Ring ring;
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) ring.push([](Ring&, void* counter) { ++*static_cast<long*>(counter); }, &count);
    ring.run_once();
  }
  benchmark::DoNotOptimize(count);
}
MEASURE(stage1, limit_function_pointer_ring);

void limit_function_pointer_chain(benchmark::State& state) {
  static Ring ring;
  static constexpr Ring::Function next = [](Ring& again, void* left) {
    if (--*static_cast<long*>(left) > 0) again.push(next, left);
  };
  for (auto _ : Iterations(state, 1000)) {
    long left = 1000;
    ring.push(next, &left);
    while (left > 0) {
      ring.run_once();
      benchmark::DoNotOptimize(left);
    }
  }
}
MEASURE(stage1, limit_function_pointer_chain);

/// A thousand callbacks, run in one tick.
void call_soon_burst_1000(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([&count] { ++count; });
    run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE(stage1, call_soon_burst_1000);

/// Schedules itself again and again: one callback per tick.
struct Chain {
  Loop& loop;
  long& left;
  void operator()() const {
    if (--left > 0) {
      loop.call_soon(*this);
    } else {
      loop.stop();
    }
  }
};

void call_soon_chain(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    long left = 1000;
    loop.call_soon(Chain{loop, left});
    loop.run_forever();
  }
}
MEASURE(stage1, call_soon_chain);

/// Callbacks that are cancelled before they run.
void call_soon_cancel_1000(benchmark::State& state) {
  Loop loop;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon([] {}).cancel();
    run_tick(loop);
  }
}
MEASURE(stage1, call_soon_cancel_1000);

/// Posted as if from another thread: takes a mutex, an atomic, and a shared_ptr.
void call_soon_threadsafe(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) loop.call_soon_threadsafe([&count] { ++count; });
    run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE(stage1, call_soon_threadsafe);

/// The limit for run_1000_jobs.
void limit_1000_jobs(benchmark::State& state) {
  static Ring ring;
  struct Job {
    long& sum;
    int number;
  };
  static constexpr Ring::Function finish = [](Ring&, void* job) {
    static_cast<Job*>(job)->sum += static_cast<Job*>(job)->number;
  };
  std::vector<Job> jobs;
  jobs.reserve(1000);
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    jobs.clear();
    for (int number = 0; number < 1000; ++number) {
      jobs.push_back({sum, number});
      ring.push([](Ring& again, void* job) { again.push(finish, job); }, &jobs.back());
    }
    ring.run_once();
    ring.run_once();
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE(stage1, limit_1000_jobs);

/// The same job in all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum.
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
MEASURE(stage1, run_1000_jobs);

// ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
// In virtual time. On the real clock, each call_later() and each tick with timers adds a reading of the clock.

constexpr int kMany = 100'000;

std::vector<Duration> random_delays() {
  std::mt19937 random(1);
  std::vector<Duration> delays(kMany);
  for (Duration& delay : delays) delay = std::chrono::microseconds(1 + random() % 1'000'000'000);
  return delays;
}

Loop& virtual_loop() {
  static Loop loop(std::make_unique<VirtualCore>());
  return loop;
}

/// The limit for call_later_fire_100k: std::priority_queue, filled with 100,000 random deadlines and emptied.
void limit_priority_queue_100k(benchmark::State& state) {
  struct Entry {
    Duration when;
    void (*function)(int&);
    bool operator<(const Entry& other) const { return when > other.when; }
  };
  const auto delays = random_delays();
  for (auto _ : Iterations(state, kMany)) {
    std::priority_queue<Entry> timers;
    int left = kMany;
    for (const Duration delay : delays) timers.push({delay, [](int& count) { --count; }});
    for (; !timers.empty(); timers.pop()) timers.top().function(left);
    benchmark::DoNotOptimize(left);
  }
}
MEASURE(stage1, limit_priority_queue_100k);

/// Creates 100,000 timers with random deadlines and lets them fire, nearly each in a tick of its own.
void call_later_fire_100k(benchmark::State& state) {
  const auto delays = random_delays();
  Loop& loop = virtual_loop();
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
MEASURE(stage1, call_later_fire_100k);

/// On the real clock, for comparison with libraries without a virtual one: random deadlines in the next 100 ms; the
/// loop runs when all of them are past. (Processor time counts; sleeping takes none.)
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
MEASURE(stage1, timers_due_100k);

/// Creates 100,000 timers, then cancels them all.
void call_later_cancel_bulk_100k(benchmark::State& state) {
  const auto delays = random_delays();
  Loop& loop = virtual_loop();
  std::vector<TimerHandle> timers(kMany);
  for (auto _ : Iterations(state, kMany)) {
    for (int i = 0; i < kMany; ++i) timers[i] = loop.call_later(delays[i], [] {});
    loop.call_later(0s, [&] { loop.stop(); });
    loop.run_forever();  // looks for the next deadline, which puts all into the heap
    for (TimerHandle& timer : timers) timer.cancel();
  }
}
MEASURE(stage1, call_later_cancel_bulk_100k);

/// Creates and cancels one timer beside 100,000 others: a server's time-outs that do not expire.
void call_later_cancel_one_beside_100k(benchmark::State& state) {
  Loop loop(std::make_unique<VirtualCore>());
  for (const Duration delay : random_delays()) loop.call_later(delay, [] {});
  run_tick(loop);
  for (auto _ : Iterations(state)) loop.call_later(30s, [] {}).cancel();
}
MEASURE(stage1, call_later_cancel_one_beside_100k);

/// Creates and cancels timers beside 100,000 others; a hundred are alive at once and end in the order of their making.
void call_later_cancel_window_beside_100k(benchmark::State& state) {
  Loop loop(std::make_unique<VirtualCore>());
  for (const Duration delay : random_delays()) loop.call_later(delay, [] {});
  run_tick(loop);
  std::array<TimerHandle, 100> window;
  std::size_t next = 0;
  for (auto _ : Iterations(state)) {
    TimerHandle& oldest = window[next++ % window.size()];
    oldest.cancel();
    oldest = loop.call_later(30s, [] {});
  }
}
MEASURE(stage1, call_later_cancel_window_beside_100k);

}  // namespace
