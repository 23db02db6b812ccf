// User code throws wherever it can: the k-th copy, move or comparison of a result or an item, for every k. Afterwards
// nothing is lost, duplicated or moved-from, and no task sleeps for ever (VirtualCore would throw).
#include <asyncio/as_completed.h>
#include <asyncio/async_generator.h>
#include <asyncio/condition.h>
#include <asyncio/gather.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait_for.h>
#include <gtest/gtest.h>
#include <support/fragile.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Fragile;

/// Runs the scenario with the k-th operation of a Fragile throwing, for each k until there is no k-th.
template <class Scenario>
void fail_each_step(const char* name, Scenario scenario) {
  for (int k = 1; k < 10'000; ++k) {
    SCOPED_TRACE(std::string(name) + ", step " + std::to_string(k) + " throws");
    Fragile::throws_in = k;
    std::vector<std::string> reported;
    {
      Runner runner(std::make_unique<VirtualCore>());
      runner.get_loop().set_exception_handler(
          [&](Loop&, const ErrorContext& context) { reported.push_back(context.to_string()); });
      try {
        runner.run(scenario());
      } catch (const Fragile::Broken&) {
      } catch (const ExceptionGroup& group) {
        EXPECT_EQ(group.matching<Fragile::Broken>().size(), 1u);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      runner.close();  // ends tasks that a gather() left behind
    }
    EXPECT_EQ(reported, std::vector<std::string>{});
    EXPECT_EQ(Fragile::alive, 0);
    if (Fragile::throws_in.exchange(0) > 0) return;  // there was no k-th operation
    if (::testing::Test::HasFailure()) return;
  }
  ADD_FAILURE() << "the scenario has no end";
}

Coro<Fragile> give(int value, bool wait = true) {
  if (wait) co_await sleep(1s);
  Fragile result(value);
  co_return result;
}

Coro<> expect(Coro<Fragile> coroutine, int value) {
  const Fragile result = co_await std::move(coroutine);
  EXPECT_EQ(result.value, value);
}

Coro<Fragile> through_task(bool rvalue) {
  auto task = create_task(give(1));
  if (!rvalue) {
    const Fragile& result = co_await task;
    const Fragile again = task.result();
    EXPECT_EQ(result.value, 1);
    co_return again;
  }
  Fragile result = co_await std::move(task);
  co_return result;
}

Coro<> through_future() {
  const auto future = create_future<Fragile>();
  const auto other = create_task(through_task(true));
  Loop::running().call_later(1s, [future] {
    try {
      future.set_result(Fragile(2));
    } catch (const Fragile::Broken&) {  // nothing has changed
      EXPECT_FALSE(future.done());
      future.set_result(Fragile(2));
    }
  });
  const Fragile& result = co_await future;
  EXPECT_EQ(result.value, 2);
  const Fragile of_task = co_await other;
  EXPECT_EQ(of_task.value, 1);
}

Coro<> through_gather(bool list, bool exceptions) {
  if (!list && !exceptions) {
    const auto both = co_await gather(give(1), give(2, false));
    EXPECT_EQ(std::get<0>(both).value + std::get<1>(both).value, 3);
    co_return;
  }
  std::vector<Task<Fragile>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(give(i)));
  if (exceptions) {
    const auto outcomes = co_await gather(return_exceptions, tasks);
    for (std::size_t i = 0; i < 3; ++i) {
      if (!outcomes[i]) continue;
      EXPECT_EQ(outcomes[i].value().value, static_cast<int>(i));
    }
  } else {
    const auto results = co_await gather(tasks);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i].value, static_cast<int>(i));
  }
}

Coro<> through_as_completed(bool plain) {
  std::vector<Coro<Fragile>> all;
  for (int i = 0; i < 3; ++i) all.push_back(give(i));
  auto completed = as_completed(std::move(all));
  int sum = 0;
  std::exception_ptr error;
  for (int i = 0; i < 3; ++i) {
    try {
      if (plain) {
        auto next = completed.begin();
        const Fragile value = co_await *next;
        sum += value.value;
      } else {
        const auto future = co_await completed.next();
        const Fragile value = co_await *future;
        sum += value.value;
      }
    } catch (const Fragile::Broken&) {
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
  EXPECT_EQ(sum, 3);
}

Coro<> through_group() {
  const Fragile result = co_await task_group([](TaskGroup& group) -> Coro<Fragile> {
    const auto task = group.create_task(give(3));
    const Fragile& value = co_await task;
    co_return value;
  });
  EXPECT_EQ(result.value, 3);
}

AsyncGenerator<Fragile> three() {
  for (int i = 0; i < 3; ++i) {
    co_yield Fragile(i);
    co_await sleep(0s);
  }
}

Coro<> through_generator() {
  const auto generator = three();
  int last = -1;
  for (;;) {
    try {
      const auto item = co_await generator.next();
      if (!item) break;
      EXPECT_GT(item->value, last);
      last = item->value;
    } catch (const Fragile::Broken&) {
    }
  }
}

TEST(ThrowingValues, EveryCombinatorPassesThemOnAndLeavesNoTaskBehind) {
  fail_each_step("coroutine", [] { return expect(give(1, false), 1); });
  fail_each_step("task", [] { return expect(through_task(false), 1); });
  fail_each_step("task, taken", [] { return expect(through_task(true), 1); });
  fail_each_step("future", through_future);
  fail_each_step("sleep", []() -> Coro<> {
    const Fragile result = co_await sleep(1s, Fragile(1));
    EXPECT_EQ(result.value, 1);
  });
  fail_each_step("gather", [] { return through_gather(false, false); });
  fail_each_step("gather of a list", [] { return through_gather(true, false); });
  fail_each_step("gather with exceptions", [] { return through_gather(true, true); });
  fail_each_step("wait_for", []() -> Coro<> {
    const Fragile result = co_await wait_for(give(1), 5s);
    EXPECT_EQ(result.value, 1);
  });
  fail_each_step("wait_for no time", []() -> Coro<> {
    const auto future = create_future<Fragile>();
    future.set_result(Fragile(1));
    const Fragile result = co_await wait_for(future, 0s);
    EXPECT_EQ(result.value, 1);
  });
  fail_each_step("timeout", []() -> Coro<> {
    const Fragile result = co_await timeout(5s, [] { return give(1); });
    EXPECT_EQ(result.value, 1);
  });
  fail_each_step("shield", []() -> Coro<> {
    const Fragile result = co_await shield(give(1));
    EXPECT_EQ(result.value, 1);
  });
  fail_each_step("as_completed", [] { return through_as_completed(false); });
  fail_each_step("as_completed, plain", [] { return through_as_completed(true); });
  fail_each_step("task_group", through_group);
  fail_each_step("generator", through_generator);
}

// ── queues ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Ledger {
  int put = 0;
  int lost = 0;  // gets that failed in a comparison and lost the least item
  std::vector<int> delivered;
};

template <class Queue>
Coro<> produce(Queue& queue, Ledger& ledger, int first) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t size = queue.qsize();
    try {
      Fragile item(first + i);
      if (i % 2 == 0) {
        co_await queue.put(std::move(item));
        ++ledger.put;
      } else if (!queue.full()) {
        queue.put_nowait(std::move(item));
        ++ledger.put;
      }
    } catch (const Fragile::Broken&) {
      if (i % 2 == 1 && queue.qsize() == size + 1) ++ledger.put;  // a comparison threw, but the item is in
      if (i % 2 == 0) ledger.put += 1'000;                        // perhaps
    }
  }
}

template <class Queue>
Coro<> consume(Queue& queue, Ledger& ledger) {
  try {
    for (;;) {
      try {
        const Fragile item = co_await queue.get();
        ledger.delivered.push_back(item.value);
      } catch (const Fragile::Broken&) {
        ++ledger.lost;  // perhaps
      }
    }
  } catch (const QueueShutDown&) {
  }
}

template <class Queue>
Coro<> exchange_items(std::ptrdiff_t maxsize) {
  Queue queue(maxsize);
  Ledger ledger;
  std::vector<Task<>> consumers;
  std::vector<Task<>> producers;
  for (int i = 0; i < 2; ++i) consumers.push_back(create_task(consume(queue, ledger)));
  co_await sleep(0s);
  for (int i = 0; i < 3; ++i) producers.push_back(create_task(produce(queue, ledger, 100 * i)));
  for (auto& producer : producers) co_await producer;
  co_await sleep(1s);
  EXPECT_TRUE(queue.empty()) << queue.qsize() << " items, and consumers that sleep";
  queue.shutdown();
  for (auto& consumer : consumers) co_await consumer;
  const int delivered = static_cast<int>(ledger.delivered.size());
  EXPECT_GE(delivered, ledger.put % 1'000 - ledger.lost);
  EXPECT_LE(delivered, ledger.put % 1'000 + ledger.put / 1'000);
  std::sort(ledger.delivered.begin(), ledger.delivered.end());
  EXPECT_EQ(std::adjacent_find(ledger.delivered.begin(), ledger.delivered.end()), ledger.delivered.end());
  EXPECT_TRUE(ledger.delivered.empty() || ledger.delivered.front() >= 0) << "a moved-from item was delivered";
}

TEST(ThrowingValues, NoQueueLosesAnItemNorLetsATaskSleepForEver) {
  for (const std::ptrdiff_t maxsize : {0, 1, 2}) {
    fail_each_step("Queue", [=] { return exchange_items<Queue<Fragile>>(maxsize); });
    fail_each_step("LifoQueue", [=] { return exchange_items<LifoQueue<Fragile>>(maxsize); });
    fail_each_step("PriorityQueue", [=] { return exchange_items<PriorityQueue<Fragile>>(maxsize); });
  }
}

TEST(ThrowingValues, AFailedGetLeavesTheItemInTheQueue) {
  Queue<Fragile> queue;
  queue.put_nowait(Fragile(1));
  Fragile::throws_in = 1;
  EXPECT_THROW(static_cast<void>(queue.get_nowait()), Fragile::Broken);
  EXPECT_EQ(queue.qsize(), 1u);
  EXPECT_EQ(queue.get_nowait().value, 1);
}

TEST(ThrowingValues, DroppingThePriorityQueueComparesNothing) {
  PriorityQueue<Fragile> queue;
  for (int i = 5; i > 0; --i) queue.put_nowait(Fragile(i));
  Fragile::throws_in = 1;
  queue.shutdown(true);
  EXPECT_EQ(Fragile::throws_in, 1);
  EXPECT_EQ(queue.qsize(), 0u);
  Fragile::throws_in = 0;
}

// ── PriorityQueue's heap, beside CPython's ──────────────────────────────────────────────────────────────────────────

struct Item {
  int priority;
  std::string text;  // longer than the string's inline buffer, so a moved-from text is empty
  explicit Item(int priority) : priority(priority), text(std::string(40, 'x') + std::to_string(priority)) {}
};
int comparisons_left = -1;  // negative: unlimited
bool less(const Item& a, const Item& b) {
  if (comparisons_left >= 0 && comparisons_left-- == 0) throw std::runtime_error("cannot compare");
  return a.priority < b.priority;
}

/// Modules/_heapqmodule.c, line by line.
struct CPythonHeap {
  std::vector<Item> heap;

  void siftdown(std::size_t pos) {
    while (pos > 0) {
      const std::size_t parentpos = (pos - 1) >> 1;
      if (!less(heap[pos], heap[parentpos])) break;
      std::swap(heap[pos], heap[parentpos]);
      pos = parentpos;
    }
  }
  void push(int priority) {
    heap.push_back(Item(priority));
    siftdown(heap.size() - 1);
  }
  Item pop() {
    Item lastelt = std::move(heap.back());
    heap.pop_back();
    if (heap.empty()) return lastelt;
    Item returnitem = std::exchange(heap[0], std::move(lastelt));
    std::size_t pos = 0;
    const std::size_t limit = heap.size() >> 1;
    while (pos < limit) {
      std::size_t childpos = 2 * pos + 1;
      if (childpos + 1 < heap.size()) childpos += !less(heap[childpos], heap[childpos + 1]);
      std::swap(heap[childpos], heap[pos]);
      pos = childpos;
    }
    siftdown(pos);
    return returnitem;
  }
};

template <class F>
std::string outcome(F operation) {
  try {
    return operation();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(PriorityQueue, IsInCPythonsStateAfterAComparisonThatThrows) {
  std::mt19937 random(1);
  struct Less {
    bool operator()(const Item& a, const Item& b) const { return less(a, b); }
  };
  for (int round = 0; round < 2'000; ++round) {
    PriorityQueue<Item, Less> queue;
    CPythonHeap cpython;
    for (int i = 0; i < 40; ++i) {
      const int fails = random() % 3 == 0 ? static_cast<int>(random() % 5) : -1;
      const bool put = cpython.heap.empty() || random() % 5 < 3;
      const int priority = static_cast<int>(random() % 20);
      comparisons_left = fails;
      const std::string ours = outcome([&] {
        if (!put) return queue.get_nowait().text;
        queue.put_nowait(Item(priority));
        return std::string("put");
      });
      comparisons_left = fails;
      const std::string theirs = outcome([&] {
        if (!put) return cpython.pop().text;
        cpython.push(priority);
        return std::string("put");
      });
      comparisons_left = -1;
      ASSERT_EQ(ours, theirs);
      ASSERT_EQ(queue.qsize(), cpython.heap.size());
    }
    while (!cpython.heap.empty()) ASSERT_EQ(queue.get_nowait().text, cpython.pop().text);
  }
}

// In CPython, task_done() after the get is one too many and raises ValueError.
TEST(PriorityQueue, DoesNotCountTheItemOfAFailedPutAsUnfinished) {
  struct Less {
    bool operator()(const Item& a, const Item& b) const { return less(a, b); }
  };
  PriorityQueue<Item, Less> queue;
  queue.put_nowait(Item(1));
  comparisons_left = 0;
  EXPECT_THROW(queue.put_nowait(Item(1)), std::runtime_error);
  comparisons_left = -1;
  EXPECT_EQ(queue.qsize(), 2u);
  queue.get_nowait();
  queue.get_nowait();
  queue.task_done();
  EXPECT_THROW(queue.task_done(), std::invalid_argument);
}

}  // namespace
}  // namespace asyncio
