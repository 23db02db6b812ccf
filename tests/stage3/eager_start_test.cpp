// Tasks that start eagerly: their awaits and their cancellation.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/tasks.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <string>
#include <string_view>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::run_eagerly;

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
      set_task_factory(Loop::running(), nullptr);  // the end of run() creates tasks too
    };
    run(program(), make_core());
    EXPECT_EQ(made, 1);
    EXPECT_EQ(left_to_the_loop, eager ? 0 : 1);
  }
}

// In CPython up to 3.14 the loop hangs after this: gh-157301.
TEST(EagerTask, InAContextThatIsEnteredItIsRefusedAndNothingHasHappened) {
  const char* const entered = "cannot enter context: it is already entered";
  testing::Counted::reset();
  auto child = [](testing::Counted) -> Coro<int> {
    ADD_FAILURE();
    co_return 1;
  };
  auto program = [&]() -> Coro<> {
    Loop& loop = Loop::running();
    loop.set_debug(true);  // so that a coroutine that is dropped would be reported
    testing::ErrorLog errors(loop);
    const AnyTask self = current_task();
    const Context context = copy_context();
    const auto refused = [&](const Context& in, std::string_view name = {}) {
      const TaskOptions options{.name = name, .context = &in, .eager_start = true};
      EXPECT_EQ(testing::thrown<std::runtime_error>([&] { create_task(child(testing::Counted()), options); }), entered);
      EXPECT_EQ(testing::Counted::alive, 0);
      EXPECT_EQ(all_tasks().size(), 1u);
    };
    context.run([&] { refused(context); });
    refused(self.get_context());
    const bool still_current = current_task() == self;
    EXPECT_TRUE(still_current);

    set_task_factory(loop, eager_task_factory);
    context.run([&] { refused(context, "by the factory"); });
    auto in_another = [&]() -> Coro<> {
      const Context creators = self.get_context();
      const TaskOptions options{.context = &creators, .eager_start = true};
      EXPECT_EQ(testing::thrown<std::runtime_error>([&] { create_task(child(testing::Counted()), options); }), entered);
      co_return;
    };
    create_task(in_another);
    set_task_factory(loop, nullptr);

    const TaskOptions later{.context = &context, .eager_start = false};
    auto task = create_task(sleep(1s, 5), later);
    const int value = co_await task;  // the loop goes on, and the context can be entered
    EXPECT_EQ(value, 5);
    const TaskOptions now{.context = &context, .eager_start = true};
    auto ready = []() -> Coro<int> { co_return 6; };
    EXPECT_EQ(create_task(ready, now).result(), 6);
    EXPECT_TRUE(errors.messages().empty()) << errors.messages()[0];
  };
  run(program(), make_core());
}

}  // namespace
}  // namespace asyncio
