// dump_tasks_on_signal(): one command tells why a program hangs. The signals are real, and sent by the programs
// themselves.
#include "support/call_graph.h"
#include "support/tasks.h"

#include <asyncio/event.h>
#include <asyncio/signals.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>

namespace asyncio::testing {
namespace {

/// Runs `program` for some ticks, until it hangs; sends SIGUSR1, and returns what stands on stderr then.
std::string dumped(std::function<Coro<>()> program) {
  Loop loop;
  const auto main = create_task(program(), {.name = "main", .loop = &loop});
  loop.run_until_complete(ticks(5));
  dump_tasks_on_signal(loop);
  ::testing::internal::CaptureStderr();
  std::raise(SIGUSR1);
  loop.run_until_complete(ticks(5));
  const std::string text = ::testing::internal::GetCapturedStderr();
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});  // it hangs for ever: no word about that
  loop.close();
  return text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Coro<> await_other(const Task<>& other) { co_await other; }

TEST(DumpTasks, NamesTheTasksThatAwaitEachOther) {
  Task<> ping, pong;
  const auto program = [&]() -> Coro<> {
    ping = create_task(await_other(pong), {.name = "ping"});
    pong = create_task(await_other(ping), {.name = "pong"});
    co_await ping;
  };
  const std::string text = without_places(dumped(program));
  EXPECT_TRUE(contains(text, "\ncycle: ping → pong → ping\n")) << text;
  EXPECT_TRUE(contains(text,
                       "(T) main\n"
                       "    └──  <lambda> here\n"
                       "        └── (T) ping\n"
                       "            └──  await_other here\n"
                       "                └── (T) pong\n"
                       "                    └──  await_other here\n"
                       "                        └── (T) ping (see above)\n"))
      << text;
  EXPECT_TRUE(contains(text, " ping                 await_other ")) << text;  // the table
}

TEST(DumpTasks, ShowsTheEventThatNobodySets) {
  Event ready;
  const auto worker = [&]() -> Coro<> { co_await ready.wait(); };
  const auto program = [&]() -> Coro<> {
    const auto task = create_task(worker, {.name = "worker"});
    co_await task;
  };
  const std::string text = without_places(dumped(program));
  EXPECT_TRUE(contains(text,
                       "        └── (T) worker\n"
                       "            └──  <lambda> here\n"
                       "                └──  waits for <Event [unset, waiters:1]>\n"))
      << text;
}

TEST(DumpTasks, ShowsTheTaskThatHasSwallowedItsCancel) {
  const auto stubborn = []() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (...) {  // also CancelledError
    }
    co_await create_future();
  };
  const auto program = [&]() -> Coro<> {
    const auto task = create_task(stubborn, {.name = "stubborn"});
    co_await tick();
    task.cancel();
    co_await task;
  };
  const std::string text = without_places(dumped(program));
  EXPECT_TRUE(contains(text,
                       "        └── (T) stubborn\n"
                       "            └──  <lambda> here\n"
                       "                └──  waits for <Future pending>\n"))
      << text;
}

/// Its first line: written by the signal handler.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::uint32_t awaited_in = 0;
Coro<> block() {
  awaited_in = std::source_location::current().line() + 1;
  co_await tick();
  std::raise(SIGUSR1);
}

TEST(DumpTasks, TheHandlerItselfTellsWhichTaskBlocksTheLoop) {
  Loop loop;
  dump_tasks_on_signal(loop);
  ::testing::internal::CaptureStderr();
  loop.run_until_complete(create_task(block(), {.name = "busy", .loop = &loop}));
  EXPECT_EQ(first_line(::testing::internal::GetCapturedStderr()),
            "signal " + std::to_string(SIGUSR1) +
                ": busy makes a step: block(), last await at dump_tasks_test.cpp:" + std::to_string(awaited_in));
}

TEST(DumpTasks, TheHandlerItselfTellsWhichCallbackBlocksTheLoop) {
  Loop loop;
  dump_tasks_on_signal(loop);
  ::testing::internal::CaptureStderr();
  const auto line = std::to_string(std::source_location::current().line() + 1);
  loop.call_soon([] { std::raise(SIGUSR1); });
  loop.run_until_complete(ticks(5));
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(first_line(text),
            "signal " + std::to_string(SIGUSR1) + ": a callback runs, scheduled at dump_tasks_test.cpp:" + line);
  EXPECT_TRUE(contains(text, "\ntid        task id ")) << text;
}

TEST(DumpTasks, TellsWhetherALoopRunsAtAll) {
  Loop loop;
  dump_tasks_on_signal(loop, SIGUSR2);
  ::testing::internal::CaptureStderr();
  std::raise(SIGUSR2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "signal " + std::to_string(SIGUSR2) + ": no loop runs in this thread\n");
}

TEST(DumpTasks, EndsWithTheHandler) {
  Loop loop;
  dump_tasks_on_signal(loop);
  int heard = 0;
  add_signal_handler(loop, SIGUSR1, [&] { ++heard; });  // takes its place
  ::testing::internal::CaptureStderr();
  std::raise(SIGUSR1);
  loop.run_until_complete(ticks(3));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(heard, 1);
  dump_tasks_on_signal(loop);
  EXPECT_TRUE(remove_signal_handler(loop, SIGUSR1));
  EXPECT_FALSE(remove_signal_handler(loop, SIGUSR1));
}

}  // namespace
}  // namespace asyncio::testing
