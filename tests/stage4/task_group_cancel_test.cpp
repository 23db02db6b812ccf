// TaskGroup::cancel: ending a group on purpose, without an error.
#include <asyncio/task_group.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;

using Log = std::vector<std::string>;

Coro<> forever(Log& log, std::string name) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    log.push_back(name + " cancelled");
    throw;
  }
}

TEST(TaskGroupCancel, EndsTheTasksAndTheBodyWithoutAnError) {
  auto program = []() -> Coro<> {
    Log log;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(forever(log, "a"));
      group.create_task(forever(log, "b"));
      co_await sleep(1s);
      group.cancel();
      group.cancel();  // the second call does nothing
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        log.push_back("body cancelled");
        throw;
      }
      log.push_back("not reached");
    });
    EXPECT_EQ(log, (Log{"a cancelled", "b cancelled", "body cancelled"}));
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(0s);  // no cancel is left to deliver
  };
  run(program(), make_core());
}

TEST(TaskGroupCancel, MayComeFromATaskOfTheGroupWhileTheBodyHasEnded) {
  auto program = []() -> Coro<> {
    Log log;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(forever(log, "a"));
      auto stop = [&]() -> Coro<> {
        co_await sleep(1s);
        group.cancel();
      };
      group.create_task(std::move(stop));
      co_return;
    });
    EXPECT_EQ(log, Log{"a cancelled"});
    EXPECT_EQ(current_task().cancelling(), 0u);
  };
  run(program(), make_core());
}

TEST(TaskGroupCancel, ABodyThatEndsBeforeItsNextAwaitIsNotCancelled) {
  auto program = []() -> Coro<> {
    const int value = co_await task_group([&](TaskGroup& group) -> Coro<int> {
      group.cancel();
      co_return 5;
    });
    EXPECT_EQ(value, 5);
    co_await sleep(0s);
  };
  run(program(), make_core());
}

TEST(TaskGroupCancel, NoMoreTasksAreTaken) {
  auto program = []() -> Coro<> {
    std::string error;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.cancel();
      try {
        group.create_task(sleep(1s));
      } catch (const std::runtime_error& refused) {
        error = refused.what();
      }
      co_return;
    });
    EXPECT_EQ(error, "TaskGroup <TaskGroup cancelling> is shutting down");
  };
  run(program(), make_core());
}

TEST(TaskGroupCancel, ErrorsOfTheTasksStillLeave) {
  auto program = []() -> Coro<> {
    std::string what;
    try {
      co_await task_group([&](TaskGroup& group) -> Coro<> {
        auto fails = []() -> Coro<> {
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
          }
          throw std::runtime_error("while it was cancelled");
        };
        group.create_task(fails);
        co_await sleep(1s);
        group.cancel();
      });
    } catch (const ExceptionGroup& errors) {
      what = errors.what();
    }
    EXPECT_EQ(what, "unhandled errors in a TaskGroup (1 sub-exception)");
  };
  run(program(), make_core());
}

// A cancel from outside while the group is already being cancelled.
TEST(TaskGroupCancel, ACancelFromOutsideIsNotLost) {
  Log log;
  auto slow = [&]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    co_await sleep(10s);
    log.push_back("cleaned up");
  };
  auto grouped = [&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(slow);
      co_await sleep(1s);
      group.cancel();
    });
    log.push_back("not reached");
  };
  auto program = [&]() -> Coro<> {
    auto task = create_task(grouped);
    co_await sleep(5s);
    task.cancel("from outside");
    try {
      co_await task;
    } catch (const CancelledError& error) {
      log.push_back(error.what());
    }
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1u);
  };
  run(program(), make_core());
  EXPECT_EQ(log, (Log{"cleaned up", "from outside"}));
}

TEST(TaskGroupCancel, AnEagerTaskThatCancelsItsGroupIsCancelledToo) {
  auto program = []() -> Coro<> {
    Log log;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      auto child = [&]() -> Coro<> {
        group.cancel();
        co_await forever(log, "eager");
      };
      group.create_task(child, {.eager_start = true});
      co_return;
    });
    EXPECT_EQ(log, Log{"eager cancelled"});
  };
  run(program(), make_core());
}

TEST(TaskGroupCancel, ABodyThatWasToGiveAValueGivesNone) {
  auto program = []() -> Coro<> {
    std::string error;
    try {
      co_await task_group([&](TaskGroup& group) -> Coro<int> {
        group.cancel();
        co_await sleep(1s);
        co_return 1;
      });
    } catch (const InvalidStateError& none) {
      error = none.what();
    }
    EXPECT_EQ(error, "the TaskGroup was cancelled before its body gave a value");
  };
  run(program(), make_core());
}

}  // namespace
}  // namespace asyncio
