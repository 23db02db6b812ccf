// Queue, LifoQueue, PriorityQueue: no item is lost, and no task waits in vain.
#include <asyncio/lifo_queue.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <memory>

namespace asyncio {
namespace {

using testing::Counted;
using testing::finished;
using testing::Ints;
using testing::MoveOnly;
using testing::run_virtual;
using testing::thrown;
using testing::tick;
using testing::ticks_of;
using namespace std::chrono_literals;

template <class Awaitable>
Coro<bool> is_shut_down(Awaitable awaitable) {
  bool thrown = false;
  try {
    co_await std::move(awaitable);
  } catch (const QueueShutDown&) {
    thrown = true;
  }
  co_return thrown;
}

// ── basics ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_queues.py: QueueBasicTests.test_empty
// test_queues.py: QueueBasicTests.test_full
// test_queues.py: QueueBasicTests.test_order
TEST(Queue, GivesBackInTheOrderOfPutting) {
  auto main = []() -> Coro<> {
    Queue<int> queue(3);
    EXPECT_TRUE(queue.empty());
    for (int i : {1, 3, 2}) co_await queue.put(i);
    EXPECT_FALSE(queue.empty());
    EXPECT_TRUE(queue.full());
    EXPECT_EQ(queue.qsize(), 3u);
    Ints items;
    for (int i = 0; i < 3; ++i) {
      const int item = co_await queue.get();
      items.push_back(item);
    }
    EXPECT_EQ(items, (Ints{1, 3, 2}));
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(Queue<int>().full());
    EXPECT_FALSE(Queue<int>(-1).full());
  };
  run_virtual(main);
}

TEST(Queue, KeepsItsOrderAsItGrowsAndWrapsRound) {
  Queue<int> queue;
  int put = 0;
  int got = 0;
  for (int round = 1; round < 60; ++round) {
    for (int i = 0; i < round; ++i) queue.put_nowait(put++);
    for (int i = 0; i < round - 1; ++i) EXPECT_EQ(queue.get_nowait(), got++);
  }
  while (!queue.empty()) EXPECT_EQ(queue.get_nowait(), got++);
  EXPECT_EQ(put, got);
}

// test_queues.py: QueueBasicTests.test_maxsize
TEST(Queue, APutterWaitsForRoomAndRunsOneTickAfterAGet) {
  auto main = []() -> Coro<> {
    Queue<int> queue(2);
    EXPECT_EQ(queue.maxsize(), 2);
    Ints have_been_put;
    auto putter = [&]() -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        co_await queue.put(i);
        have_been_put.push_back(i);
      }
    };
    auto task = create_task(putter);
    co_await tick();
    co_await tick();
    EXPECT_EQ(have_been_put, (Ints{0, 1}));
    const int first = co_await queue.get();
    EXPECT_EQ(first, 0);
    co_await tick();
    EXPECT_EQ(have_been_put, (Ints{0, 1, 2}));
    EXPECT_EQ(queue.get_nowait(), 1);
    EXPECT_EQ(queue.get_nowait(), 2);
    EXPECT_TRUE(task.done());
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_nonblocking_get_exception
// test_queues.py: QueuePutTests.test_nonblocking_put_exception
// test_queues.py: QueueGetTests.test_nonblocking_get
// test_queues.py: QueuePutTests.test_nonblocking_put
TEST(Queue, WithoutWaitingEmptyAndFullAreErrors) {
  Queue<int> queue(1);
  EXPECT_EQ(thrown<QueueEmpty>([&] { queue.get_nowait(); }), "the queue is empty");
  queue.put_nowait(1);
  EXPECT_EQ(thrown<QueueFull>([&] { queue.put_nowait(2); }), "the queue is full");
  EXPECT_EQ(queue.get_nowait(), 1);
}

// test_queues.py: QueuePutTests.test_put_with_waiting_getters
// test_queues.py: QueuePutTests.test_put_cancelled
TEST(Queue, WhatIsPutGoesToAGetterThatWaits) {
  auto main = []() -> Coro<> {
    Queue<std::string> queue;
    auto get = create_task(queue.get());
    co_await tick();
    co_await queue.put("a");
    const std::string first = co_await get;
    EXPECT_EQ(first, "a");

    auto put = create_task(queue.put("b"));
    const std::string second = co_await queue.get();
    EXPECT_EQ(second, "b");
    EXPECT_TRUE(put.done());
    put.result();
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_get_with_putters
TEST(Queue, AGetWakesAPutterAtOnce) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    co_await queue.put(1);
    auto put = create_task(queue.put(2));
    co_await tick();
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 _queue=[1] _putters[1] tasks=1>");
    const int item = co_await queue.get();
    EXPECT_EQ(item, 1);
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 tasks=1>") << "woken, and not yet run";
    co_await tick();
    EXPECT_TRUE(put.done());
    EXPECT_EQ(queue.get_nowait(), 2);
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_blocking_get_wait
TEST(Queue, AGetterWaitsForAnItem) {
  auto main = []() -> Coro<int> {
    Queue<int> queue;
    Loop::running().call_later(10ms, [&] { queue.put_nowait(1); });
    const int item = co_await queue.get();
    co_return item;
  };
  EXPECT_EQ(run_virtual(main), 1);
}

// test_queues.py: QueuePutTests.test_blocking_put_wait
TEST(Queue, APutterWaitsForAGetNowait) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    Loop::running().call_later(10ms, [&] { queue.get_nowait(); });
    co_await queue.put(1);
    co_await queue.put(2);
    EXPECT_EQ(Loop::running().time().time_since_epoch(), 10ms);
    EXPECT_EQ(queue.get_nowait(), 2);
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_get_with_waiting_putters
TEST(Queue, WithRoomForOneTheItemsComeInOrder) {
  auto main = []() -> Coro<> {
    Queue<std::string> queue(1);
    auto put_a = create_task(queue.put("a"));
    auto put_b = create_task(queue.put("b"));
    const std::string first = co_await queue.get();
    const std::string second = co_await queue.get();
    EXPECT_EQ(first + second, "ab");
    EXPECT_TRUE(put_a.done() && put_b.done());
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_why_are_getters_waiting
TEST(Queue, ProducerAndConsumerKeepEachOtherGoing) {
  auto main = []() -> Coro<int> {
    Queue<int> queue(1);
    int sum = 0;
    auto consume = [&]() -> Coro<> {
      for (int i = 0; i < 5; ++i) {
        const int item = co_await queue.get();
        sum += item;
      }
    };
    auto produce = [&]() -> Coro<> {
      for (int i = 1; i <= 5; ++i) co_await queue.put(i);
    };
    auto producer = create_task(produce);
    auto consumer = create_task(consume);
    co_await producer;
    co_await consumer;
    co_return sum;
  };
  EXPECT_EQ(run_virtual(main), 15);
}

// test_queues.py: QueuePutTests.test_why_are_putters_waiting
TEST(Queue, OnePutterIsWokenForEachItemTaken) {
  auto main = []() -> Coro<> {
    Queue<int> queue(2);
    auto get_all = [&]() -> Coro<> {
      co_await tick();
      for (std::size_t n = queue.qsize(); n > 0; --n) queue.get_nowait();
    };
    auto getter = create_task(get_all);
    std::vector<Task<>> putters;
    for (int i = 0; i < 4; ++i) putters.push_back(create_task(queue.put(i)));
    co_await getter;
    for (auto& putter : putters) co_await putter;
    EXPECT_EQ(queue.repr(), "<Queue maxsize=2 _queue=[2, 3] tasks=4>");
  };
  run_virtual(main);
}

TEST(Queue, AGetterWhoseItemWasTakenGoesToTheEndOfTheLine) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    std::vector<std::string> log;
    auto get = [&](std::string name) -> Coro<> {
      const int item = co_await queue.get();
      log.push_back(name + std::to_string(item));
    };
    auto a = create_task(get("a"));
    auto b = create_task(get("b"));
    co_await tick();
    queue.put_nowait(1);               // wakes a
    EXPECT_EQ(queue.get_nowait(), 1);  // takes the item before a runs
    co_await tick();                   // a finds no item, and waits behind b
    queue.put_nowait(2);
    queue.put_nowait(3);
    co_await a;
    co_await b;
    EXPECT_EQ(log, (std::vector<std::string>{"b2", "a3"}));
  };
  run_virtual(main);
}

// ── ticks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_queues.py: QueueGetTests.test_blocking_get
// test_queues.py: QueuePutTests.test_blocking_put
TEST(Queue, WithRoomOrAnItemThereIsNoTick) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    const int put = co_await ticks_of(queue.put(1));
    const int get = co_await ticks_of(queue.get());
    EXPECT_EQ(put, 0);
    EXPECT_EQ(get, 0);
    const int join_of_unfinished = co_await ticks_of(queue.join(), [&] { queue.task_done(); });
    const int join_of_finished = co_await ticks_of(queue.join());
    EXPECT_EQ(join_of_unfinished, 2);
    EXPECT_EQ(join_of_finished, 0);
  };
  run_virtual(main);
}

TEST(Queue, AWaiterServedByTheNextCallbackTakesTwoTicks) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    const std::function<void()> put_it = [&] { queue.put_nowait(1); };
    const std::function<void()> get_it = [&] { queue.get_nowait(); };
    const int get = co_await ticks_of(queue.get(), put_it);
    EXPECT_EQ(get, 2);
    queue.put_nowait(2);
    const int put = co_await ticks_of(queue.put(3), get_it);
    EXPECT_EQ(put, 2);
  };
  run_virtual(main);
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_queues.py: QueueGetTests.test_get_cancelled_race
TEST(Queue, AnItemPutAfterACancelGoesToTheNextGetter) {
  auto main = []() -> Coro<> {
    Queue<std::string> queue;
    auto t1 = create_task(queue.get());
    auto t2 = create_task(queue.get());
    co_await tick();
    t1.cancel();
    co_await tick();
    EXPECT_TRUE(t1.done());
    co_await queue.put("a");
    co_await tick();
    EXPECT_EQ(t2.result(), "a");
  };
  run_virtual(main);
}

// test_queues.py: QueueGetTests.test_cancelled_getters_not_being_held_in_self_getters
// test_queues.py: QueuePutTests.test_cancelled_puts_not_being_held_in_self_putters
// test_queues.py: QueueBasicTests.test_repr
// test_queues.py: QueueBasicTests.test_str
TEST(Queue, TheCancelledLeaveTheLine) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    auto get = create_task(queue.get());
    co_await tick();
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 _getters[1]>");
    get.cancel();
    co_await finished(get);
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1>");

    queue.put_nowait(1);
    auto put = create_task(queue.put(2));
    co_await tick();
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 _queue=[1] _putters[1] tasks=1>");
    put.cancel();
    co_await finished(put);
    EXPECT_TRUE(put.cancelled());
    EXPECT_EQ(queue.repr(), "<Queue maxsize=1 _queue=[1] tasks=1>");
  };
  run_virtual(main);
}

// test_queues.py: QueuePutTests.test_get_cancel_drop_one_pending_reader
TEST(Queue, AWokenThenCancelledGetterLosesNoItem) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    auto reader = create_task(queue.get());
    co_await tick();
    queue.put_nowait(1);
    queue.put_nowait(2);
    reader.cancel();
    co_await finished(reader);
    EXPECT_TRUE(reader.cancelled());
    const int item = co_await queue.get();
    EXPECT_EQ(item, 1);
  };
  run_virtual(main);
}

// test_queues.py: QueuePutTests.test_get_cancel_drop_many_pending_readers
TEST(Queue, AWokenThenCancelledGetterWakesTheNext) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    auto r1 = create_task(queue.get());
    auto r2 = create_task(queue.get());
    auto r3 = create_task(queue.get());
    co_await tick();
    queue.put_nowait(1);
    queue.put_nowait(2);
    r1.cancel();
    co_await finished(r1);
    EXPECT_TRUE(r1.cancelled());
    co_await r3;
    EXPECT_EQ(r2.result(), 1);
    EXPECT_EQ(r3.result(), 2);
  };
  run_virtual(main);
}

// test_queues.py: QueuePutTests.test_put_cancel_drop
// test_queues.py: QueuePutTests.test_cancelled_put_silence_value_error_exception
TEST(Queue, AWokenThenCancelledPutterHasNotPut) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    auto writer = create_task(queue.put(2));
    co_await tick();
    EXPECT_EQ(queue.get_nowait(), 1);
    writer.cancel();
    co_await finished(writer);
    EXPECT_TRUE(writer.cancelled());
    EXPECT_TRUE(queue.empty());
    co_await queue.put(3);
    EXPECT_EQ(queue.get_nowait(), 3);
  };
  run_virtual(main);
}

TEST(Queue, AWokenThenCancelledPutterWakesTheNext) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    auto first = create_task(queue.put(2));
    auto second = create_task(queue.put(3));
    co_await tick();
    EXPECT_EQ(queue.get_nowait(), 1);
    first.cancel();
    co_await second;
    EXPECT_TRUE(first.cancelled());
    EXPECT_EQ(queue.get_nowait(), 3);
  };
  run_virtual(main);
}

TEST(Queue, ACancelWakesNobodyIfTheItemIsAnothersAlready) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    std::vector<Task<int>> getters;
    for (int i = 0; i < 4; ++i) getters.push_back(create_task(queue.get()));
    co_await tick();
    getters[0].cancel();
    queue.put_nowait(1);  // wakes the second
    co_await tick();
    co_await tick();
    EXPECT_EQ(queue.repr(), "<Queue maxsize=0 _getters[2] tasks=1>");
    queue.put_nowait(2);
    queue.put_nowait(3);
    co_await getters[3];
    EXPECT_EQ(getters[1].result(), 1);
    EXPECT_EQ(getters[2].result(), 2) << "the third was woken for nothing, and sent to the end of the line";
    EXPECT_EQ(getters[3].result(), 3);
  };
  run_virtual(main);
}

// test_queues.py: QueuePutTests.test_put_cancelled_race
TEST(Queue, ACancelledPutterLetsTheNextIn) {
  auto main = []() -> Coro<> {
    Queue<std::string> queue(1);
    auto a = create_task(queue.put("a"));
    auto b = create_task(queue.put("b"));
    auto c = create_task(queue.put("X"));
    co_await tick();
    EXPECT_TRUE(a.done());
    EXPECT_FALSE(b.done());
    c.cancel();
    co_await tick();
    EXPECT_TRUE(c.done());
    EXPECT_EQ(queue.get_nowait(), "a");
    co_await tick();
    EXPECT_EQ(queue.get_nowait(), "b");
    co_await b;
  };
  run_virtual(main);
}

// ── Lifo, priority ──────────────────────────────────────────────────────────────────────────────────────────────────

// test_queues.py: LifoQueueTests.test_order
TEST(LifoQueue, GivesTheLastPutFirst) {
  LifoQueue<int> queue;
  for (int i : {1, 3, 2}) queue.put_nowait(i);
  EXPECT_EQ(queue.repr(), "<LifoQueue maxsize=0 _queue=[1, 3, 2] tasks=3>");
  Ints items;
  while (!queue.empty()) items.push_back(queue.get_nowait());
  EXPECT_EQ(items, (Ints{2, 3, 1}));
}

// test_queues.py: PriorityQueueTests.test_order
TEST(PriorityQueue, GivesTheLeastFirst) {
  PriorityQueue<int> queue;
  for (int i : {6, 4, 22, 48, 9, 90, 40}) queue.put_nowait(i);
  EXPECT_EQ(queue.repr(), "<PriorityQueue maxsize=0 _queue=[4, 6, 22, 48, 9, 90, 40] tasks=7>");
  Ints items;
  while (!queue.empty()) items.push_back(queue.get_nowait());
  EXPECT_EQ(items, (Ints{4, 6, 9, 22, 40, 48, 90}));
}

// Equal items: the order of Lib/heapq.py, recorded from a run of Python.
TEST(PriorityQueue, GivesEqualItemsInPythonsOrder) {
  const auto by_priority = [](const std::pair<int, char>& a, const std::pair<int, char>& b) {
    return a.first < b.first;
  };
  PriorityQueue<std::pair<int, char>, decltype(by_priority)> queue(0, by_priority);
  for (char name : std::string("abcdefgh")) queue.put_nowait({1, name});
  std::string order;
  while (!queue.empty()) order += queue.get_nowait().second;
  EXPECT_EQ(order, "acgfhebd");

  const int priorities[] = {3, 1, 2, 3, 1, 2, 3, 1, 2, 0};
  for (int i = 0; i < 10; ++i) queue.put_nowait({priorities[i], static_cast<char>('0' + i)});
  order.clear();
  while (!queue.empty()) order += queue.get_nowait().second;
  EXPECT_EQ(order, "9147258630");
}

TEST(PriorityQueue, TakesItemsThatCanOnlyBeMoved) {
  const auto less = [](const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) { return *a < *b; };
  PriorityQueue<std::unique_ptr<int>, decltype(less)> queue(0, less);
  for (int i : {5, 1, 4, 2, 3}) queue.put_nowait(std::make_unique<int>(i));
  Ints items;
  while (!queue.empty()) items.push_back(*queue.get_nowait());
  EXPECT_EQ(items, (Ints{1, 2, 3, 4, 5}));
}

// ── join and shutdown, for all three ────────────────────────────────────────────────────────────────────────────────

template <class Q>
class AnyQueue : public ::testing::Test {};
using AllQueues = ::testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>>;
TYPED_TEST_SUITE(AnyQueue, AllQueues);

// test_queues.py: _QueueJoinTestMixin.test_task_done_underflow
TYPED_TEST(AnyQueue, TaskDoneTooOftenIsAnError) {
  TypeParam queue;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { queue.task_done(); }), "task_done() called too many times");
}

// test_queues.py: _QueueJoinTestMixin.test_task_done
// test_queues.py: _QueueJoinTestMixin.test_join_empty_queue
TYPED_TEST(AnyQueue, JoinWaitsUntilAllIsDone) {
  auto main = []() -> Coro<> {
    TypeParam queue;
    co_await queue.join();
    co_await queue.join();
    for (int i = 0; i < 100; ++i) queue.put_nowait(i);
    int sum = 0;
    bool running = true;
    auto work = [&]() -> Coro<> {
      while (running) {
        const int item = co_await queue.get();
        sum += item;
        queue.task_done();
      }
    };
    auto a = create_task(work);
    auto b = create_task(work);
    co_await queue.join();
    EXPECT_EQ(sum, 4950);
    running = false;
    queue.put_nowait(0);
    queue.put_nowait(0);
    co_await a;
    co_await b;
  };
  run_virtual(main);
}

// test_queues.py: _QueueJoinTestMixin.test_format
TYPED_TEST(AnyQueue, PrintsHowManyItemsAreNotDone) {
  TypeParam queue;
  EXPECT_NE(queue.repr().find("Queue maxsize=0>"), std::string::npos) << queue.repr();
  for (int i = 0; i < 2; ++i) queue.put_nowait(i);
  for (int i = 0; i < 2; ++i) queue.get_nowait();
  EXPECT_NE(queue.repr().find("Queue maxsize=0 tasks=2>"), std::string::npos) << queue.repr();
}

// test_queues.py: _QueueShutdownTestMixin.test_shutdown_empty
// test_queues.py: _QueueShutdownTestMixin.test_format
TYPED_TEST(AnyQueue, ShutdownOfAnEmptyQueueThrowsAtThoseWhoWait) {
  auto main = []() -> Coro<> {
    TypeParam queue;
    auto get = create_task(is_shut_down(queue.get()));
    co_await tick();
    queue.shutdown();
    EXPECT_NE(queue.repr().find("maxsize=0 shutdown>"), std::string::npos) << queue.repr();
    co_await queue.join();
    co_await tick();
    EXPECT_TRUE(get.done() && get.result());

    const bool put_throws = co_await is_shut_down(queue.put(1));
    const bool get_throws = co_await is_shut_down(queue.get());
    EXPECT_TRUE(put_throws);
    EXPECT_TRUE(get_throws);
    EXPECT_THROW(queue.put_nowait(1), QueueShutDown);
    EXPECT_THROW(queue.get_nowait(), QueueShutDown);
    EXPECT_EQ(thrown<QueueShutDown>([&] { queue.get_nowait(); }), "the queue has been shut down");
  };
  run_virtual(main);
}

// test_queues.py: _QueueShutdownTestMixin.test_shutdown_nonempty
TYPED_TEST(AnyQueue, AfterAShutdownWhatIsInCanStillBeGot) {
  auto main = []() -> Coro<> {
    TypeParam queue(1);
    queue.put_nowait(7);
    auto join = create_task(queue.join());
    auto put = create_task(is_shut_down(queue.put(8)));
    co_await tick();
    EXPECT_FALSE(put.done());
    queue.shutdown();
    EXPECT_EQ(queue.qsize(), 1u);
    co_await tick();
    EXPECT_TRUE(put.done() && put.result());

    const int item = co_await queue.get();
    EXPECT_EQ(item, 7);
    co_await tick();
    EXPECT_FALSE(join.done());
    const bool get_throws = co_await is_shut_down(queue.get());
    EXPECT_TRUE(get_throws);
    EXPECT_THROW(queue.put_nowait(1), QueueShutDown);

    queue.task_done();
    co_await tick();
    EXPECT_TRUE(join.done());
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
  };
  run_virtual(main);
}

// test_queues.py: _QueueShutdownTestMixin.test_shutdown_immediate
TYPED_TEST(AnyQueue, AnImmediateShutdownDropsWhatIsIn) {
  auto main = []() -> Coro<> {
    TypeParam queue;
    queue.put_nowait(7);
    auto join = create_task(queue.join());
    co_await tick();
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    co_await tick();
    EXPECT_TRUE(join.done());
    EXPECT_THROW(queue.get_nowait(), QueueShutDown);
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
  };
  run_virtual(main);
}

// test_queues.py: _QueueShutdownTestMixin.test_shutdown_immediate_with_unfinished
TYPED_TEST(AnyQueue, AnImmediateShutdownCountsOnlyTheDroppedAsDone) {
  auto main = []() -> Coro<> {
    TypeParam queue;
    queue.put_nowait(7);
    queue.put_nowait(7);
    auto join = create_task(queue.join());
    const int item = co_await queue.get();
    EXPECT_EQ(item, 7);
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    co_await tick();
    EXPECT_FALSE(join.done());
    queue.task_done();
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    co_await tick();
    EXPECT_TRUE(join.done());
  };
  run_virtual(main);
}

// ── values, loops and lives ─────────────────────────────────────────────────────────────────────────────────────────

TEST(Queue, MovesItsItemsAndNeverCopiesThem) {
  auto main = []() -> Coro<> {
    Queue<Counted> queue(1);
    auto put_two = [&]() -> Coro<> {
      co_await queue.put(Counted(1));
      co_await queue.put(Counted(2));
    };
    auto producer = create_task(put_two);
    co_await tick();
    Counted first = co_await queue.get();
    Counted second = co_await queue.get();
    EXPECT_EQ(first.value, 1);
    EXPECT_EQ(second.value, 2);
    co_await producer;
  };
  Counted::reset();
  run_virtual(main);
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Queue, TakesItemsThatCanOnlyBeMoved) {
  auto main = []() -> Coro<int> {
    Queue<MoveOnly> queue;
    auto put = create_task(queue.put(MoveOnly(5)));
    MoveOnly item = co_await queue.get();
    co_await put;
    co_return item.value;
  };
  EXPECT_EQ(run_virtual(main), 5);
}

TEST(Queue, BelongsToTheLoopWhereATaskFirstHadToWait) {
  Queue<int> queue;
  auto wait = [&]() -> Coro<> {
    Loop::running().call_soon([&] { queue.put_nowait(1); });
    co_await queue.get();
    queue.task_done();
  };
  run_virtual(wait);
  EXPECT_EQ(thrown<std::runtime_error>([&] { run_virtual(wait); }),
            "<Queue maxsize=0> is bound to a different event loop");
}

TEST(Queue, MayBeDestroyedWhileTasksWait) {
  auto main = []() -> Coro<> {
    auto queue = std::make_unique<Queue<Counted>>(1);
    auto get = create_task(queue->get());
    co_await tick();
    queue.reset();
    get.cancel();
    co_await finished(get);
    EXPECT_TRUE(get.cancelled());

    queue = std::make_unique<Queue<Counted>>(1);
    queue->put_nowait(Counted(1));
    auto put = create_task(queue->put(Counted(2)));
    co_await tick();
    queue->get_nowait();  // wakes the putter
    queue.reset();
    put.cancel();
    co_await finished(put);
    EXPECT_TRUE(put.cancelled());
  };
  Counted::reset();
  run_virtual(main);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Queue, ClosingTheLoopEarlyLeaksNothing) {
  Counted::reset();
  {
    Queue<Counted> queue(1);
    testing::VirtualLoop loop;
    const testing::ErrorLog errors(loop);
    for (int i = 0; i < 3; ++i) create_task(queue.put(Counted(i)), {.loop = &loop});
    create_task(queue.join(), {.loop = &loop});
    loop.run_ticks(2);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_GE(Counted::alive, 3);
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 3u);
    EXPECT_EQ(Counted::alive, 1) << "what is in the queue";
  }
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace
}  // namespace asyncio
