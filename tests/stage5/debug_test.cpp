// Debug mode: a lock whose holder waits for a task that waits for the lock.
#include <asyncio/call_graph.h>
#include <asyncio/gather.h>
#include <asyncio/lock.h>
#include <asyncio/task_group.h>
#include <asyncio/wait.h>
#include <gtest/gtest.h>
#include <support/call_graph.h>
#include <support/tasks.h>

#include <memory>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace testing;

struct DebugLoop : VirtualLoop {
  DebugLoop() { set_debug(true); }
  ~DebugLoop() { close(); }  // while there is somebody to hear of the tasks that are pending
  ErrorLog errors{*this};
  std::size_t circles() const {
    std::size_t count = 0;
    for (const std::string& message : errors.messages()) count += message.starts_with("Tasks wait for each other");
    return count;
  }
};

Coro<> acquires(Lock& lock) { const auto guard = co_await lock.scoped(); }

Coro<> holds_and_awaits(Lock& lock) {
  const auto guard = co_await lock.scoped();
  co_await create_task(acquires(lock), {.name = "helper"});
}

TEST(DebugModeLock, AHolderThatWaitsForATaskThatWaitsForTheLockIsReportedWithBothPlaces) {
  DebugLoop loop;
  Lock lock;
  const Task<> task = create_task(holds_and_awaits(lock), {.name = "holder", .loop = &loop});
  loop.run_until_complete(sleep(10s));
  ASSERT_EQ(loop.errors.contexts.size(), 1u);
  const ErrorContext& report = loop.errors.contexts[0];
  EXPECT_TRUE(report.message.starts_with("Tasks wait for each other in a circle: ")) << report.message;
  const std::string waits = without_places(report.detail("tasks"));
  EXPECT_NE(waits.find("\n  holder waits in holds_and_awaits here for helper"), std::string::npos) << waits;
  EXPECT_NE(waits.find("\n  helper waits in acquires here for <Lock [locked, waiters:1]>, which holder acquired in "
                       "holds_and_awaits here"),
            std::string::npos)
      << waits;
  EXPECT_EQ(find_cycles(loop).size(), 1u);
  EXPECT_NE(format_task_tree(loop).find("cycle: holder → helper → holder\n"), std::string::npos);
  loop.close();
}

Coro<> takes_both(Lock& first, Lock& second) {
  const auto one = co_await first.scoped();
  co_await tick();
  const auto two = co_await second.scoped();
}

TEST(DebugModeLock, TwoTasksThatTakeTwoLocksInOppositeOrderAreReported) {
  for (const bool was_contended : {false, true}) {
    DebugLoop loop;
    Lock a, b;
    loop.run_until_complete([&]() -> Coro<> {
      if (!was_contended) co_return;
      for (Lock* lock : {&a, &b}) co_await gather(acquires(*lock), acquires(*lock), takes_both(a, b), takes_both(a, b));
    });
    const Task<> one = create_task(takes_both(a, b), {.name = "one", .loop = &loop});
    const Task<> two = create_task(takes_both(b, a), {.name = "two", .loop = &loop});
    loop.run_until_complete(sleep(10s));
    EXPECT_EQ(loop.circles(), 1u) << was_contended;
    loop.close();
  }
}

// The holder has waited for the lock itself: it is the one that was woken.
TEST(DebugModeLock, AHolderThatHadToWaitForItIsKnown) {
  DebugLoop loop;
  Lock lock;
  loop.run_until_complete([&]() -> Coro<> {
    const auto guard = co_await lock.scoped();
    create_task(holds_and_awaits(lock), {.name = "holder"});
    co_await sleep(1s);
  });
  loop.run_until_complete(sleep(10s));
  EXPECT_EQ(loop.circles(), 1u);
  loop.close();
}

TEST(DebugModeLock, ATaskThatAcquiresItTwiceWaitsForItself) {
  DebugLoop loop;
  Lock lock;
  const Task<> task = create_task(
      [&]() -> Coro<> {
        co_await lock.acquire();
        co_await lock.acquire();
      },
      {.name = "twice", .loop = &loop});
  loop.run_until_complete(sleep(10s));
  ASSERT_EQ(loop.errors.contexts.size(), 1u);
  EXPECT_EQ(loop.errors.contexts[0].message, "Tasks wait for each other in a circle: twice → twice");
  loop.close();
}

TEST(DebugModeLock, AHolderThatGathersTasksThatWaitForItIsReported) {
  DebugLoop loop;
  Lock lock;
  const auto holder = [&]() -> Coro<> {
    const auto guard = co_await lock.scoped();
    co_await gather(sleep(1s), acquires(lock));
  };
  const Task<> task = create_task(holder, {.loop = &loop});
  loop.run_until_complete(sleep(10s));
  EXPECT_EQ(loop.circles(), 1u);
  loop.close();
}

TEST(DebugModeLock, AGroupThatIsLeftWithTheLockHeldIsReported) {
  DebugLoop loop;
  Lock lock;
  const auto holder = [&]() -> Coro<> {
    const auto guard = co_await lock.scoped();
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(nothing());
      group.create_task(acquires(lock));
      co_await sleep(5s);
    });
  };
  const Task<> task = create_task(holder, {.loop = &loop});
  loop.run_until_complete(sleep(4s));
  EXPECT_EQ(loop.circles(), 0u);  // the body may yet release it
  loop.run_until_complete(sleep(4s));
  EXPECT_EQ(loop.circles(), 1u);
  loop.close();
}

TEST(DebugModeLock, AHolderThatIsOnlySlowIsNotReported) {
  DebugLoop loop;
  Lock lock;
  loop.run_until_complete([&]() -> Coro<> {
    std::vector<Coro<>> all;
    for (int i = 0; i < 20; ++i) {
      all.push_back([](Lock& lock) -> Coro<> {
        const auto guard = co_await lock.scoped();
        co_await create_task(sleep(1s));
      }(lock));
    }
    co_await gather(std::move(all));
  });
  EXPECT_EQ(loop.errors.messages(), Log{});
  EXPECT_FALSE(lock.locked());
}

// It is released by somebody else: then nobody knows who holds it, and a task at the old one's address does not.
TEST(DebugModeLock, AHolderThatHasEndedIsForgotten) {
  DebugLoop loop;
  Lock lock;
  loop.run_until_complete([&]() -> Coro<> {
    co_await create_task([](Lock& lock) -> Coro<> { co_await lock.acquire(); }(lock));
    const auto waiter = create_task(acquires(lock));
    std::vector<Task<>> others;
    for (int i = 0; i < 10; ++i) others.push_back(create_task([](Task<> one) -> Coro<> { co_await one; }(waiter)));
    co_await sleep(1s);
    lock.release();
    co_await waiter;
  });
  EXPECT_EQ(loop.errors.messages(), Log{});
}

TEST(DebugModeLock, ACancelledWaiterIsNotItsHolder) {
  DebugLoop loop;
  Lock lock;
  loop.run_until_complete([&]() -> Coro<> {
    const auto holder = create_task([](Lock& lock) -> Coro<> {
      const auto guard = co_await lock.scoped();
      co_await sleep(5s);
    }(lock));
    co_await tick();
    const auto waiter = create_task([](Lock& lock, Task<> holder) -> Coro<> {
      try {
        co_await lock.acquire();
      } catch (const CancelledError&) {
        current_task().uncancel();
      }
      co_await holder;
    }(lock, holder));
    const auto next = create_task(acquires(lock));
    co_await sleep(1s);
    waiter.cancel();
    co_await next;
    co_await waiter;
  });
  EXPECT_EQ(loop.errors.messages(), Log{});
}

// ── what else debug mode may not change ──

TEST(DebugModeLock, ALockIsBoundToItsLoopAsEver) {
  Lock lock;
  for (const bool debug : {true, false}) {
    DebugLoop loop;
    loop.set_debug(debug);
    const std::string message = loop.run_until_complete([&]() -> Coro<std::string> {
      co_await lock.acquire();
      const auto waits = [](Lock& lock) -> Coro<> { co_await lock.acquire(); };
      const auto waiter = create_task(waits(lock));
      std::string text = "none";
      try {
        co_await tick();
        co_await tick();
        lock.release();
        co_await waiter;
        lock.release();
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      co_return text;
    });
    EXPECT_EQ(message, debug ? "none" : "<Lock [locked]> is bound to a different event loop");
  }
}

TEST(DebugModeLock, TheTicksAreTheSame) {
  std::vector<int> ticks_with[2];
  for (const bool debug : {false, true}) {
    VirtualLoop loop;
    loop.set_debug(debug);
    Lock lock;
    loop.run_until_complete([&]() -> Coro<> {
      const TickCounter counter(Loop::running());
      const auto log = [&](int ticks) { ticks_with[debug].push_back(ticks); };
      const auto uses = [&]() -> Coro<> {
        for (int i = 0; i < 3; ++i) {
          const auto guard = co_await lock.scoped();
          log(counter.ticks());
          co_await tick();
        }
      };
      co_await gather(uses(), uses(), uses());
      co_await lock.acquire();
      log(counter.ticks());
    });
  }
  EXPECT_EQ(ticks_with[0], ticks_with[1]);
}

}  // namespace
}  // namespace asyncio
