// A task's KeyboardInterrupt or SystemExit is kept in the task and leaves the loop at once.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::ErrorLog;
using testing::make_core;
using testing::VirtualLoop;

using Log = std::vector<std::string>;

TEST(FatalException, OfATaskIsStoredAndLeavesTheLoopAtOnce) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  std::string log;
  Task<> task = create_task(
      []() -> Coro<> {
        throw KeyboardInterrupt();
        co_return;
      },
      {.loop = &loop});
  task.add_done_callback([&](Task<>&) { log += 'd'; });
  loop.call_soon([&] { log += 'r'; });
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_TRUE(task.done());
  EXPECT_FALSE(task.cancelled());
  EXPECT_THROW(task.result(), KeyboardInterrupt);
  EXPECT_FALSE(loop.is_running());
  EXPECT_FALSE(current_task(loop));
  EXPECT_EQ(log, "");  // ready callbacks are still ready
  loop.run_ticks(1);
  EXPECT_EQ(log, "rd");
  EXPECT_TRUE(errors.contexts.empty());
}

// test_base_events.py: BaseEventLoopTests.test_run_forever_keyboard_interrupt
TEST(FatalException, OfTheMainTaskCountsAsLookedAt) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  auto interrupt = []() -> Coro<> {
    throw KeyboardInterrupt();
    co_return;
  };
  EXPECT_THROW(loop.run_until_complete(interrupt()), KeyboardInterrupt);
  EXPECT_EQ(errors.messages(), Log{});  // no "Task exception was never retrieved"
  loop.close();
  EXPECT_EQ(errors.messages(), Log{});

  ::testing::internal::CaptureStderr();
  EXPECT_THROW(run(interrupt, make_core()), KeyboardInterrupt);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(FatalException, OfTheMainTaskDoesNotStopTheNextRun) {
  VirtualLoop loop;
  auto fatal = []() -> Coro<> {
    co_await sleep(1s);
    throw SystemExit(3);
  };
  try {
    loop.run_until_complete(fatal());
    ADD_FAILURE();
  } catch (const SystemExit& exit) {
    EXPECT_EQ(exit.code(), 3);
  }
  loop.run_until_complete(sleep(1s));  // a stop left over would throw "stopped before Future completed"
  EXPECT_EQ(loop.time(), TimePoint{} + 2s);
}

TEST(FatalException, IsSeenByWhoAwaitsTheTaskInTheNextRun) {
  VirtualLoop loop;
  std::string log;
  Task<> fatal = create_task(
      []() -> Coro<> {
        throw KeyboardInterrupt();
        co_return;
      },
      {.loop = &loop});
  Task<> waiting = create_task(
      [&]() -> Coro<> {
        try {
          co_await fatal;
        } catch (const KeyboardInterrupt&) {
          log = "caught";
        }
      },
      {.loop = &loop});
  EXPECT_THROW(loop.run_until_complete(waiting), KeyboardInterrupt);
  EXPECT_EQ(log, "");
  loop.run_until_complete(waiting);
  EXPECT_EQ(log, "caught");
}

// test_tasks.py: BaseTaskTests.test_baseexception_during_cancel
TEST(FatalException, WhileACancelIsHandledLeavesTheLoopAndIsStored) {
  VirtualLoop loop;
  Task<> task = create_task(
      []() -> Coro<> {
        try {
          co_await sleep(10s);
        } catch (const CancelledError&) {
          throw SystemExit();
        }
      },
      {.loop = &loop});
  loop.run_ticks(1);
  task.cancel();
  EXPECT_FALSE(task.done());
  EXPECT_THROW(loop.run_ticks(1), SystemExit);
  EXPECT_TRUE(task.done());
  EXPECT_FALSE(task.cancelled());
  EXPECT_THROW(std::rethrow_exception(task.exception()), SystemExit);
}

TEST(FatalException, OfTheMainTaskLeavesRunAfterTheOthersAreCleanedUp) {
  std::string log;
  auto main = [&]() -> Coro<> {
    create_task([&]() -> Coro<> {
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        log += "cleaned up";
        throw;
      }
    });
    co_await sleep(1s);
    throw SystemExit(2);
  };
  EXPECT_THROW(run(main, make_core()), SystemExit);
  EXPECT_EQ(log, "cleaned up");
}

}  // namespace
}  // namespace asyncio
