// What the operations of stage 3 cost. `limit_…` is the same loop written bare: the floor under the others.
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
#include <benchmark/benchmark.h>

#include <coroutine>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace {
std::size_t allocated = 0;  // bytes handed out by operator new and not given back
constexpr std::size_t kHeader = alignof(std::max_align_t);
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  char* memory = static_cast<char*>(std::malloc(size + kHeader));
  if (!memory) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(memory) = size;
  allocated += size;
  return memory + kHeader;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (!memory) return;
  char* const begin = static_cast<char*>(memory) - kHeader;
  allocated -= *reinterpret_cast<std::size_t*>(begin);
  std::free(begin);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// Runs `body`, a coroutine that loops over the state, on a loop in virtual time.
template <class Body>
void run_in_loop(Body body) {
  run(body, std::make_unique<VirtualCore>());
}

/// Reports items_per_second: of switches, tasks, sleeps.
void per_item(benchmark::State& state, std::int64_t items) { state.SetItemsProcessed(state.iterations() * items); }

// ── the limit: coroutine handles in a ring, resumed in turn ──

struct BareCoroutine {
  struct promise_type {
    BareCoroutine get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::abort(); }
  };
  std::coroutine_handle<promise_type> frame;
};

struct Ring {
  explicit Ring(std::size_t size) : handles(size) {}
  std::vector<std::coroutine_handle<>> handles;  // as many as a power of two
  std::size_t head = 0;
  std::size_t tail = 0;
  void push(std::coroutine_handle<> handle) { handles[tail++ & (handles.size() - 1)] = handle; }
  std::coroutine_handle<> pop() { return handles[head++ & (handles.size() - 1)]; }
};

struct BareYield {
  Ring& ring;
  explicit BareYield(Ring& ring) : ring(ring) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { ring.push(handle); }
  void await_resume() const noexcept {}
};

BareCoroutine yield_for_ever(Ring& ring) {
  for (;;) co_await BareYield(ring);
}

void limit_coroutine_handle_ring(benchmark::State& state) {
  const auto tasks = static_cast<std::size_t>(state.range(0));
  Ring ring(1024);
  std::vector<BareCoroutine> coroutines;
  for (std::size_t i = 0; i < tasks; ++i) {
    coroutines.push_back(yield_for_ever(ring));
    ring.push(coroutines.back().frame);
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < tasks; ++i) ring.pop().resume();
  }
  per_item(state, state.range(0));
  for (BareCoroutine& coroutine : coroutines) coroutine.frame.destroy();
}
BENCHMARK(limit_coroutine_handle_ring)->Arg(1)->Arg(1000);

// ── switching between tasks ──

/// What sleep(0) does, and nothing else.
class Yield {
 public:
  Yield() = default;
  bool await_ready() const noexcept { return false; }
  template <std::derived_from<detail::PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    task_ = &frame.promise().task();
    task_->suspend(frame.promise());
  }
  void await_resume() { task_->throw_if_cancelled(nullptr); }

 private:
  detail::TaskBase* task_ = nullptr;
};

template <class MakeAwaitable>
void switch_tasks(benchmark::State& state, MakeAwaitable make_awaitable) {
  run_in_loop([&]() -> Coro<> {
    auto others = [&]() -> Coro<> {
      for (;;) co_await make_awaitable();
    };
    for (int i = 1; i < state.range(0); ++i) create_task(others);
    for (auto _ : state) co_await make_awaitable();
  });
  per_item(state, state.range(0));
}

void yield_bare(benchmark::State& state) {
  switch_tasks(state, [] { return Yield(); });
}
BENCHMARK(yield_bare)->Arg(1)->Arg(1000);

void sleep_0(benchmark::State& state) {
  switch_tasks(state, [] { return sleep(0s); });
}
BENCHMARK(sleep_0)->Arg(1)->Arg(1000);

// ── the life of a task ──

Coro<int> ready(int value) { co_return value; }

void create_run_await(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    for (auto _ : state) {
      int value = co_await create_task(ready(1));
      benchmark::DoNotOptimize(value);
    }
  });
  per_item(state, 1);
}
BENCHMARK(create_run_await);

Coro<> wait_and_add(long& sum, int job) {
  co_await sleep(0s);
  sum += job;
}

/// The job of all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum. Here each
/// is a task.
void run_1000_jobs(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (auto _ : state) {
      long sum = 0;
      for (int job = 0; job < 1000; ++job) tasks.push_back(create_task(wait_and_add(sum, job)));
      for (const Task<>& task : tasks) co_await task;
      benchmark::DoNotOptimize(sum);
      tasks.clear();
    }
  });
  per_item(state, 1000);
}
BENCHMARK(run_1000_jobs)->Unit(benchmark::kMicrosecond);

// ── waiting ──

void future_to_task(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    Future<int> ping = create_future<int>();
    Future<int> pong = create_future<int>();
    auto partner = [&]() -> Coro<> {
      for (;;) {
        int value = co_await ping;
        ping = create_future<int>();
        pong.set_result(value);
      }
    };
    create_task(partner);
    co_await sleep(0s);
    for (auto _ : state) {
      ping.set_result(1);
      int value = co_await pong;
      benchmark::DoNotOptimize(value);
      pong = create_future<int>();
    }
  });
  per_item(state, 2);
}
BENCHMARK(future_to_task);

void await_ready_coroutine(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    for (auto _ : state) {
      int value = co_await ready(1);
      benchmark::DoNotOptimize(value);
    }
  });
  per_item(state, 1);
}
BENCHMARK(await_ready_coroutine);

void timer_sleep(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    auto others = []() -> Coro<> {
      for (;;) co_await sleep(1ms);
    };
    for (int i = 1; i < state.range(0); ++i) create_task(others);
    for (auto _ : state) co_await sleep(1ms);
  });
  per_item(state, state.range(0));
}
BENCHMARK(timer_sleep)->Arg(1)->Arg(1000);

// ── cancelling ──

Coro<> inner_frame() { co_await sleep(1h); }
Coro<> outer_frame() { co_await inner_frame(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  run_in_loop([&]() -> Coro<> {
    for (auto _ : state) {
      Task<> task = create_task(outer_frame());
      co_await sleep(0s);
      task.cancel();
      co_await sleep(0s);
      if (!task.cancelled()) state.SkipWithError("not cancelled");
    }
  });
  per_item(state, 1);
}
BENCHMARK(cancel_task_through_2_frames);

// ── memory ──

void bytes_of_a_sleeping_task(benchmark::State& state) {
  constexpr int kTasks = 10'000;
  // Each run on a thread of its own: the pools are the thread's, and so it starts with empty ones.
  double bytes = 0;
  for (auto _ : state) {
    std::thread([&] {
      run_in_loop([&]() -> Coro<> {
        const std::size_t before = allocated;
        auto sleeper = []() -> Coro<> { co_await sleep(1h); };
        for (int i = 0; i < kTasks; ++i) create_task(sleeper());
        co_await sleep(1ms);
        bytes = static_cast<double>(allocated - before) / kTasks;
      });
    }).join();
  }
  state.counters["bytes"] = bytes;
}
BENCHMARK(bytes_of_a_sleeping_task)->Iterations(1);

}  // namespace
