// Once a program is warm, running callbacks, timers, tasks, locks and queues asks operator new for nothing: their memory
// comes from the pool, and goes back there.
#include "sync_support.h"

#include <asyncio/detail/pool.h>
#include <asyncio/lock.h>
#include <asyncio/queue.h>

#include <cstdlib>
#include <new>

#if ASYNCIO_POOL  // under a sanitizer every block comes from operator new

namespace {
long calls = 0;  // of operator new; the tests of this program have one thread each
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

/// How often 100 rounds call operator new, after 100 others that have warmed it all up.
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
              auto* volatile text = new std::string(100, 'x');  // volatile: a compiler may leave the two out
              delete text;
              co_return;
            }),
            200);  // the string, and what it holds
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
