#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;
using Strings = std::vector<std::string>;

std::vector<Coro<std::string>> b_c_a() {
  std::vector<Coro<std::string>> all;
  all.push_back(value_after(100ms, std::string("b")));
  all.push_back(value_after(150ms, std::string("c")));
  all.push_back(value_after(10ms, std::string("a")));
  return all;
}

// test_tasks.py: BaseTaskTests.test_as_completed
// test_tasks.py: BaseTaskTests.test_as_completed_coroutine_use_running_loop
TEST(AsCompleted, GivesTheResultsInTheOrderOfCompletion) {
  run_virtual([]() -> Coro<> {
    Strings values;
    for (auto& next : as_completed(b_c_a())) {
      std::string value = co_await next;
      values.push_back(value);
      EXPECT_EQ(now(), value == "a" ? 0.01 : value == "b" ? 0.1 : 0.15);
    }
    EXPECT_EQ(values, (Strings{"a", "b", "c"}));
    EXPECT_EQ(now(), 0.15);
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed
TEST(AsCompleted, NextGivesTheTasksInTheOrderOfCompletion) {
  run_virtual([]() -> Coro<> {
    Strings values;
    auto all = as_completed(b_c_a());
    for (;;) {
      auto task = co_await all.next();
      if (!task) break;
      EXPECT_TRUE(task->done());
      values.push_back(task->result());
    }
    EXPECT_EQ(values, (Strings{"a", "b", "c"}));
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_same_tasks_in_as_out
TEST(AsCompleted, NextGivesTheCallersOwnTasks) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i != 4; ++i) tasks.push_back(create_task(value_after((4 - i) * 1s, i)));
    auto all = as_completed(tasks);
    for (int i = 3; i >= 0; --i) {
      auto task = co_await all.next();
      EXPECT_EQ(*task, tasks[i]);
    }
    auto end = co_await all.next();
    EXPECT_FALSE(end.has_value());
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_with_timeout
TEST(AsCompleted, AtTheTimeoutEachOneThatIsNotDoneGivesTimeoutErrorAndRunsOn) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(create_task(value_after(100ms, 1)));
    tasks.push_back(create_task(value_after(150ms, 2)));
    tasks.push_back(create_task(value_after(200ms, 3)));
    std::vector<int> values;
    for (auto& next : as_completed(tasks, 120ms)) {
      try {
        int value = co_await next;
        values.push_back(value);
      } catch (const TimeoutError&) {
        values.push_back(-1);
        EXPECT_EQ(now(), 0.12);
      }
    }
    EXPECT_EQ(values, (std::vector<int>{1, -1, -1}));
    int late = co_await tasks[2];
    EXPECT_EQ(late, 3);
  });
}

TEST(AsCompleted, NextThrowsTimeoutError) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<int>> tasks(1, create_task(value_after(1s, 1)));
    auto all = as_completed(tasks, 10ms);
    const bool timed_out = co_await throws<TimeoutError>(all.next());
    EXPECT_TRUE(timed_out);
    auto end = co_await all.next();
    EXPECT_FALSE(end.has_value());
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_with_unused_timeout
TEST(AsCompleted, ATimeoutThatIsNotNeededDoesNothing) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> one;
    one.push_back(value_after(10ms, 1));
    for (auto& next : as_completed(std::move(one), 100s)) co_await next;
    EXPECT_EQ(now(), 0.01);
    co_await sleep(200s);
  });
}

TEST(AsCompleted, ThrowsWhatATaskThrows) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<>> all;
    all.push_back(fail_after(2s, "second"));
    all.push_back(fail_after(1s, "first"));
    Strings messages;
    for (auto& next : as_completed(std::move(all))) {
      try {
        co_await next;
      } catch (const std::runtime_error& error) {
        messages.push_back(error.what());
      }
    }
    EXPECT_EQ(messages, (Strings{"first", "second"}));
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_resume_iterator
TEST(AsCompleted, CanBeLeftAndResumed) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> coroutines;
    for (int i = 0; i != 4; ++i) coroutines.push_back(value_after(i * 1s, i));
    auto all = as_completed(std::move(coroutines));
    std::vector<int> values;
    for (auto& next : all) {
      int value = co_await next;
      values.push_back(value);
      if (values.size() == 2) break;
    }
    for (auto& next : all) {
      int value = co_await next;
      values.push_back(value);
    }
    EXPECT_EQ(values, (std::vector<int>{0, 1, 2, 3}));
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_reverse_wait
// test_tasks.py: BaseTaskTests.test_as_completed_concurrent
TEST(AsCompleted, WhoAwaitsFirstGetsTheFirst) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> coroutines;
    coroutines.push_back(value_after(50ms, 1));
    coroutines.push_back(value_after(100ms, 2));
    auto all = as_completed(std::move(coroutines));
    auto& next = *all.begin();
    auto second = create_task([&]() -> Coro<int> {
      co_await sleep(0s);
      co_return co_await next;
    });
    auto first = create_task(next);
    auto values = co_await gather(first, second);
    EXPECT_EQ(values, std::make_tuple(1, 2));
  });
}

TEST(AsCompleted, ACancelledAwaiterLeavesItsTurnToTheNext) {
  run_virtual([]() -> Coro<> {
    std::vector<Future<int>> futures(1, create_future<int>());
    auto all = as_completed(futures);
    auto& next = *all.begin();
    auto first = create_task(next);
    auto second = create_task(next);
    co_await sleep(0s);
    futures[0].set_result(7);
    co_await sleep(0s);  // wakes the first
    first.cancel();      // before it runs
    int value = co_await second;
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(first.cancelled());
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_duplicate_coroutines
TEST(AsCompleted, AFutureGivenTwiceComesOnce) {
  run_virtual([]() -> Coro<> {
    const auto ham = create_task(value_after(1s, std::string("ham")));
    std::vector<Task<std::string>> tasks(2, ham);
    tasks.push_back(create_task(value_after(2s, std::string("spam"))));
    Strings values;
    for (auto& next : as_completed(tasks)) {
      std::string value = co_await next;
      values.push_back(value);
    }
    EXPECT_EQ(values, (Strings{"ham", "spam"}));
  });
}

// test_tasks.py: BaseTaskTests.test_as_completed_coroutine_without_loop
TEST(AsCompleted, NeedsARunningLoop) {
  std::vector<Coro<>> coroutines;
  coroutines.push_back(nothing());
  EXPECT_THROW(as_completed(std::move(coroutines)), std::runtime_error);
}

TEST(AsCompleted, OfNothingGivesNothing) {
  run_virtual([]() -> Coro<> {
    int rounds = 0;
    for ([[maybe_unused]] auto& next : as_completed(std::vector<Task<>>(), 1s)) ++rounds;
    EXPECT_EQ(rounds, 0);
    co_return;
  });
}

TEST(AsCompleted, MovesTheResultsOfItsOwnTasks) {
  Counted::reset();
  run_virtual([]() -> Coro<> {
    std::vector<Coro<Counted>> coroutines;
    coroutines.push_back([]() -> Coro<Counted> { co_return Counted(3); }());
    for (auto& next : as_completed(std::move(coroutines))) {
      Counted value = co_await next;
      EXPECT_EQ(value.value, 3);
    }
  });
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(AsCompleted, ThatIsPendingWhenTheLoopIsClosedLeaksNothing) {
  VirtualLoop loop;
  const ErrorLog log(loop);
  auto waits = create_task(
      []() -> Coro<> {
        std::vector<Future<Counted>> futures(2, create_future<Counted>());
        for (auto& next : as_completed(futures, 10s)) co_await next;
      },
      {.loop = &loop});
  loop.run_ticks(2);
  loop.close();
  EXPECT_TRUE(waits.cancelled());
}

}  // namespace
}  // namespace asyncio
