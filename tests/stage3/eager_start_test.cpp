// Tasks that start eagerly: what they await, and how they are cancelled.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;

/// Runs the body on a loop whose tasks start eagerly.
template <class Body>
auto run_eagerly(Body body) {
  auto program = [&]() -> Coro<typename decltype(body())::value_type> {
    set_task_factory(Loop::running(), eager_task_factory);
    co_return co_await body();
  };
  return run(program(), make_core());
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_await_future_during_eager_step
TEST(EagerTask, MaySetAFutureInItsFirstStep) {
  const std::string message = run_eagerly([]() -> Coro<std::string> {
    const Future<std::string> future = create_future<std::string>();
    auto set = [&]() -> Coro<> {
      future.set_result("my message");
      co_return;
    };
    EXPECT_TRUE(create_task(set).done());
    const std::string& message = co_await future;
    co_return message;
  });
  EXPECT_EQ(message, "my message");
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_cancellation_after_eager_completion
TEST(EagerTask, OneThatIsDoneWhenItIsMadeCannotBeCancelled) {
  run_eagerly([]() -> Coro<> {
    auto finish = []() -> Coro<int> { co_return 1; };
    Task<int> task = create_task(finish);
    EXPECT_FALSE(task.cancel());
    const int value = co_await task;
    EXPECT_EQ(value, 1);
    EXPECT_FALSE(task.cancelled());
  });
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_cancellation_after_eager_step_blocks
TEST(EagerTask, OneThatWaitsIsCancelledLikeAnyOther) {
  try {
    run_eagerly([]() -> Coro<> {
      Task<> task = create_task(sleep(100ms));
      EXPECT_TRUE(task.cancel("cancellation message"));
      EXPECT_EQ(task.cancelling(), 1u);
      co_await task;
    });
    ADD_FAILURE();
  } catch (const CancelledError& error) {
    EXPECT_EQ(error.message(), "cancellation message");
  }
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_current_task
TEST(EagerTask, IsTheSameCurrentTaskBeforeAndAfterItWaits) {
  run_eagerly([]() -> Coro<> {
    AnyTask current;
    auto child = [&]() -> Coro<> {
      current = current_task();
      co_await sleep(100ms);
      const bool same = current == current_task();
      EXPECT_TRUE(same);
    };
    Task<> task = create_task(child);
    EXPECT_EQ(current, AnyTask(task));
    co_await task;
  });
}

Coro<int> chain(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await chain(depth - 1);
  co_return below + 1;
}

// test_eager_task_factory.py: BaseTaskCountingTests.test_awaitables_chain
TEST(EagerTask, AChainOfAwaitsIsOneTaskAndNotEvenOneForTheLoop) {
  for (const bool eager : {false, true}) {
    int made = 0;
    int left_to_the_loop = 0;
    TaskFactory count = [&](Loop&, NewTask& make, const TaskOptions& options) {
      ++made;
      left_to_the_loop += !make(options).done();
    };
    auto program = [&]() -> Coro<> {
      set_task_factory(Loop::running(), eager ? create_eager_task_factory(count) : count);
      Task<int> task = create_task(chain(100));
      const int depth = co_await task;
      EXPECT_EQ(depth, 100);
      set_task_factory(Loop::running(), nullptr);  // the end of run() makes tasks, too
    };
    run(program(), make_core());
    EXPECT_EQ(made, 1);
    EXPECT_EQ(left_to_the_loop, eager ? 0 : 1);
  }
}

}  // namespace
}  // namespace asyncio
