// Event: one says it, all who wait hear it.
#include <asyncio/event.h>
#include <support/counted.h>

#include <memory>

#include "sync_support.h"

namespace asyncio {
namespace {

using testing::finished;
using testing::Ints;
using testing::run_virtual;
using testing::tick;
using testing::ticks_of;
using namespace std::chrono_literals;

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

// test_locks.py: EventTests.test_wait_on_set
TEST(Event, WaitingForASetEventTakesNoTick) {
  auto main = []() -> Coro<int> {
    Event event;
    event.set();
    const int ticks = co_await ticks_of(event.wait());
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 0);
}

// asyncio-api.md, appendix A
TEST(Event, AWaiterSetByTheNextCallbackTakesTwoTicks) {
  auto main = []() -> Coro<int> {
    Event event;
    const std::function<void()> set = [&] { event.set(); };
    const int ticks = co_await ticks_of(event.wait(), set);
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 2);
}

// test_locks.py: EventTests.test_wait_cancel
TEST(Event, ACancelledWaiterLeavesTheQueue) {
  auto main = []() -> Coro<> {
    Event event;
    auto wait = create_task(event.wait());
    Loop::running().call_soon([wait] { wait.cancel(); });
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
    EXPECT_EQ(event.repr(), "<Event [unset]>");
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

// asyncio-rules.md 50
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

TEST(Event, ACancelAfterTheSetStillWins) {
  auto main = []() -> Coro<> {
    Event event;
    auto wait = create_task(event.wait());
    co_await tick();
    event.set();
    wait.cancel();
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
  };
  run_virtual(main);
}

TEST(Event, BelongsToTheLoopWhereATaskFirstHadToWait) {
  Event event;
  auto wait = [&]() -> Coro<> {
    Loop::running().call_soon([&] { event.set(); });
    co_await event.wait();
    event.clear();
  };
  run_virtual(wait);
  EXPECT_EQ(testing::message_of<std::runtime_error>([&] { run_virtual(wait); }),
            "<Event [unset]> is bound to a different event loop");
}

TEST(Event, MayBeDestroyedWhileTasksWait) {
  auto main = []() -> Coro<> {
    auto event = std::make_unique<Event>();
    auto wait = create_task(event->wait());
    co_await tick();
    event.reset();
    wait.cancel();
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
  };
  run_virtual(main);
}

TEST(Event, ClosingTheLoopEarlyLeaksNothing) {
  using testing::Counted;
  Counted::reset();
  Event event;
  {
    testing::VirtualLoop loop;
    const testing::ErrorLog errors(loop);
    auto work = [&event](Counted) -> Coro<> { co_await event.wait(); };
    for (int i = 0; i < 3; ++i) create_task(work(Counted(i)), {.loop = &loop});
    loop.run_ticks(2);
    event.set();  // woken, and never run
    EXPECT_EQ(Counted::alive, 3);
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 3u);
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(event.repr(), "<Event [set]>");
}

}  // namespace
}  // namespace asyncio
