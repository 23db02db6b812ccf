// Waiting for each other, with the small asyncio.
#include <by_hand/sync.h>

#include <utility>
#include <vector>

#include "by_hand.h"

using namespace by_hand;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

Coro<> tasks_of(int count, const auto& body) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(body()));
  for (const Task<>& task : tasks) co_await task;
}

void run_tasks(int count, const auto& body) { run(tasks_of(count, body)); }

void bare_yield(benchmark::State& state) {
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) co_await by_hand::sleep(0s);
  });
}
MEASURE_BY_HAND("stage5/bare_yield", bare_yield);

void bare_yield_100(benchmark::State& state) {
  Iterations running(state);
  run_tasks(100, [&]() -> Coro<> {
    while (running()) co_await by_hand::sleep(0s);
  });
}
MEASURE_BY_HAND("stage5/bare_yield_100", bare_yield_100);

void lock_uncontended(benchmark::State& state) {
  Lock lock;
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      co_await lock.acquire();
      lock.release();
    }
  });
}
MEASURE_BY_HAND("stage5/lock_uncontended", lock_uncontended);

void lock_scoped_uncontended(benchmark::State& state) {
  Lock lock;
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      const auto guard = co_await lock.scoped();
    }
  });
}
MEASURE_BY_HAND("stage5/lock_scoped_uncontended", lock_scoped_uncontended);

void hand_over(benchmark::State& state, Semaphore& semaphore) {
  Iterations running(state);
  run_tasks(100, [&]() -> Coro<> {
    co_await semaphore.acquire();
    co_await by_hand::sleep(0s);
    semaphore.release();
    while (running()) {
      co_await semaphore.acquire();
      semaphore.release();
    }
  });
}

void lock_handover_100(benchmark::State& state) {
  Lock lock;
  hand_over(state, lock);
}
MEASURE_BY_HAND("stage5/lock_handover_100", lock_handover_100);

void semaphore_uncontended(benchmark::State& state) {
  Semaphore semaphore(3);
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      co_await semaphore.acquire();
      semaphore.release();
    }
  });
}
MEASURE_BY_HAND("stage5/semaphore_uncontended", semaphore_uncontended);

void semaphore_handover_100(benchmark::State& state) {
  Semaphore semaphore(3);
  hand_over(state, semaphore);
}
MEASURE_BY_HAND("stage5/semaphore_handover_100", semaphore_handover_100);

void event_set_100(benchmark::State& state) {
  Event event;
  Iterations running(state);
  int come = 0;
  int gone = 0;
  run_tasks(101, [&]() -> Coro<> {
    if (come++ == 100) {
      while (gone < 100) {
        event.set();
        event.clear();
        co_await by_hand::sleep(0s);
      }
    } else {
      while (running()) co_await event.wait();
      ++gone;
    }
  });
}
MEASURE_BY_HAND("stage5/event_set_100", event_set_100);

void condition_ping_pong(benchmark::State& state) {
  Condition condition;
  Iterations running(state);
  int turn = 0;
  int tasks = 0;
  run_tasks(2, [&]() -> Coro<> {
    const int me = tasks++;
    const auto guard = co_await condition.scoped();
    for (bool on = true; on;) {
      while (turn != me) co_await condition.wait();
      on = running();
      turn = 1 - me;
      condition.notify();
    }
  });
}
MEASURE_BY_HAND("stage5/condition_ping_pong", condition_ping_pong);

void queue_put_get_nowait(benchmark::State& state) {
  Queue<int> queue;
  for (auto _ : Iterations(state)) {
    queue.put_nowait(1);
    benchmark::DoNotOptimize(queue.get_nowait());
  }
}
MEASURE_BY_HAND("stage5/queue_put_get_nowait", queue_put_get_nowait);

void queue_put_get_with_room(benchmark::State& state) {
  Queue<int> queue;
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      co_await queue.put(1);
      int item = co_await queue.get();
      benchmark::DoNotOptimize(item);
    }
  });
}
MEASURE_BY_HAND("stage5/queue_put_get_with_room", queue_put_get_with_room);

void queue1_put_get(benchmark::State& state) {
  Queue<int> queue(1);
  Iterations running(state);
  bool consumer = true;
  run_tasks(2, [&]() -> Coro<> {
    if (std::exchange(consumer, false)) {
      for (int item = 1; item != 0;) item = co_await queue.get();
    } else {
      while (running()) co_await queue.put(1);
      co_await queue.put(0);
    }
  });
}
MEASURE_BY_HAND("stage5/queue1_put_get", queue1_put_get);

void priority_queue_100(benchmark::State& state) {
  PriorityQueue<unsigned> queue;
  unsigned random = 1;
  const auto next = [&random] { return random = random * 1664525 + 1013904223; };
  for (int i = 0; i < 100; ++i) queue.put_nowait(next());
  for (auto _ : Iterations(state)) {
    queue.put_nowait(next());
    benchmark::DoNotOptimize(queue.get_nowait());
  }
}
MEASURE_BY_HAND("stage5/priority_queue_100", priority_queue_100);

void run_1000_jobs(benchmark::State& state) {
  Queue<int> queue(100);
  long sum = 0;
  const auto work = [&]() -> Coro<> {
    for (;;) {
      const int job = co_await queue.get();
      co_await by_hand::sleep(0s);
      sum += job;
      queue.task_done();
    }
  };
  const auto main = [&]() -> Coro<> {
    for (int i = 0; i < 10; ++i) create_task(work());
    for (auto _ : Iterations(state, 1000)) {
      for (int job = 0; job < 1000; ++job) co_await queue.put(job);
      co_await queue.join();
      benchmark::DoNotOptimize(sum);
    }
  };
  run(main());
}
MEASURE_BY_HAND("stage5/run_1000_jobs", run_1000_jobs);

}  // namespace
