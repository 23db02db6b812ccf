// Awaiting a future: when it suspends, for how many ticks, and which values it moves.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <string>
#include <type_traits>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::MoveOnly;
using testing::TickCounter;

TEST(AwaitFuture, DoneDoesNotSuspend) {
  auto main = []() -> Coro<int> {
    Future<int> future = create_future<int>();
    future.set_result(4);
    TickCounter counter(Loop::running());
    int value = co_await future;
    EXPECT_EQ(value, 4);
    co_return counter.ticks();
  };
  EXPECT_EQ(run(main, make_core()), 0);
}

TEST(AwaitFuture, PendingGoesOnInTheTickAfterItIsDone) {
  auto main = []() -> Coro<int> {
    Future<int> future = create_future<int>();
    TickCounter counter(Loop::running());
    Loop::running().call_soon([&] { future.set_result(4); });
    int value = co_await future;
    EXPECT_EQ(value, 4);
    co_return counter.ticks();
  };
  EXPECT_EQ(run(main, make_core()), 2);
}

TEST(AwaitFuture, WakesInTheOrderOfWaitingAmongOtherCallbacks) {
  std::string log;
  auto wait = [&](Future<> future, char name) -> Coro<> {
    co_await future;
    log += name;
  };
  auto main = [&]() -> Coro<> {
    Future<> future = create_future();
    Task<> a = create_task(wait(future, 'a'));
    Task<> b = create_task(wait(future, 'b'));
    co_await sleep(0s);
    future.add_done_callback([&](Future<>&) { log += 'c'; });
    future.set_result();
    Loop::running().call_soon([&] { log += 'd'; });
    EXPECT_EQ(log, "");  // nothing runs inline
    co_await a;
    co_await b;
  };
  run(main, make_core());
  EXPECT_EQ(log, "abcd");
}

TEST(AwaitFuture, ThrowsItsException) {
  auto main = []() -> Coro<std::string> {
    Future<int> future = create_future<int>();
    Loop::running().call_soon([&] { future.set_exception(std::runtime_error("broken")); });
    try {
      co_await future;
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "";
  };
  EXPECT_EQ(run(main, make_core()), "broken");
}

TEST(AwaitFuture, AVoidOneGivesNothing) {
  EXPECT_TRUE((std::is_void_v<await_result_t<Future<>&>> && std::is_void_v<await_result_t<Future<>>>));
  auto main = []() -> Coro<bool> {
    Future<> future = create_future();
    Loop::running().call_soon([&] { future.set_result(); });
    co_await future;
    co_return future.done();
  };
  EXPECT_TRUE(run(main, make_core()));
}

// test_futures.py: BaseFutureTests.test_yield_from_twice
TEST(AwaitFuture, MayBeAwaitedByManyAndManyTimes) {
  auto main = []() -> Coro<int> {
    Future<int> future = create_future<int>();
    auto read = [&]() -> Coro<int> {
      int once = co_await future;
      int again = co_await future;
      co_return once + again;
    };
    Task<int> a = create_task(read);
    Task<int> b = create_task(read);
    co_await sleep(0s);
    future.set_result(10);
    int of_a = co_await a;
    int of_b = co_await b;
    co_return of_a + of_b;
  };
  EXPECT_EQ(run(main, make_core()), 40);
}

// ── values: one that others can see is never moved ──

TEST(AwaitFuture, AnLvalueGivesAConstReferenceToTheValueInside) {
  EXPECT_TRUE((std::same_as<await_result_t<Future<Counted>&>, const Counted&>));
  EXPECT_TRUE((std::same_as<await_result_t<const Task<Counted>&>, const Counted&>));
  Counted::reset();
  auto main = []() -> Coro<> {
    Future<Counted> future = create_future<Counted>();
    future.set_result(Counted(1));
    Counted::copies = Counted::moves = 0;
    const Counted& value = co_await future;
    EXPECT_EQ(&value, &future.result());
    EXPECT_EQ(value.value, 1);
    EXPECT_EQ(Counted::copies + Counted::moves, 0);
  };
  run(main, make_core());
  EXPECT_EQ(Counted::alive, 0);
}

TEST(AwaitFuture, AnRvalueMovesTheValueOutIfNobodyElseCanSeeIt) {
  EXPECT_TRUE((std::same_as<await_result_t<Future<Counted>>, Counted>));
  Counted::reset();
  auto main = []() -> Coro<int> {
    Future<Counted> future = create_future<Counted>();
    future.set_result(Counted(2));
    Counted value = co_await std::move(future);
    EXPECT_EQ(Counted::copies, 0);
    co_return value.value;
  };
  EXPECT_EQ(run(main, make_core()), 2);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(AwaitFuture, AnRvalueCopiesTheValueIfAnotherHandleCanSeeIt) {
  Counted::reset();
  auto main = []() -> Coro<int> {
    Future<Counted> future = create_future<Counted>();
    Future<Counted> other = future;
    Loop::running().call_soon([other] { other.set_result(Counted(3)); });
    Counted value = co_await std::move(future);
    EXPECT_EQ(Counted::copies, 1);
    EXPECT_EQ(other.result().value, 3);  // untouched
    co_return value.value;
  };
  EXPECT_EQ(run(main, make_core()), 3);
}

TEST(AwaitFuture, ANewTaskAwaitedAtOnceHandsItsValueOverWithoutACopy) {
  Counted::reset();
  auto make = []() -> Coro<Counted> {
    co_await sleep(1s);
    co_return Counted(4);
  };
  auto main = [&]() -> Coro<int> {
    Counted value = co_await create_task(make());
    EXPECT_EQ(Counted::copies, 0);
    co_return value.value;
  };
  EXPECT_EQ(run(main, make_core()), 4);
}

TEST(AwaitFuture, TheLoopsOwnReferencesDoNotForceACopy) {
  Counted::reset();
  auto main = []() -> Coro<Counted> {
    co_await sleep(1s);
    co_return Counted(5);
  };
  EXPECT_EQ(run(main, make_core()).value, 5);
  testing::VirtualLoop loop;
  EXPECT_EQ(loop.run_until_complete(main()).value, 5);
  EXPECT_EQ(Counted::copies, 0);
}

TEST(AwaitFuture, MovesAMoveOnlyValueOnceAndThenSaysSo) {
  auto main = []() -> Coro<std::string> {
    Future<MoveOnly> future = create_future<MoveOnly>();
    Future<MoveOnly> other = future;
    future.set_result(MoveOnly(6));
    MoveOnly value = co_await std::move(future);
    EXPECT_EQ(value.value, 6);
    try {
      co_await other;
    } catch (const InvalidStateError& error) {
      co_return error.what();
    }
    co_return "";
  };
  EXPECT_EQ(run(main, make_core()), "Result was moved out already, by the await or result() of an rvalue.");
}

TEST(AwaitFuture, AnEmptyHandleIsAnError) {
  auto main = []() -> Coro<std::string> {
    Future<int> empty;
    try {
      co_await empty;
    } catch (const InvalidStateError& error) {
      co_return error.what();
    }
    co_return "";
  };
  EXPECT_EQ(run(main, make_core()), "this Future is empty: it was default-constructed or moved from");
}

// ── errors that come one tick later, at the await ──

// test_tasks.py: BaseTaskTests.test_other_loop_future
TEST(AwaitFuture, OfAnotherLoopIsAnErrorOneTickLater) {
  testing::VirtualLoop other;
  Future<> foreign(other);
  auto main = [&]() -> Coro<> {
    TickCounter counter(Loop::running());
    std::string message;
    try {
      co_await foreign;
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(counter.ticks(), 1);
    EXPECT_NE(message.find("got Future <Future pending> attached to a different loop"), std::string::npos) << message;
    EXPECT_EQ(message.find("Task <Task pending name='"), 0u) << message;
    co_await sleep(0s);  // nothing is left
  };
  run(main, make_core());
}

TEST(AwaitFuture, ADoneOneOfAnotherLoopGivesItsResult) {
  testing::VirtualLoop other;
  Future<int> foreign(other);
  foreign.set_result(3);
  auto main = [&]() -> Coro<int> {
    int value = co_await foreign;
    co_return value;
  };
  EXPECT_EQ(run(main, make_core()), 3);
}

// test_tasks.py: BaseTaskTests.test_task_awaits_on_itself
TEST(AwaitFuture, ATaskThatAwaitsItselfGetsAnErrorOneTickLater) {
  auto main = []() -> Coro<std::string> {
    Task<> self;
    std::string message;
    auto body = [&]() -> Coro<> {
      TickCounter counter(Loop::running());
      try {
        co_await self;
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      EXPECT_EQ(counter.ticks(), 1);
    };
    self = create_task(body);
    co_await self;
    co_return message;
  };
  EXPECT_EQ(run(main, make_core()).find("Task cannot await on itself: <Task pending name='"), 0u);
}

TEST(AwaitFuture, ACancelWinsOverTheErrorOfAForeignFuture) {
  testing::VirtualLoop other;
  Future<> foreign(other);
  auto main = [&]() -> Coro<std::string> {
    auto body = [&]() -> Coro<> { co_await foreign; };
    Task<> task = create_task(body);
    co_await sleep(0s);
    task.cancel("rather this");
    std::string message;
    try {
      co_await task;
    } catch (const CancelledError& error) {
      message = error.message();
    }
    co_return message;
  };
  EXPECT_EQ(run(main, make_core()), "rather this");
}

}  // namespace
}  // namespace asyncio
