#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/wait_for.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

std::vector<Future<int>> futures(Loop& loop, int count) {
  std::vector<Future<int>> all;
  for (int i = 0; i != count; ++i) all.push_back(Future<int>(loop));
  return all;
}

// ── results ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_tasks.py: CoroutineGatherTests.test_constructor_use_running_loop
TEST(Gather, GivesATupleInTheOrderOfTheArguments) {
  run_virtual([]() -> Coro<> {
    auto results = co_await gather(value_after(2s, 1), value_after(1s, std::string("two")), nothing());
    EXPECT_EQ(std::get<0>(results), 1);
    EXPECT_EQ(std::get<1>(results), "two");
    static_assert(std::same_as<decltype(results), std::tuple<int, std::string, std::monostate>>);
    EXPECT_EQ(now(), 2);
  });
}

TEST(Gather, TakesCoroutinesCallablesTasksFuturesAndOtherAwaitables) {
  run_virtual([]() -> Coro<> {
    Future<int> future = create_future<int>();
    Loop::running().call_later(1s, [=] { future.set_result(3); });
    Task<int> task = create_task(value_after(1s, 2));
    std::string captured = "captured by a lambda that is gone when it runs";
    auto callable = [captured]() -> Coro<std::string> {
      co_await sleep(1s);
      co_return captured;
    };
    auto results = co_await gather(value_after(1s, 1), task, future, std::move(callable), sleep(1s));
    EXPECT_EQ(std::get<0>(results) + std::get<1>(results) + std::get<2>(results), 6);
    EXPECT_EQ(std::get<3>(results), captured);
    EXPECT_EQ(now(), 1);
  });
}

TEST(Gather, OfAVectorGivesAVector) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> coroutines;
    for (int i = 0; i != 100; ++i) coroutines.push_back(value_after((100 - i) * 1ms, i));
    const std::vector<int> results = co_await gather(std::move(coroutines));
    EXPECT_EQ(results.size(), 100u);
    for (int i = 0; i != 100; ++i) EXPECT_EQ(results[i], i);

    std::vector<Coro<>> voids;
    voids.push_back(nothing());
    const std::vector<std::monostate> none = co_await gather(std::move(voids));
    EXPECT_EQ(none.size(), 1u);
  });
}

// test_tasks.py: GatherTestsBase.test_success
TEST(Gather, CompletesInTheTickAfterTheLastOfItsFutures) {
  VirtualLoop loop;
  const auto all = futures(loop, 3);
  auto gathered = gather(all);
  EXPECT_FALSE(gathered.done());
  all[1].set_result(2);
  loop.run_ticks(2);
  all[0].set_result(1);
  all[2].set_result(3);
  EXPECT_FALSE(gathered.done());
  loop.run_ticks(1);
  ASSERT_TRUE(gathered.done());
  EXPECT_EQ(gathered.result(), (std::vector<int>{1, 2, 3}));
}

// test_tasks.py: GatherTestsBase.test_one_exception
TEST(Gather, TheFirstExceptionWinsAndLaterOnesAreDropped) {
  VirtualLoop loop;
  ErrorLog log(loop);
  {
    auto all = futures(loop, 5);
    auto gathered = gather(all);
    all[0].set_result(1);
    all[1].set_exception(std::runtime_error("first"));
    all[3].cancel();
    all[4].set_exception(std::runtime_error("second"));
    loop.run_ticks(1);
    EXPECT_TRUE(gathered.done());
    EXPECT_EQ(what_of(gathered.exception()), "first");
    EXPECT_FALSE(gathered.cancelled());
    all[2].set_result(3);
    loop.run_ticks(1);
  }
  EXPECT_TRUE(log.contexts.empty());  // no "never retrieved"
}

TEST(Gather, TheOthersRunOnAfterAnException) {
  run_virtual([]() -> Coro<> {
    bool finished = false;
    auto other = [&]() -> Coro<> {
      co_await sleep(2s);
      finished = true;
    };
    const bool failed = co_await throws<std::runtime_error>(gather(fail_after(1s), other));
    EXPECT_TRUE(failed);
    EXPECT_EQ(now(), 1);
    EXPECT_FALSE(finished);
    co_await sleep(2s);
    EXPECT_TRUE(finished);
  });
}

// test_tasks.py: GatherTestsBase.test_result_exception_success
TEST(Gather, ReturnExceptionsGivesTheValuesInTheOrderOfTheArguments) {
  VirtualLoop loop;
  auto all = futures(loop, 3);
  auto gathered = gather(return_exceptions, all);
  for (const std::size_t i : {1, 2, 0}) {
    EXPECT_FALSE(gathered.done());
    all[i].set_result(static_cast<int>(i));
    loop.run_ticks(1);
  }
  ASSERT_TRUE(gathered.done());
  for (std::size_t i = 0; i != 3; ++i) EXPECT_EQ(gathered.result()[i].value(), static_cast<int>(i));
}

// test_tasks.py: GatherTestsBase.test_return_exceptions
// test_tasks.py: FutureGatherTests.test_result_exception_one_cancellation
TEST(Gather, ReturnExceptionsGivesOutcomes) {
  VirtualLoop loop;
  auto all = futures(loop, 4);
  auto gathered = gather(return_exceptions, all);
  all[0].set_result(1);
  all[1].set_exception(std::runtime_error("bad"));
  all[2].cancel("why");
  loop.run_ticks(1);
  EXPECT_FALSE(gathered.done());
  all[3].set_result(4);
  loop.run_ticks(1);
  ASSERT_TRUE(gathered.done());
  const std::vector<Outcome<int>> outcomes = gathered.result();
  EXPECT_TRUE(outcomes[0].has_value());
  EXPECT_EQ(outcomes[0].value(), 1);
  EXPECT_EQ(outcomes[0].exception(), nullptr);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_EQ(what_of(outcomes[1].exception()), "bad");
  EXPECT_THROW(outcomes[1].value(), std::runtime_error);
  try {
    outcomes[2].value();
    ADD_FAILURE();
  } catch (const CancelledError& error) {
    EXPECT_EQ(error.message(), "why");
  }
  EXPECT_EQ(outcomes[3].value(), 4);
}

TEST(Gather, ReturnExceptionsOfATuple) {
  run_virtual([]() -> Coro<> {
    auto [number, none, failed] = co_await gather(return_exceptions, value_after(1s, 1), nothing(), fail());
    EXPECT_EQ(number.value(), 1);
    none.value();
    EXPECT_TRUE(none.has_value());
    EXPECT_THROW(failed.value(), std::runtime_error);
  });
}

// ── children and their loop ─────────────────────────────────────────────────────────────────────────────────────────

// test_tasks.py: FutureGatherTests.test_constructor_empty_sequence_use_running_loop
TEST(Gather, OfNothingIsDone) {
  run_virtual([]() -> Coro<> {
    auto none = gather(std::vector<Future<int>>());
    EXPECT_TRUE(none.done());
    EXPECT_TRUE(none.result().empty());
    EXPECT_TRUE(gather().done());
    EXPECT_TRUE(gather(return_exceptions).done());
    co_return;
  });
}

// test_tasks.py: FutureGatherTests.test_constructor_empty_sequence_without_loop
// test_tasks.py: CoroutineGatherTests.test_constructor_without_loop
TEST(Gather, NeedsALoop) {
  EXPECT_THROW(gather(), std::runtime_error);
  EXPECT_THROW(gather(std::vector<Future<int>>()), std::runtime_error);
  EXPECT_THROW(gather(nothing()), std::runtime_error);
}

// test_tasks.py: FutureGatherTests.test_constructor_homogenous_futures
// test_tasks.py: FutureGatherTests.test_constructor_heterogenous_futures
TEST(Gather, TakesTheLoopOfItsFuturesWhichIsOne) {
  VirtualLoop one;
  VirtualLoop another;
  const Future<int> a(one);
  const Future<int> b(another);
  EXPECT_EQ(&gather(a, a).get_loop(), &one);
  EXPECT_THROW(gather(a, b), std::invalid_argument);
}

TEST(Gather, RefusesAnEmptyFutureAndAnAwaitedCoroutine) {
  run_virtual([]() -> Coro<> {
    EXPECT_THROW(gather(Future<int>()), InvalidStateError);
    EXPECT_THROW(gather(Coro<int>()), std::runtime_error);
    EXPECT_THROW(gather(std::function<Coro<>()>()), std::invalid_argument);
    co_return;
  });
}

// test_tasks.py: CoroutineGatherTests.test_duplicate_coroutines
TEST(Gather, AFutureGivenTwiceIsOneChild) {  // a C++ coroutine cannot be given twice; a task can
  run_virtual([]() -> Coro<> {
    int runs = 0;
    Task<int> task = create_task([&]() -> Coro<int> {
      ++runs;
      co_return 7;
    });
    auto results = co_await gather(task, value_after(1s, 8), task);
    EXPECT_EQ(results, std::make_tuple(7, 8, 7));
    EXPECT_EQ(runs, 1);
  });
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

// test_tasks.py: FutureGatherTests.test_one_cancellation
TEST(Gather, ACancelledChildIsAnExceptionAndNotACancellationOfTheGather) {
  VirtualLoop loop;
  auto all = futures(loop, 5);
  auto gathered = gather(all);
  all[0].set_result(1);
  all[1].cancel();
  loop.run_ticks(1);
  EXPECT_TRUE(gathered.done());
  EXPECT_FALSE(gathered.cancelled());
  EXPECT_THROW(gathered.result(), CancelledError);
  EXPECT_TRUE(detail::is_cancelled_error(gathered.exception()));
  all[2].set_result(3);
  all[4].set_exception(std::runtime_error("late"));
  loop.run_ticks(1);
}

// test_tasks.py: CoroutineGatherTests.test_cancellation_broadcast
TEST(Gather, CancellingTheAwaiterCancelsAllChildren) {
  VirtualLoop loop;
  int proof = 0;
  const Future<> waiter(loop);
  auto inner = [&]() -> Coro<> {
    co_await waiter;
    ++proof;
  };
  auto child1 = create_task(inner, {.loop = &loop});
  auto child2 = create_task(inner, {.loop = &loop});
  Future<std::tuple<std::monostate, std::monostate>> gathering;
  auto outer = create_task(
      [&]() -> Coro<> {
        gathering = gather(child1, child2);
        co_await gathering;
        proof += 100;
      },
      {.loop = &loop});
  loop.run_ticks(2);
  EXPECT_TRUE(outer.cancel());
  EXPECT_THROW(loop.run_until_complete(outer), CancelledError);
  EXPECT_FALSE(gathering.cancel());
  EXPECT_TRUE(waiter.cancelled());
  EXPECT_TRUE(child1.cancelled());
  EXPECT_TRUE(child2.cancelled());
  loop.run_ticks(2);
  EXPECT_EQ(proof, 0);
}

// test_tasks.py: CoroutineGatherTests.test_exception_marking
TEST(Gather, ExceptionsAfterTheFirstCountAsLookedAt) {
  VirtualLoop loop;
  ErrorLog log(loop);
  {
    auto one = [&](Future<> future) -> Coro<> {
      co_await future;
      throw std::runtime_error("one");
    };
    const Future<> a(loop);
    const Future<> b(loop);
    auto outer = create_task([&]() -> Coro<> { co_await gather(one(a), one(b)); }, {.loop = &loop});
    loop.run_ticks(2);
    a.set_result();
    loop.run_ticks(2);
    b.set_result();
    loop.run_ticks(2);
    EXPECT_EQ(what_of(outer.exception()), "one");
  }
  EXPECT_TRUE(log.contexts.empty());
}

// test_tasks.py: BaseTaskTests.test_cancel_gather_1
TEST(Gather, WhoseChildrenAreAllDoneRefusesToBeCancelled) {
  run_virtual([]() -> Coro<> {
    Future<> future = create_future();
    auto gathered = gather(future, future);
    auto waiting = create_task([=]() -> Coro<> { co_await gathered; });
    co_await sleep(0s);
    future.set_result();  // its callback has not run yet
    EXPECT_FALSE(gathered.cancel());
    co_await waiting;
    EXPECT_FALSE(gathered.cancelled());
  });
}

// test_tasks.py: BaseTaskTests.test_cancel_gather_2
TEST(Gather, PassesTheMessageOfACancelOn) {
  run_virtual([]() -> Coro<> {
    auto test = create_task([]() -> Coro<> { co_await gather([]() -> Coro<> { co_await sleep(100s); }); });
    co_await sleep(1s);
    test.cancel("my message");
    const std::string message = co_await cancel_message(test);
    EXPECT_EQ(message, "my message");
    EXPECT_TRUE(test.cancelled());
  });
}

TEST(Gather, WithReturnExceptionsACancelWaitsForAllAndThenThrows) {
  run_virtual([]() -> Coro<> {
    auto cleans_up = []() -> Coro<int> {
      try {
        co_await sleep(100s);
      } catch (const CancelledError&) {
      }
      co_await sleep(5s);
      throw std::runtime_error("while cleaning up");
    };
    auto gathered = gather(return_exceptions, sleep(100s), cleans_up);
    co_await sleep(1s);
    EXPECT_TRUE(gathered.cancel("stop"));
    EXPECT_FALSE(gathered.done());
    const bool cancelled = co_await throws<CancelledError>(gathered);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(now(), 6);
    EXPECT_FALSE(gathered.cancelled());
  });
}

TEST(Gather, WithoutReturnExceptionsTheFirstCancelledChildWakesTheParent) {
  run_virtual([]() -> Coro<> {
    auto cleans_up = []() -> Coro<> {
      try {
        co_await sleep(100s);
      } catch (const CancelledError&) {
      }
      co_await sleep(5s);
    };
    auto gathered = gather(sleep(100s), cleans_up);
    co_await sleep(1s);
    gathered.cancel();
    const bool cancelled = co_await throws<CancelledError>(gathered);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(now(), 1);
  });
}

TEST(Gather, CancelOfADuplicateCountsTwiceAsInPython) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(sleep(100s));
    auto gathered = gather(task, task);
    co_await sleep(1s);
    gathered.cancel();
    EXPECT_EQ(task.cancelling(), 2u);
    const bool cancelled = co_await throws<CancelledError>(gathered);
    EXPECT_TRUE(cancelled);
  });
}

// test_tasks.py: BaseTaskTests.test_gather_shield
TEST(Gather, OfShieldsCancelsOnlyTheShields) {
  VirtualLoop loop;
  const auto children = futures(loop, 2);
  auto inner1 = shield(children[0]);
  auto inner2 = shield(children[1]);
  auto parent = gather(inner1, inner2);
  loop.run_ticks(2);
  parent.cancel();
  loop.run_ticks(2);
  EXPECT_TRUE(parent.done());
  EXPECT_FALSE(children[0].done() || children[1].done());
  children[0].set_result(1);
  children[1].set_result(2);
  loop.run_ticks(2);
  EXPECT_THROW(parent.result(), CancelledError);
}

// ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<Counted> counted(int value) { co_return Counted(value); }

TEST(Gather, MovesTheResultsOfItsOwnTasks) {
  Counted::reset();
  run_virtual([]() -> Coro<> {
    std::vector<Coro<Counted>> coroutines;
    coroutines.push_back(counted(1));
    coroutines.push_back(counted(2));
    const auto results = co_await gather(std::move(coroutines));
    EXPECT_EQ(results[0].value, 1);
    EXPECT_EQ(results[1].value, 2);
    auto both = co_await gather(counted(3), counted(4));
    EXPECT_EQ(std::get<1>(both).value, 4);
  });
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Gather, CopiesWhatTheCallerCanStillSee) {
  Counted::reset();
  run_virtual([]() -> Coro<> {
    auto task = create_task(counted(1));
    auto results = co_await gather(task, counted(2));
    EXPECT_EQ(std::get<0>(results).value, 1);
    EXPECT_EQ(task.result().value, 1);
  });
  EXPECT_EQ(Counted::copies, 1);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Gather, MovesWhatCannotBeCopied) {
  run_virtual([]() -> Coro<> {
    auto make = [](int value) -> Coro<MoveOnly> { co_return MoveOnly(value); };
    auto task = create_task(make(1));
    auto results = co_await gather(task, make(2));
    EXPECT_EQ(std::get<0>(results).value, 1);
    EXPECT_EQ(std::get<1>(results).value, 2);

    auto twice = create_task(make(3));
    const bool refused = co_await throws<InvalidStateError>(gather(twice, twice));
    EXPECT_TRUE(refused);  // it can be moved only once
  });
}

// ── nothing leaks ───────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Gather, ThatNobodyKeepsIsCompletedAllTheSame) {
  run_virtual([]() -> Coro<> {
    int sum = 0;
    gather(value_after(1s, 1), value_after(2s, 2)).add_done_callback([&](const Future<std::tuple<int, int>>& done) {
      sum = std::get<0>(done.result()) + std::get<1>(done.result());
    });
    co_await sleep(3s);
    EXPECT_EQ(sum, 3);
  });
}

TEST(Gather, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  Counted::reset();
  Future<int> kept;
  {
    VirtualLoop loop;
    const ErrorLog log(loop);
    kept = Future<int>(loop);
    auto counted_task = [](Counted) -> Coro<> { co_await sleep(100s); };
    auto waits = create_task(
        [&]() -> Coro<> { co_await gather(counted_task(Counted(1)), create_future<int>(), gather(sleep(50s)), kept); },
        {.loop = &loop});
    gather(kept, Future<Counted>(loop));  // dropped, and its second future never finishes
    waits.set_log_destroy_pending(false);
    loop.run_ticks(3);
    EXPECT_GT(Counted::alive, 0);
    loop.close();
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_TRUE(log.contexts.empty());  // its children are not reported as pending
  }
  EXPECT_FALSE(kept.done());
}

TEST(Gather, ItsResultOutlivesTheLoop) {
  Future<std::vector<std::monostate>> gathered;
  {
    VirtualLoop loop;
    const std::vector<Future<>> one(1, Future<>(loop));
    gathered = gather(one);
    one[0].set_result();
    loop.run_ticks(1);
  }
  EXPECT_EQ(gathered.result().size(), 1u);
}

TEST(Gather, ASetResultByHandIsLeftAlone) {
  run_virtual([]() -> Coro<> {
    auto gathered = gather(value_after(1s, 1));
    gathered.set_result(std::make_tuple(5));
    co_await sleep(2s);
    EXPECT_EQ(std::get<0>(gathered.result()), 5);
  });
}

TEST(Gather, AnEagerChildThatEndsAnEarlierOneIsHeardInTheNextTick) {
  run_virtual([]() -> Coro<> {
    auto future = create_future<int>();
    auto set = [&]() -> Coro<int> {
      future.set_result(1);
      co_return 2;
    };
    set_task_factory(Loop::running(), eager_task_factory);
    auto gathered = gather(future, set());
    EXPECT_FALSE(gathered.done());  // the future was pending when added, so its callback has not run yet
    auto results = co_await gathered;
    EXPECT_EQ(results, std::make_tuple(1, 2));
    auto at_once = gather(nothing(), nothing());
    EXPECT_TRUE(at_once.done());
  });
}

TEST(Gather, WhereOneCannotBecomeAChildTheOthersRunOn) {
  run_virtual([]() -> Coro<> {
    bool ran = false;
    auto fails_later = [&]() -> Coro<int> {
      co_await sleep(1s);
      ran = true;
      throw std::logic_error("looked at by the gather that was given up");
    };
    VirtualLoop another;
    const ErrorLog errors(Loop::running());
    std::string refused;
    {
      Future<int> foreign(another);
      refused = thrown<std::invalid_argument>([&] { gather(fails_later(), foreign); });
    }
    EXPECT_NE(refused, "(nothing was thrown)");
    co_await sleep(2s);
    EXPECT_TRUE(ran);
    EXPECT_TRUE(errors.contexts.empty());
  });
}

}  // namespace
}  // namespace asyncio
