// What running several things at the same time costs.
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// Runs `body(state)` in a loop in virtual time: what is measured is the library, and not the clock.
template <class Body>
void run_in_loop(benchmark::State& state, Body body) {
  run([&]() -> Coro<> { co_await body(state); }, std::make_unique<VirtualCore>());
}

Coro<int> job(int value) { co_return value; }
Coro<> yield() { co_await sleep(0s); }

void run_1000_jobs(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
      std::vector<Coro<int>> jobs;
      jobs.reserve(1000);
      for (int i = 0; i != 1000; ++i) jobs.push_back(job(i));
      std::vector<int> results = co_await gather(std::move(jobs));
      benchmark::DoNotOptimize(results.data());
    }
  });
  state.SetItemsProcessed(1000 * state.iterations());
}
BENCHMARK(run_1000_jobs);

void gather_2(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
      auto results = co_await gather(job(1), job(2));
      benchmark::DoNotOptimize(results);
    }
  });
}
BENCHMARK(gather_2);

void wait_10(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
      std::vector<Task<int>> tasks;
      tasks.reserve(10);
      for (int i = 0; i != 10; ++i) tasks.push_back(create_task(job(i)));
      auto result = co_await wait(std::move(tasks));
      benchmark::DoNotOptimize(result.done.data());
    }
  });
}
BENCHMARK(wait_10);

void as_completed_10(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
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
BENCHMARK(as_completed_10);

void task_group_10(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    const auto body = [](TaskGroup& group) -> Coro<> {
      for (int i = 0; i != 10; ++i) group.create_task(job(i));
      co_return;
    };
    for (auto _ : state) co_await task_group(body);
  });
}
BENCHMARK(task_group_10);

void timeout_not_fired(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    const auto body = []() -> Coro<> { co_return; };
    for (auto _ : state) co_await timeout(10s, body);
  });
}
BENCHMARK(timeout_not_fired);

void wait_for_not_fired(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) co_await wait_for(yield(), 10s);
  });
}
BENCHMARK(wait_for_not_fired);

void timeout_fired(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    const auto body = []() -> Coro<> { co_await sleep(10s); };
    for (auto _ : state) {
      try {
        co_await timeout(1s, body);
      } catch (const TimeoutError&) {
      }
    }
  });
}
BENCHMARK(timeout_fired);

void shield_1(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
      int value = co_await shield(job(1));
      benchmark::DoNotOptimize(value);
    }
  });
}
BENCHMARK(shield_1);

Coro<> inner() { co_await sleep(10s); }
Coro<> outer() { co_await inner(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  run_in_loop(state, [](benchmark::State& state) -> Coro<> {
    for (auto _ : state) {
      const auto task = create_task(outer());
      co_await sleep(0s);
      task.cancel();
      std::vector<Task<>> tasks(1, task);
      co_await wait(std::move(tasks));
    }
  });
}
BENCHMARK(cancel_task_through_2_frames);

}  // namespace
