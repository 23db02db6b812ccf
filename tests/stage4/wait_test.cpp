#include <asyncio/wait.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

Task<int> task_after(Duration delay, int value) { return create_task(value_after(delay, value)); }

// test_tasks.py: BaseTaskTests.test_wait
TEST(Wait, WaitsForAllAndGivesThemInTheOrderOfTheInput) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(task_after(2s, 42));
    tasks.push_back(task_after(1s, 17));
    for (int round = 0; round != 2; ++round) {  // in the second round they are done
      auto [done, pending] = co_await wait(tasks);
      EXPECT_EQ(done, tasks);
      EXPECT_TRUE(pending.empty());
      EXPECT_EQ(now(), 2);
    }
    EXPECT_EQ(tasks[0].result(), 42);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_duplicate_coroutines
TEST(Wait, AFutureGivenTwiceCountsOnce) {
  run_virtual([]() -> Coro<> {
    const auto a = task_after(1s, 1);
    const auto b = task_after(2s, 2);
    std::vector<Task<int>> tasks;
    for (const auto& task : {a, b, a, a}) tasks.push_back(task);
    auto [done, pending] = co_await wait(tasks);
    EXPECT_EQ(done.size(), 2u);
    EXPECT_EQ(done[0], a);
    EXPECT_EQ(done[1], b);
    EXPECT_TRUE(pending.empty());
  });
}

TEST(Wait, TakesTasksAndFuturesOfDifferentTypes) {
  run_virtual([]() -> Coro<> {
    std::vector<AnyFuture> any;
    any.push_back(task_after(1s, 1));
    any.push_back(create_future<std::string>());
    auto [done, pending] = co_await wait(any, {.timeout = 2s});
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(pending.size(), 1u);
    std::vector<AnyTask> tasks;
    tasks.push_back(task_after(1s, 1));
    tasks.push_back(create_task(nothing()));
    auto result = co_await wait(tasks);
    EXPECT_EQ(result.done.size(), 2u);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_errors
TEST(Wait, RefusesAnEmptySetAndAnUnknownCondition) {
  run_virtual([]() -> Coro<> {
    const bool empty = co_await throws<std::invalid_argument>(wait(std::vector<Task<>>()));
    EXPECT_TRUE(empty);
    std::vector<Task<int>> tasks(1, task_after(1s, 1));
    const bool unknown =
        co_await throws<std::invalid_argument>(wait(tasks, {.return_when = static_cast<ReturnWhen>(9)}));
    EXPECT_TRUE(unknown);
    const bool empty_handle = co_await throws<InvalidStateError>(wait(std::vector<Task<>>(1)));
    EXPECT_TRUE(empty_handle);
    VirtualLoop other;
    const bool foreign = co_await throws<std::invalid_argument>(wait(std::vector<Future<>>(1, Future<>(other))));
    EXPECT_TRUE(foreign);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_first_completed
TEST(Wait, FirstCompletedLeavesTheOthersAlone) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(task_after(10s, 1));
    tasks.push_back(task_after(100ms, 2));
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0], tasks[1]);
    EXPECT_EQ(pending[0], tasks[0]);
    EXPECT_FALSE(tasks[0].done());
    EXPECT_EQ(now(), 0.1);
    auto rest = co_await wait(tasks);
    EXPECT_EQ(rest.done.size(), 2u);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_really_done
TEST(Wait, FirstCompletedGivesAllThatAreDoneWhenItGoesOn) {
  run_virtual([]() -> Coro<> {
    auto yields = [](int times) -> Coro<> {
      for (; times > 0; --times) co_await sleep(0s);
    };
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(yields(1)));
    tasks.push_back(create_task(yields(2)));
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
    EXPECT_EQ(done.size(), 2u);
    EXPECT_TRUE(pending.empty());
  });
}

// test_tasks.py: BaseTaskTests.test_wait_first_exception
TEST(Wait, FirstExceptionComesBackAtTheFirstException) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(sleep(10s)));
    tasks.push_back(create_task(fail()));
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0], tasks[1]);
    EXPECT_EQ(pending.size(), 1u);
    EXPECT_EQ(now(), 0);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_first_exception_in_wait
TEST(Wait, FirstExceptionMayComeLaterAndACancelledOneIsNone) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(sleep(10s)));
    tasks.push_back(create_task(fail_after(10ms)));
    tasks.push_back(create_task(sleep(1s)));
    tasks[2].cancel();
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
    EXPECT_EQ(done.size(), 2u);
    EXPECT_EQ(pending.size(), 1u);
    EXPECT_EQ(now(), 0.01);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_with_exception
TEST(Wait, ForAllDoesNotThrowWhatATaskHolds) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(sleep(100ms)));
    tasks.push_back(create_task(fail_after(150ms)));
    auto [done, pending] = co_await wait(tasks);
    EXPECT_EQ(done.size(), 2u);
    EXPECT_TRUE(done[1].exception());
    EXPECT_EQ(now(), 0.15);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_with_timeout
TEST(Wait, AtTheTimeoutGivesWhatIsPendingAndCancelsNothing) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(task_after(100ms, 1));
    tasks.push_back(task_after(150ms, 2));
    auto [done, pending] = co_await wait(tasks, {.timeout = 110ms});
    EXPECT_EQ(now(), 0.11);
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(pending.size(), 1u);
    EXPECT_EQ(pending[0], tasks[1]);
    EXPECT_EQ(tasks[1].cancelling(), 0u);
    int late = co_await tasks[1];
    EXPECT_EQ(late, 2);
  });
}

// test_tasks.py: BaseTaskTests.test_wait_concurrent_complete
TEST(Wait, ATaskThatIsDueAtTheTimeoutIsDoneIfItsTimerWasFirst) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(task_after(100ms, 1));
    tasks.push_back(task_after(150ms, 2));
    co_await sleep(0s);  // their timers begin to run
    auto [done, pending] = co_await wait(tasks, {.timeout = 100ms});
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0], tasks[0]);
    EXPECT_EQ(now(), 0.1);
  });
}

// test_tasks.py: BaseTaskTests.test_yield_wait_does_not_shield_cancel
TEST(Wait, ThatIsCancelledLeavesTheTasksRunning) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks(1, task_after(10s, 1));
    auto waits = create_task([=]() -> Coro<> { co_await wait(tasks); });
    co_await sleep(1s);
    waits.cancel();
    const bool cancelled = co_await throws<CancelledError>(waits);
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(tasks[0].done());
    int value = co_await tasks[0];
    EXPECT_EQ(value, 1);
  });
}

TEST(Wait, MayEndWhileACallbackOfItsIsOnItsWay) {
  run_virtual([]() -> Coro<> {
    std::vector<Future<>> futures(1, create_future());
    auto waits = create_task([&]() -> Coro<> { co_await wait(futures); });
    co_await sleep(0s);
    futures[0].set_result();  // its scheduled callback runs after the wait's frame is gone
    waits.cancel();
    const bool cancelled = co_await throws<CancelledError>(waits);
    EXPECT_TRUE(cancelled);
    co_await sleep(0s);
  });
}

TEST(Wait, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  VirtualLoop loop;
  const ErrorLog log(loop);
  std::vector<Future<>> futures(1, Future<>(loop));
  auto waits = create_task(wait(futures, {.timeout = 100s}), {.loop = &loop});
  loop.run_ticks(2);
  loop.close();
  EXPECT_EQ(log.messages(), std::vector<std::string>{"Task was destroyed but it is pending!"});
  EXPECT_TRUE(waits.cancelled());
}

TEST(TimeLimit, TakesAnyDurationAndNullopt) {
  EXPECT_FALSE(TimeLimit().has_value());
  EXPECT_FALSE(TimeLimit(std::nullopt).has_value());
  EXPECT_EQ(TimeLimit(std::chrono::duration<double>(1.5)).duration(), 1500ms);
  EXPECT_EQ(TimeLimit(std::optional<Duration>(2s)).duration(), 2s);
  EXPECT_TRUE(TimeLimit(0s).is_over());
  EXPECT_TRUE(TimeLimit(-1ms).is_over());
  EXPECT_FALSE(TimeLimit(1ms).is_over());
  EXPECT_THROW(TimeLimit(std::chrono::duration<double>(NAN)), std::invalid_argument);
}

}  // namespace
}  // namespace asyncio
