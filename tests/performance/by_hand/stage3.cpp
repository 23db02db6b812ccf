// Tasks of the small asyncio.
#include <by_hand/task.h>

#include <vector>

#include "by_hand.h"

using namespace by_hand;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

void in_virtual_time(const auto& body) { run(body(), std::make_unique<VirtualCore>()); }

// By value: these tasks run for one tick more when the one that made them has ended.
template <class MakeAwaitable>
Coro<> await_for_ever(MakeAwaitable make_awaitable) {
  for (;;) co_await make_awaitable();
}

void switch_tasks(benchmark::State& state, int tasks, const auto& make_awaitable) {
  in_virtual_time([&]() -> Coro<> {
    for (int i = 1; i < tasks; ++i) create_task(await_for_ever(make_awaitable));
    for (auto _ : Iterations(state, tasks)) co_await make_awaitable();
  });
}

template <int tasks>
void yield_bare(benchmark::State& state) {
  switch_tasks(state, tasks, [] { return Yield(); });
}
MEASURE_BY_HAND("stage3/yield_bare/1", yield_bare<1>);
MEASURE_BY_HAND("stage3/yield_bare/1000", yield_bare<1000>);

template <int tasks>
void sleep_0(benchmark::State& state) {
  switch_tasks(state, tasks, [] { return by_hand::sleep(0s); });
}
MEASURE_BY_HAND("stage3/sleep_0/1", sleep_0<1>);
MEASURE_BY_HAND("stage3/sleep_0/1000", sleep_0<1000>);

template <int tasks>
void timer_sleep(benchmark::State& state) {
  switch_tasks(state, tasks, [] { return by_hand::sleep(1ms); });
}
MEASURE_BY_HAND("stage3/timer_sleep/1", timer_sleep<1>);
MEASURE_BY_HAND("stage3/timer_sleep/1000", timer_sleep<1000>);

Coro<int> ready(int value) { co_return value; }

void create_run_await(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      int value = co_await create_task(ready(1));
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE_BY_HAND("stage3/create_run_await", create_run_await);

Coro<> wait_and_add(long& sum, int job) {
  co_await by_hand::sleep(0s);
  sum += job;
}

void run_1000_jobs(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (auto _ : Iterations(state, 1000)) {
      long sum = 0;
      for (int job = 0; job < 1000; ++job) tasks.push_back(create_task(wait_and_add(sum, job)));
      for (const Task<>& task : tasks) co_await task;
      benchmark::DoNotOptimize(sum);
      tasks.clear();
    }
  });
}
MEASURE_BY_HAND("stage3/run_1000_jobs", run_1000_jobs);

void future_to_task(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    Future<int> ping(Loop::running());
    Future<int> pong(Loop::running());
    const auto partner = [&]() -> Coro<> {
      for (;;) {
        int value = co_await ping;
        ping = Future<int>(Loop::running());
        pong.set_result(value);
      }
    };
    create_task(partner());
    co_await by_hand::sleep(0s);
    for (auto _ : Iterations(state, 2)) {
      ping.set_result(1);
      int value = co_await pong;
      benchmark::DoNotOptimize(value);
      pong = Future<int>(Loop::running());
    }
  });
}
MEASURE_BY_HAND("stage3/future_to_task", future_to_task);

void await_ready_coroutine(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      int value = co_await ready(1);
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE_BY_HAND("stage3/await_ready_coroutine", await_ready_coroutine);

Coro<> inner_frame() { co_await by_hand::sleep(1h); }
Coro<> outer_frame() { co_await inner_frame(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      const Task<> task = create_task(outer_frame());
      co_await by_hand::sleep(0s);
      task.cancel();
      co_await by_hand::sleep(0s);
      if (!task.cancelled()) state.SkipWithError("not cancelled");
    }
  });
}
MEASURE_BY_HAND("stage3/cancel_task_through_2_frames", cancel_task_through_2_frames);

}  // namespace
