// What the operations of stage 3 cost. The rows named limit_… do the same work with the least that it takes.
#include <asyncio/run.h>

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <vector>

#include "performance/in_virtual_time.h"
#include "performance/measure.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using measure::in_virtual_time;
using measure::Iterations;

// ── the limit: coroutine handles in a ring, resumed in turn ──

/// The simplest pool: freed frames, to be handed out again.
class FramePool {
 public:
  static constexpr std::size_t kSize = 256;
  void* take(std::size_t size) {
    if (size > kSize) std::abort();
    if (free_.empty()) return ::operator new(kSize);
    void* const frame = free_.back();
    free_.pop_back();
    return frame;
  }
  void give_back(void* frame) { free_.push_back(frame); }
  ~FramePool() {
    for (void* frame : free_) ::operator delete(frame);
  }

 private:
  std::vector<void*> free_;
} frames;

struct BareCoroutine {
  struct promise_type {
    static void* operator new(std::size_t size) { return frames.take(size); }
    static void operator delete(void* frame) { frames.give_back(frame); }
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
  for (auto _ : Iterations(state, double(state.range(0)))) {
    for (std::size_t i = 0; i < tasks; ++i) ring.pop().resume();
  }
  for (BareCoroutine& coroutine : coroutines) coroutine.frame.destroy();
}
MEASURE(stage3, limit_coroutine_handle_ring)->Arg(1)->Arg(1000);

BareCoroutine yield_and_add(Ring& ring, long& sum, int job) {
  co_await BareYield(ring);
  sum += job;
}

/// The limit for run_1000_jobs: a frame for each job, resumed twice.
void limit_1000_jobs(benchmark::State& state) {
  Ring ring(1024);
  std::vector<BareCoroutine> jobs;
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    for (int job = 0; job < 1000; ++job) {
      jobs.push_back(yield_and_add(ring, sum, job));
      ring.push(jobs.back().frame);
    }
    for (int i = 0; i < 2000; ++i) ring.pop().resume();
    for (BareCoroutine& job : jobs) job.frame.destroy();
    jobs.clear();
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE(stage3, limit_1000_jobs);

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
  in_virtual_time([&]() -> Coro<> {
    auto others = [&]() -> Coro<> {
      for (;;) co_await make_awaitable();
    };
    for (int i = 1; i < state.range(0); ++i) create_task(others);
    for (auto _ : Iterations(state, double(state.range(0)))) co_await make_awaitable();
  });
}

void yield_bare(benchmark::State& state) {
  switch_tasks(state, [] { return Yield(); });
}
MEASURE(stage3, yield_bare)->Arg(1)->Arg(1000);

void sleep_0(benchmark::State& state) {
  switch_tasks(state, [] { return sleep(0s); });
}
MEASURE(stage3, sleep_0)->Arg(1)->Arg(1000);

// ── the life of a task ──

Coro<int> ready(int value) { co_return value; }

void create_run_await(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      int value = co_await create_task(ready(1));
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE(stage3, create_run_await);

Coro<> wait_and_add(long& sum, int job) {
  co_await sleep(0s);
  sum += job;
}

/// The same job in all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum. Here
/// each is a task.
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
MEASURE(stage3, run_1000_jobs);

// ── waiting ──

void future_to_task(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
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
    for (auto _ : Iterations(state, 2)) {
      ping.set_result(1);
      int value = co_await pong;
      benchmark::DoNotOptimize(value);
      pong = create_future<int>();
    }
  });
}
MEASURE(stage3, future_to_task);

void await_ready_coroutine(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      int value = co_await ready(1);
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE(stage3, await_ready_coroutine);

void timer_sleep(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    auto others = []() -> Coro<> {
      for (;;) co_await sleep(1ms);
    };
    for (int i = 1; i < state.range(0); ++i) create_task(others);
    for (auto _ : Iterations(state, double(state.range(0)))) co_await sleep(1ms);
  });
}
MEASURE(stage3, timer_sleep)->Arg(1)->Arg(1000);

// ── cancelling ──

/// The limit for cancelling: an exception that passes a frame is caught in it, and thrown again in the frame above.
void limit_throw_through_2_frames(benchmark::State& state) {
  const auto caught = [](auto throws) {
    try {
      throws();
    } catch (...) {
      return std::current_exception();
    }
    return std::exception_ptr();
  };
  for (auto _ : Iterations(state)) {
    const std::exception_ptr inner = caught([] { throw CancelledError(); });
    std::exception_ptr outer = caught([&] { std::rethrow_exception(inner); });
    benchmark::DoNotOptimize(outer);
  }
}
MEASURE(stage3, limit_throw_through_2_frames);

Coro<> inner_frame() { co_await sleep(1h); }
Coro<> outer_frame() { co_await inner_frame(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      Task<> task = create_task(outer_frame());
      co_await sleep(0s);
      task.cancel();
      co_await sleep(0s);
      if (!task.cancelled()) state.SkipWithError("not cancelled");
    }
  });
}
MEASURE(stage3, cancel_task_through_2_frames);

}  // namespace
