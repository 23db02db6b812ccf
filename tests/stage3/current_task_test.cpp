// current_task(), the task that runs now, and all_tasks(), those that have not ended.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::thrown;
using testing::VirtualLoop;

Coro<int> execute(int number) { co_return number; }
Coro<int> fail_with(std::string message) {
  throw std::runtime_error(message);
  co_return 0;
}
Coro<> doze() { co_await sleep(1s); }

// test_tasks.py: BaseTaskTests.test_current_task
// test_tasks.py: BaseCurrentLoopTests.test_current_task_no_running_loop
TEST(CurrentTask, IsNoneOutsideOfTasks) {
  VirtualLoop loop;
  VirtualLoop other;
  EXPECT_FALSE(current_task(loop));
  bool none_in_callback = false;
  loop.call_soon([&] { none_in_callback = !current_task(); });
  loop.run_ticks(1);
  EXPECT_TRUE(none_in_callback);

  auto main = [&]() -> Coro<bool> {
    AnyTask self = current_task();
    EXPECT_EQ(current_task(loop), self);
    EXPECT_FALSE(current_task(other));
    co_await sleep(0s);
    co_return self == current_task();
  };
  Task<bool> task = create_task(main(), {.loop = &loop});
  EXPECT_TRUE(loop.run_until_complete(task));
  EXPECT_FALSE(current_task(loop));
}

// test_tasks.py: BaseCurrentLoopTests.test_current_task_no_running_loop_implicit
TEST(CurrentTask, WithoutARunningLoopIsAnError) {
  EXPECT_EQ(thrown<std::runtime_error>([] { current_task(); }), "no running event loop");
}

// test_tasks.py: BaseTaskTests.test_current_task_with_interleaving_tasks
TEST(CurrentTask, IsTheRightOneAfterEveryResume) {
  auto main = []() -> Coro<> {
    auto body = []() -> Coro<> {
      AnyTask self = current_task();
      for (int i = 0; i < 3; ++i) {
        co_await sleep(0s);
        EXPECT_EQ(current_task(), self);
      }
      auto inner = [&]() -> Coro<> {
        EXPECT_EQ(current_task(), self);  // an awaited coroutine runs in the same task
        co_await sleep(1s);
        EXPECT_EQ(current_task(), self);
      };
      co_await inner();
    };
    Task<> a = create_task(body);
    Task<> b = create_task(body);
    a.add_done_callback([](Task<>&) { EXPECT_FALSE(current_task()); });
    co_await a;
    co_await b;
  };
  run(main, make_core());
}

TEST(CurrentTask, IsNoneAgainAfterAStepThatThrew) {
  VirtualLoop loop;
  Task<int> task = create_task(fail_with("boom"), {.loop = &loop});
  loop.call_soon([] { EXPECT_FALSE(current_task()); });
  loop.run_ticks(1);
  EXPECT_NE(task.exception(), nullptr);
}

TEST(AllTasks, ListsThePendingOnesOfItsLoopOldestFirst) {
  VirtualLoop loop;
  VirtualLoop other;
  EXPECT_TRUE(all_tasks(loop).empty());
  Task<> a = create_task(doze(), {.loop = &loop});
  Task<int> b = create_task(execute(1), {.loop = &loop});
  Task<> c = create_task(doze(), {.loop = &loop});
  Task<int> elsewhere = create_task(execute(1), {.loop = &other});
  EXPECT_EQ(all_tasks(loop), (std::vector<AnyTask>{a, b, c}));
  loop.run_ticks(1);
  EXPECT_EQ(all_tasks(loop), (std::vector<AnyTask>{a, c}));
  a.cancel();
  loop.run_ticks(1);
  EXPECT_EQ(all_tasks(loop), (std::vector<AnyTask>{c}));
  loop.run_until_complete(c);
  EXPECT_TRUE(all_tasks(loop).empty());
  other.run_until_complete(elsewhere);
}

TEST(AllTasks, IncludesTheOneThatRuns) {
  auto main = []() -> Coro<bool> {
    std::vector<AnyTask> tasks = all_tasks();
    co_return tasks.size() == 1 && tasks[0] == current_task();
  };
  EXPECT_TRUE(run(main, make_core()));
}

TEST(AllTasks, WithoutARunningLoopIsAnError) { EXPECT_THROW(all_tasks(), std::runtime_error); }

}  // namespace
}  // namespace asyncio
