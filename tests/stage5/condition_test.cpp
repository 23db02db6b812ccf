// Condition: wait() returns holding the lock, and no notification is lost.
#include <asyncio/condition.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <memory>
#include <optional>

namespace asyncio {
namespace {

using testing::finished;
using testing::Ints;
using testing::run_virtual;
using testing::thrown;
using testing::tick;
using testing::ticks_of;
using namespace std::chrono_literals;

Coro<> note_when_notified(Condition& condition, Ints& result, int number) {
  co_await condition.acquire();
  co_await condition.wait();
  result.push_back(number);
}

Coro<> note_and_release(Condition& condition, Ints& result, int number) {
  const auto guard = co_await condition.scoped();
  co_await condition.wait();
  result.push_back(number);
}

Coro<> notify(Condition& condition, std::size_t n = 1) {
  const auto guard = co_await condition.scoped();
  condition.notify(n);
}

// ── notifying ───────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: ConditionTests.test_wait
TEST(Condition, TheNotifiedGetTheLockOneByOne) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    auto t1 = create_task(note_when_notified(condition, result, 1));
    auto t2 = create_task(note_when_notified(condition, result, 2));
    auto t3 = create_task(note_when_notified(condition, result, 3));
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    EXPECT_FALSE(condition.locked());

    co_await condition.acquire();
    condition.notify();
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    EXPECT_TRUE(condition.locked());

    condition.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    EXPECT_TRUE(condition.locked());

    condition.notify(2);
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    EXPECT_TRUE(condition.locked());

    condition.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2}));
    EXPECT_TRUE(condition.locked());

    condition.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2, 3}));
    EXPECT_TRUE(condition.locked());
    EXPECT_TRUE(t1.done() && t2.done() && t3.done());
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_notify
TEST(Condition, NotifyWakesAsManyAsAskedAndAsAreThere) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    std::vector<Task<>> tasks;
    for (int i = 1; i <= 3; ++i) tasks.push_back(create_task(note_and_release(condition, result, i)));
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    co_await notify(condition);
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    co_await condition.acquire();
    condition.notify(1);
    condition.notify(2048);
    condition.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2, 3}));
    for (auto& task : tasks) EXPECT_TRUE(task.done());
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_notify_all
TEST(Condition, NotifyAllWakesAll) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    auto t1 = create_task(note_and_release(condition, result, 1));
    auto t2 = create_task(note_and_release(condition, result, 2));
    co_await tick();
    co_await condition.acquire();
    condition.notify_all();
    condition.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2}));
    EXPECT_TRUE(t1.done() && t2.done());
  };
  run_virtual(main);
}

TEST(Condition, TheNotifiedCompeteForTheLockWithThoseWhoQueueForItAlready) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    auto waiter = create_task(note_and_release(condition, result, 1));
    co_await tick();
    co_await condition.acquire();
    auto queue_up = [&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      result.push_back(2);
    };
    auto queued = create_task(queue_up);
    co_await tick();
    condition.notify();
    co_await tick();  // the woken waiter queues for the lock
    condition.release();
    co_await waiter;
    EXPECT_EQ(result, (Ints{2, 1}));
    EXPECT_TRUE(queued.done());
  };
  run_virtual(main);
}

TEST(Condition, NotifySkipsThoseThatAreWokenAlready) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    auto t1 = create_task(note_and_release(condition, result, 1));
    auto t2 = create_task(note_and_release(condition, result, 2));
    auto t3 = create_task(note_and_release(condition, result, 3));
    co_await tick();
    t1.cancel();
    co_await condition.acquire();
    condition.notify();
    condition.notify();
    condition.release();
    co_await t2;
    co_await t3;
    EXPECT_EQ(result, (Ints{2, 3}));
    EXPECT_TRUE(t1.cancelled());
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_wait_for
TEST(Condition, WaitForAsksThePredicateAfterEachNotification) {
  auto main = []() -> Coro<> {
    Condition condition;
    Ints result;
    bool ready = false;
    auto work = [&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      const bool value = co_await condition.wait_for([&] { return ready; });
      EXPECT_TRUE(value);
      result.push_back(1);
    };
    auto task = create_task(work);
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    co_await notify(condition);
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    ready = true;
    co_await notify(condition);
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    EXPECT_TRUE(task.done());
  };
  run_virtual(main);
}

// ── misuse, printing, one lock for many ─────────────────────────────────────────────────────────────────────────────

// test_locks.py: ConditionTests.test_wait_unacquired
// test_locks.py: ConditionTests.test_wait_for_unacquired
TEST(Condition, WaitingWithoutTheLockIsAnError) {
  auto main = []() -> Coro<> {
    Condition condition;
    std::string message;
    try {
      co_await condition.wait();
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "cannot wait on un-acquired lock");

    auto at_once = [] { return std::optional<int>(7); };  // true at once: the lock does not matter
    const auto value = co_await condition.wait_for(at_once);
    EXPECT_EQ(value, std::optional<int>(7));

    message.clear();
    auto never = [] { return false; };
    try {
      co_await condition.wait_for(never);
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "cannot wait on un-acquired lock");
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_notify_unacquired
// test_locks.py: ConditionTests.test_notify_all_unacquired
TEST(Condition, NotifyingWithoutTheLockIsAnError) {
  Condition condition;
  EXPECT_EQ(thrown<std::runtime_error>([&] { condition.notify(); }), "cannot notify on un-acquired lock");
  EXPECT_EQ(thrown<std::runtime_error>([&] { condition.notify_all(); }), "cannot notify on un-acquired lock");
  EXPECT_EQ(thrown<std::runtime_error>([&] { condition.release(); }), "Lock is not acquired.");
}

// test_locks.py: ConditionTests.test_repr
TEST(Condition, PrintsAsInPython) {
  auto main = []() -> Coro<> {
    Condition condition;
    EXPECT_EQ(condition.repr(), "<Condition [unlocked]>");
    co_await condition.acquire();
    EXPECT_EQ(condition.repr(), "<Condition [locked]>");
    condition.release();
    Ints result;
    auto task = create_task(note_and_release(condition, result, 1));
    co_await tick();
    EXPECT_EQ(condition.repr(), "<Condition [unlocked, waiters:1]>");
    co_await notify(condition);
    co_await task;
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_context_manager
// test_locks.py: ConditionTests.test_explicit_lock
TEST(Condition, MayShareALock) {
  auto main = []() -> Coro<> {
    Lock lock;
    Condition condition(lock);
    {
      const auto guard = co_await condition.scoped();
      EXPECT_TRUE(lock.locked());
      EXPECT_TRUE(condition.locked());
    }
    EXPECT_FALSE(lock.locked());
    {
      const auto guard = co_await lock.scoped();
      EXPECT_TRUE(condition.locked());
    }
    EXPECT_FALSE(condition.locked());
  };
  run_virtual(main);
}

TEST(Condition, AWaiterRunsInTheTickAfterItsNotificationIfTheLockIsFree) {
  auto main = []() -> Coro<int> {
    Condition condition;
    co_await condition.acquire();
    const std::function<void()> notify_soon = [&] { create_task(notify(condition)); };
    const int ticks = co_await ticks_of(condition.wait(), notify_soon);
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 3);  // the callback creates a task; that notifies; the waiter runs
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: ConditionTests.test_wait_cancel
TEST(Condition, TheLockIsHeldWhenTheCancelLeavesTheWait) {
  auto main = []() -> Coro<> {
    Condition condition;
    co_await condition.acquire();
    auto wait = create_task(condition.wait());
    Loop::running().call_soon([wait] { wait.cancel(); });
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
    EXPECT_EQ(condition.repr(), "<Condition [locked]>");
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_wait_cancel_contested
TEST(Condition, ACancelWhileItQueuesForTheLockLeavesTheLockHeld) {
  auto main = []() -> Coro<> {
    Condition condition;
    co_await condition.acquire();
    auto wait = create_task(condition.wait());
    co_await tick();
    EXPECT_FALSE(condition.locked());
    co_await condition.acquire();
    condition.notify();
    Loop::running().call_soon([wait] { wait.cancel(); });
    Loop::running().call_soon([&] { condition.release(); });
    co_await finished(wait);
    EXPECT_TRUE(condition.locked());
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_wait_cancel_after_notify
TEST(Condition, ACancelAfterTheNotificationIsDelivered) {
  auto main = []() -> Coro<> {
    Condition condition;
    bool waited = false;
    auto work = [&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      waited = true;
      co_await condition.wait();
    };
    auto waiter = create_task(work);
    co_await tick();
    co_await condition.acquire();
    condition.notify();
    co_await tick();  // it reaches acquire()
    waiter.cancel();
    co_await tick();  // acquire() catches the cancel and tries again
    EXPECT_FALSE(waiter.done());
    condition.release();
    co_await tick();
    EXPECT_TRUE(waiter.cancelled());
    EXPECT_TRUE(waited);
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_cancelled_error_wakeup
// test_locks.py: ConditionTests.test_cancelled_error_re_aquire
TEST(Condition, TheCancelledErrorComesThroughWithItsMessage) {
  for (const bool while_reacquiring : {false, true}) {
    auto main = [&]() -> Coro<> {
      Condition condition;
      bool wake = false;
      std::string seen;
      auto work = [&]() -> Coro<> {
        const auto guard = co_await condition.scoped();
        try {
          co_await condition.wait_for([&] { return wake; });
        } catch (const CancelledError& error) {
          seen = error.message();
          throw;
        }
      };
      auto task = create_task(work);
      co_await tick();
      if (while_reacquiring) {
        co_await condition.acquire();
        wake = true;
        condition.notify();
        co_await tick();
      }
      task.cancel("foo");
      if (while_reacquiring) condition.release();
      std::string message;
      try {
        co_await task;
      } catch (const CancelledError& error) {
        message = error.message();
      }
      EXPECT_EQ(message, "foo");
      EXPECT_EQ(seen, "foo");
      EXPECT_FALSE(condition.locked());
    };
    run_virtual(main);
  }
}

TEST(Condition, OfTwoCancelsTheLatestIsThrown) {
  auto main = []() -> Coro<std::string> {
    Condition condition;
    co_await condition.acquire();
    auto wait = create_task(condition.wait());
    co_await tick();
    co_await condition.acquire();
    wait.cancel("first");
    co_await tick();
    wait.cancel("second");
    co_await tick();
    EXPECT_FALSE(wait.done()) << "it must have the lock before it may leave";
    condition.release();
    std::string message;
    try {
      co_await wait;
    } catch (const CancelledError& error) {
      message = error.message();
    }
    co_return message;
  };
  EXPECT_EQ(run_virtual(main), "second");
}

// test_locks.py: ConditionTests.test_cancelled_wakeup
// test_locks.py: ConditionTests.test_cancelled_wakeup_relock
TEST(Condition, ANotificationOfOneWhoIsCancelledGoesToAnother) {
  for (const bool while_relocking : {false, true}) {
    auto main = [&]() -> Coro<> {
      Condition condition;
      int state = 0;
      auto consume = [&]() -> Coro<> {
        const auto guard = co_await condition.scoped();
        for (;;) {
          co_await condition.wait_for([&] { return state != 0; });
          if (state < 0) co_return;
          --state;
        }
      };
      auto c0 = create_task(consume);
      auto c1 = create_task(consume);
      co_await tick();
      {
        const auto guard = co_await condition.scoped();
        ++state;
        condition.notify(1);
        if (while_relocking) co_await tick();
        c0.cancel();

        const auto time_out = Loop::running().call_later(10ms, [task = current_task()] { task.cancel(); });
        try {
          co_await condition.wait_for([&] { return state == 0; });
        } catch (const CancelledError&) {
          current_task().uncancel();
        }
        EXPECT_EQ(state, 0);
        TimerHandle(time_out).cancel();
        state = -1;
        condition.notify_all();
      }
      co_await c1;
      EXPECT_TRUE(c0.cancelled());
    };
    run_virtual(main);
  }
}

// test_locks.py: ConditionTests.test_timeout_in_block
TEST(Condition, ATimeOutInsideTheBlockLeavesItLocked) {
  auto main = []() -> Coro<> {
    Condition condition;
    const auto guard = co_await condition.scoped();
    Loop::running().call_later(500ms, [task = current_task()] { task.cancel(); });
    bool cancelled = false;
    try {
      co_await condition.wait();
    } catch (const CancelledError&) {
      cancelled = true;
    }
    current_task().uncancel();
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(condition.locked());
  };
  run_virtual(main);
}

// ── loops and lives ─────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: ConditionTests.test_ambiguous_loops
TEST(Condition, BelongsToTheLoopWhereATaskFirstWaited) {
  Lock lock;
  Condition condition(lock);
  auto wait = [&]() -> Coro<> {
    Ints result;
    auto task = create_task(note_and_release(condition, result, 1));
    co_await tick();
    co_await notify(condition);
    co_await task;
  };
  run_virtual(wait);
  auto wait_elsewhere = [&]() -> Coro<> {
    const auto guard = co_await lock.scoped();  // free, so the loop does not matter
    co_await condition.wait();
  };
  EXPECT_EQ(thrown<std::runtime_error>([&] { run_virtual(wait_elsewhere); }),
            "<Condition [locked]> is bound to a different event loop");
  EXPECT_FALSE(lock.locked());
}

TEST(Condition, MayBeDestroyedWhileTasksWait) {
  auto main = []() -> Coro<> {
    Lock lock;
    auto condition = std::make_unique<Condition>(lock);
    co_await lock.acquire();
    auto wait = create_task(condition->wait());
    co_await tick();
    condition.reset();
    wait.cancel();
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
  };
  run_virtual(main);
}

TEST(Condition, ClosingTheLoopEarlyLeaksNothing) {
  using testing::Counted;
  Counted::reset();
  Condition condition;
  {
    testing::VirtualLoop loop;
    const testing::ErrorLog errors(loop);
    auto work = [&condition](Counted) -> Coro<> {
      const auto guard = co_await condition.scoped();
      co_await condition.wait();
    };
    for (int i = 0; i < 3; ++i) create_task(work(Counted(i)), {.loop = &loop});
    loop.run_ticks(2);
    EXPECT_EQ(condition.repr(), "<Condition [unlocked, waiters:3]>");
    EXPECT_EQ(Counted::alive, 3);
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 3u) << "of the guards, which have nothing to release, nothing is heard";
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(condition.repr(), "<Condition [unlocked]>");
}

}  // namespace
}  // namespace asyncio
