// Task factories, and tasks that start eagerly.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/tasks.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::ErrorLog;
using testing::Log;
using testing::make_core;
using testing::run_eagerly;
using testing::thrown;
using testing::TickCounter;
using testing::VirtualLoop;

const TaskOptions kEager{.eager_start = true};

Coro<int> give(int value) { co_return value; }

// ── factories ──

// test_base_events.py: BaseEventLoopTests.test_set_task_factory
// test_base_events.py: BaseEventLoopTests.test_create_named_task_with_custom_factory
TEST(TaskFactory, IsAskedForEachTaskAndMayChangeTheOptions) {
  VirtualLoop loop;
  Log names;
  set_task_factory(loop, [&](Loop& of, NewTask& make, const TaskOptions& options) {
    EXPECT_EQ(&of, &loop);
    const std::string name = "my " + std::string(options.name);
    TaskOptions renamed = options;
    renamed.name = name;
    names.push_back(make(renamed).get_name());
  });
  EXPECT_TRUE(get_task_factory(loop));
  const auto task = create_task(give(1), {.name = "one", .loop = &loop});
  EXPECT_EQ(loop.run_until_complete(give(2)), 2);
  EXPECT_EQ(task.get_name(), "my one");
  EXPECT_EQ(names, (Log{"my one", "my "}));
  set_task_factory(loop, nullptr);
  EXPECT_FALSE(get_task_factory(loop));
  create_task(give(3), {.loop = &loop});
  EXPECT_EQ(names.size(), 2u);
  loop.run_ticks(1);
}

TEST(TaskFactory, ThatMakesNoTaskIsAnError) {
  VirtualLoop loop;
  set_task_factory(loop, [](Loop&, NewTask&, const TaskOptions&) {});
  EXPECT_EQ(thrown<std::runtime_error>([&] { create_task(give(1), {.loop = &loop}); }),
            "the task factory has made no task");
}

TEST(TaskFactory, CannotMakeTwoTasksOfOneCoroutine) {
  VirtualLoop loop;
  set_task_factory(loop, [](Loop&, NewTask& make, const TaskOptions& options) {
    make(options);
    make(options);
  });
  EXPECT_EQ(thrown<std::runtime_error>([&] { create_task(give(1), {.loop = &loop}); }),
            "cannot reuse already awaited coroutine (or one that was moved from)");
  loop.run_ticks(1);
  EXPECT_TRUE(all_tasks(loop).empty());
}

TEST(TaskFactory, MayThrow) {
  VirtualLoop loop;
  set_task_factory(loop, [](Loop&, NewTask&, const TaskOptions&) { throw std::runtime_error("no more tasks"); });
  EXPECT_EQ(thrown<std::runtime_error>([&] { create_task(give(1), {.loop = &loop}); }), "no more tasks");
  EXPECT_TRUE(all_tasks(loop).empty());
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_eager_task_factory_set
TEST(TaskFactory, AnEagerOneCanStandBeforeAnother) {
  auto program = []() -> Coro<> {
    int asked = 0;
    set_task_factory(Loop::running(), create_eager_task_factory([&](Loop&, NewTask& make, const TaskOptions& options) {
                       asked += options.eager_start == true;
                       make(options);
                     }));
    auto task = create_task(give(5));
    EXPECT_TRUE(task.done());
    EXPECT_EQ(asked, 1);
    set_task_factory(Loop::running(), nullptr);  // the runner creates tasks after `asked` is gone
    co_return;
  };
  run(program(), make_core());
  EXPECT_THROW(create_eager_task_factory(nullptr), std::invalid_argument);
}

// ── eager tasks ──

// test_eager_task_factory.py: DefaultTaskFactoryEagerStart.test_eager_start_true_with_default_factory
// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_eager_completion
// test_tasks.py: BaseTaskTests.test_eager_start_true
TEST(EagerTask, OneThatNeverWaitsIsDoneWhenItIsMade) {
  auto program = []() -> Coro<> {
    const TickCounter counter(Loop::running());
    auto task = create_task(give(42), kEager);
    EXPECT_TRUE(task.done());
    EXPECT_EQ(task.result(), 42);
    const int value = co_await task;
    EXPECT_EQ(value, 42);
    EXPECT_EQ(counter.ticks(), 0);
  };
  run(program(), make_core());
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_block_after_eager_step
// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_all_tasks_with_blocking
TEST(EagerTask, OneThatWaitsGoesOnLikeAnyOther) {
  run_eagerly([]() -> Coro<> {
    Log log;
    auto child = [&]() -> Coro<int> {
      log.push_back("begins");
      co_await sleep(1s);
      log.push_back("goes on");
      co_return 3;
    };
    auto task = create_task(child);
    log.push_back("made");
    EXPECT_FALSE(task.done());
    EXPECT_EQ(all_tasks().size(), 2u);
    const int value = co_await task;
    EXPECT_EQ(value, 3);
    EXPECT_EQ(log, (Log{"begins", "made", "goes on"}));
  });
}

TEST(EagerTask, ItsDoneCallbacksComeByCallSoon) {
  run_eagerly([]() -> Coro<> {
    Log log;
    auto child = [&]() -> Coro<> {
      current_task().add_done_callback([&](auto&) { log.push_back("callback"); });
      co_return;
    };
    create_task(child);
    log.push_back("made");
    co_await sleep(0s);
    EXPECT_EQ(log, (Log{"made", "callback"}));
  });
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_all_tasks_with_eager_completion
// test_eager_task_factory.py: CEagerTaskFactoryLoopTests.test_name
TEST(EagerTask, IsTheCurrentOneDuringItsFirstStep) {
  run_eagerly([]() -> Coro<> {
    const AnyTask me = current_task();
    std::string inner;
    auto child = [&]() -> Coro<> {
      inner = current_task().get_name();
      EXPECT_EQ(all_tasks().size(), 2u);
      co_return;
    };
    create_task(child, {.name = "child"});
    EXPECT_EQ(inner, "child");
    const bool restored = current_task() == me;
    EXPECT_TRUE(restored);
    EXPECT_EQ(all_tasks().size(), 1u);
    co_return;
  });
}

TEST(EagerTask, AnExceptionIsKeptInTheTask) {
  run_eagerly([]() -> Coro<> {
    auto fail = []() -> Coro<> {
      throw std::runtime_error("x");
      co_return;
    };
    auto task = create_task(fail);
    EXPECT_TRUE(task.done());
    EXPECT_THROW(task.result(), std::runtime_error);
    co_return;
  });
}

TEST(EagerTask, AFatalExceptionLeavesCreateTaskAndIsKeptToo) {
  run_eagerly([]() -> Coro<> {
    AnyTask made;
    auto fail = [&]() -> Coro<> {
      made = current_task();
      throw KeyboardInterrupt();
      co_return;
    };
    EXPECT_THROW(create_task(fail), KeyboardInterrupt);
    EXPECT_TRUE(made.done());
    EXPECT_TRUE(made.holds_fatal_exception());
    EXPECT_EQ(all_tasks().size(), 1u);
    made.exception();
    co_return;
  });
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_eager_start_false
// test_tasks.py: BaseTaskTests.test_eager_start_false
TEST(EagerTask, CanBeRefusedForOneTask) {
  run_eagerly([]() -> Coro<> {
    auto task = create_task(give(1), {.eager_start = false});
    EXPECT_FALSE(task.done());
    co_await task;
  });
}

TEST(EagerTask, OnALoopThatDoesNotRunItBeginsInTheFirstTick) {
  VirtualLoop loop;
  auto task = create_task(give(1), {.loop = &loop, .eager_start = true});
  EXPECT_FALSE(task.done());
  loop.run_ticks(1);
  EXPECT_TRUE(task.done());
}

// test_eager_task_factory.py: EagerTaskFactoryLoopTests.test_context_vars
TEST(EagerTask, SeesItsOwnCopyOfTheContextAtOnce) {
  static const ContextVar<int> number("number", 0);
  run_eagerly([]() -> Coro<> {
    number.set(1);
    int seen = 0;
    auto child = [&]() -> Coro<> {
      seen = number.get();
      number.set(2);
      co_await sleep(0s);
      seen = 10 * seen + number.get();
    };
    auto task = create_task(child);
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(number.get(), 1);
    co_await task;
    EXPECT_EQ(seen, 12);
    EXPECT_EQ(number.get(), 1);
  });
}

TEST(EagerTask, AThousandOneInTheOther) {
  run_eagerly([]() -> Coro<> {
    struct Nest {
      Coro<int> go(int depth) {
        if (depth == 0) co_return 0;
        auto inner = create_task(go(depth - 1));
        const int below = co_await inner;
        co_return below + 1;
      }
    } nest;
    const int depth = co_await nest.go(1000);
    EXPECT_EQ(depth, 1000);
  });
}

// ── debug mode: a coroutine never awaited ──

TEST(DebugMode, ReportsACoroutineThatWasNeverAwaited) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  auto program = []() -> Coro<> {
    static_cast<void>(give(1));  // not in debug mode
    Loop::running().set_debug(true);
    static_cast<void>(give(2));
    give(3).close();
    auto awaited = give(4);
    co_await std::move(awaited);
  };
  loop.run_until_complete(program());
  ASSERT_EQ(errors.messages(), Log{"coroutine 'give' was never awaited"});
  EXPECT_EQ(errors.contexts[0].detail("coroutine").find("<give() defined at task_factory_test.cpp:"), 0u);
}

Coro<> keep_the_loop(VirtualCore& clock) {
  co_await sleep(0s);
  clock.advance(1500ms);
}

TEST(DebugMode, NamesTheTaskWhoseStepTookTooLong) {
  auto core = std::make_unique<VirtualCore>();
  VirtualCore& clock = *core;
  Loop loop(std::move(core));
  ErrorLog errors(loop);
  loop.set_debug(true);
  create_task(keep_the_loop(clock), {.name = "slow one", .loop = &loop});
  for (int i = 0; i < 3; ++i) {
    loop.stop();
    loop.run_forever();
  }
  ASSERT_EQ(errors.contexts.size(), 1u);
  const std::string& message = errors.contexts[0].message;
  EXPECT_EQ(
      message.find("Executing <Task pending name='slow one' coro=<keep_the_loop() running at task_factory_test.cpp:"),
      0u)
      << message;
  EXPECT_NE(message.find(" took 1.500 seconds"), message.npos) << message;
}

TEST(DebugMode, ARefusedCoroutineIsNotTheCallersMistake) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  auto program = []() -> Coro<> {
    Loop::running().set_debug(true);
    VirtualLoop closed;
    closed.close();
    EXPECT_THROW(create_task(give(1), {.loop = &closed}), std::runtime_error);
    co_return;
  };
  loop.run_until_complete(program());
  EXPECT_TRUE(errors.contexts.empty());
}

}  // namespace
}  // namespace asyncio
