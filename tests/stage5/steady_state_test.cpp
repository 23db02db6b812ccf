// In a warm program, callbacks, timers, tasks, gather(), locks and queues do not call operator new: their memory comes from the
// pool and goes back there.

#include <asyncio/as_completed.h>
#include <asyncio/detail/pool.h>
#include <asyncio/gather.h>
#include <asyncio/lock.h>
#include <asyncio/queue.h>
#include <asyncio/wait.h>
#include <support/tasks.h>

#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#if ASYNCIO_POOL  // under a sanitizer every block comes from operator new

namespace {
long calls = 0;  // of operator new; each test has one thread
}

// (noinline: g++ would see malloc() meet operator delete, and warn.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++calls;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace asyncio::testing {
namespace {

/// The calls of operator new in 100 rounds, after 100 rounds of warming up.
template <class Round>
Coro<long> calls_when_warm(Round& round) {
  for (int i = 0; i < 100; ++i) co_await round();
  const long before = calls;
  for (int i = 0; i < 100; ++i) co_await round();
  co_return calls - before;
}

template <class Round>
long warm_calls(Round round) {
  return run_virtual([&] { return calls_when_warm(round); });
}

TEST(SteadyState, TheCounterCounts) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              auto* volatile text = new std::string(100, 'x');  // volatile: else a compiler may omit new and delete
              delete text;
              co_return;
            }),
            200);  // the string and its buffer
}

TEST(SteadyState, CallSoonNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              int ran = 0;
              for (int i = 0; i < 50; ++i) Loop::running().call_soon([&] { ++ran; });
              Loop::running().call_soon([] {}).cancel();
              co_await tick();
              EXPECT_EQ(ran, 50);
            }),
            0);
}

TEST(SteadyState, CallLaterNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              int ran = 0;
              for (int i = 0; i < 50; ++i) Loop::running().call_later(i * 1ms, [&] { ++ran; });
              Loop::running().call_later(1h, [] {}).cancel();
              co_await sleep(1s);
              EXPECT_EQ(ran, 50);
            }),
            0);
}

TEST(SteadyState, SleepNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              co_await sleep(0s);
              co_await sleep(1ms);
            }),
            0);
}

Coro<int> doubled(int value) {
  co_await tick();
  co_return 2 * value;
}

TEST(SteadyState, MakingAndEndingATaskNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              Task<int> task = create_task(doubled(2));
              int value = co_await doubled(1);
              value += co_await task;
              EXPECT_EQ(value, 6);
            }),
            0);
}

std::vector<Coro<int>> ten() {
  std::vector<Coro<int>> coroutines;
  coroutines.reserve(10);
  for (int i = 0; i < 10; ++i) coroutines.push_back(doubled(i));
  return coroutines;
}

TEST(SteadyState, AGatherNeedsNoMemoryBesideItsResult) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              auto [first, second] = co_await gather(doubled(1), doubled(2));
              EXPECT_EQ(first + second, 6);
            }),
            0);
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              const std::vector<int> results = co_await gather(ten());
              EXPECT_EQ(results.back(), 18);
            }),
            200);  // the vector of coroutines, which is the caller's, and that of results
}

TEST(SteadyState, AWaitNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              std::vector<Task<int>> tasks;
              tasks.reserve(10);
              for (Coro<int>& coroutine : ten()) tasks.push_back(create_task(std::move(coroutine)));
              const auto result = co_await wait(std::move(tasks));
              EXPECT_EQ(result.done.size(), 10u);
            }),
            200);  // the caller's vectors; that of the tasks is the result
}

TEST(SteadyState, AsCompletedNeedsNoMemory) {
  EXPECT_EQ(warm_calls([]() -> Coro<> {
              int sum = 0;
              for (auto& next : as_completed(ten())) {
                int value = co_await next;
                sum += value;
              }
              EXPECT_EQ(sum, 90);
            }),
            100);  // the caller's vector
}

TEST(SteadyState, ALockNeedsNoMemoryFreeOrContended) {
  Lock lock;
  const auto holder = [&lock]() -> Coro<> {
    const auto guard = co_await lock.scoped();
    co_await tick();
  };
  EXPECT_EQ(warm_calls([&]() -> Coro<> {
              co_await lock.acquire();
              lock.release();
              Task<> first = create_task(holder());
              Task<> second = create_task(holder());
              Task<> third = create_task(holder());
              co_await first;
              co_await second;
              co_await third;
            }),
            0);
}

TEST(SteadyState, AQueueNeedsNoMemoryWithRoomOrWithout) {
  Queue<int> queue(1);
  const auto producer = [&queue]() -> Coro<> {
    for (int i = 0; i < 10; ++i) co_await queue.put(i);
  };
  EXPECT_EQ(warm_calls([&]() -> Coro<> {
              queue.put_nowait(1);
              EXPECT_EQ(queue.get_nowait(), 1);
              Task<> task = create_task(producer());
              for (int i = 0; i < 10; ++i) {
                int item = co_await queue.get();
                EXPECT_EQ(item, i);
              }
              co_await task;
            }),
            0);
}

}  // namespace
}  // namespace asyncio::testing
#endif
