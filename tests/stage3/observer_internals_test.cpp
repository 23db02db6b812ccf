// What an observer hears of futures and tasks.
#include <asyncio/observer.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/event_log.h"
#include "support/tasks.h"

namespace asyncio::testing {
namespace {

// Runs main() as "main", observed, and gives the events of tasks and what lies between them.
template <class Main>
std::shared_ptr<EventLog> observe(Main main) {
  const auto log = std::make_shared<EventLog>();
  VirtualLoop loop;
  loop.add_observer(log);
  const Task<> task = create_task(main(), {.name = "main", .loop = &loop});
  task.add_done_callback([&](const auto&) { loop.stop(); });
  loop.run_forever();
  loop.remove_observer(log);
  return log;
}

TEST(ObservedTask, IsMadeStepsWaitsIsWokenAndEnds) {
  const auto log = observe([]() -> Coro<> {
    Future<int> answer = create_future<int>();
    Task<int> child =
        create_task([](Future<int> answer) -> Coro<int> { co_return co_await answer; }(answer), {.name = "child"});
    co_await sleep(0s);
    answer.set_result(42);
    co_await child;
  });
  EXPECT_EQ(log->text(), R"(added
main made
main steps
child made by main
main woken by main
main waits for its turn
child steps
child waits for a
main steps
a done by main
child woken by main
main waits for child
child steps
main woken by child
child done
main steps
b scheduled by main
main done
b begins
b ends
removed
)");
}

TEST(LoopStats, CountTheStepsOfTasksWhileTheLoopIsObserved) {
  VirtualLoop loop;
  const auto run_two_steps = [&] {
    loop.run_until_complete([]() -> Coro<> { co_await sleep(0s); }());
    return loop.stats().steps;
  };
  EXPECT_EQ(run_two_steps(), 0u);
  loop.add_observer(std::make_shared<Observer>());
  EXPECT_EQ(run_two_steps(), 2u);
  EXPECT_EQ(run_two_steps(), 4u);
}

TEST(ObservedFuture, OneThatNobodyWaitsForIsToldAsWell) {
  const auto log = observe([]() -> Coro<> {
    create_future<int>().set_result(42);
    create_future().set_exception(std::make_exception_ptr(std::runtime_error("nobody wants it")));
    create_future().cancel();
    co_return;
  });
  EXPECT_NE(log->text().find("main steps\na done by main\nb done by main\nc done by main\n"), std::string::npos)
      << log->text();
}

TEST(ObservedTask, SleepIsATimerThatWakesIt) {
  const auto log = observe([]() -> Coro<> { co_await sleep(1s); });
  EXPECT_EQ(log->text(), R"(added
main made
main steps
a armed for 1.0 s by main
main waits for b
waits until 1.0 s
woke, 0
a due
a begins
main woken by a
a ends
main steps
c scheduled by main
main done
c begins
c ends
removed
)");
}

unsigned line_of_cancel, line_of_inner, line_of_outer;

TEST(ObservedTask, ACancelSaysWhereItWasAskedForAndPassesOnToWhatTheTaskWaitsFor) {
  const auto log = observe([]() -> Coro<> {
    Task<> inner = create_task([]() -> Coro<> { co_await sleep(1s); }, {.name = "inner"});
    Task<> outer = create_task([](Task<> inner) -> Coro<> { co_await inner; }(inner), {.name = "outer"});
    co_await sleep(0s);
    line_of_cancel = __LINE__ + 1;
    outer.cancel();
    try {
      co_await outer;
    } catch (const CancelledError&) {
    }
  });
  EXPECT_EQ(log->cancelled_at.line, line_of_cancel);
  const std::string text = log->text();
  EXPECT_NE(text.find("outer asked to cancel by main\ninner asked to cancel by main\ninner woken by main\n"),
            std::string::npos)
      << text;
}

Coro<> inner() {
  line_of_inner = __LINE__ + 1;
  co_await sleep(0s);
}

Coro<> outer() {
  line_of_outer = __LINE__ + 1;
  co_await inner();
}

TEST(ObservedTask, ItsFramesAreTheStackAtTheEndOfAStep) {
  const auto log = observe([]() -> Coro<> { co_await outer(); });
  ASSERT_EQ(log->places.size(), 3u);
  EXPECT_EQ(log->places[0].function, "inner");
  EXPECT_EQ(log->places[0].line, line_of_inner);
  EXPECT_EQ(log->places[1].function, "outer");
  EXPECT_EQ(log->places[1].line, line_of_outer);
  EXPECT_EQ(log->places[2].function, "<lambda>");
}

TEST(ObservedTask, AnEagerFirstStepLiesInsideOfTheMakersStep) {
  const auto log = observe([]() -> Coro<> {
    Task<> child = create_task([]() -> Coro<> { co_await sleep(0s); }, {.name = "child", .eager_start = true});
    co_await child;
  });
  EXPECT_TRUE(log->text().starts_with(R"(added
main made
main steps
child made by main
child steps
child woken by child
child waits for its turn
main waits for child
)")) << log->text();
}

TEST(ObservedTask, AnExceptionIsInItsReprWhenTheFutureIsDone) {
  struct Reprs final : Observer {
    void future_done(const Observed& what, ObservedId) override { seen.push_back(what.repr()); }
    void task_done(const Observed& what) override { seen.push_back(what.repr()); }
    std::vector<std::string> seen;
  };
  const auto reprs = std::make_shared<Reprs>();
  run_virtual([&]() -> Coro<> {
    Loop::running().add_observer(reprs);
    Future<int> answer = create_future<int>();
    Task<> child = create_task([](Future<int> answer) -> Coro<> { co_await answer; }(answer), {.name = "child"});
    co_await sleep(0s);
    answer.set_exception(std::runtime_error("disk full"));
    co_await sleep(0s);
    child.exception();
    Loop::running().remove_observer(reprs);
  });
  ASSERT_EQ(reprs->seen.size(), 2u);
  EXPECT_EQ(reprs->seen[0], "<Future finished exception=std::runtime_error: disk full>");
  EXPECT_TRUE(reprs->seen[1].starts_with("<Task finished name='child'")) << reprs->seen[1];
}

TEST(ObservedTask, OneThatIsPendingWhenTheLoopIsClosedIsDoneThen) {
  const auto log = std::make_shared<EventLog>();
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    loop.add_observer(log);
    const Task<> task = create_task([]() -> Coro<> { co_await sleep(1s); }, {.name = "child", .loop = &loop});
    loop.run_ticks(1);
    loop.close();
  }
  EXPECT_TRUE(log->text().ends_with("child done\na cancelled\nremoved\n")) << log->text();
}

}  // namespace
}  // namespace asyncio::testing
