// cancelling() and uncancel() count a task's cancel requests.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::VirtualLoop;

/// The outcome of awaiting the task: "cancelled: message", or "result".
template <class T>
Coro<std::string> outcome(Task<T> task) {
  try {
    co_await task;
  } catch (const CancelledError& error) {
    co_return "cancelled: " + std::string(error.message());
  }
  co_return "result";
}

// test_tasks.py: BaseTaskTests.test_cancelling
TEST(Cancelling, CountsEveryCancel) {
  VirtualLoop loop;
  Task<> task = create_task(sleep(10s), {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(task.cancelling(), 0u);
  EXPECT_TRUE(task.cancel());
  EXPECT_EQ(task.cancelling(), 1u);
  EXPECT_TRUE(task.cancel());
  EXPECT_EQ(task.cancelling(), 2u);
  EXPECT_THROW(loop.run_until_complete(task), CancelledError);
  EXPECT_FALSE(task.cancel());
}

// test_tasks.py: BaseTaskTests.test_uncancel_basic
TEST(Cancelling, UncancelTakesOneBackAndTheTaskGoesOn) {
  VirtualLoop loop;
  Task<> task = create_task(
      []() -> Coro<> {
        try {
          co_await sleep(10s);
        } catch (const CancelledError&) {
          current_task().uncancel();
        }
        co_await sleep(10s);
      },
      {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(task.cancelling(), 0u);
  task.cancel();
  EXPECT_EQ(task.cancelling(), 1u);
  loop.run_ticks(1);
  EXPECT_EQ(task.cancelling(), 0u);
  EXPECT_FALSE(task.done());
  task.cancel();
  EXPECT_EQ(task.cancelling(), 1u);
  EXPECT_THROW(loop.run_until_complete(task), CancelledError);
  EXPECT_EQ(task.cancelling(), 1u);
  EXPECT_TRUE(task.cancelled());
}

TEST(Cancelling, UncancelStopsAtZero) {
  VirtualLoop loop;
  Task<> task = create_task(sleep(0s), {.loop = &loop});
  EXPECT_EQ(task.uncancel(), 0u);
  task.cancel();
  task.cancel();
  EXPECT_EQ(task.uncancel(), 1u);
  EXPECT_EQ(task.uncancel(), 0u);
  EXPECT_EQ(task.uncancel(), 0u);
  loop.run_until_complete(task);  // uncancelled before its first step: no CancelledError
}

// test_tasks.py: BaseTaskTests.test_uncancel_resets_must_cancel
TEST(Cancelling, UncancelToZeroForgetsACancelNotYetDelivered) {
  auto main = []() -> Coro<> {
    Future<int> future = create_future<int>();
    Task<int> task = create_task([&]() -> Coro<int> {
      int value = co_await future;
      co_return value;
    });
    co_await sleep(0s);
    future.set_result(42);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(task.uncancel(), 0u);
    int value = co_await task;
    EXPECT_EQ(value, 42);
  };
  run(main, make_core());
}

TEST(Cancelling, UncancelDoesNotTakeBackWhatIsDeliveredAlready) {
  auto main = []() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    co_await sleep(0s);
    task.cancel();  // cancels the sleep now
    EXPECT_EQ(task.uncancel(), 0u);
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: ");
  };
  run(main, make_core());
}

// test_tasks.py: BaseTaskTests.test_uncancel_structured_blocks
TEST(Cancelling, TellsATimeoutOfOnesOwnFromACancelByOthers) {
  struct Block {  // a timeout by hand, like timeout() of stage 4
    static Coro<bool> timed_out(Duration limit) {
      AnyTask self = current_task();
      TimerHandle timer = Loop::running().call_later(limit, [self] { self.cancel(); });
      bool own = false;
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        if (self.uncancel() > 0) throw;
        own = true;
      }
      timer.cancel();
      co_return own;
    }
  };
  auto main = []() -> Coro<> {
    bool own = co_await Block::timed_out(1s);
    EXPECT_TRUE(own);
    EXPECT_EQ(current_task().cancelling(), 0u);

    Task<bool> task = create_task(Block::timed_out(1s));
    Loop::running().call_later(1s, [task] { task.cancel("by another"); });  // in the tick of the timeout
    std::string what = co_await outcome(task);
    EXPECT_EQ(what, "cancelled: by another");
    EXPECT_EQ(task.cancelling(), 1u);
  };
  run(main, make_core());
}

}  // namespace
}  // namespace asyncio
