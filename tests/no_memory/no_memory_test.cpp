// No memory: operator new fails when the test says so. Nothing crashes, and nobody who is woken sleeps on. In all other
// scenarios: sweep_test.cpp.
#include "no_memory/no_memory.h"

#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

using testing::NoMemory;

TEST(NoMemory, AnExceptionThatNobodyLookedAtIsLostAndTheProgramLives) {
  Loop loop;
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});
  Future<int> future(loop);
  future.set_exception(std::runtime_error("nobody looks at this"));
  const NoMemory none;
  future = Future<int>();
}

TEST(NoMemory, AnExceptionInACallbackDoesNotLeaveTheLoop) {
  Loop loop(std::make_unique<VirtualCore>());
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});
  bool later = false;
  std::optional<NoMemory> none;
  loop.call_soon([&] {
    none.emplace();
    throw 42;
  });
  loop.call_soon([&] {
    none.reset();
    later = true;
    loop.stop();
  });
  loop.run_forever();
  EXPECT_TRUE(later);
}

/// The ready queue is just full when `wake` wakes the waiter, and cannot grow.
void wake_without_memory(std::function<Coro<>()> wait, std::function<void()> wake) {
  Loop loop(std::make_unique<VirtualCore>());
  const Task<> waiter = create_task(wait, {.loop = &loop});
  const auto main = [&]() -> Coro<> {
    co_await sleep(1ms);
    int run = 0;
    for (int i = 0; i < 64; ++i) Loop::running().call_soon([&run] { ++run; });
    {
      const NoMemory none;
      wake();
      EXPECT_THROW(Loop::running().call_soon([] {}), std::bad_alloc);
    }
    co_await sleep(1s);
    EXPECT_EQ(run, 64);
  };
  loop.run_until_complete(main);
  EXPECT_TRUE(waiter.done());
  waiter.cancel();
  loop.run_until_complete(sleep(1s));
}

TEST(NoMemory, WhoeverIsWokenRunsThoughTheReadyQueueCannotGrow) {
  Lock lock;
  wake_without_memory(
      [&]() -> Coro<> {
        co_await lock.acquire();
        co_await lock.acquire();
      },
      [&] { lock.release(); });
  Event event;
  wake_without_memory([&]() -> Coro<> { co_await event.wait(); }, [&] { event.set(); });
  Future<> future;
  wake_without_memory(
      [&]() -> Coro<> {
        future = create_future();
        co_await future;
      },
      [&] { future.set_result(); });
  Task<> task;
  wake_without_memory(
      [&]() -> Coro<> {
        task = create_task(sleep(1h));
        try {
          co_await task;
        } catch (const CancelledError&) {
        }
      },
      [&] { task.cancel(); });
}

TEST(NoMemory, TheOrderOfThoseBehindTheQueueIsKept) {
  Loop loop(std::make_unique<VirtualCore>());
  std::string log;
  const auto main = [&]() -> Coro<> {
    Event event;
    for (int i = 0; i < 200; ++i) {
      create_task([&, i]() -> Coro<> {
        co_await event.wait();
        log += std::to_string(i) + " ";
      });
    }
    co_await sleep(1s);
    for (int i = 0; i < 500; ++i) Loop::running().call_soon([] {});
    {
      const NoMemory none;
      event.set();
    }
    co_await sleep(1s);
  };
  loop.run_until_complete(main);
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += std::to_string(i) + " ";
  EXPECT_EQ(log, expected);
}

}  // namespace
}  // namespace asyncio
