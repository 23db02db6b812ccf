// The jobs of our benchmarks on asio, as its documentation would have them done fast: an io_context with the hint that
// one thread runs it, memory that asio recycles for handlers and frames, coroutines that are asio::awaitable.
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/channel.hpp>

#include <chrono>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "performance/measure.h"

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using asio::awaitable;
using asio::use_awaitable;
using measure::Iterations;

namespace {

/// Runs until nothing is left to do.
void run(asio::io_context& context) {
  context.restart();
  context.run();
}

/// Runs a coroutine to its end.
template <class Body>
void run(Body body) {
  asio::io_context context(1);
  asio::co_spawn(context, body(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();
}

// ── callbacks ──

void call_soon_burst_1000(benchmark::State& state) {
  asio::io_context context(1);
  long count = 0;
  for (auto _ : Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) asio::post(context, [&count] { ++count; });
    run(context);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE(stage1, call_soon_burst_1000);
BENCHMARK(call_soon_burst_1000)->Name("stage1/call_soon_threadsafe");  // post() is both

struct Chain {
  asio::io_context& context;
  long& left;
  void operator()() const {
    if (--left > 0) asio::post(context, *this);
  }
};

void call_soon_chain(benchmark::State& state) {
  asio::io_context context(1);
  for (auto _ : Iterations(state, 1000)) {
    long left = 1000;
    asio::post(context, Chain{context, left});
    run(context);
  }
}
MEASURE(stage1, call_soon_chain);

void run_1000_callbacks(benchmark::State& state) {
  asio::io_context context(1);
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    for (int job = 0; job < 1000; ++job) {
      asio::post(context, [&, job] { asio::post(context, [&, job] { sum += job; }); });
    }
    run(context);
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(run_1000_callbacks)->Name("stage1/run_1000_jobs");

// ── timers ──

constexpr int kMany = 100'000;

std::vector<std::chrono::microseconds> random_delays() {
  std::mt19937 random(1);
  std::vector<std::chrono::microseconds> delays(kMany);
  for (auto& delay : delays) delay = std::chrono::microseconds(1 + random() % 1'000'000'000);
  return delays;
}

void timers_due_100k(benchmark::State& state) {
  const auto delays = random_delays();
  asio::io_context context(1);
  for (auto _ : Iterations(state, kMany)) {
    std::vector<asio::steady_timer> timers;
    timers.reserve(kMany);
    int left = kMany;
    for (const auto delay : delays) {
      timers.emplace_back(context, delay / 10'000).async_wait([&](asio::error_code) { --left; });
    }
    std::this_thread::sleep_for(100ms);
    run(context);
  }
}
MEASURE(stage1, timers_due_100k);

void call_later_cancel_bulk_100k(benchmark::State& state) {
  const auto delays = random_delays();
  asio::io_context context(1);
  for (auto _ : Iterations(state, kMany)) {
    std::vector<asio::steady_timer> timers;
    timers.reserve(kMany);
    for (const auto delay : delays) timers.emplace_back(context, delay).async_wait([](asio::error_code) {});
    for (auto& timer : timers) timer.cancel();
    run(context);  // a cancelled wait ends with a callback
  }
}
MEASURE(stage1, call_later_cancel_bulk_100k);

void call_later_cancel_one_beside_100k(benchmark::State& state) {
  asio::io_context context(1);
  std::vector<asio::steady_timer> others;
  others.reserve(kMany);
  for (const auto delay : random_delays()) others.emplace_back(context, delay).async_wait([](asio::error_code) {});
  for (auto _ : Iterations(state)) {
    asio::steady_timer timer(context, 30s);
    timer.async_wait([](asio::error_code) {});
    timer.cancel();
    context.poll();
  }
}
MEASURE(stage1, call_later_cancel_one_beside_100k);

// ── tasks ──

void sleep_0(benchmark::State& state) {
  bool more = true;
  run([&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto others = [&]() -> awaitable<void> {
      while (more) co_await asio::post(use_awaitable);
    };
    for (int i = 1; i < state.range(0); ++i) asio::co_spawn(executor, others(), asio::detached);
    for (auto _ : Iterations(state, double(state.range(0)))) co_await asio::post(use_awaitable);
    more = false;
  });
}
MEASURE(stage3, sleep_0)->Arg(1)->Arg(1000);

awaitable<int> ready(int value) { co_return value; }

void create_run_await(benchmark::State& state) {
  run([&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (auto _ : Iterations(state)) {
      const int value = co_await asio::co_spawn(executor, ready(1), use_awaitable);
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE(stage3, create_run_await);

void await_ready_coroutine(benchmark::State& state) {
  run([&]() -> awaitable<void> {
    for (auto _ : Iterations(state)) {
      const int value = co_await ready(1);
      benchmark::DoNotOptimize(value);
    }
  });
}
MEASURE(stage3, await_ready_coroutine);

awaitable<void> wait_and_add(long& sum, int job) {
  co_await asio::post(use_awaitable);
  sum += job;
}

void run_1000_jobs(benchmark::State& state) {
  asio::io_context context(1);
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    for (int job = 0; job < 1000; ++job) asio::co_spawn(context, wait_and_add(sum, job), asio::detached);
    run(context);
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE(stage3, run_1000_jobs);

awaitable<void> inner_frame() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
  co_await timer.async_wait(use_awaitable);
}
awaitable<void> outer_frame() { co_await inner_frame(); }

void cancel_task_through_2_frames(benchmark::State& state) {
  run([&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (auto _ : Iterations(state)) {
      asio::cancellation_signal signal;
      bool ended = false;
      const auto note = [&ended](std::exception_ptr error) { ended = error != nullptr; };
      asio::co_spawn(executor, outer_frame(), asio::bind_cancellation_slot(signal.slot(), note));
      co_await asio::post(use_awaitable);
      signal.emit(asio::cancellation_type::all);
      while (!ended) co_await asio::post(use_awaitable);
    }
  });
}
MEASURE(stage3, cancel_task_through_2_frames);

// ── several at once ──

awaitable<int> job(int value) { co_return value; }

void gather_2(benchmark::State& state) {
  run([&]() -> awaitable<void> {
    for (auto _ : Iterations(state)) {
      const auto results = co_await (job(1) && job(2));
      benchmark::DoNotOptimize(results);
    }
  });
}
MEASURE(stage4, gather_2);

awaitable<void> yield() { co_await asio::post(use_awaitable); }

void wait_for_not_fired(benchmark::State& state) {
  run([&]() -> awaitable<void> {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto _ : Iterations(state)) {
      timer.expires_after(10s);
      const auto first = co_await (yield() || timer.async_wait(use_awaitable));
      benchmark::DoNotOptimize(first.index());
    }
  });
}
MEASURE(stage4, wait_for_not_fired);

// ── sharing ──

void queue1_put_get(benchmark::State& state) {
  using Channel = asio::experimental::channel<void(asio::error_code, int)>;
  run([&]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    Channel channel(executor, 1);
    const auto consumer = [&]() -> awaitable<void> {
      for (int item = 1; item != 0;) item = co_await channel.async_receive(use_awaitable);
    };
    asio::co_spawn(executor, consumer(), asio::detached);
    for (auto _ : Iterations(state)) co_await channel.async_send(asio::error_code(), 1, use_awaitable);
    co_await channel.async_send(asio::error_code(), 0, use_awaitable);
    while (channel.ready()) co_await asio::post(use_awaitable);
    co_await asio::post(use_awaitable);
  });
}
MEASURE(stage5, queue1_put_get);

// ── memory ──

void sleeping_task(benchmark::State& state) {
  constexpr int kTasks = 10'000;
  double bytes = 0;
  for (auto _ : state) {
    asio::io_context context(1);
    const auto before = measure::heap().bytes;
    for (int i = 0; i < kTasks; ++i) asio::co_spawn(context, inner_frame(), asio::detached);
    context.poll();
    bytes = double(measure::heap().bytes - before) / kTasks;
  }
  state.counters["bytes"] = bytes;
}
MEASURE(memory, sleeping_task)->Iterations(1);

}  // namespace
