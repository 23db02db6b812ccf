// The common behaviour of Lock, Semaphore, BoundedSemaphore and Event, and of scoped() where it exists.
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/semaphore.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <memory>
#include <string>

namespace asyncio {
namespace {

using testing::finished;
using testing::Log;
using testing::run_virtual;
using testing::thrown;
using testing::tick;
using testing::ticks_of;
using namespace std::chrono_literals;

// ── gates ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// A gate is a uniform view of a primitive: enter() waits until it is open. A new gate is open; close() closes it, and
// open() lets in the first waiter.

template <class Primitive>
struct Gate {
  Primitive primitive;
  auto close() { return primitive.acquire(); }
  auto enter() { return primitive.acquire(); }
  void open() { primitive.release(); }
};

template <>
struct Gate<Event> {
  Event primitive;
  Gate() { primitive.set(); }
  Coro<> close() {
    primitive.clear();
    co_return;
  }
  auto enter() { return primitive.wait(); }
  void open() { primitive.set(); }  // lets in all waiters
};

template <class Primitive>
std::string closed();
template <>
std::string closed<Lock>() {
  return "<Lock [locked]>";
}
template <>
std::string closed<Semaphore>() {
  return "<Semaphore [locked]>";
}
template <>
std::string closed<BoundedSemaphore>() {
  return "<BoundedSemaphore [locked]>";
}
template <>
std::string closed<Event>() {
  return "<Event [unset]>";
}

template <class Primitive>
class Waiting : public ::testing::Test {};
using Gates = ::testing::Types<Lock, Semaphore, BoundedSemaphore, Event>;
TYPED_TEST_SUITE(Waiting, Gates, );

// test_locks.py: EventTests.test_wait_on_set
TYPED_TEST(Waiting, TakesNoTickIfThereIsNothingToWaitFor) {
  auto main = []() -> Coro<int> {
    Gate<TypeParam> gate;
    const int ticks = co_await ticks_of(gate.enter());
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 0);
}

TYPED_TEST(Waiting, TakesTwoTicksIfTheNextCallbackEndsIt) {
  auto main = []() -> Coro<int> {
    Gate<TypeParam> gate;
    co_await gate.close();
    const std::function<void()> open = [&] { gate.open(); };
    const int ticks = co_await ticks_of(gate.enter(), open);
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 2);
}

// test_locks.py: LockTests.test_acquire_cancel
// test_locks.py: SemaphoreTests.test_acquire_cancel
// test_locks.py: EventTests.test_wait_cancel
TYPED_TEST(Waiting, ACancelledTaskLeavesTheQueueAndGetsTheMessage) {
  auto main = []() -> Coro<> {
    Gate<TypeParam> gate;
    co_await gate.close();
    auto waiter = create_task(gate.enter());
    Loop::running().call_soon([waiter] { waiter.cancel("enough"); });
    const std::string message = co_await testing::cancel_message(waiter);
    EXPECT_EQ(message, "enough");
    EXPECT_TRUE(waiter.cancelled());
    EXPECT_EQ(gate.primitive.repr(), closed<TypeParam>());
  };
  run_virtual(main);
}

TYPED_TEST(Waiting, ACancelAfterTheWakeUpStillWinsAndTheNextIsLetIn) {
  auto main = []() -> Coro<> {
    Gate<TypeParam> gate;
    co_await gate.close();
    auto first = create_task(gate.enter());
    auto second = create_task(gate.enter());
    co_await tick();
    gate.open();
    EXPECT_TRUE(first.cancel("too late"));
    co_await finished(first);
    EXPECT_TRUE(first.cancelled());
    co_await second;
  };
  run_virtual(main);
}

// test_locks.py: ConditionTests.test_ambiguous_loops
TYPED_TEST(Waiting, BindsThePrimitiveToTheLoop) {
  Gate<TypeParam> gate;
  auto wait = [&]() -> Coro<> {
    co_await gate.close();
    Loop::running().call_soon([&] { gate.open(); });
    co_await gate.enter();
  };
  run_virtual(wait);
  EXPECT_EQ(thrown<std::runtime_error>([&] { run_virtual(wait); }),
            closed<TypeParam>() + " is bound to a different event loop");

  gate.open();
  auto enter = [&]() -> Coro<> { co_await gate.enter(); };
  run_virtual(enter);  // no wait, so the loop does not matter
}

TYPED_TEST(Waiting, ForAPrimitiveThatIsDestroyedCanStillBeCancelled) {
  auto main = []() -> Coro<> {
    auto gate = std::make_unique<Gate<TypeParam>>();
    co_await gate->close();
    auto waiter = create_task(gate->enter());
    co_await tick();
    gate.reset();
    co_await tick();
    EXPECT_FALSE(waiter.done());
    waiter.cancel();
    co_await finished(waiter);
    EXPECT_TRUE(waiter.cancelled());
  };
  run_virtual(main);
}

TYPED_TEST(Waiting, LeaksNothingIfTheLoopIsClosedEarly) {
  using testing::Counted;
  Counted::reset();
  Gate<TypeParam> gate;
  {
    testing::VirtualLoop loop;
    const testing::ErrorLog errors(loop);
    create_task(gate.close(), {.loop = &loop});
    auto work = [&gate](Counted) -> Coro<> {
      co_await gate.enter();
      co_await sleep(1h);
    };
    for (int i = 0; i < 3; ++i) create_task(work(Counted(i)), {.loop = &loop});
    loop.run_ticks(2);
    gate.open();  // wakes one or all, which never run
    EXPECT_EQ(Counted::alive, 3);
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 3u);
  }
  EXPECT_EQ(Counted::alive, 0);
}

// ── guards ──────────────────────────────────────────────────────────────────────────────────────────────────────────

template <class Primitive>
class Guarded : public ::testing::Test {};
using WithGuards = ::testing::Types<Lock, Condition, Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Guarded, WithGuards, );

// test_pep492.py: LockTests.test_context_manager_async_with
// test_locks.py: LockTests.test_context_manager
TYPED_TEST(Guarded, FromTheAwaitToTheEndOfTheScope) {
  auto main = []() -> Coro<> {
    TypeParam primitive;
    EXPECT_FALSE(primitive.locked());
    {
      const auto guard = co_await primitive.scoped();
      EXPECT_TRUE(primitive.locked());
      co_await sleep(10ms);
      EXPECT_TRUE(primitive.locked());
    }
    EXPECT_FALSE(primitive.locked());
    try {
      const auto guard = co_await primitive.scoped();
      throw std::runtime_error("out");
    } catch (const std::runtime_error&) {
    }
    EXPECT_FALSE(primitive.locked());
  };
  run_virtual(main);
}

TYPED_TEST(Guarded, AGuardCanBeMovedAndReleasedEarly) {
  auto main = []() -> Coro<> {
    TypeParam primitive;
    auto guard = co_await primitive.scoped();
    {
      auto moved = std::move(guard);
      EXPECT_FALSE(guard);  // NOLINT(bugprone-use-after-move): what is left is part of the contract
      EXPECT_TRUE(moved);
      EXPECT_TRUE(primitive.locked());
      moved.release();
      EXPECT_FALSE(moved);
      EXPECT_FALSE(primitive.locked());
      moved.release();  // it has nothing left to release
      co_await primitive.acquire();
    }
    EXPECT_TRUE(primitive.locked()) << "the guards no longer hold it";
  };
  run_virtual(main);
}

TYPED_TEST(Guarded, AGuardThatIsAssignedToReleasesWhatItHeldAtOnce) {
  auto main = []() -> Coro<> {
    TypeParam one;
    TypeParam other;
    auto guard = co_await one.scoped();
    auto source = co_await other.scoped();
    guard = std::move(source);
    EXPECT_FALSE(one.locked());
    EXPECT_TRUE(other.locked());
    EXPECT_FALSE(source);  // NOLINT(bugprone-use-after-move): what is left is part of the contract
    auto& itself = guard;
    guard = std::move(itself);
    EXPECT_TRUE(guard);
    EXPECT_TRUE(other.locked());
  };
  run_virtual(main);
}

TYPED_TEST(Guarded, AcquireAndScopedCanBecomeTasks) {
  auto main = []() -> Coro<> {
    TypeParam primitive;
    auto acquire = primitive.acquire();  // nothing happens yet
    EXPECT_FALSE(primitive.locked());
    auto first = create_task(std::move(acquire));
    auto second = create_task(primitive.scoped());
    co_await first;
    EXPECT_TRUE(primitive.locked());
    primitive.release();
    const auto guard = co_await std::move(second);
    EXPECT_TRUE(guard);
    EXPECT_TRUE(primitive.locked());
  };
  run_virtual(main);
}

// test_locks.py: SemaphoreTests.test_acquire_fifo_order
TYPED_TEST(Guarded, AHolderThatReleasesAndAcquiresAgainGoesToTheEndOfTheQueue) {
  auto main = []() -> Coro<> {
    TypeParam primitive;
    Log log;
    auto work = [&](std::string name) -> Coro<> {
      for (int round = 0; round < 2; ++round) {
        co_await primitive.acquire();
        log.push_back(name + std::to_string(round));
        co_await sleep(10ms);
        primitive.release();
      }
    };
    auto a = create_task(work("a"));
    auto b = create_task(work("b"));
    auto c = create_task(work("c"));
    co_await a;
    co_await b;
    co_await c;
    EXPECT_EQ(log, (Log{"a0", "b0", "c0", "a1", "b1", "c1"}));
  };
  run_virtual(main);
}

}  // namespace
}  // namespace asyncio
