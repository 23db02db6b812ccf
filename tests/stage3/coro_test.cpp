// Coro<T> alone: lazy, awaited once, and cleaned up however it ends.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::MoveOnly;

using Log = std::vector<std::string>;

Coro<int> add(int a, int b) { co_return a + b; }

Coro<> note(Log& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}

TEST(Coro, DoesNothingUntilItIsAwaited) {
  Log log;
  auto main = [&]() -> Coro<> {
    Coro<> later = note(log, "ran");
    log.push_back("made");
    co_await std::move(later);
  };
  run(main, make_core());
  EXPECT_EQ(log, (Log{"made", "ran"}));
}

TEST(Coro, GivesItsResultToTheAwait) {
  auto main = []() -> Coro<int> {
    int first = co_await add(1, 2);
    int second = co_await add(first, 10);
    co_return second;
  };
  EXPECT_EQ(run(main, make_core()), 13);
}

TEST(Coro, RunsWithoutATickUpToItsFirstSuspension) {
  auto main = []() -> Coro<int> {
    testing::TickCounter counter(Loop::running());
    int sum = co_await add(1, 2);
    EXPECT_EQ(sum, 3);
    co_return counter.ticks();
  };
  EXPECT_EQ(run(main, make_core()), 0);
}

TEST(Coro, ThrowsAtTheAwait) {
  auto fail = []() -> Coro<int> {
    throw std::runtime_error("boom");
    co_return 1;
  };
  auto main = [&]() -> Coro<std::string> {
    try {
      co_await fail();
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(run(main, make_core()), "boom");
}

TEST(Coro, ThrowsAnythingEvenWhatIsNoStdException) {
  auto fail = []() -> Coro<> {
    co_await sleep(0s);
    throw 42;
  };
  auto main = [&]() -> Coro<int> {
    try {
      co_await fail();
    } catch (int number) {
      co_return number;
    }
    co_return 0;
  };
  EXPECT_EQ(run(main, make_core()), 42);
}

TEST(Coro, AnExceptionPassesThroughManyFramesAndDestroysEachOnTheWay) {
  Counted::reset();
  struct Frames {
    static Coro<int> dive(int depth) {
      Counted here(depth);
      if (depth == 0) throw std::out_of_range("the bottom");
      int result = co_await dive(depth - 1);
      co_return result + here.value;
    }
  };
  auto main = []() -> Coro<bool> {
    try {
      co_await Frames::dive(50);
    } catch (const std::out_of_range&) {
      co_return Counted::alive == 0;
    }
    co_return false;
  };
  EXPECT_TRUE(run(main, make_core()));
}

TEST(Coro, CanBeCaughtAndAwaitedAgainInALoop) {
  auto flaky = [](int attempt) -> Coro<int> {
    co_await sleep(0s);
    if (attempt < 3) throw std::runtime_error("again");
    co_return attempt;
  };
  auto main = [&]() -> Coro<int> {
    for (int attempt = 0;; ++attempt) {
      bool failed = false;
      int value = 0;
      try {
        value = co_await flaky(attempt);
      } catch (const std::runtime_error&) {
        failed = true;
      }
      if (!failed) co_return value;
    }
  };
  EXPECT_EQ(run(main, make_core()), 3);
}

TEST(Coro, MayGiveWhatCanOnlyBeMoved) {
  auto make = []() -> Coro<MoveOnly> { co_return MoveOnly(7); };
  auto pass_on = [&]() -> Coro<MoveOnly> {
    MoveOnly value = co_await make();
    co_return value;
  };
  auto main = [&]() -> Coro<int> {
    MoveOnly value = co_await pass_on();
    co_return value.value;
  };
  EXPECT_EQ(run(main, make_core()), 7);
  EXPECT_EQ(run(pass_on, make_core()).value, 7);
}

TEST(Coro, MayGiveWhatHasNoDefaultConstructor) {
  struct Point {
    explicit Point(int both) : x(both), y(both) {}
    int x, y;
  };
  auto make = [](int both) -> Coro<Point> { co_return Point(both); };
  auto main = [&]() -> Coro<int> {
    Point point = co_await make(4);
    co_return point.x + point.y;
  };
  EXPECT_EQ(run(main, make_core()), 8);
}

TEST(Coro, MayReturnABracedList) {
  auto make = []() -> Coro<std::pair<int, std::string>> { co_return {1, "one"}; };
  auto main = [&]() -> Coro<std::string> {
    auto [number, name] = co_await make();
    co_return name + std::to_string(number);
  };
  EXPECT_EQ(run(main, make_core()), "one1");
}

TEST(Coro, MovesItsResultAndNeverCopiesIt) {
  Counted::reset();
  auto make = []() -> Coro<Counted> { co_return Counted(3); };
  auto outer = [&]() -> Coro<Counted> {
    Counted value = co_await make();
    co_return value;
  };
  EXPECT_EQ(run(outer, make_core()).value, 3);
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Coro, CanBeAMemberFunction) {
  class Account {
   public:
    explicit Account(int balance) : balance_(balance) {}
    Coro<int> deposit(int amount) {
      co_await sleep(1s);
      balance_ += amount;
      co_return balance_;
    }

   private:
    int balance_;
  };
  auto main = []() -> Coro<int> {
    Account account(100);
    int first = co_await account.deposit(10);
    int second = co_await account.deposit(5);
    co_return first * 1000 + second;
  };
  EXPECT_EQ(run(main, make_core()), 110115);
}

TEST(Coro, CanBeRecursive) {
  struct Fibonacci {
    static Coro<int> of(int n) {
      if (n < 2) co_return n;
      int one = co_await of(n - 1);
      int two = co_await of(n - 2);
      co_return one + two;
    }
  };
  EXPECT_EQ(run(Fibonacci::of(15), make_core()), 610);
}

TEST(Coro, DestroyedUnrunDestroysItsParametersAndRunsNothing) {
  Counted::reset();
  bool ran = false;
  auto body = [&](Counted value) -> Coro<> {
    ran = value.value != 0;
    co_return;
  };
  {
    Coro<> dropped = body(Counted(1));
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_FALSE(ran);
}

TEST(Coro, AssignmentDropsTheOneThatWasThereBefore) {
  Counted::reset();
  auto body = [](Counted value) -> Coro<int> { co_return value.value; };
  Coro<int> coro = body(Counted(1));
  coro = body(Counted(2));
  EXPECT_EQ(Counted::alive, 1);
  EXPECT_EQ(run(std::move(coro), make_core()), 2);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Coro, TellsWhetherItCanStillBeAwaited) {
  Coro<int> empty;
  EXPECT_FALSE(empty);
  Coro<int> coro = add(1, 2);
  EXPECT_TRUE(coro);
  Coro<int> moved = std::move(coro);
  EXPECT_TRUE(moved);
  EXPECT_FALSE(coro);  // NOLINT(bugprone-use-after-move): what is left is part of the contract
}

std::string message_of_awaiting(Coro<int> coro) {
  auto main = [&]() -> Coro<std::string> {
    try {
      co_await std::move(coro);
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "no exception";
  };
  return run(main, make_core());
}

// test_pep492.py: CoroutineTests.test_double_await
TEST(Coro, AwaitedWhenItIsEmptyOrMovedFromIsAnError) {
  const std::string message = "cannot reuse already awaited coroutine (or one that was moved from)";
  EXPECT_EQ(message_of_awaiting(Coro<int>()), message);

  Coro<int> coro = add(1, 2);
  auto twice = [&]() -> Coro<std::string> {
    int sum = co_await std::move(coro);
    try {
      co_await std::move(coro);
    } catch (const std::runtime_error& error) {
      co_return std::to_string(sum) + error.what();
    }
    co_return "no exception";
  };
  EXPECT_EQ(run(twice, make_core()), "3" + message);
}

TEST(Coro, MadeATaskWhenItIsEmptyIsAnError) {
  testing::VirtualLoop loop;
  EXPECT_THROW(create_task(Coro<int>(), {.loop = &loop}), std::runtime_error);
  EXPECT_TRUE(all_tasks(loop).empty());
}

// ── lifetimes of a frame's objects ──

TEST(Coro, ParametersAndLocalsAreDestroyedBeforeTheAwaiterGoesOn) {
  Counted::reset();
  auto body = [](Counted parameter) -> Coro<int> {
    Counted local(2);
    co_await sleep(1s);
    co_return parameter.value + local.value;
  };
  auto main = [&]() -> Coro<int> {
    int sum = co_await body(Counted(1));
    EXPECT_EQ(Counted::alive, 0);
    co_return sum;
  };
  EXPECT_EQ(run(main, make_core()), 3);
}

TEST(Coro, ATaskDestroysItsParametersBeforeAnyoneHearsThatItIsDone) {
  Counted::reset();
  int alive_at_callback = -1;
  auto body = [](Counted parameter) -> Coro<int> {
    co_await sleep(0s);
    co_return parameter.value;
  };
  auto main = [&]() -> Coro<> {
    Task<int> task = create_task(body(Counted(5)));
    task.add_done_callback([&](Task<int>&) { alive_at_callback = Counted::alive; });
    int value = co_await task;
    EXPECT_EQ(value, 5);
    EXPECT_EQ(Counted::alive, 0);  // although the handle is still here
  };
  run(main, make_core());
  EXPECT_EQ(alive_at_callback, 0);
}

TEST(Coro, ATaskOwnsTheLambdaItIsMadeFrom) {
  Counted::reset();
  auto main = []() -> Coro<int> {
    Task<int> task;
    {
      auto body = [captured = Counted(8)]() -> Coro<int> {
        co_await sleep(1s);
        co_return captured.value;  // from the task's copy of the lambda
      };
      task = create_task(body);
    }
    int value = co_await task;
    EXPECT_EQ(Counted::alive, 0);
    co_return value;
  };
  EXPECT_EQ(run(main, make_core()), 8);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Coro, AMovedInLambdaIsNotCopied) {
  Counted::reset();
  auto main = []() -> Coro<int> {
    auto body = [captured = Counted(9)]() -> Coro<int> { co_return captured.value; };
    Task<int> task = create_task(std::move(body));
    int value = co_await task;
    co_return value;
  };
  EXPECT_EQ(run(main, make_core()), 9);
  EXPECT_EQ(Counted::copies, 0);
}

TEST(Coro, TemporariesOfAnAwaitExpressionLiveUntilItsEnd) {
  Counted::reset();
  auto read = [](const Counted& value) -> Coro<int> {
    co_await sleep(1s);
    co_return value.value;
  };
  auto main = [&]() -> Coro<int> {
    int value = co_await read(Counted(6));
    EXPECT_EQ(Counted::alive, 0);
    co_return value;
  };
  EXPECT_EQ(run(main, make_core()), 6);
}

}  // namespace
}  // namespace asyncio
