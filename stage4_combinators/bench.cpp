// What running several things at the same time costs.
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_factory.h>
#include <asyncio/task_group.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>

#include <utility>
#include <vector>

#include "performance/in_virtual_time.h"
#include "performance/measure.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using measure::in_virtual_time;
using measure::Iterations;

Coro<int> job(int value) { co_return value; }
Coro<> yield() { co_await sleep(0s); }

Coro<int> wait_and_return(int job) {
  co_await sleep(0s);
  co_return job;
}

/// The job of all stages: 1,000 small jobs, each of which waits one tick, and then its number is added to a sum. Here
/// one gather() runs them and collects the numbers.
void run_1000_jobs(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state, 1000)) {
      std::vector<Coro<int>> jobs;
      jobs.reserve(1000);
      for (int job = 0; job < 1000; ++job) jobs.push_back(wait_and_return(job));
      const std::vector<int> numbers = co_await gather(std::move(jobs));
      long sum = 0;
      for (const int number : numbers) sum += number;
      benchmark::DoNotOptimize(sum);
    }
  });
}
MEASURE(stage4, run_1000_jobs);

/// Each node makes ten below it, down to 10,000 leaves, and adds up their numbers: 11,111 tasks.
constexpr int kNodes = 11'111;

Coro<long> skynet(long first, long leaves) {
  if (leaves == 1) co_return first;
  std::vector<Coro<long>> below;
  below.reserve(10);
  for (int i = 0; i < 10; ++i) below.push_back(skynet(first + i * leaves / 10, leaves / 10));
  const std::vector<long> numbers = co_await gather(std::move(below));
  long sum = 0;
  for (const long number : numbers) sum += number;
  co_return sum;
}

/// The cost of one node. First in, first out: each level of the tree is alive before the next one begins.
void skynet_10k(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state, kNodes)) {
      long sum = co_await skynet(0, 10'000);
      benchmark::DoNotOptimize(sum);
    }
  });
}
MEASURE(stage4, skynet_10k);

/// The same where each task begins at once: depth first, so that only the nodes of one branch are alive.
void skynet_10k_eager(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    set_task_factory(Loop::running(), eager_task_factory);
    for (auto _ : Iterations(state, kNodes)) {
      long sum = co_await skynet(0, 10'000);
      benchmark::DoNotOptimize(sum);
    }
  });
}
MEASURE(stage4, skynet_10k_eager);

void gather_2(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      auto results = co_await gather(job(1), job(2));
      benchmark::DoNotOptimize(results);
    }
  });
}
MEASURE(stage4, gather_2);

void gather_10(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      std::vector<Coro<int>> jobs;
      jobs.reserve(10);
      for (int i = 0; i != 10; ++i) jobs.push_back(job(i));
      const std::vector<int> results = co_await gather(std::move(jobs));
      benchmark::DoNotOptimize(results.data());
    }
  });
}
MEASURE(stage4, gather_10);

void wait_10(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      std::vector<Task<int>> tasks;
      tasks.reserve(10);
      for (int i = 0; i != 10; ++i) tasks.push_back(create_task(job(i)));
      auto result = co_await wait(std::move(tasks));
      benchmark::DoNotOptimize(result.done.data());
    }
  });
}
MEASURE(stage4, wait_10);

void as_completed_10(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      std::vector<Coro<int>> jobs;
      jobs.reserve(10);
      for (int i = 0; i != 10; ++i) jobs.push_back(job(i));
      for (auto& next : as_completed(std::move(jobs))) {
        int value = co_await next;
        benchmark::DoNotOptimize(value);
      }
    }
  });
}
MEASURE(stage4, as_completed_10);

void task_group_10(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    const auto body = [](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 10; ++i) group.create_task(job(i));
      co_return;
    };
    for (auto _ : Iterations(state)) co_await task_group(body);
  });
}
MEASURE(stage4, task_group_10);

void timeout_not_fired(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    const auto body = []() -> Coro<> { co_return; };
    for (auto _ : Iterations(state)) co_await timeout(10s, body);
  });
}
MEASURE(stage4, timeout_not_fired);

void wait_for_not_fired(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) co_await wait_for(yield(), 10s);
  });
}
MEASURE(stage4, wait_for_not_fired);

void timeout_fired(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    const auto body = []() -> Coro<> { co_await sleep(10s); };
    for (auto _ : Iterations(state)) {
      try {
        co_await timeout(1s, body);
      } catch (const TimeoutError&) {
      }
    }
  });
}
MEASURE(stage4, timeout_fired);

void shield_1(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      int value = co_await shield(job(1));
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE(stage4, shield_1);

Coro<> inner() { co_await sleep(10s); }
Coro<> outer() { co_await inner(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      const auto task = create_task(outer());
      co_await sleep(0s);
      task.cancel();
      std::vector<Task<>> tasks(1, task);
      co_await wait(std::move(tasks));
    }
  });
}
MEASURE(stage4, cancel_task_through_2_frames);

}  // namespace
