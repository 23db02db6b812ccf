// Allocation k fails, for each k, in scenarios of stages 1 to 5: see sweep.h.
#include "no_memory/sweep.h"

#include <asyncio/as_completed.h>
#include <asyncio/async_generator.h>
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/gather.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/shield.h>
#include <asyncio/task_factory.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

Coro<int> work(int value) {
  co_await sleep(1s);
  co_return value;
}

Coro<int> failing(int value) {
  co_await sleep(1ms);
  if (value != 0) throw std::runtime_error("a text that is too long for the string's own room");
  co_return value;
}

TEST(NoMemorySweep, Callbacks) {
  sweep_virtual([]() -> Coro<> {
    static int ran;  // without memory, callbacks run after this coroutine has ended
    ran = 0;
    Loop& loop = Loop::running();
    for (int i = 0; i < 100; ++i) loop.call_soon([] { ++ran; });
    Handle cancelled = loop.call_soon([] { ran += 1000; });
    cancelled.cancel();
    loop.call_soon([] { throw std::runtime_error("in a callback"); });
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_EQ(ran, 100);
  });
}

// The heap of timers has as many as it can hold, and more come.
TEST(NoMemorySweep, Timers) {
  sweep_virtual([]() -> Coro<> {
    struct Timers {
      ~Timers() {
        for (TimerHandle& timer : all) timer.cancel();
      }
      std::vector<TimerHandle> all;
    } timers;
    Loop& loop = Loop::running();
    std::vector<int> ran;
    ran.reserve(100);
    timers.all.reserve(100);
    for (int i = 0; i < 60; ++i) {
      timers.all.push_back(loop.call_later(i * 7 % 60 * 1ms, [&ran, i] { ran.push_back(i * 7 % 60); }));
      if (i % 8 == 0) co_await sleep(0s);
      if (i % 5 == 0) timers.all[static_cast<std::size_t>(i)].cancel();
    }
    co_await sleep(1s);
    EXPECT_EQ(ran.size(), 48u);
  });
}

TEST(NoMemorySweep, TimersFireInTheirOrder) {
  sweep_virtual([]() -> Coro<> {
    std::vector<int> order;
    order.reserve(100);
    {
      struct Timers {
        ~Timers() {
          for (TimerHandle& timer : all) timer.cancel();
        }
        std::vector<TimerHandle> all;
      } timers;
      timers.all.reserve(100);
      Loop& loop = Loop::running();
      try {
        for (int i = 0; i < 40; ++i) {
          const int when = i * 11 % 40;
          timers.all.push_back(loop.call_later((10 + when) * 1ms, [&order, when] { order.push_back(when); }));
        }
      } catch (const std::bad_alloc&) {  // the others fire
      }
      co_await sleep(1s);
      EXPECT_EQ(order.size(), timers.all.size());
    }
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  });
}

TEST(NoMemorySweep, DebugMode) {
  sweep_virtual([]() -> Coro<> {
    Loop& loop = Loop::running();
    loop.set_debug(true);
    loop.slow_callback_duration = Duration(0);
    loop.call_soon([] {});
    static_cast<void>(work(1));  // never awaited
    const std::string text = current_task().repr();
    co_await sleep(1ms);
  });
}

TEST(NoMemorySweep, Futures) {
  sweep_virtual([]() -> Coro<> {
    Future<std::string> future = create_future<std::string>();
    Future<> lost = create_future();
    static int called;  // without memory, callbacks run after this coroutine has ended
    called = 0;
    future.add_done_callback([](const Future<std::string>&) { ++called; });
    future.add_done_callback([](const Future<std::string>&) { throw std::runtime_error("in a done-callback"); });
    Loop::running().call_soon([future] {
      try {
        future.set_result("a text that is too long for the string's own room");
      } catch (...) {
        future.set_exception(std::current_exception());
      }
    });
    lost.set_exception(std::runtime_error("nobody looks at this"));
    lost = Future<>();
    const std::string text = co_await future;
    co_await sleep(0s);
    EXPECT_EQ(called, 1);
  });
}

TEST(NoMemorySweep, Tasks) {
  sweep_virtual([]() -> Coro<> {
    const auto a = create_task(work(1));
    const auto b = create_task(work(2), {.name = "a name that is too long for the string's own room"});
    co_await a;
    co_await b;
  });
}

TEST(NoMemorySweep, EagerTasks) {
  sweep_virtual([]() -> Coro<> {
    set_task_factory(Loop::running(), eager_task_factory);
    const auto a = create_task(work(1));
    const auto b = create_task(failing(1));
    const int one = co_await a;
    EXPECT_EQ(one, 1);
    co_await b;
  });
}

TEST(NoMemorySweep, ContextVariables) {
  sweep_virtual([]() -> Coro<> {
    static ContextVar<std::string> variable("name");
    variable.set("outside, and too long for the string's own room");
    const auto inside = create_task([]() -> Coro<> {
      variable.set("inside, and too long for the string's own room");
      co_await sleep(1ms);
    });
    co_await inside;
    EXPECT_EQ(variable.get().substr(0, 7), "outside");
  });
}

TEST(NoMemorySweep, CancelsWithReasons) {
  sweep_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 4; ++i) tasks.push_back(create_task(work(i)));
    co_await sleep(1ms);
    for (const auto& task : tasks) task.cancel("a reason that is too long for the string's own room");
    for (const auto& task : tasks) {
      try {
        co_await task;
      } catch (const CancelledError&) {
      }
    }
  });
}

TEST(NoMemorySweep, Gather) {
  sweep_virtual([]() -> Coro<> { co_await gather(work(1), work(2), work(3)); });
}

TEST(NoMemorySweep, GatherOfFailures) {
  sweep_virtual([]() -> Coro<> {
    std::vector<Coro<int>> all;
    for (int i = 0; i < 4; ++i) all.push_back(failing(i));
    co_await gather(return_exceptions, std::move(all));
    co_await gather(work(1), failing(2));
  });
}

TEST(NoMemorySweep, Groups) {
  sweep_virtual([]() -> Coro<> {
    int inside = 0;
    try {
      co_await task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 4; ++i) {
          group.create_task([&inside]() -> Coro<> {
            struct Inside {
              explicit Inside(int& inside) : inside(inside) { ++inside; }
              ~Inside() { --inside; }
              int& inside;
            } here(inside);
            co_await sleep(1s);
          });
        }
        co_await sleep(0s);
      });
    } catch (...) {
      EXPECT_EQ(inside, 0);
      throw;
    }
    EXPECT_EQ(inside, 0);
  });
}

TEST(NoMemorySweep, GroupsThatFail) {
  sweep_virtual([]() -> Coro<> {
    try {
      co_await task_group([](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 3; ++i) group.create_task(failing(i));
        co_await task_group([](TaskGroup& inner) -> Coro<> {
          inner.create_task(failing(1));
          co_await sleep(1s);
        });
      });
    } catch (const ExceptionGroup& group) {
      const std::string text = group.to_string();
    }
  });
}

TEST(NoMemorySweep, AsCompleted) {
  sweep_virtual([]() -> Coro<> {
    std::vector<Coro<int>> all;
    for (int i = 0; i < 3; ++i) all.push_back(work(i));
    for (auto& next : as_completed(std::move(all), 5s)) {
      const int value = co_await next;
      static_cast<void>(value);
    }
  });
}

TEST(NoMemorySweep, AsCompletedTooLate) {
  sweep_virtual([]() -> Coro<> {
    std::vector<Coro<int>> all;
    for (int i = 0; i < 3; ++i) all.push_back(work(i));
    for (auto& next : as_completed(std::move(all), 5ms)) {
      const int value = co_await next;
      static_cast<void>(value);
    }
  });
}

TEST(NoMemorySweep, Wait) {
  sweep_virtual([]() -> Coro<> {
    for (const ReturnWhen when : {ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION}) {
      std::vector<Task<int>> tasks;
      tasks.push_back(create_task(work(1)));
      tasks.push_back(create_task(failing(2)));
      const auto result = co_await wait(tasks, {.timeout = 500ms, .return_when = when});
      for (const auto& task : result.pending) task.cancel();
    }
  });
}

TEST(NoMemorySweep, TimeLimits) {
  sweep_virtual([]() -> Coro<> {
    try {
      co_await timeout(2s, []() -> Coro<> {
        try {
          co_await timeout(1ms, []() -> Coro<> { co_await sleep(1s); });
        } catch (const TimeoutError&) {
        }
        co_await sleep(5s);
      });
    } catch (const TimeoutError&) {
    }
  });
}

TEST(NoMemorySweep, WaitForAndShield) {
  sweep_virtual([]() -> Coro<> {
    try {
      co_await wait_for(shield(work(1)), 500ms);
    } catch (const TimeoutError&) {
    }
    const auto outer = create_task([]() -> Coro<> { co_await shield(failing(1)); });
    co_await sleep(0s);
    outer.cancel();
    co_await sleep(2s);
  });
}

AsyncGenerator<int> numbers() {
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1ms);
    co_yield i;
  }
}

TEST(NoMemorySweep, AsyncGenerators) {
  sweep_virtual([]() -> Coro<> {
    {
      const auto all = numbers();
      while (const auto item = co_await all.next()) static_cast<void>(*item);
      const auto closed = numbers();
      co_await closed.next();
      co_await closed.aclose();
      const auto dropped = numbers();
      co_await dropped.next();
    }
    co_await sleep(1s);
  });
}

// A task that does not begin before its creator has failed still uses the primitive: hence shared pointers.

template <class Primitive>
Coro<> enter(std::shared_ptr<Primitive> primitive) {
  for (int round = 0; round < 2; ++round) {
    const auto guard = co_await primitive->scoped();
    co_await sleep(1ms);
  }
}

/// Makes tasks as far as there is memory.
template <class Make>
std::vector<Task<>> make_tasks(std::size_t count, Make make) {
  std::vector<Task<>> tasks;
  tasks.reserve(count);
  try {
    for (std::size_t i = 0; i < count; ++i) tasks.push_back(create_task(make()));
  } catch (const std::bad_alloc&) {
  }
  return tasks;
}

/// Waits, though there may be no memory for it.
Coro<> ended(const std::vector<Task<>>& tasks) {
  for (const auto& task : tasks) {
    while (!task.done()) {
      bool slept = false;
      try {
        co_await sleep(1ms);
        slept = true;
      } catch (const std::bad_alloc&) {
      }
      if (!slept) co_await sleep(0s);
    }
  }
}

TEST(NoMemorySweep, Locks) {
  sweep_virtual([]() -> Coro<> {
    const auto lock = std::make_shared<Lock>();
    co_await ended(make_tasks(3, [&] { return enter(lock); }));
    EXPECT_FALSE(lock->locked());
  });
}

TEST(NoMemorySweep, Semaphores) {
  sweep_virtual([]() -> Coro<> {
    const auto semaphore = std::make_shared<BoundedSemaphore>(2);
    co_await ended(make_tasks(5, [&] { return enter(semaphore); }));
    EXPECT_EQ(semaphore->value(), 2);
  });
}

Coro<> wait_in(std::shared_ptr<Event> event) { co_await event->wait(); }

TEST(NoMemorySweep, Events) {
  sweep_virtual([]() -> Coro<> {
    const auto event = std::make_shared<Event>();
    const auto tasks = make_tasks(5, [&] { return wait_in(event); });
    co_await sleep(0s);
    event->set();
    co_await ended(tasks);
  });
}

struct Announced {
  Condition condition;
  bool over = false;
};
Coro<> wait_in(std::shared_ptr<Announced> announced) {
  const auto guard = co_await announced->condition.scoped();
  co_await announced->condition.wait_for([&] { return announced->over; });
}

TEST(NoMemorySweep, Conditions) {
  sweep_virtual([]() -> Coro<> {
    const auto announced = std::make_shared<Announced>();
    const auto tasks = make_tasks(3, [&] { return wait_in(announced); });
    co_await sleep(0s);
    announced->over = true;
    {
      const auto guard = co_await announced->condition.scoped();
      announced->condition.notify_all();
    }
    co_await ended(tasks);
    EXPECT_FALSE(announced->condition.locked());
  });
}

Coro<> meet_twice(std::shared_ptr<Barrier> barrier) {
  for (int round = 0; round < 2; ++round) co_await barrier->wait();
}

TEST(NoMemorySweep, Barriers) {
  sweep_virtual([]() -> Coro<> {
    const auto barrier = std::make_shared<Barrier>(2);
    const auto tasks = make_tasks(2, [&] { return meet_twice(barrier); });
    for (int i = 0; i < 20; ++i) co_await sleep(0s);
    for (bool aborted = false; !aborted;) {  // it may be that one has failed, and the other waits for it
      try {
        co_await barrier->abort();
        aborted = true;
      } catch (const std::bad_alloc&) {
      }
      co_await sleep(1ms);
    }
    co_await ended(tasks);
  });
}

template <class SomeQueue>
Coro<> produce(std::shared_ptr<SomeQueue> queue) {
  for (int i = 0; i < 6; ++i) {
    co_await queue->put("a text that is too long for the string's own room " + std::to_string(i));
  }
}

template <class SomeQueue>
Coro<> produce_and_consume() {
  const auto queue = std::make_shared<SomeQueue>(2);
  const auto producer = create_task(produce(queue));
  std::vector<std::string> got;
  for (int i = 0; i < 6; ++i) {
    std::string item = co_await wait_for(queue->get(), 10s);
    queue->task_done();
    got.push_back(std::move(item));
  }
  co_await queue->join();
  co_await producer;
}

TEST(NoMemorySweep, Queues) { sweep_virtual(produce_and_consume<Queue<std::string>>); }
TEST(NoMemorySweep, PriorityQueues) { sweep_virtual(produce_and_consume<PriorityQueue<std::string>>); }
TEST(NoMemorySweep, LifoQueues) { sweep_virtual(produce_and_consume<LifoQueue<std::string>>); }

// What a failed put() or get() leaves: every item that put() has taken is there.
TEST(NoMemorySweep, NoItemIsLost) {
  sweep_virtual([]() -> Coro<> {
    PriorityQueue<std::string> queue;
    std::size_t size = 0;
    for (int i = 0; i < 20; ++i) {
      try {
        queue.put_nowait("an item that is too long for the string's own room " + std::to_string(i * 7 % 20));
        ++size;
      } catch (const std::bad_alloc&) {
      }
    }
    EXPECT_EQ(queue.qsize(), size);
    std::size_t got = 0;
    while (!queue.empty()) {
      try {
        const std::string item = queue.get_nowait();
        EXPECT_EQ(item.substr(0, 7), "an item");
        ++got;
      } catch (const std::bad_alloc&) {
      }
    }
    EXPECT_EQ(got, size);
    co_return;
  });
}

// The program is left with tasks, timers and generators under way, and the loop is closed.
TEST(NoMemorySweep, MuchIsPending) {
  sweep_virtual([]() -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      create_task([]() -> Coro<> {
        struct AtTheEnd {
          ~AtTheEnd() {
            try {
              Loop::running();
            } catch (...) {
            }
          }
        } const at_the_end;
        co_await gather(work(1), work(2), shield(work(3)));
      });
    }
    create_task([]() -> Coro<> {
      const auto generator = numbers();
      for (;;) {
        co_await generator.next();
        co_await sleep(1h);
      }
    });
    for (int i = 0; i < 20; ++i) Loop::running().call_later(1h, [text = std::string(100, 'x')] {});
    for (int i = 0; i < 20; ++i) Loop::running().call_soon([text = std::string(100, 'x')] {});
    Future<int> lost = create_future<int>();
    lost.set_exception(std::runtime_error("nobody looks at this"));
    co_await sleep(5ms);
  });
}

}  // namespace
}  // namespace asyncio::testing
