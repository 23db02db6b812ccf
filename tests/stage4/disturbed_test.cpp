// Cancels, drops, moves or ends timers, timeouts, groups, runners and loops before each tick of a scenario, and within
// each of its own callbacks. What has begun ends as it should, nothing leaks, and nobody touches what is gone.
#include <asyncio/gather.h>
#include <asyncio/run.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <asyncio/virtual_core.h>
#include <gtest/gtest.h>
#include <support/cancel_sweep.h>
#include <support/counted.h>
#include <support/thrown.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::CoreWithTicks;
using testing::Counted;
using testing::thrown;

/// What the scenario has made so far, for the one who disturbs it.
struct Stage {
  Handle soon;
  TimerHandle later;
  Timeout* limit = nullptr;
  TaskGroup* group = nullptr;
  Task<> waiter;
  std::function<void()> inside;  // to be called within each callback, step and destructor of the scenario

  void here() const {
    if (inside) inside();
  }
};

using Scenario = std::function<Coro<>(Stage&)>;
using Disturb = std::function<void(Stage&)>;

class TellsItsEnd {
 public:
  explicit TellsItsEnd(const Stage& stage) : stage_(&stage) {}
  TellsItsEnd(TellsItsEnd&& other) noexcept : stage_(std::exchange(other.stage_, nullptr)) {}
  ~TellsItsEnd() {
    if (stage_) stage_->here();
  }

 private:
  const Stage* stage_;
  Counted counted_;
};

Coro<> whatever_comes(Coro<> scenario) {
  try {
    co_await std::move(scenario);
  } catch (const CancelledError&) {
  } catch (const TimeoutError&) {
  } catch (const ExceptionGroup&) {
  }
}

/// One run; false if it was over before `n`: a tick, or with `inside`, a call of Stage::here().
bool run_once(const Scenario& scenario, const Disturb& disturb, int n, bool inside) {
  SCOPED_TRACE((inside ? "within callback " : "before tick ") + std::to_string(n));
  Counted::reset();
  std::string reported;
  int at = 0;
  {
    Stage stage;
    CoreWithTicks* core = nullptr;
    auto owned = std::make_unique<CoreWithTicks>([&] {
      if (inside || at++ != n) return;
      disturb(stage);
      core->do_not_wait();
    });
    core = owned.get();
    if (inside) {
      stage.inside = [&] {
        if (at++ == n) disturb(stage);
      };
    }
    Runner runner(std::move(owned));
    Loop& loop = runner.get_loop();
    loop.set_exception_handler([&](Loop&, const ErrorContext& error) { reported += error.to_string() + "\n"; });
    runner.run([&]() -> Coro<> {
      co_await whatever_comes(scenario(stage));
      co_await sleep(1h);
      EXPECT_EQ(all_tasks().size(), 1u);
    });
    stage.inside = nullptr;
  }
  EXPECT_EQ(reported, "");
  EXPECT_EQ(Counted::alive, 0);
  return at > n;
}

void disturb_everywhere(const Scenario& scenario, const Disturb& disturb) {
  for (const bool inside : {false, true}) {
    int n = 0;
    while (run_once(scenario, disturb, n, inside) && !::testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 2);
  }
}

// ── handles of callbacks and timers ─────────────────────────────────────────────────────────────────────────────────

Coro<> timers(Stage& stage) {
  Loop& loop = Loop::running();
  for (int i = 0; i < 3; ++i) {
    stage.soon = loop.call_soon([&stage, end = TellsItsEnd(stage)] { stage.here(); });
    stage.later = loop.call_later(1ms * i, [&stage, end = TellsItsEnd(stage)] { stage.here(); });
    co_await sleep(1ms);
    stage.here();
  }
}

TEST(Disturbed, TheHandleOfATimer) {
  disturb_everywhere(timers, [](Stage& stage) { stage.later.cancel(); });
  disturb_everywhere(timers, [](Stage& stage) { stage.soon.cancel(); });
  disturb_everywhere(timers, [](Stage& stage) { stage.soon = Handle(), stage.later = TimerHandle(); });
  disturb_everywhere(timers, [](Stage& stage) {
    TimerHandle moved = std::move(stage.later);
    moved.cancel();
    moved.cancel();
    stage.later.cancel();
  });
  disturb_everywhere(timers, [](Stage& stage) {
    stage.later.cancel();
    stage.later = Loop::running().call_later(-1s, [end = TellsItsEnd(stage)] {});
  });
}

// ── time limits ─────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> limited(Stage& stage) {
  for (const Duration limit : {Duration(0s), Duration(1ms), Duration(1h)}) {
    const auto body = [&stage](Timeout& scope) -> Coro<> {
      stage.limit = &scope;
      const detail::ScopeExit gone([&stage] { stage.limit = nullptr; });
      const TellsItsEnd end(stage);
      co_await sleep(0s);
      stage.here();
      co_await sleep(2ms);
      stage.here();
    };
    stage.waiter = create_task(timeout(limit, body));
    co_await whatever_comes([](Task<> task) -> Coro<> { co_await task; }(stage.waiter));
    stage.here();
  }
}

TEST(Disturbed, TheScopeOfATimeLimit) {
  disturb_everywhere(limited, [](Stage& stage) {
    if (stage.limit && !stage.limit->expired()) stage.limit->reschedule(Loop::running().time() - 1s);
  });
  disturb_everywhere(limited, [](Stage& stage) {
    if (stage.limit && !stage.limit->expired()) stage.limit->reschedule(std::nullopt);
  });
  disturb_everywhere(limited, [](Stage& stage) {
    if (stage.limit && !stage.limit->expired()) stage.limit->reschedule(Loop::running().time());
    if (stage.waiter) stage.waiter.cancel();
  });
  disturb_everywhere(limited, [](Stage& stage) {
    if (stage.waiter) std::exchange(stage.waiter, Task<>()).cancel();
  });
}

// ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> child(Stage& stage, Duration delay) {
  const TellsItsEnd end(stage);
  co_await sleep(delay);
  stage.here();
}

Coro<> grouped(Stage& stage) {
  const auto body = [&stage](TaskGroup& group) -> Coro<> {
    stage.group = &group;
    stage.waiter = group.create_task(child(stage, 0s));
    group.create_task(child(stage, 1ms));
    stage.here();
    co_await sleep(0s);
    group.create_task(child(stage, 2ms), {.eager_start = true});
    stage.here();
  };
  const auto all = [&]() -> Coro<> {
    const detail::ScopeExit gone([&stage] { stage.group = nullptr; });
    co_await task_group(body);
  };
  const auto parent = create_task(all);
  parent.add_done_callback([&stage](const auto&) { stage.here(); });
  co_await whatever_comes([](Task<> task) -> Coro<> { co_await task; }(parent));
}

TEST(Disturbed, TheGroup) {
  disturb_everywhere(grouped, [](Stage& stage) {
    if (stage.group) stage.group->cancel();
  });
  disturb_everywhere(grouped, [](Stage& stage) {
    if (stage.waiter) stage.waiter.cancel();
  });
  const auto fails = []() -> Coro<> {
    throw std::invalid_argument("a child");
    co_return;
  };
  for (const bool eager : {false, true}) {
    disturb_everywhere(grouped, [&](Stage& stage) {
      if (!stage.group) return;
      try {
        stage.group->create_task(fails, {.eager_start = eager});
      } catch (const std::runtime_error&) {  // it is shutting down, or finished
      }
    });
  }
  disturb_everywhere(grouped, [](Stage& stage) {
    if (!stage.group) return;
    stage.group->cancel();
    EXPECT_THROW(stage.group->create_task(sleep(1s)), std::runtime_error);
  });
}

// ── the runner and its loop, from within ────────────────────────────────────────────────────────────────────────────

TEST(Disturbed, TheLoopCannotBeClosedFromWithin) {
  const auto all = [](Stage& stage) -> Coro<> {
    co_await timers(stage);
    co_await limited(stage);
    co_await grouped(stage);
  };
  disturb_everywhere(all, [](Stage&) {
    Loop* const loop = Loop::running_or_null();
    if (!loop) return;  // in a destructor, while the runner closes it
    EXPECT_EQ(thrown<std::runtime_error>([&] { loop->close(); }), "Cannot close a running event loop");
    EXPECT_EQ(thrown<std::runtime_error>([&] { loop->run_forever(); }), "This event loop is already running");
    EXPECT_FALSE(loop->is_closed());
  });
}

// As in CPython: all tasks are cancelled, and the runner is to be closed once more.
TEST(Disturbed, ARunnerThatOneOfItsTasksClosesCancelsAllTasksAndThrows) {
  for (const bool in_a_callback : {false, true}) {
    Counted::reset();
    Runner runner(testing::make_core());
    const auto close = [&] {
      EXPECT_EQ(thrown<std::runtime_error>([&] { runner.close(); }), "Cannot close a running event loop");
    };
    const auto main = [&]() -> Coro<> {
      create_task([](Counted) -> Coro<> { co_await sleep(1h); }(Counted()));
      co_await sleep(1s);
      if (in_a_callback) {
        Loop::running().call_soon(close);
      } else {
        close();
      }
      co_await sleep(1h);
    };
    EXPECT_THROW(runner.run(main), CancelledError);
    EXPECT_EQ(runner.get_loop().time(), TimePoint(1s));
    EXPECT_EQ(runner.run(sleep(1s, 5)), 5);
    runner.close();
    EXPECT_EQ(thrown<std::runtime_error>([&] { runner.get_loop(); }), "Runner is closed");
    EXPECT_EQ(Counted::alive, 0);
  }
}

}  // namespace
}  // namespace asyncio
