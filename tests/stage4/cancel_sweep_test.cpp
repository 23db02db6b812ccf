// Cancels each combinator before each of its ticks, from outside and through each of its children.
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/wait_for.h>
#include <support/cancel_sweep.h>
#include <support/counted.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

/// Takes two ticks and a timer; holds a counted value.
Coro<Counted> work(int value) {
  const Counted local;
  co_await sleep(0s);
  co_await sleep(value * 1ms);
  co_return Counted(value);
}

/// Holds a counted value; needs some more ticks if cancelled.
Coro<Counted> slow_to_end(int value) {
  const Counted local;
  bool cancelled = false;
  try {
    co_await sleep(value * 1ms);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await sleep(0s);
    co_await sleep(1ms);
    throw CancelledError();
  }
  co_return Counted(value);
}

Coro<Counted> fails(int value) {
  const Counted local;
  co_await sleep(value * 1ms);
  throw std::runtime_error("failed");
}

/// Starts three tasks of the cast.
std::vector<Task<Counted>> three(Cast& cast) {
  std::vector<Task<Counted>> tasks;
  tasks.push_back(cast.start(work(1)));
  tasks.push_back(cast.start(slow_to_end(2)));
  tasks.push_back(cast.start(work(3)));
  return tasks;
}

TEST(CancelSweep, OfAGatherOfCoroutines) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto sum = cast.start([]() -> Coro<int> {
      const auto [a, b, c] = co_await gather(work(1), slow_to_end(2), work(3));
      co_return a.value + b.value + c.value;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(cast.disturbed() ? sum.cancelled() : sum.result() == 6);
  });
}

TEST(CancelSweep, OfAGatherOfTasks) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    const auto tasks = three(cast);
    auto sum = cast.start([&]() -> Coro<int> {
      const auto values = co_await gather(tasks);
      co_return values[0].value + values[1].value + values[2].value;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(cast.disturbed() ? sum.cancelled() : sum.result() == 6);
  });
}

TEST(CancelSweep, OfAGatherOneOfWhoseChildrenFails) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto gathering = cast.start([]() -> Coro<> { co_await gather(slow_to_end(1), fails(1), slow_to_end(2)); });
    co_await cast.all_ended();
    EXPECT_TRUE(gathering.cancelled() || what_of(gathering.exception()) == "failed");
  });
}

TEST(CancelSweep, OfAGatherThatReturnsExceptions) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto tasks = three(cast);
    tasks.push_back(cast.start(fails(2)));
    auto values = cast.start([&]() -> Coro<int> {
      const auto outcomes = co_await gather(return_exceptions, tasks);
      int values = 0;
      for (std::size_t i = 0; i != outcomes.size(); ++i) {
        EXPECT_TRUE(tasks[i].done());
        values += outcomes[i].has_value();
      }
      co_return values;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(values.cancelled() || values.result() >= 2);
  });
}

TEST(CancelSweep, OfWaitsOfAllKinds) {
  for (const ReturnWhen when : {FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED}) {
    for (const TimeLimit timeout : {TimeLimit(), TimeLimit(2ms)}) {
      cancel_everywhere([=](Cast& cast) -> Coro<> {
        auto tasks = three(cast);
        tasks.push_back(cast.start(fails(2)));
        auto waiting = cast.start([&]() -> Coro<> {
          const auto result = co_await wait(tasks, {.timeout = timeout, .return_when = when});
          EXPECT_EQ(result.done.size() + result.pending.size(), 4u);
          for (const auto& task : result.done) EXPECT_TRUE(task.done());
          for (const auto& task : result.pending) EXPECT_FALSE(task.done());
        });
        co_await cast.all_ended();
        int undone = 0;
        for (const auto& task : tasks) undone += task.cancelled();
        EXPECT_LE(undone, waiting.cancelled() ? 0 : 1);  // a cancelled wait() does not cancel its tasks
      });
    }
  }
}

TEST(CancelSweep, OfWaitForsThatAreInTimeAndThatAreNot) {
  for (const auto limit : {0ms, 2ms, 3ms, 9ms}) {
    cancel_everywhere([=](Cast& cast) -> Coro<> {
      const auto task = cast.start(slow_to_end(3));
      cast.start([&]() -> Coro<bool> { co_return co_await throws<TimeoutError>(wait_for(task, limit)); });
      cast.start([=]() -> Coro<bool> { co_return co_await throws<TimeoutError>(wait_for(slow_to_end(3), limit)); });
      cast.start([=]() -> Coro<bool> { co_return co_await throws<TimeoutError>(wait_for(sleep(3ms), limit)); });
      co_await cast.all_ended();
    });
  }
}

TEST(CancelSweep, OfTimeoutsWithinEachOther) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto timed_out = cast.start([]() -> Coro<std::string> {
      std::string what;
      const bool outer = co_await throws<TimeoutError>(timeout(3ms, [&]() -> Coro<> {
        const bool inner = co_await throws<TimeoutError>(timeout(1ms, []() -> Coro<> { co_await slow_to_end(2); }));
        what += inner ? "inner" : "";
        co_await sleep(9ms);
      }));
      what += outer ? " outer" : "";
      co_return what;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(cast.disturbed() || timed_out.result() == "inner outer");
    EXPECT_LE(timed_out.cancelling(), 2u);  // the two timeouts have uncancelled their cancels
  });
}

TEST(CancelSweep, OfATimeoutThatIsMoved) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    cast.start([]() -> Coro<bool> {
      co_return co_await throws<TimeoutError>(timeout(2ms, [](Timeout& scope) -> Coro<> {
        co_await sleep(1ms);
        scope.reschedule(std::nullopt);
        co_await sleep(2ms);
        scope.reschedule(Loop::running().time() + 1ms);
        co_await sleep(2ms);
      }));
    });
    co_await cast.all_ended();
  });
}

TEST(CancelSweep, OfShields) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    const auto inner = cast.start(work(3));
    auto outer = cast.start([&]() -> Coro<Counted> { co_return co_await shield(inner); });
    auto other = cast.start([&]() -> Coro<Counted> { co_return co_await shield(inner); });
    cast.start([]() -> Coro<> { co_await shield(slow_to_end(2)); });  // the inner task continues alone
    co_await cast.all_ended();
    if (inner.cancelled()) {
      EXPECT_TRUE(outer.cancelled() && other.cancelled());
    } else {
      EXPECT_EQ(inner.result().value, 3);
      EXPECT_FALSE(outer.cancelled() && other.cancelled());
    }
  });
}

TEST(CancelSweep, OfAsCompletedInALoop) {
  for (const TimeLimit timeout : {TimeLimit(), TimeLimit(2ms)}) {
    cancel_everywhere([=](Cast& cast) -> Coro<> {
      const auto tasks = three(cast);
      auto seen = cast.start([&]() -> Coro<int> {
        int seen = 0;
        for (auto& next : as_completed(tasks, timeout)) {
          try {
            co_await next;
          } catch (const TimeoutError&) {
          } catch (const CancelledError&) {  // our own or a task's: indistinguishable here
            if (current_task().cancelling() > 0) throw;
          }
          ++seen;
        }
        co_return seen;
      });
      co_await cast.all_ended();
      EXPECT_TRUE(seen.cancelled() || seen.result() == 3);
    });
  }
}

TEST(CancelSweep, OfAsCompletedByNext) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    const auto tasks = three(cast);
    auto seen = cast.start([&]() -> Coro<int> {
      auto completed = as_completed(tasks);
      int seen = 0;
      while (auto next = co_await completed.next()) seen += next->done();
      co_return seen;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(seen.cancelled() || seen.result() == 3);
  });
}

TEST(CancelSweep, OfATaskGroup) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    int ended = 0;
    auto child = [&](int value) -> Coro<> {
      struct Count {
        explicit Count(int& ended) : ended(ended) {}
        ~Count() { ++ended; }
        int& ended;
      };
      const Count count(ended);
      co_await slow_to_end(value);
    };
    auto group = cast.start([&]() -> Coro<int> {
      int begun = 0;
      auto body = [&](TaskGroup& group) -> Coro<> {
        for (int i = 1; i != 4; ++i) {
          group.create_task(child(i));
          ++begun;
          co_await sleep(0s);  // starts it
        }
        co_await slow_to_end(1);
      };
      try {
        co_await task_group(body);
      } catch (const CancelledError&) {
        EXPECT_GE(ended, begun - 1);  // one cancelled before its first step never ends
        EXPECT_LE(ended, begun);
        throw;
      }
      EXPECT_EQ(ended, 3);
      co_return begun;
    });
    co_await cast.all_ended();
    EXPECT_TRUE(cast.disturbed() ? group.cancelled() : group.result() == 3);
  });
}

TEST(CancelSweep, OfATaskGroupWhoseTasksAreCancelledOrFail) {
  for (const bool with_a_failure : {false, true}) {
    cancel_everywhere([=](Cast& cast) -> Coro<> {
      auto body = [&](TaskGroup& group) -> Coro<> {
        auto inner = [&](TaskGroup& nested) -> Coro<> {
          nested.create_task(slow_to_end(3));
          if (with_a_failure) nested.create_task(fails(2));
          co_await sleep(1ms);
        };
        group.create_task(slow_to_end(2));
        cast.start([&group]() -> Coro<> {  // outside the group, but creates a task in it
          try {
            group.create_task(work(1));
          } catch (const std::runtime_error&) {  // the group is being cancelled
          }
          co_return;
        });
        co_await sleep(0s);
        co_await task_group(inner);
      };
      auto group = cast.start([&]() -> Coro<bool> { co_return co_await throws<ExceptionGroup>(task_group(body)); });
      co_await cast.all_ended();
      EXPECT_TRUE(group.cancelled() || group.result() == with_a_failure);
    });
  }
}

}  // namespace
}  // namespace asyncio
