// Event: one set() wakes all waiters.
// Tests shared with other primitives are in waiting_test.cpp.
#include <asyncio/event.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using testing::Ints;
using testing::run_virtual;
using testing::tick;

Coro<> note_when_set(Event& event, Ints& result, int number) {
  co_await event.wait();
  result.push_back(number);
}

// test_locks.py: EventTests.test_wait
TEST(Event, ATaskThatStartsAfterSetDoesNotQueueAndComesFirst) {
  auto main = []() -> Coro<> {
    Event event;
    EXPECT_FALSE(event.is_set());
    Ints result;
    auto t1 = create_task(note_when_set(event, result, 1));
    auto t2 = create_task(note_when_set(event, result, 2));
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    auto t3 = create_task(note_when_set(event, result, 3));
    event.set();
    co_await tick();
    EXPECT_EQ(result, (Ints{3, 1, 2}));
    EXPECT_TRUE(t1.done() && t2.done() && t3.done());
  };
  run_virtual(main);
}

// test_locks.py: EventTests.test_clear
// test_locks.py: EventTests.test_repr
TEST(Event, CanBeClearedAndPrinted) {
  auto main = []() -> Coro<> {
    Event event;
    EXPECT_EQ(event.repr(), "<Event [unset]>");
    event.set();
    EXPECT_EQ(event.repr(), "<Event [set]>");
    event.clear();
    EXPECT_FALSE(event.is_set());
    auto wait = create_task(event.wait());
    co_await tick();
    EXPECT_EQ(event.repr(), "<Event [unset, waiters:1]>");
    event.set();
    co_await wait;
    EXPECT_EQ(event.repr(), "<Event [set]>");
  };
  run_virtual(main);
}

// test_locks.py: EventTests.test_clear_with_waiters
TEST(Event, SetClearAndSetAgainWakeAWaiterOnce) {
  auto main = []() -> Coro<> {
    Event event;
    Ints result;
    auto task = create_task(note_when_set(event, result, 1));
    co_await tick();
    EXPECT_EQ(result, (Ints{}));
    event.set();
    event.clear();
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    EXPECT_EQ(event.repr(), "<Event [set, waiters:1]>");
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    EXPECT_EQ(event.repr(), "<Event [set]>");
    EXPECT_TRUE(task.done());
  };
  run_virtual(main);
}

TEST(Event, AClearBeforeTheyRunDoesNotStopTheWoken) {
  auto main = []() -> Coro<> {
    Event event;
    Ints result;
    auto early = create_task(note_when_set(event, result, 1));
    co_await tick();
    event.set();
    event.clear();
    auto late = create_task(note_when_set(event, result, 2));
    co_await tick();
    co_await tick();
    EXPECT_EQ(result, (Ints{1}));
    event.set();
    co_await late;
    EXPECT_EQ(result, (Ints{1, 2}));
  };
  run_virtual(main);
}

}  // namespace
}  // namespace asyncio
