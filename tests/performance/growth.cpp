// How the cost of one operation grows with how many there are: each row of `./stages compare --growth`.
#include <asyncio/asyncio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "performance/in_virtual_time.h"
#include "performance/measure.h"

using namespace asyncio;
using namespace std::chrono_literals;
using measure::in_virtual_time;
using measure::Iterations;

namespace {

/// In a thread of its own, and so with a pool of its own: what another benchmark gave back in random order is not
/// handed out here in random order, which at 100,000 of anything would measure the memory.
template <void (*measured)(benchmark::State&)>
void in_new_thread(benchmark::State& state) {
  std::thread(measured, std::ref(state)).join();
}

#define MEASURE_GROWTH(function) \
  BENCHMARK(in_new_thread<function>)->Name("growth/" #function)->RangeMultiplier(10)->Range(10, 1'000'000)

/// Scheduled, and run in one tick.
void ready_callbacks(benchmark::State& state) {
  Loop loop;
  long count = 0;
  for (auto _ : Iterations(state, double(state.range(0)))) {
    for (auto i = state.range(0); i > 0; --i) loop.call_soon([&count] { ++count; });
    measure::run_tick(loop);
  }
  benchmark::DoNotOptimize(count);
}
MEASURE_GROWTH(ready_callbacks);

std::vector<Duration> random_delays(benchmark::State& state) {
  std::mt19937 random(1);
  std::vector<Duration> delays(static_cast<std::size_t>(state.range(0)));
  for (Duration& delay : delays) delay = std::chrono::microseconds(1 + random() % 1'000'000'000);
  return delays;
}

/// Created with random deadlines, and fired.
void timers(benchmark::State& state) {
  const auto delays = random_delays(state);
  Loop loop(std::make_unique<VirtualCore>());
  for (auto _ : Iterations(state, double(state.range(0)))) {
    std::size_t left = delays.size();
    for (const Duration delay : delays) {
      loop.call_later(delay, [&] {
        if (--left == 0) loop.stop();
      });
    }
    loop.run_forever();
  }
}
MEASURE_GROWTH(timers);

/// Created with random deadlines, and cancelled when the loop has sorted them in.
void cancelled_timers(benchmark::State& state) {
  const auto delays = random_delays(state);
  Loop loop(std::make_unique<VirtualCore>());
  std::vector<TimerHandle> handles(delays.size());
  for (auto _ : Iterations(state, double(state.range(0)))) {
    for (std::size_t i = 0; i < delays.size(); ++i) handles[i] = loop.call_later(delays[i], [] {});
    loop.call_later(0s, [&] { loop.stop(); });
    loop.run_forever();
    for (TimerHandle& handle : handles) handle.cancel();
  }
}
MEASURE_GROWTH(cancelled_timers);

/// Created, run for two ticks, and awaited.
void tasks(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    const auto job = []() -> Coro<> { co_await sleep(0s); };
    std::vector<Task<>> tasks;
    for (auto _ : Iterations(state, double(state.range(0)))) {
      for (auto i = state.range(0); i > 0; --i) tasks.push_back(create_task(job()));
      for (const Task<>& task : tasks) co_await task;
      tasks.clear();
    }
  });
}
MEASURE_GROWTH(tasks);

/// Tasks that wait for one event, are woken by one set(), and wait again.
void event_waiters(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    Event event;
    const auto wait_again = [&]() -> Coro<> {
      for (;;) co_await event.wait();
    };
    for (auto i = state.range(0); i > 0; --i) create_task(wait_again());
    co_await sleep(0s);
    for (auto _ : Iterations(state, double(state.range(0)))) {
      event.set();
      event.clear();
      co_await sleep(0s);
    }
  });
}
MEASURE_GROWTH(event_waiters);

/// Put, until all are in, and got again.
void queue_items(benchmark::State& state) {
  Queue<int> queue;
  for (auto _ : Iterations(state, double(state.range(0)))) {
    for (auto i = state.range(0); i > 0; --i) queue.put_nowait(1);
    for (auto i = state.range(0); i > 0; --i) benchmark::DoNotOptimize(queue.get_nowait());
  }
}
MEASURE_GROWTH(queue_items);

/// Coroutines that wait a tick, all in one gather.
void gather_children(benchmark::State& state) {
  in_virtual_time([&]() -> Coro<> {
    const auto child = []() -> Coro<int> {
      co_await sleep(0s);
      co_return 1;
    };
    for (auto _ : Iterations(state, double(state.range(0)))) {
      std::vector<Coro<int>> children;
      children.reserve(static_cast<std::size_t>(state.range(0)));
      for (auto i = state.range(0); i > 0; --i) children.push_back(child());
      const std::vector<int> results = co_await gather(std::move(children));
      benchmark::DoNotOptimize(results.data());
    }
  });
}
MEASURE_GROWTH(gather_children);

// ── descriptors ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// The descriptors that the process may have, made as many as it can.
std::int64_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::int64_t>(limit.rlim_cur);
}

/// A byte to each active descriptor and what comes of it, beside so many others that are watched and never ready.
template <class SomeCore>
void idle_descriptors(benchmark::State& state, int active) {
  if (state.range(0) + 2 * active + 50 > descriptor_limit()) return state.SkipWithError("more than RLIMIT_NOFILE");
  Loop loop(std::make_unique<SomeCore>());
  std::vector<Socket> idle;
  for (auto i = state.range(0); i > 0; --i) {
    idle.emplace_back(::socket(AF_INET, SOCK_DGRAM, 0));
    add_reader(loop, idle.back().fd(), [] {});
  }
  std::vector<std::pair<Socket, Socket>> busy;
  char byte = 0;
  int left = 0;
  for (int i = 0; i < active; ++i) {
    const int fd = busy.emplace_back(Socket::pair()).second.fd();
    add_reader(loop, fd, [&, fd] {
      benchmark::DoNotOptimize(::recv(fd, &byte, 1, 0));
      if (--left == 0) loop.stop();
    });
  }
  for (auto _ : Iterations(state, active)) {
    left = active;
    for (const auto& [one, other] : busy) benchmark::DoNotOptimize(::send(one.fd(), &byte, 1, 0));
    loop.run_forever();
  }
}

#define MEASURE_IDLE(function) MEASURE(growth, function)->RangeMultiplier(10)->Range(10, 10'000)

void idle_beside_1_poll(benchmark::State& state) { idle_descriptors<PollCore>(state, 1); }
MEASURE_IDLE(idle_beside_1_poll);
void idle_beside_100_poll(benchmark::State& state) { idle_descriptors<PollCore>(state, 100); }
MEASURE_IDLE(idle_beside_100_poll);

#ifdef __linux__
void idle_beside_1_epoll(benchmark::State& state) { idle_descriptors<EpollCore>(state, 1); }
MEASURE_IDLE(idle_beside_1_epoll);
void idle_beside_100_epoll(benchmark::State& state) { idle_descriptors<EpollCore>(state, 100); }
MEASURE_IDLE(idle_beside_100_epoll);
#endif

}  // namespace
