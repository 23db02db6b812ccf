// Semaphore: permits pass to waiters in order, and none is lost.
// Tests shared with other primitives are in waiting_test.cpp.
#include <asyncio/semaphore.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using testing::finished;
using testing::Ints;
using testing::run_virtual;
using testing::thrown;
using testing::tick;

Coro<> note_when_acquired(Semaphore& semaphore, Ints& result, int number) {
  co_await semaphore.acquire();
  result.push_back(number);
}

// ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: SemaphoreTests.test_acquire
TEST(Semaphore, TwoReleasesWakeExactlyTwoAndHandTheirPermitsOverAtOnce) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(3);
    Ints result;
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_FALSE(semaphore.locked());
    auto t1 = create_task(note_when_acquired(semaphore, result, 1));
    auto t2 = create_task(note_when_acquired(semaphore, result, 2));
    auto t3 = create_task(note_when_acquired(semaphore, result, 3));
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    EXPECT_TRUE(semaphore.locked());
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked, waiters:2]>");
    EXPECT_EQ(semaphore.value(), 0);

    auto t4 = create_task(note_when_acquired(semaphore, result, 4));
    semaphore.release();
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 0);
    co_await tick();
    EXPECT_EQ(semaphore.value(), 0);
    EXPECT_EQ(result, (Ints{1, 2, 3}));
    EXPECT_TRUE(semaphore.locked());
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked, waiters:1]>");

    semaphore.release();
    co_await t4;
    EXPECT_EQ(result, (Ints{1, 2, 3, 4}));
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_fifo_order_2
TEST(Semaphore, WhoReleasesAndAcquiresInOneStepGetsItsPermitAfterThoseWhoWait) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(1);
    Ints result;
    auto c2 = [&]() -> Coro<> {
      co_await semaphore.acquire();
      result.push_back(2);
      semaphore.release();
      co_await semaphore.acquire();
      result.push_back(4);
    };
    auto t1 = create_task(note_when_acquired(semaphore, result, 1));
    auto t2 = create_task(c2);
    auto t3 = create_task(note_when_acquired(semaphore, result, 3));
    co_await tick();
    semaphore.release();
    semaphore.release();
    co_await t1;
    co_await t2;
    co_await t3;
    EXPECT_EQ(result, (Ints{1, 2, 3, 4}));
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_fifo_order_3
TEST(Semaphore, ACancelledFirstWaiterLetsTheOthersThrough) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(0);
    Ints result;
    auto t1 = create_task(note_when_acquired(semaphore, result, 1));
    auto t2 = create_task(note_when_acquired(semaphore, result, 2));
    auto t3 = create_task(note_when_acquired(semaphore, result, 3));
    co_await tick();
    t1.cancel();
    co_await tick();
    semaphore.release();
    semaphore.release();
    co_await finished(t1);
    co_await t2;
    co_await t3;
    EXPECT_EQ(result, (Ints{2, 3}));
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_fifo_order_4
TEST(Semaphore, AllPermitsAreGivenOutAsSoonAsTheFirstWaiterRuns) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(0);
    Ints result;
    Task<> t4;
    auto c4 = [&]() -> Coro<> {
      result.push_back(4);
      co_return;
    };
    auto c1 = [&]() -> Coro<> {
      EXPECT_EQ(semaphore.value(), 0);
      co_await semaphore.acquire();
      EXPECT_EQ(semaphore.value(), 0) << "all who wait are woken by now";
      t4 = create_task(c4);  // runs after c3
      result.push_back(1);
    };
    auto c2 = [&]() -> Coro<> {
      semaphore.release();
      semaphore.release();
      semaphore.release();
      EXPECT_EQ(semaphore.value(), 2);
      EXPECT_TRUE(semaphore.locked()) << "c1 has not run yet";
      co_await semaphore.acquire();
      result.push_back(2);
    };
    auto c3 = [&]() -> Coro<> {
      co_await semaphore.acquire();
      EXPECT_TRUE(semaphore.locked());
      result.push_back(3);
    };
    auto t1 = create_task(c1);
    auto t2 = create_task(c2);
    auto t3 = create_task(c3);
    co_await tick();
    EXPECT_EQ(semaphore.value(), 2);
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked, waiters:3]>");
    co_await tick();
    co_await t1;
    co_await t2;
    co_await t3;
    co_await t4;
    EXPECT_EQ(result, (Ints{1, 2, 3, 4}));
  };
  run_virtual(main);
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: SemaphoreTests.test_acquire_cancel_before_awoken
TEST(Semaphore, ReleaseSkipsTheCancelled) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(0);
    std::vector<Task<>> t;
    for (int i = 0; i < 4; ++i) t.push_back(create_task(semaphore.acquire()));
    co_await tick();
    t[0].cancel();
    t[1].cancel();
    semaphore.release();
    co_await tick();
    co_await tick();
    EXPECT_TRUE(t[2].done());
    EXPECT_FALSE(t[3].done());
    t[3].cancel();
    co_await tick();
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_hang
TEST(Semaphore, ACancelAndAReleaseInOneTickStillLetTheSecondIn) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(0);
    auto t1 = create_task(semaphore.acquire());
    auto t2 = create_task(semaphore.acquire());
    co_await tick();
    t1.cancel();
    semaphore.release();
    co_await tick();
    co_await tick();
    EXPECT_TRUE(semaphore.locked());
    EXPECT_TRUE(t2.done() && !t2.cancelled());
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_no_hang
TEST(Semaphore, ACancelledWaiterNeverEatsAPermit) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(1);
    Task<> t2;
    auto c1 = [&]() -> Coro<> {
      {
        const auto permit = co_await semaphore.scoped();
        co_await tick();
      }
      t2.cancel();  // already woken
    };
    auto c2 = [&]() -> Coro<> {
      const auto permit = co_await semaphore.scoped();
      ADD_FAILURE() << "not to be reached";
    };
    auto t1 = create_task(c1);
    t2 = create_task(c2);
    co_await t1;
    co_await finished(t2);
    EXPECT_TRUE(t2.cancelled());
    co_await semaphore.acquire();
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked]>");
  };
  run_virtual(main);
}

TEST(Semaphore, AWokenThenCancelledWaiterHandsItsPermitOn) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(0);
    auto first = create_task(semaphore.acquire());
    auto second = create_task(semaphore.acquire());
    co_await tick();
    semaphore.release();
    first.cancel();
    co_await tick();
    EXPECT_TRUE(first.cancelled());
    EXPECT_EQ(semaphore.value(), 0) << "it is the second's already";
    co_await tick();
    EXPECT_TRUE(second.done() && !second.cancelled());
  };
  run_virtual(main);
}

// ── misuse, printing, guards ────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: SemaphoreTests.test_semaphore_value
TEST(Semaphore, ANegativeValueIsAnError) {
  EXPECT_EQ(thrown<std::invalid_argument>([] { Semaphore semaphore(-1); }), "Semaphore initial value must be >= 0");
  EXPECT_EQ(thrown<std::invalid_argument>([] { BoundedSemaphore semaphore(-1); }),
            "Semaphore initial value must be >= 0");
}

// test_locks.py: SemaphoreTests.test_initial_value_zero
TEST(Semaphore, AValueOfZeroIsLocked) { EXPECT_TRUE(Semaphore(0).locked()); }

// test_locks.py: SemaphoreTests.test_release_not_acquired
TEST(BoundedSemaphore, ReleasingTooOftenIsAnError) {
  BoundedSemaphore semaphore;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { semaphore.release(); }), "BoundedSemaphore released too many times");
  Semaphore& base = semaphore;
  EXPECT_THROW(base.release(), std::invalid_argument) << "whatever type it is seen as";
  EXPECT_EQ(semaphore.value(), 1);
}

// test_locks.py: SemaphoreTests.test_release_no_waiters
// test_locks.py: SemaphoreTests.test_repr
TEST(Semaphore, PrintsAsInPython) {
  auto main = []() -> Coro<> {
    Semaphore semaphore;
    EXPECT_EQ(semaphore.repr(), "<Semaphore [unlocked, value:1]>");
    co_await semaphore.acquire();
    EXPECT_EQ(semaphore.repr(), "<Semaphore [locked]>");
    semaphore.release();
    EXPECT_FALSE(semaphore.locked());
    semaphore.release();
    EXPECT_EQ(semaphore.repr(), "<Semaphore [unlocked, value:2]>");
    EXPECT_EQ(BoundedSemaphore(7).repr(), "<BoundedSemaphore [unlocked, value:7]>");
  };
  run_virtual(main);
}

TEST(Semaphore, AGuardGivesThePermitBack) {
  auto main = []() -> Coro<> {
    Semaphore semaphore(2);
    auto permit = co_await semaphore.scoped();
    {
      const auto other = co_await semaphore.scoped();
      EXPECT_TRUE(semaphore.locked());
    }
    EXPECT_EQ(semaphore.value(), 1);
    permit.release();
    EXPECT_EQ(semaphore.value(), 2);
  };
  run_virtual(main);
}

}  // namespace
}  // namespace asyncio
