// Several things at once, with the small asyncio.
#include <by_hand/combinators.h>

#include <utility>
#include <vector>

#include "by_hand.h"

using namespace by_hand;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

void in_virtual_time(const auto& body) { run(body(), std::make_unique<VirtualCore>()); }

Coro<int> job(int value) { co_return value; }
Coro<> yield() { co_await by_hand::sleep(0s); }

Coro<int> wait_and_return(int job) {
  co_await by_hand::sleep(0s);
  co_return job;
}

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
MEASURE_BY_HAND("stage4/run_1000_jobs", run_1000_jobs);

void gather_2(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      auto results = co_await gather(job(1), job(2));
      benchmark::DoNotOptimize(results);
    }
  });
}
MEASURE_BY_HAND("stage4/gather_2", gather_2);

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
MEASURE_BY_HAND("stage4/gather_10", gather_10);

void wait_10(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      std::vector<Task<int>> tasks;
      tasks.reserve(10);
      for (int i = 0; i != 10; ++i) tasks.push_back(create_task(job(i)));
      auto result = co_await by_hand::wait(std::move(tasks));
      benchmark::DoNotOptimize(result.first.data());
    }
  });
}
MEASURE_BY_HAND("stage4/wait_10", wait_10);

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
MEASURE_BY_HAND("stage4/as_completed_10", as_completed_10);

void wait_for_not_fired(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) co_await wait_for(yield(), 10s);
  });
}
MEASURE_BY_HAND("stage4/wait_for_not_fired", wait_for_not_fired);

Coro<> inner() { co_await by_hand::sleep(10s); }
Coro<> outer() { co_await inner(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      const auto task = create_task(outer());
      co_await by_hand::sleep(0s);
      task.cancel();
      std::vector<Task<>> tasks(1, task);
      co_await by_hand::wait(std::move(tasks));
    }
  });
}
MEASURE_BY_HAND("stage4/cancel_task_through_2_frames", cancel_task_through_2_frames);

}  // namespace
