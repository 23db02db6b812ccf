// The results of acquire(), wait(), put() and get() can go to stage 4's combinators before they are awaited.
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/gather.h>
#include <asyncio/lock.h>
#include <asyncio/queue.h>
#include <asyncio/semaphore.h>
#include <asyncio/wait_for.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using testing::run_virtual;
using testing::tick;
using namespace std::chrono_literals;

TEST(Awaitables, CanBeGathered) {
  auto main = []() -> Coro<> {
    Lock lock;
    Semaphore semaphore(2);
    Event event;
    Queue<int> queue;
    event.set();
    auto together = gather(lock.acquire(), semaphore.acquire(), event.wait(), queue.put(7), queue.get(), queue.join());
    Loop::running().call_soon([&] { queue.task_done(); });
    const auto results = co_await std::move(together);
    EXPECT_EQ(std::get<4>(results), 7);
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(semaphore.value(), 1);
  };
  run_virtual(main);
}

template <class Awaitable>
Coro<bool> times_out(Awaitable awaitable) {
  bool timed_out = false;
  try {
    co_await wait_for(std::move(awaitable), 10ms);
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  co_return timed_out;
}

// test_queues.py: QueueGetTests.test_cancelled_getters_not_being_held_in_self_getters
// test_locks.py: ConditionTests.test_timeout_in_block
TEST(Awaitables, CanTimeOutAndLeaveNothingBehind) {
  auto main = []() -> Coro<> {
    Lock lock;
    Semaphore semaphore(0);
    Event event;
    Queue<int> queue(1);
    Condition condition;
    Barrier barrier(2);
    co_await lock.acquire();

    const bool lock_timed_out = co_await times_out(lock.acquire());
    const bool semaphore_timed_out = co_await times_out(semaphore.acquire());
    const bool event_timed_out = co_await times_out(event.wait());
    const bool get_timed_out = co_await times_out(queue.get());
    queue.put_nowait(1);
    const bool put_timed_out = co_await times_out(queue.put(2));
    const bool join_timed_out = co_await times_out(queue.join());
    const bool barrier_timed_out = co_await times_out(barrier.wait());
    co_await condition.acquire();
    const bool condition_timed_out = co_await times_out(condition.wait());
    EXPECT_TRUE(lock_timed_out && semaphore_timed_out && event_timed_out);
    EXPECT_TRUE(get_timed_out && put_timed_out && join_timed_out && barrier_timed_out && condition_timed_out);

    EXPECT_EQ(lock.repr(), "<Lock [locked]>");
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked]>");
    EXPECT_EQ(event.repr(), "<Event [unset]>");
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 _queue=[1] tasks=1>");
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:0/2]>");
    EXPECT_EQ(condition.repr(), "<Condition [locked]>") << "a condition's wait comes back with the lock";
  };
  run_virtual(main);
}

TEST(Awaitables, AGuardComesThroughTheCombinators) {
  auto main = []() -> Coro<> {
    Lock lock;
    Lock other;
    {
      const Guard<Lock> guard = co_await wait_for(lock.scoped(), 1s);
      EXPECT_TRUE(lock.locked());
      const auto guards = co_await gather(other.scoped(), sleep(1ms));
      EXPECT_TRUE(std::get<0>(guards));
      EXPECT_TRUE(other.locked());
    }
    EXPECT_FALSE(lock.locked());
    EXPECT_FALSE(other.locked());
  };
  run_virtual(main);
}

TEST(Awaitables, AWaitForOfAFreeLockTakesNoTick) {
  auto main = []() -> Coro<int> {
    Lock lock;
    const int ticks = co_await testing::ticks_of(wait_for(lock.acquire(), 1s));
    EXPECT_TRUE(lock.locked());
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 0);
}

}  // namespace
}  // namespace asyncio
