// The cancel-everywhere sweep repeats a scenario. Each run cancels one of its tasks, once or twice, before another
// tick. No run may leave anything stuck, lost or leaked.
//
//   cancel_everywhere([](Cast& cast) -> Coro<> {
//     Lock lock;
//     for (int i = 0; i < 3; ++i) cast.start(use(lock));
//     co_await cast.all_ended();
//     EXPECT_FALSE(lock.locked());
//   });
#pragma once

#include <asyncio/run.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "counted.h"
#include "test_core.h"

namespace asyncio::testing {

/// Virtual time, and a call before each tick. (It claims to watch something: the loop then also waits in busy ticks.)
class CoreWithTicks final : public Core {
 public:
  explicit CoreWithTicks(std::function<void()> before_tick) : before_tick_(std::move(before_tick)) { watching_ = true; }

  TimePoint now() override { return now_; }
  void wait(std::optional<TimePoint> until) override {
    before_tick_();
    if (until && *until <= now_) return;
    if (woken_.exchange(false) || std::exchange(ready_, false)) return;
    if (!until) throw std::logic_error("the loop would wait for ever");
    now_ = *until;
  }
  void wake() noexcept override { woken_ = true; }
  /// Call this in before_tick if that made something ready: the core then does not wait.
  void do_not_wait() { ready_ = true; }

 private:
  std::function<void()> before_tick_;
  TimePoint now_{};
  std::atomic<bool> woken_ = false;
  bool ready_ = false;
};

/// The tasks of a scenario that the sweep may cancel.
class Cast {
 public:
  /// create_task() of a task that the sweep may cancel.
  template <class A>
  auto start(A&& awaitable) {
    auto task = create_task(std::forward<A>(awaitable));
    tasks_.push_back(task);
    return task;
  }
  /// Adds the current task.
  void join() { tasks_.push_back(current_task()); }

  /// Waits until all started tasks have ended, however they end.
  Coro<> all_ended() {
    const AnyTask self = current_task();
    for (std::size_t i = 0; i != tasks_.size(); ++i) {  // tasks_ may grow meanwhile
      const AnyTask task = tasks_[i];
      if (task == self) continue;
      if (!task.done()) {
        const Future<> ended = create_future();
        task.add_done_callback([ended](AnyTask&) { ended.set_result(); });
        co_await ended;  // if the task never ends, the core throws
      }
      if (!task.cancelled()) task.exception();  // marks it as retrieved
    }
  }

  /// The number of cancelled tasks: 0 in the first run, 1 in all others.
  int disturbed() const { return disturbed_; }

  std::size_t size() const { return tasks_.size(); }
  bool cancel(std::size_t task) {
    if (task >= tasks_.size() || !tasks_[task].cancel()) return false;
    disturbed_ = 1;
    return true;
  }

 private:
  std::vector<AnyTask> tasks_;
  int disturbed_ = 0;
};

/// The task to cancel, and the ticks to cancel it before.
struct Cancels {
  std::size_t task = 0;
  int first = -1;
  int second = -1;
};

struct SweepRun {
  int ticks = 0;
  std::size_t tasks = 0;
};

/// One run. If `leaves_tasks`, the runner cancels and awaits tasks that the scenario leaves behind, as run() does;
/// otherwise there must be none.
template <class Scenario>
SweepRun run_scenario(Scenario& scenario, const Cancels& cancels, bool leaves_tasks) {
  SweepRun run;
  Counted::reset();
  std::vector<std::string> reported;
  {
    Cast cast;
    CoreWithTicks* core = nullptr;
    auto owned = std::make_unique<CoreWithTicks>([&] {
      const int tick = run.ticks++;
      if ((tick == cancels.first || tick == cancels.second) && cast.cancel(cancels.task)) core->do_not_wait();
    });
    core = owned.get();
    Runner runner(std::move(owned));
    Loop& loop = runner.get_loop();
    loop.set_exception_handler([&](Loop&, const ErrorContext& context) { reported.push_back(context.to_string()); });
    try {
      auto main = [&]() -> Coro<> { co_await scenario(cast); };
      runner.run(main);
    } catch (const CancelledError&) {
      EXPECT_TRUE(leaves_tasks) << "only a scenario whose main task plays a part may be cancelled";
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    if (!leaves_tasks) {
      try {  // remaining tasks (such as the children of a cancelled gather) may clean up
        runner.run(sleep(std::chrono::hours(1)));
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      for (const AnyTask& task : all_tasks(loop)) ADD_FAILURE() << "left pending: " << task.repr();
    }
    runner.close();
    run.tasks = cast.size();
  }
  EXPECT_EQ(reported, std::vector<std::string>{});
  EXPECT_EQ(Counted::alive, 0) << "something leaked, or was destroyed twice";
  return run;
}

/// Runs the scenario without a cancel, then with one for each task at each tick: alone, and followed by a second one
/// zero to three ticks later (while the first is delivered, or the task cleans up).
template <class Scenario>
void cancel_everywhere(Scenario scenario, bool leaves_tasks = false) {
  const SweepRun undisturbed = run_scenario(scenario, Cancels{}, leaves_tasks);
  ASSERT_GT(undisturbed.tasks, 0u);
  for (std::size_t task = 0; task != undisturbed.tasks; ++task) {
    for (int first = 0; first != undisturbed.ticks; ++first) {
      for (int second : {-1, first + 1, first + 2, first + 3}) {
        SCOPED_TRACE("task " + std::to_string(task) + " cancelled before tick " + std::to_string(first) +
                     (second < 0 ? "" : " and before tick " + std::to_string(second)));
        run_scenario(scenario, Cancels{task, first, second}, leaves_tasks);
        if (::testing::Test::HasFailure()) return;  // the first failure is enough
      }
    }
  }
}

}  // namespace asyncio::testing
