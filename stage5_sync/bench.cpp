// What synchronisation costs. Compare the others with `bare_yield`, which only switches tasks.
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>

#include <utility>
#include <vector>

#include "performance/measure.h"

using namespace asyncio;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

/// Runs `count` tasks of `body` until all are done.
template <class Body>
Coro<> tasks_of(int count, Body& body) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(body));
  for (Task<>& task : tasks) co_await task;
}

template <class Body>
void run_tasks(int count, Body body) {
  run([&] { return tasks_of(count, body); });
}

void bare_yield(benchmark::State& state) {
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) co_await sleep(0s);
  });
}
MEASURE(stage5, bare_yield);

void bare_yield_100(benchmark::State& state) {
  Iterations running(state);
  run_tasks(100, [&]() -> Coro<> {
    while (running()) co_await sleep(0s);
  });
}
MEASURE(stage5, bare_yield_100);

// ── locks and permits ───────────────────────────────────────────────────────────────────────────────────────────────

void lock_uncontended(benchmark::State& state) {
  Lock lock;
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      co_await lock.acquire();
      lock.release();
    }
  });
}
MEASURE(stage5, lock_uncontended);

void lock_scoped_uncontended(benchmark::State& state) {
  Lock lock;
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      const auto guard = co_await lock.scoped();
    }
  });
}
MEASURE(stage5, lock_scoped_uncontended);

// Each release wakes the next of 100 tasks. All of them arrive while the first holds the lock; from then on there is
// always a queue, and a task that releases goes to its end.
void lock_handover_100(benchmark::State& state) {
  Lock lock;
  Iterations running(state);
  run_tasks(100, [&]() -> Coro<> {
    co_await lock.acquire();
    co_await sleep(0s);
    lock.release();
    while (running()) {
      co_await lock.acquire();
      lock.release();
    }
  });
}
MEASURE(stage5, lock_handover_100);

void semaphore_uncontended(benchmark::State& state) {
  Semaphore semaphore(3);
  run_tasks(1, [&]() -> Coro<> {
    for (auto _ : Iterations(state)) {
      co_await semaphore.acquire();
      semaphore.release();
    }
  });
}
MEASURE(stage5, semaphore_uncontended);

void semaphore_handover_100(benchmark::State& state) {
  Semaphore semaphore(3);
  Iterations running(state);
  run_tasks(100, [&]() -> Coro<> {
    co_await semaphore.acquire();
    co_await sleep(0s);
    semaphore.release();
    while (running()) {
      co_await semaphore.acquire();
      semaphore.release();
    }
  });
}
MEASURE(stage5, semaphore_handover_100);

// ── events, conditions, barriers ────────────────────────────────────────────────────────────────────────────────────

// One set() wakes 100 tasks; the time is for one of them.
void event_set_100(benchmark::State& state) {
  Event event;
  Iterations running(state);
  int come = 0;
  int gone = 0;
  run_tasks(101, [&]() -> Coro<> {
    if (come++ == 100) {  // the last to arrive sets, the others wait
      while (gone < 100) {
        event.set();
        event.clear();
        co_await sleep(0s);
      }
    } else {
      while (running()) co_await event.wait();
      ++gone;
    }
  });
}
MEASURE(stage5, event_set_100);

// Two tasks take turns: each wait() needs a notification, and the lock.
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
MEASURE(stage5, condition_ping_pong);

// 100 tasks arrive and leave; the time is for all of them.
void barrier_100(benchmark::State& state) {
  Barrier barrier(100);
  Iterations running(state, 100);
  bool on = true;  // the last to leave decides whether all repeat
  std::size_t left = 0;
  run_tasks(100, [&]() -> Coro<> {
    for (bool again = true; again;) {
      co_await barrier.wait();
      if (++left % 100 == 0) on = running();
      co_await sleep(0s);
      again = on;
    }
  });
}
MEASURE(stage5, barrier_100);

// ── queues ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void queue_put_get_nowait(benchmark::State& state) {
  Queue<int> queue;
  for (auto _ : Iterations(state)) {
    queue.put_nowait(1);
    benchmark::DoNotOptimize(queue.get_nowait());
  }
}
MEASURE(stage5, queue_put_get_nowait);

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
MEASURE(stage5, queue_put_get_with_room);

// One item at a time: both sides wait for each other for every item.
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
MEASURE(stage5, queue1_put_get);

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
MEASURE(stage5, priority_queue_100);

// The job of all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum. Here 10
// workers get them from a queue.
void run_1000_jobs(benchmark::State& state) {
  Queue<int> queue(100);
  long sum = 0;
  const auto work = [&]() -> Coro<> {
    for (;;) {
      const int job = co_await queue.get();
      co_await sleep(0s);
      sum += job;
      queue.task_done();
    }
  };
  run([&]() -> Coro<> {
    for (int i = 0; i < 10; ++i) create_task(work);
    for (auto _ : Iterations(state, 1000)) {
      for (int job = 0; job < 1000; ++job) co_await queue.put(job);
      co_await queue.join();
      benchmark::DoNotOptimize(sum);
    }
  });
}
MEASURE(stage5, run_1000_jobs);

}  // namespace
