// Debug mode: where a task was cancelled, a task that never lets the loop wait, and tasks that wait for each other.
#include <asyncio/call_graph.h>
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/call_graph.h>
#include <support/tasks.h>

#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace testing;

std::string here(int lines_below, std::source_location where = std::source_location::current()) {
  return "debug_test.cpp:" + std::to_string(static_cast<int>(where.line()) + lines_below);
}

/// A loop in debug mode, and what it reports.
struct DebugLoop : VirtualLoop {
  DebugLoop() { set_debug(true); }
  ~DebugLoop() { close(); }  // while there is somebody to hear of the tasks that are pending
  ErrorLog errors{*this};
};

// ── where it was cancelled ──

Coro<> sleeps() { co_await sleep(1h); }

TEST(DebugModeCancel, ReprTellsWhereATaskWasCancelled) {
  DebugLoop loop;
  const Task<> task = create_task(sleeps(), {.name = "sleeper", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(task.repr().find("cancelled at"), std::string::npos);
  const std::string place = here(1);
  task.cancel();
  EXPECT_TRUE(task.repr().starts_with("<Task cancelling name='sleeper' coro=<sleeps() running at ")) << task.repr();
  EXPECT_TRUE(task.repr().ends_with("> cancelled at " + place + ">")) << task.repr();
  task.cancel();  // the first one counts
  task.set_name("another");
  EXPECT_TRUE(task.repr().starts_with("<Task cancelling name='another' coro=<sleeps() running at ")) << task.repr();
  EXPECT_TRUE(task.repr().ends_with("> cancelled at " + place + ">")) << task.repr();
  EXPECT_NE(format_task_tree(loop).find("(T) another (cancelled at " + place + ")\n"), std::string::npos);
  loop.run_ticks(1);
  EXPECT_TRUE(task.repr().starts_with("<Task cancelled name='another' coro=<sleeps() done, ")) << task.repr();
  EXPECT_TRUE(task.repr().ends_with("> cancelled at " + place + ">")) << task.repr();
}

TEST(DebugModeCancel, IsNotToldWithoutDebugMode) {
  VirtualLoop loop;
  const Task<> task = create_task(sleeps(), {.loop = &loop});
  loop.run_ticks(1);
  task.cancel();
  EXPECT_EQ(task.repr().find("cancelled at"), std::string::npos) << task.repr();
  EXPECT_EQ(format_task_tree(loop).find("cancelled at"), std::string::npos);
}

TEST(DebugModeCancel, OneThatWasTakenBackIsForgotten) {
  DebugLoop loop;
  const auto swallows = []() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      current_task().uncancel();
    }
    co_await sleep(1h);
  };
  const Task<> task = create_task(swallows, {.loop = &loop});
  loop.run_ticks(1);
  task.cancel();
  loop.run_ticks(1);
  EXPECT_EQ(task.repr().find("cancelled at"), std::string::npos) << task.repr();
  const std::string place = here(1);
  task.cancel();
  EXPECT_TRUE(task.repr().ends_with("> cancelled at " + place + ">")) << task.repr();
}

TEST(DebugModeCancel, TheErrorAtTheAwaitKnowsThePlaceToo) {
  DebugLoop loop;
  std::uint_least32_t line = 0;
  const auto catches = [&]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError& error) {
      line = error.where().line();
      throw;
    }
  };
  const Task<> task = create_task(catches, {.loop = &loop});
  loop.run_ticks(1);
  const auto expected = std::source_location::current().line() + 1;
  task.cancel();
  loop.run_ticks(1);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(line, expected);
}

TEST(DebugModeCancel, TheReportOfAPendingTaskTellsThePlace) {
  DebugLoop loop;
  const Task<> task = create_task(sleeps(), {.loop = &loop});
  loop.run_ticks(1);
  const std::string place = here(1);
  task.cancel();
  loop.close();
  ASSERT_EQ(loop.errors.messages(), Log{"Task was destroyed but it is pending!"});
  EXPECT_TRUE(loop.errors.contexts[0].detail("task").ends_with("> cancelled at " + place + ">"));
}

// ── a busy task ──

TEST(DebugModeBusy, ATaskThatNeverLetsTheLoopWaitIsReportedOnce) {
  DebugLoop loop;
  Task<> busy = create_task(ticks(3000), {.name = "busy", .loop = &loop});
  loop.run_ticks(999);
  EXPECT_EQ(loop.errors.messages(), Log{});
  loop.run_ticks(1);
  ASSERT_EQ(loop.errors.contexts.size(), 1u);
  const ErrorContext& report = loop.errors.contexts[0];
  EXPECT_TRUE(report.message.starts_with("<Task pending name='busy' coro=<asyncio::testing::ticks() running at "))
      << report.message;
  EXPECT_TRUE(report.message.ends_with("> has made 1000 steps, and the loop has not waited since")) << report.message;
  EXPECT_EQ(without_places(report.detail("stack")), "\n  asyncio::testing::ticks there");
  loop.run_until_complete(busy);
  EXPECT_EQ(loop.errors.contexts.size(), 1u);
}

TEST(DebugModeBusy, AWaitOfTheLoopBeginsTheCountAnew) {
  DebugLoop loop;
  loop.run_until_complete([]() -> Coro<> {
    for (int i = 0; i < 4; ++i) {
      co_await ticks(900);
      co_await sleep(1ms);
    }
  });
  EXPECT_EQ(loop.errors.messages(), Log{});
}

TEST(DebugModeBusy, ManyTasksThatHaveMadeAFewStepsEachAreNotBusy) {
  DebugLoop loop;
  loop.run_until_complete([]() -> Coro<> {
    for (int i = 0; i < 900; ++i) {
      for (int k = 0; k < 3; ++k) create_task(ticks(1));
      co_await tick();
    }
  });
  EXPECT_EQ(loop.errors.messages(), Log{});
}

TEST(DebugModeBusy, IsNotLookedForWithoutDebugMode) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  loop.run_until_complete(ticks(3000));
  EXPECT_EQ(errors.messages(), Log{});
}

TEST(DebugModeBusy, AFaultThatManyTasksHaveIsNotReportedForEach) {
  DebugLoop loop;
  std::vector<Task<>> all;
  for (int i = 0; i < 100; ++i) all.push_back(create_task(ticks(1001), {.loop = &loop}));
  loop.run_until_complete(detail::all_done({all.begin(), all.end()}, loop));
  EXPECT_EQ(loop.errors.contexts.size(), 16u);
}

// ── tasks that wait for each other ──

Coro<> wait_for_other(const Task<>& other) { co_await other; }

struct Circle {
  Task<> ping, pong;
  void close() {
    ping = create_task(wait_for_other(pong), {.name = "ping"});
    pong = create_task(wait_for_other(ping), {.name = "pong"});
  }
};

TEST(DebugModeCircle, TasksThatWaitForEachOtherAreReportedOnceWithTheirLines) {
  DebugLoop loop;
  Circle circle;
  const auto main = [&]() -> Coro<> {
    circle.close();
    for (int i = 0; i < 5; ++i) co_await sleep(1s);  // others go on
  };
  loop.run_until_complete(main);
  ASSERT_EQ(loop.errors.contexts.size(), 1u);
  EXPECT_EQ(loop.errors.contexts[0].message, "Tasks wait for each other in a circle: ping → pong → ping");
  EXPECT_EQ(without_places(loop.errors.contexts[0].detail("tasks")),
            "\n  ping waits in wait_for_other here for pong"
            "\n  pong waits in wait_for_other here for ping");
  loop.close();
}

TEST(DebugModeCircle, IsFoundBeforeTheLoopWaitsForEver) {
  DebugLoop loop;
  Circle circle;
  loop.call_soon([&] { circle.close(); });
  EXPECT_THROW(loop.run_forever(), NeverWakes);
  ASSERT_FALSE(loop.errors.contexts.empty());
  EXPECT_TRUE(loop.errors.contexts[0].message.starts_with("Tasks wait for each other in a circle: "));
}

// (With an observer on each loop, CTest's stage3.all_observed, the observer checks that it hears of the timer first.)
TEST(DebugModeCircle, TheExceptionHandlerMayMakeATimer) {
  std::optional<TimerHandle> timer;
  DebugLoop loop;  // whose close() reports, too
  loop.set_exception_handler([&](Loop&, const ErrorContext&) {
    if (!timer) timer = loop.call_later(1s, [&] { loop.stop(); });
  });
  Circle circle;
  loop.call_soon([&] { circle.close(); });
  loop.run_forever();
  EXPECT_EQ(loop.time(), TimePoint(1s));
}

TEST(DebugModeCircle, IsFoundIfTheLoopNeverWaits) {
  DebugLoop loop;
  Circle circle;
  const auto main = [&]() -> Coro<> {
    circle.close();
    for (int i = 0; i < 1200; ++i) co_await tick();
  };
  loop.run_until_complete(main);
  std::size_t circles = 0;
  for (const std::string& message : loop.errors.messages()) circles += message.starts_with("Tasks wait for each other");
  EXPECT_EQ(circles, 1u);
}

TEST(DebugModeCircle, IsNotLookedForWithoutDebugMode) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Circle circle;
  loop.run_until_complete([&]() -> Coro<> {
    circle.close();
    co_await sleep(1s);
  });
  EXPECT_EQ(errors.messages(), Log{});
  EXPECT_EQ(find_cycles(loop).size(), 1u);
  loop.close();  // while there is somebody to hear of the tasks that are pending
}

TEST(DebugModeCircle, OneThatClosesBehindOthersIsFound) {
  DebugLoop loop;
  Task<> last;
  const auto main = [&]() -> Coro<> {
    const auto first = create_task(
        [&]() -> Coro<> {
          co_await sleep(5s);
          co_await last;
        },
        {.name = "first"});
    Task<> before = first;
    for (int i = 0; i < 5; ++i) {
      last = create_task([](Task<> other) -> Coro<> { co_await other; }(before), {.name = "link"});
      before = last;
    }
    co_await sleep(4s);
    EXPECT_EQ(loop.errors.messages(), Log{});
    co_await sleep(4s);
  };
  loop.run_until_complete(main);
  ASSERT_EQ(loop.errors.contexts.size(), 1u);
  loop.close();
}

TEST(DebugModeCircle, TheHandlerMayCancelATaskOfIt) {
  DebugLoop loop;
  Circle circle;
  int reports = 0;
  loop.set_exception_handler([&](Loop&, const ErrorContext&) {
    ++reports;
    circle.ping.cancel();
  });
  const auto main = [&]() -> Coro<> {
    circle.close();
    co_await sleep(1s);
  };
  try {
    loop.run_until_complete(main);
  } catch (const std::runtime_error&) {  // "tasks await each other in a circle, and so cancel() has no end"
  }
  EXPECT_EQ(reports, 1);
  loop.close();
}

TEST(DebugModeCircle, TheHandlerMayEndDebugMode) {
  DebugLoop loop;
  Circle circle;
  int reports = 0;
  loop.set_exception_handler([&](Loop& own, const ErrorContext&) {
    ++reports;
    own.set_debug(false);
  });
  const auto main = [&]() -> Coro<> {
    circle.close();
    co_await sleep(1s);
    co_await ticks(2000);
  };
  loop.run_until_complete(main);
  EXPECT_EQ(reports, 1);
  loop.close();
}

TEST(DebugModeCircle, TheHandlerMayEndTheWaitThatIsToCome) {
  DebugLoop loop;
  Circle circle;
  bool ran = false;
  loop.set_exception_handler([&](Loop& own, const ErrorContext&) {
    own.call_soon([&] {
      ran = true;
      own.stop();
    });
  });
  loop.call_soon([&] { circle.close(); });
  loop.run_forever();  // would throw if it waited: nothing else is there
  EXPECT_TRUE(ran);
  loop.close();
}

TEST(DebugModeCircle, ADebugModeThatWasOffMeanwhileKnowsNoTaskThatIsGone) {
  DebugLoop loop;
  const auto main = [&]() -> Coro<> {
    std::vector<Task<>> all;
    for (int i = 0; i < 10; ++i) all.push_back(create_task(ticks(3)));
    co_await tick();
    loop.set_debug(false);
    co_await ticks(5);
    all.clear();
    loop.set_debug(true);
    co_await sleep(1s);
  };
  loop.run_until_complete(main);
  EXPECT_EQ(loop.errors.messages(), Log{});
}

TEST(DebugModeCircle, AnEagerTaskMayEndInItsFirstStep) {
  DebugLoop loop;
  const auto main = [&]() -> Coro<> {
    for (int i = 0; i < 10; ++i) {
      co_await create_task(nothing(), {.eager_start = true});
      co_await create_task(ticks(2), {.eager_start = true});
    }
    co_await sleep(1s);
  };
  loop.run_until_complete(main);
  EXPECT_EQ(loop.errors.messages(), Log{});
}

TEST(FindCycles, GivesTheTasksOfEachCycleInTheirOrder) {
  VirtualLoop loop;
  std::vector<Task<>> ring(3);
  for (int i = 0; i < 3; ++i) {
    ring[i] = create_task(wait_for_other(ring[(i + 1) % 3]),
                          {.name = std::string(1, static_cast<char>(97 + i)), .loop = &loop});
  }
  const Task<> alone = create_task(sleeps(), {.loop = &loop});
  loop.run_ticks(1);
  const auto cycles = find_cycles(loop);
  ASSERT_EQ(cycles.size(), 1u);
  std::string names;
  for (const AnyTask& task : cycles[0]) names += task.get_name();
  EXPECT_EQ(names, "abc");
}

TEST(FindCycles, OfAHealthyLoopThereAreNone) {
  run_virtual([]() -> Coro<> {
    const auto task = create_task(sleeps());
    co_await tick();
    EXPECT_TRUE(find_cycles().empty());
  });
}

}  // namespace
}  // namespace asyncio
