// Lock: fair, passed on within one tick, never lost.
// Tests shared with other primitives are in waiting_test.cpp.
#include <asyncio/lock.h>
#include <support/tasks.h>

#include <memory>

namespace asyncio {
namespace {

using testing::finished;
using testing::Ints;
using testing::Log;
using testing::run_virtual;
using testing::thrown;
using testing::tick;

Coro<> note_when_acquired(Lock& lock, Ints& result, int number) {
  co_await lock.acquire();
  result.push_back(number);
}

Coro<> hold_for_a_tick(Lock& lock) {
  const auto guard = co_await lock.scoped();
  co_await tick();
}

// ── the README's pain ───────────────────────────────────────────────────────────────────────────────────────────────

struct Account {
  int balance;
};

Coro<> ask_the_bank(int) { co_await tick(); }

Coro<> withdraw(Account& account, int amount) {
  if (account.balance >= amount) {  // enough?
    co_await ask_the_bank(amount);  // … others run here, and may withdraw as well …
    account.balance -= amount;      // still enough?
  }
}

Coro<> withdraw_safely(Lock& lock, Account& account, int amount) {
  const auto guard = co_await lock.scoped();
  co_await withdraw(account, amount);
}

TEST(Lock, KeepsOthersOutAcrossAnAwait) {
  auto main = []() -> Coro<> {
    Lock lock;
    Account careless{100};
    Account careful{100};
    std::vector<Task<>> tasks;
    for (int i = 0; i < 2; ++i) tasks.push_back(create_task(withdraw(careless, 100)));
    for (int i = 0; i < 2; ++i) tasks.push_back(create_task(withdraw_safely(lock, careful, 100)));
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(careless.balance, -100);
    EXPECT_EQ(careful.balance, 0);
  };
  run_virtual(main);
}

// ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: LockTests.test_acquire
TEST(Lock, ReleaseLetsInTheFirstInLineOneTickLater) {
  auto main = []() -> Coro<> {
    Lock lock;
    Ints result;
    co_await lock.acquire();
    auto t1 = create_task(note_when_acquired(lock, result, 1));
    auto t2 = create_task(note_when_acquired(lock, result, 2));
    co_await tick();
    EXPECT_EQ(result, (Ints{}));

    lock.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));

    auto t3 = create_task(note_when_acquired(lock, result, 3));
    lock.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2}));
    lock.release();
    co_await tick();
    EXPECT_EQ(result, (Ints{1, 2, 3}));
    EXPECT_TRUE(t1.done() && t2.done() && t3.done());
  };
  run_virtual(main);
}

// No barging.
TEST(Lock, ANewcomerQueuesBehindAWokenWaiterThoughLockedIsFalse) {
  auto main = []() -> Coro<> {
    Lock lock;
    Ints result;
    co_await lock.acquire();
    auto waiter = create_task(note_when_acquired(lock, result, 1));
    co_await tick();
    auto release_after_it = [&]() -> Coro<> {
      co_await waiter;
      lock.release();
    };
    auto releaser = create_task(release_after_it);
    lock.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(lock.repr(), "<Lock [unlocked, waiters:1]>");
    co_await lock.acquire();
    result.push_back(2);
    EXPECT_EQ(result, (Ints{1, 2}));
    co_await releaser;
  };
  run_virtual(main);
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: LockTests.test_cancel_race
TEST(Lock, IfTheFirstWaiterIsCancelledInTheTickOfTheReleaseTheNextGetsIt) {
  auto main = []() -> Coro<> {
    Lock lock;
    Future<> blocker = create_future();
    auto lock_it = [&](bool block) -> Coro<> {
      const auto guard = co_await lock.scoped();
      if (block) co_await blocker;
    };
    auto a = create_task(lock_it(true));
    co_await tick();
    EXPECT_TRUE(lock.locked());
    auto b = create_task(lock_it(false));
    co_await tick();
    auto c = create_task(lock_it(false));
    co_await tick();
    EXPECT_EQ(lock.repr(), "<Lock [locked, waiters:2]>");

    blocker.set_result();
    b.cancel();
    co_await tick();
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(a.done());
    EXPECT_TRUE(b.cancelled());
    co_await c;
  };
  run_virtual(main);
}

// test_locks.py: LockTests.test_cancel_release_race
TEST(Lock, CancelThenReleaseInOneCallbackLetsInExactlyOne) {
  auto main = []() -> Coro<> {
    Lock lock;
    int locks = 0;
    int calls = 0;
    auto lock_it = [&]() -> Coro<> {
      ++calls;
      co_await lock.acquire();
      ++locks;
    };
    co_await lock.acquire();
    auto t1 = create_task(lock_it);
    auto t2 = create_task(lock_it);
    auto t3 = create_task(lock_it);
    co_await tick();
    Loop::running().call_soon([&] {
      t1.cancel();
      lock.release();
    });
    co_await finished(t1);
    EXPECT_EQ(locks, 1);
    EXPECT_EQ(calls, 3);
    EXPECT_TRUE(t1.cancelled());
    EXPECT_TRUE(t2.done());
    EXPECT_FALSE(t3.done());
    t3.cancel();
    co_await tick();
    EXPECT_TRUE(t3.cancelled());
  };
  run_virtual(main);
}

// test_locks.py: LockTests.test_finished_waiter_cancelled
TEST(Lock, AWokenThenCancelledWaiterWakesTheNext) {
  auto main = []() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    auto b = create_task(lock.acquire());
    co_await tick();
    EXPECT_EQ(lock.repr(), "<Lock [locked, waiters:1]>");
    auto c = create_task(lock.acquire());
    b.cancel();
    lock.release();
    co_await tick();
    EXPECT_TRUE(lock.locked());
    EXPECT_TRUE(b.cancelled());
    co_await c;
  };
  run_virtual(main);
}

TEST(Lock, AWaiterCancelledAfterItWasWokenWakesTheNext) {
  auto main = []() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    auto b = create_task(lock.acquire());
    auto c = create_task(lock.acquire());
    co_await tick();
    lock.release();
    EXPECT_TRUE(b.cancel("too late"));
    co_await tick();
    EXPECT_TRUE(b.cancelled());
    EXPECT_FALSE(lock.locked());
    co_await tick();
    EXPECT_TRUE(c.done() && !c.cancelled());
    EXPECT_TRUE(lock.locked());
  };
  run_virtual(main);
}

// ── misuse, printing, guards ────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: LockTests.test_release_not_acquired
TEST(Lock, ReleasingAFreeLockIsAnError) {
  Lock lock;
  EXPECT_EQ(thrown<std::runtime_error>([&] { lock.release(); }), "Lock is not acquired.");
}

// test_locks.py: LockTests.test_release_no_waiters
// test_locks.py: LockTests.test_repr
TEST(Lock, PrintsAsInPython) {
  auto main = []() -> Coro<> {
    Lock lock;
    EXPECT_EQ(lock.repr(), "<Lock [unlocked]>");
    co_await lock.acquire();
    EXPECT_EQ(lock.repr(), "<Lock [locked]>");
    lock.release();
    EXPECT_FALSE(lock.locked());
  };
  run_virtual(main);
}

TEST(Lock, AGuardWhoseLockWasReleasedByHandTellsTheExceptionHandler) {
  auto main = []() -> Coro<> {
    testing::ErrorLog errors(Loop::running());
    Lock lock;
    {
      const auto guard = co_await lock.scoped();
      lock.release();
    }
    EXPECT_EQ(errors.messages(), (Log{"Exception in release() at the end of a guard's scope"}));
    EXPECT_EQ(thrown<std::runtime_error>([&] { std::rethrow_exception(errors.contexts.at(0).exception); }),
              "Lock is not acquired.");
    Loop::running().set_exception_handler({});
  };
  run_virtual(main);
}

// ── loops and lives ─────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Lock, FreeUseDoesNotBindItToALoop) {
  Lock lock;
  auto use = [&]() -> Coro<> { const auto guard = co_await lock.scoped(); };
  run_virtual(use);
  auto contend = [&]() -> Coro<> {
    auto a = create_task(hold_for_a_tick(lock));
    auto b = create_task(hold_for_a_tick(lock));
    co_await a;
    co_await b;
  };
  run_virtual(contend);
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, MayBeDestroyedWhileTasksWaitAndTheyCanStillBeCancelled) {
  auto main = []() -> Coro<> {
    auto lock = std::make_unique<Lock>();
    co_await lock->acquire();
    auto cancelled = create_task(lock->acquire());
    auto woken = create_task(lock->acquire());
    co_await tick();
    cancelled.cancel();
    lock->release();  // wakes nobody: the first in line is cancelled
    lock.reset();
    co_await finished(cancelled);
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_FALSE(woken.done());
    woken.cancel();
    co_await finished(woken);
    EXPECT_TRUE(woken.cancelled());
  };
  run_virtual(main);
}

TEST(Lock, WhoWasWokenByALockThatIsGoneGetsAnError) {
  auto main = []() -> Coro<std::string> {
    auto lock = std::make_unique<Lock>();
    co_await lock->acquire();
    auto woken = create_task(lock->acquire());
    co_await tick();
    lock->release();
    lock.reset();
    std::string message;
    try {
      co_await woken;
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    co_return message;
  };
  EXPECT_EQ(run_virtual(main), "what this task waited for (a lock, an event, a queue …) was destroyed");
}

}  // namespace
}  // namespace asyncio
