// Cancels any task before any tick: no waiter, permit or item is lost, and no lock stays held.
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/semaphore.h>
#include <asyncio/timeouts.h>
#include <support/cancel_sweep.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace testing;

/// Counts the tasks inside, during its lifetime.
class Inside {
 public:
  explicit Inside(int& inside) : inside_(inside) { ++inside_; }
  ~Inside() { --inside_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  int& inside_;
  Counted local_;
};

/// `tasks` tasks enter twice, at most `places` at a time; a task that is not cancelled gets in both times.
template <class Primitive>
Coro<> enter_twice(Cast& cast, Primitive& primitive, int tasks, int places) {
  int inside = 0;
  int rounds = 0;
  auto work = [&]() -> Coro<> {
    for (int round = 0; round < 2; ++round) {
      const auto guard = co_await primitive.scoped();
      const Inside here(inside);
      EXPECT_LE(inside, places);
      co_await tick();
      ++rounds;
    }
  };
  for (int i = 0; i < tasks; ++i) cast.start(work);
  co_await cast.all_ended();
  EXPECT_GE(rounds, 2 * (tasks - cast.disturbed()));
}

TEST(CancelSweep, OfALock) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Lock lock;
    co_await enter_twice(cast, lock, 4, 1);
    EXPECT_EQ(lock.repr(), "<Lock [unlocked]>");
  });
}

TEST(CancelSweep, OfASemaphore) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Semaphore semaphore(2);
    co_await enter_twice(cast, semaphore, 4, 2);
    EXPECT_EQ(semaphore.repr(), "<Semaphore [unlocked, value:2]>");
  });
}

TEST(CancelSweep, OfABoundedSemaphore) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    BoundedSemaphore semaphore(3);
    co_await enter_twice(cast, semaphore, 5, 3);
    EXPECT_EQ(semaphore.repr(), "<BoundedSemaphore [unlocked, value:3]>");
  });
}

// Three permits are released at once, while one of the waiters may be cancelled.
TEST(CancelSweep, OfASemaphoreWhosePermitsComeInABunch) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Semaphore semaphore(0);
    int got = 0;
    auto work = [&]() -> Coro<> {
      co_await semaphore.acquire();
      ++got;
    };
    for (int i = 0; i < 4; ++i) cast.start(work);
    for (int i = 0; i < 3; ++i) co_await tick();
    for (int i = 0; i < 3; ++i) semaphore.release();
    for (int i = 0; i < 6; ++i) co_await tick();
    EXPECT_EQ(got, 3);
    EXPECT_EQ(semaphore.value(), 0);
    semaphore.release();
    co_await cast.all_ended();
    EXPECT_EQ(got + semaphore.value(), 4);
  });
}

TEST(CancelSweep, OfAnEvent) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Event event;
    int woken = 0;
    auto wait_twice = [&]() -> Coro<> {
      for (int round = 0; round < 2; ++round) {
        const Counted local;
        co_await event.wait();
        co_await tick();
        ++woken;
        event.clear();
      }
    };
    for (int i = 0; i < 3; ++i) cast.start(wait_twice);
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 4; ++i) co_await tick();
      event.set();
    }
    co_await cast.all_ended();
    EXPECT_GE(woken, 2 * (3 - cast.disturbed()));
    EXPECT_EQ(event.repr(), "<Event [unset]>");
  });
}

// Each item is announced once. If any consumer is cancelled, the others consume all items.
TEST(CancelSweep, OfAConditionsWaitFor) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Condition condition;
    int items = 0;
    int taken = 0;
    bool over = false;
    auto consume = [&]() -> Coro<> {
      for (;;) {
        const auto guard = co_await condition.scoped();
        co_await condition.wait_for([&] { return items > 0 || over; });
        EXPECT_TRUE(condition.locked());
        if (items == 0) co_return;
        --items;
        ++taken;
      }
    };
    for (int i = 0; i < 3; ++i) cast.start(consume);
    for (int i = 0; i < 4; ++i) {
      {
        const auto guard = co_await condition.scoped();
        ++items;
        condition.notify(1);
        co_await tick();
      }
      co_await tick();
    }
    for (int i = 0; i < 12; ++i) co_await tick();
    EXPECT_EQ(taken, 4);
    {
      const auto guard = co_await condition.scoped();
      over = true;
      condition.notify_all();
    }
    co_await cast.all_ended();
    EXPECT_EQ(condition.repr(), "<Condition [unlocked]>");
  });
}

// The cancelled one holds the lock when CancelledError leaves wait(), whatever it was doing.
TEST(CancelSweep, OfAConditionsWait) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Condition condition;
    int woken = 0;
    auto wait = [&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      try {
        co_await condition.wait();
        ++woken;
      } catch (const CancelledError&) {
        EXPECT_TRUE(condition.locked());
        throw;
      }
      co_await tick();
    };
    for (int i = 0; i < 4; ++i) cast.start(wait);
    for (int i = 0; i < 3; ++i) co_await tick();
    for (int n : {2, 1, 1}) {
      const auto guard = co_await condition.scoped();
      condition.notify(static_cast<std::size_t>(n));
      co_await tick();
    }
    co_await cast.all_ended();
    EXPECT_GE(woken, 4 - cast.disturbed());
    EXPECT_EQ(condition.repr(), "<Condition [unlocked]>");
  });
}

// A cancelled task leaves; the remaining tasks, if any, need others to pass the barrier.
TEST(CancelSweep, OfABarrier) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Barrier barrier(3);
    auto meet_twice = [&]() -> Coro<> {
      co_await barrier.wait();
      const Counted local;
      co_await barrier.wait();
    };
    for (int i = 0; i < 3; ++i) cast.start(meet_twice);
    for (int i = 0; i < 12; ++i) co_await tick();
    std::vector<Task<std::size_t>> company;
    while (barrier.n_waiting() > 0) {
      company.push_back(create_task(barrier.wait()));
      for (int i = 0; i < 6; ++i) co_await tick();
    }
    co_await cast.all_ended();
    EXPECT_LE(company.size(), 4u);
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:0/3]>");
  });
}

TEST(CancelSweep, OfABarrierThatIsResetAndAborted) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Barrier barrier(3);
    int broken = 0;
    auto meet = [&]() -> Coro<> {
      for (int round = 0; round < 3; ++round) {
        try {
          co_await barrier.wait();
        } catch (const BrokenBarrierError&) {
          ++broken;
        }
        co_await tick();
      }
    };
    for (int i = 0; i < 2; ++i) cast.start(meet);
    cast.start([&]() -> Coro<> {
      co_await tick();
      co_await barrier.reset();
      co_await tick();
      co_await tick();
      co_await barrier.abort();
    });
    for (int i = 0; i < 8; ++i) co_await tick();
    co_await barrier.abort();  // in any case
    co_await cast.all_ended();
    co_await barrier.reset();
    EXPECT_GE(broken, 3 * (2 - cast.disturbed()));
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:0/3]>");
  });
}

template <class Q>
class CancelSweepOfQueues : public ::testing::Test {};
struct ByValue {
  bool operator()(const Counted& a, const Counted& b) const { return a.value < b.value; }
};
using Queues = ::testing::Types<Queue<Counted>, LifoQueue<Counted>, PriorityQueue<Counted, ByValue>>;
TYPED_TEST_SUITE(CancelSweepOfQueues, Queues, );

template <class Body>
Coro<> until_shut_down(Body body) {
  try {
    co_await body();
  } catch (const QueueShutDown&) {
  }
}

// Cancels any of two producers and two consumers: each item put is got once, and join() returns. `slow` producers make
// the consumers wait, and slow consumers the producers.
template <class Queue>
void put_and_get_and_join(bool slow_producers) {
  cancel_everywhere([=](Cast& cast) -> Coro<> {
    Queue queue(1);
    int put = 0;
    std::vector<int> got;
    auto produce = [&](int from) -> Coro<> {
      for (int i = from; i < from + 3; ++i) {
        for (int i = 0; i < 5 && slow_producers; ++i) co_await tick();
        co_await queue.put(Counted(i));
        ++put;
      }
    };
    auto consume = [&]() -> Coro<> {
      for (;;) {
        if (!slow_producers) co_await tick();
        const Counted item = co_await queue.get();
        got.push_back(item.value);
        queue.task_done();
      }
    };
    auto first = cast.start(produce(0));
    cast.start(until_shut_down(consume));
    auto second = cast.start(produce(10));
    cast.start(until_shut_down(consume));
    cast.start(queue.join());
    co_await finished(first);
    co_await finished(second);
    co_await queue.join();
    EXPECT_EQ(static_cast<int>(got.size()), put);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(std::adjacent_find(got.begin(), got.end()), got.end()) << "got twice";
    EXPECT_TRUE(queue.empty());
    queue.shutdown();
    co_await cast.all_ended();
  });
}
TYPED_TEST(CancelSweepOfQueues, WithSlowConsumers) { put_and_get_and_join<TypeParam>(false); }
TYPED_TEST(CancelSweepOfQueues, WithSlowProducers) { put_and_get_and_join<TypeParam>(true); }

TYPED_TEST(CancelSweepOfQueues, AShutdown) {
  for (const bool immediate : {false, true}) {
    cancel_everywhere([=](Cast& cast) -> Coro<> {
      TypeParam queue(1);
      std::size_t taken = 0;
      auto produce = [&]() -> Coro<> {
        for (int i = 0;; ++i) co_await queue.put(Counted(i));
      };
      auto consume = [&]() -> Coro<> {
        co_await sleep(2ms);
        for (;;) {
          co_await queue.get();
          ++taken;
          queue.task_done();
        }
      };
      cast.start(until_shut_down(produce));
      cast.start(until_shut_down(produce));
      cast.start(until_shut_down(consume));
      co_await sleep(1ms);
      queue.shutdown(immediate);
      co_await cast.all_ended();
      while (!queue.empty()) {  // the consumer was cancelled
        queue.get_nowait();
        ++taken;
        queue.task_done();
      }
      EXPECT_EQ(taken > 0, !immediate);
      co_await queue.join();
    });
  }
}

// The primitives inside a timeout: two sources of cancellation at once.
TEST(CancelSweep, OfALockWithATimeout) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Lock lock;
    int inside = 0;
    auto work = [&]() -> Coro<> {
      for (int round = 0; round < 3; ++round) {
        try {
          co_await timeout(2ms, [&]() -> Coro<> {
            const auto guard = co_await lock.scoped();
            const Inside here(inside);
            EXPECT_EQ(inside, 1);
            co_await sleep(1ms);
            co_await tick();
          });
        } catch (const TimeoutError&) {
        }
      }
    };
    for (int i = 0; i < 4; ++i) cast.start(work);
    co_await cast.all_ended();
    EXPECT_EQ(lock.repr(), "<Lock [unlocked]>");
  });
}

}  // namespace
}  // namespace asyncio
