// The ends of tasks that nobody awaits: dropped errors, a closed loop, exceptions that leave the loop.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::ErrorLog;
using testing::make_core;
using testing::VirtualLoop;

using Log = std::vector<std::string>;

struct Note {
  Note(Log& log, std::string text) : log(log), text(std::move(text)) {}
  ~Note() { log.push_back(text); }
  Log& log;
  std::string text;
};

Coro<int> fail(std::string message) {
  throw std::runtime_error(message);
  co_return 0;
}

// ── the loop is closed first ──

// test_tasks.py: BaseTaskTests.test_log_destroyed_pending_task
TEST(LoopClosed, ReportsEachPendingTask) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  create_task(sleep(1s), {.name = "first", .loop = &loop});
  loop.run_ticks(1);
  create_task(sleep(1s), {.name = "never started", .loop = &loop});
  loop.close();
  EXPECT_EQ(errors.messages(), Log(2, "Task was destroyed but it is pending!"));
  ASSERT_EQ(errors.contexts.size(), 2u);
  EXPECT_EQ(errors.contexts[0].detail("task").find("<Task pending name='never started' coro=<"),
            0u);  // the latest is destroyed first
  EXPECT_EQ(errors.contexts[1].detail("task").find("<Task pending name='first' coro=<"), 0u);
}

TEST(LoopClosed, ATasksLocalsOutliveTheTasksItMade) {
  Log log;
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    auto child = [&]() -> Coro<> {
      Note note(log, "child");
      co_await sleep(1s);
    };
    create_task(
        [&]() -> Coro<> {
          Note note(log, "parent");
          create_task(child);
          co_await sleep(1s);
        },
        {.loop = &loop});
    loop.run_ticks(2);
    loop.close();
  }
  EXPECT_EQ(log, (Log{"child", "parent"}));
}

TEST(LoopClosed, SaysNothingOfTasksThatAskedForSilence) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Task<> task = create_task(sleep(1s), {.loop = &loop});
  task.set_log_destroy_pending(false);
  loop.call_soon([&] { loop.stop(); });
  EXPECT_THROW(loop.run_until_complete([]() -> Coro<> { co_await sleep(1s); }), std::runtime_error);  // silent too
  loop.close();
  EXPECT_EQ(errors.messages(), Log{});
}

TEST(LoopClosed, DestroysTheFramesFromTheInsideOut) {
  Log log;
  VirtualLoop loop;
  auto inner = [&](Note) -> Coro<> {
    Note local(log, "inner local");
    co_await sleep(1s);
  };
  auto outer = [&](Note) -> Coro<> {
    Note local(log, "outer local");
    co_await inner(Note(log, "inner parameter"));
  };
  log.reserve(10);
  Task<> task = create_task(outer(Note(log, "outer parameter")), {.loop = &loop});
  task.set_log_destroy_pending(false);
  loop.run_ticks(1);
  log.clear();
  loop.close();
  EXPECT_EQ(log, (Log{"inner local", "inner parameter", "inner parameter", "outer local", "outer parameter"}));
}

TEST(LoopClosed, ABodyThatNeverBeganNeverRunsAndItsParametersAreDestroyed) {
  Counted::reset();
  bool ran = false;
  auto body = [&](Counted) -> Coro<> {
    ran = true;
    co_return;
  };
  VirtualLoop loop;
  ErrorLog errors(loop);
  Task<> task = create_task(body(Counted(1)), {.loop = &loop});
  loop.close();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_FALSE(ran);
}

TEST(LoopClosed, AHandleThatOutlivesTheLoopIsCancelledAndPrintable) {
  Task<int> task;
  Task<int> finished;
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    task = create_task(sleep(1s, 5), {.name = "t", .loop = &loop});
    finished = create_task([]() -> Coro<int> { co_return 7; }, {.loop = &loop});
    loop.run_ticks(1);
    loop.close();
  }
  EXPECT_TRUE(task.done());
  EXPECT_TRUE(task.cancelled());
  EXPECT_THROW(task.result(), CancelledError);
  EXPECT_FALSE(task.cancel());
  EXPECT_EQ(task.get_name(), "t");
  EXPECT_EQ(task.repr().find("<Task cancelled name='t'"), 0u) << task.repr();
  EXPECT_THROW(task.get_loop(), std::runtime_error);
  EXPECT_THROW(task.add_done_callback([](Task<int>&) {}), std::runtime_error);
  EXPECT_EQ(finished.result(), 7);
}

TEST(LoopClosed, DoneCallbacksOfPendingTasksAreDroppedUnrun) {
  Counted::reset();
  VirtualLoop loop;
  ErrorLog errors(loop);
  Task<> task = create_task(sleep(1s), {.loop = &loop});
  task.add_done_callback([captured = Counted(1)](Task<>&) { ADD_FAILURE(); });
  loop.run_ticks(1);
  loop.close();
  EXPECT_EQ(Counted::alive, 0);
}

TEST(LoopClosed, TasksThatWaitForEachOtherInACircleAreFreed) {
  Counted::reset();
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    auto tasks = std::make_shared<std::vector<Task<>>>();
    auto wait = [](Counted, std::shared_ptr<std::vector<Task<>>> all, std::size_t next) -> Coro<> {
      co_await sleep(0s);
      co_await (*all)[next];
    };
    for (std::size_t i = 0; i < 3; ++i) {
      tasks->push_back(create_task(wait(Counted(1), tasks, (i + 1) % 3), {.loop = &loop}));
    }
    loop.run_ticks(3);
    EXPECT_EQ(Counted::alive, 3);
    loop.close();
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(LoopClosed, ATaskThatHoldsItselfIsFreed) {
  Counted::reset();
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    create_task(
        []() -> Coro<> {
          AnyTask self = current_task();
          Counted local(1);
          co_await sleep(1s);
        },
        {.loop = &loop});
    loop.run_ticks(1);
    EXPECT_EQ(Counted::alive, 1);
    loop.close();
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(LoopClosed, ATaskThatWaitsForAFutureNobodyWillSetIsFreed) {
  Counted::reset();
  Future<> future;
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    future = Future<>(loop);
    create_task([future, captured = Counted(1)]() -> Coro<> { co_await future; }, {.loop = &loop});
    loop.run_ticks(1);
    loop.close();
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_FALSE(future.done());
  future.cancel();  // wakes nobody
}

TEST(LoopClosed, ATaskAboutToBeWokenIsFreed) {
  Counted::reset();
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    Future<> future(loop);
    Task<> task = create_task([future, captured = Counted(1)]() -> Coro<> { co_await future; }, {.loop = &loop});
    Task<> cancelled = create_task(sleep(1s), {.loop = &loop});
    loop.run_ticks(1);
    future.set_result();
    cancelled.cancel();
    loop.close();
    EXPECT_TRUE(task.cancelled());
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(LoopClosed, DestructorsInATaskMayStillUseTheLoopAndOtherTasks) {
  Counted::reset();
  struct Busy {
    Busy(Loop& loop, AnyTask other, Future<> future) : loop(loop), other(other), future(future) {}
    ~Busy() {
      other.cancel();
      if (!future.done()) future.set_result();
      loop.call_soon([captured = Counted(1)] { ADD_FAILURE(); });
      loop.call_later(1s, [captured = Counted(1)] { ADD_FAILURE(); });
      create_task([captured = Counted(1)]() -> Coro<> { co_await sleep(1s); }, {.loop = &loop});
    }
    Loop& loop;
    AnyTask other;
    Future<> future;
  };
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    Future<> future(loop);
    Task<> other = create_task([&]() -> Coro<> { co_await future; }, {.loop = &loop});
    create_task(
        [&]() -> Coro<> {
          Busy busy(loop, other, future);
          co_await sleep(1s);
        },
        {.loop = &loop});
    loop.run_ticks(1);
    loop.close();
    EXPECT_EQ(errors.messages(), Log(3, "Task was destroyed but it is pending!"));
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(LoopClosed, DestructorsOfDroppedCallbacksMayMakeTasks) {
  Counted::reset();
  struct Maker {
    explicit Maker(Loop& loop) : loop(&loop) {}
    Maker(Maker&& other) noexcept : loop(std::exchange(other.loop, nullptr)) {}
    Maker& operator=(Maker&&) = delete;
    ~Maker() {
      if (loop) create_task([captured = Counted(1)]() -> Coro<> { co_await sleep(1s); }, {.loop = loop});
    }
    Loop* loop;
  };
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    loop.call_soon([maker = Maker(loop)] {});
    loop.call_later(1s, [maker = Maker(loop)] {});
    loop.close();
    EXPECT_EQ(errors.messages(), Log(2, "Task was destroyed but it is pending!"));
  }
  EXPECT_EQ(Counted::alive, 0);
}

// ── errors never retrieved ──

// test_base_events.py: BaseEventLoopTests.test_default_exc_handler_coro
TEST(NeverRetrieved, IsReportedWhenTheLastHandleGoes) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  {
    Task<int> task = create_task(fail("boom"), {.name = "t", .loop = &loop});
    loop.run_ticks(2);
    EXPECT_TRUE(errors.contexts.empty());
  }
  EXPECT_EQ(errors.messages(), (Log{"Task exception was never retrieved"}));
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(describe(errors.contexts[0].exception), "std::runtime_error: boom");
  EXPECT_NE(errors.contexts[0].detail("future").find("<Task finished name='t'"), std::string::npos);
}

TEST(NeverRetrieved, OfATaskWithoutHandlesIsReportedAtOnce) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  create_task(fail("boom"), {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(errors.contexts.size(), 1u);
}

// test_tasks.py: BaseTaskTests.test_tb_logger_not_called_after_cancel
TEST(NeverRetrieved, IsNotReportedOnceSomebodyLooked) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  {
    Task<int> awaited = create_task(fail("a"), {.loop = &loop});
    EXPECT_THROW(loop.run_until_complete(awaited), std::runtime_error);
    Task<int> asked = create_task(fail("b"), {.loop = &loop});
    loop.run_ticks(1);
    EXPECT_NE(asked.exception(), nullptr);
    Task<int> cancelled = create_task(fail("c"), {.loop = &loop});
    loop.run_ticks(1);
    EXPECT_FALSE(cancelled.cancel());
  }
  EXPECT_EQ(errors.messages(), Log{});
}

TEST(NeverRetrieved, ACancelledTaskIsNotReported) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  create_task(sleep(1s), {.loop = &loop}).cancel();
  loop.run_ticks(2);
  EXPECT_EQ(errors.messages(), Log{});
}

TEST(NeverRetrieved, IsPrintedIfTheLoopIsGone) {
  Task<int> task;
  {
    VirtualLoop loop;
    task = create_task(fail("late"), {.loop = &loop});
    loop.run_ticks(1);
  }
  ::testing::internal::CaptureStderr();
  task = Task<int>();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("Task exception was never retrieved\nfuture: <Task finished"), 0u) << text;
  EXPECT_NE(text.find("\nstd::runtime_error: late\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace asyncio
