// The combinators on a loop whose tasks start eagerly.
#include <asyncio/gather.h>
#include <asyncio/task_group.h>
#include <support/tasks.h>

namespace asyncio {
namespace {

using namespace testing;

constexpr int kWidth = 5;

Coro<> recursive_gather(int depth) {
  if (depth == 0) co_return;
  std::vector<Coro<>> children;
  for (int i = 0; i < kWidth; ++i) children.push_back(recursive_gather(depth - 1));
  co_await gather(std::move(children));
}

Coro<> recursive_groups(int depth) {
  if (depth == 0) co_return;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < kWidth; ++i) group.create_task(recursive_groups(depth - 1));
    co_return;
  });
}

/// The number of tasks made by `body` that take their first step in the loop.
int tasks_for_the_loop(Coro<> (*body)(int), bool eager) {
  int tasks = 0;
  TaskFactory count = [&](Loop&, NewTask& make, const TaskOptions& options) {
    tasks += !options.eager_start.value_or(false);
    make(options);
  };
  auto program = [&]() -> Coro<> {
    set_task_factory(Loop::running(), eager ? create_eager_task_factory(count) : count);
    co_await body(4);
    set_task_factory(Loop::running(), nullptr);  // the end of run() creates tasks too
  };
  run_virtual(program);
  return tasks;
}

constexpr int kAll = 5 + 25 + 125 + 625;

// test_eager_task_factory.py: BaseTaskCountingTests.test_recursive_gather
TEST(Eager, GatherStartsAllItsTasksItself) {
  EXPECT_EQ(tasks_for_the_loop(recursive_gather, false), kAll);
  EXPECT_EQ(tasks_for_the_loop(recursive_gather, true), 0);
}

// test_eager_task_factory.py: BaseTaskCountingTests.test_recursive_taskgroups
TEST(Eager, TaskGroupsStartAllTheirTasksThemselves) {
  EXPECT_EQ(tasks_for_the_loop(recursive_groups, false), kAll);
  EXPECT_EQ(tasks_for_the_loop(recursive_groups, true), 0);
}

// test_taskgroups.py: BaseTestTaskGroup.test_cancellation_does_not_leak_out_of_tg
TEST(Eager, ATaskThatFailsAtOnceDoesNotLeaveItsMakerCancelled) {
  for (const bool eager : {false, true}) {
    run_virtual([=]() -> Coro<> {
      const bool failed = co_await throws<ExceptionGroup>(task_group([=](TaskGroup& group) -> Coro<> {
        group.create_task(fail(), {.eager_start = eager});
        co_return;
      }));
      EXPECT_TRUE(failed);
      EXPECT_EQ(current_task().cancelling(), 0u);
      co_await sleep(0s);  // is not cancelled
    });
  }
}

// test_taskgroups.py: BaseTestTaskGroup.test_taskgroup_task_context
TEST(TaskGroup, ItsTasksMayShareAContext) {
  static const ContextVar<int> variable("variable");
  run_virtual([]() -> Coro<> {
    auto set = [](int value) -> Coro<> {
      co_await sleep(0s);
      variable.set(value);
    };
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      const Context context = copy_context();
      EXPECT_EQ(context.get(variable), std::nullopt);
      for (int value : {1, 2}) {
        co_await group.create_task(set(value), {.context = &context});
        EXPECT_EQ(context.get(variable), value);
      }
    });
  });
}

}  // namespace
}  // namespace asyncio
