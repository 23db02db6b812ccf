// Task factories decide how the tasks of a loop are made. One of them makes tasks that begin at once, not in the next
// tick.
// Mirrors: BaseEventLoop.set_task_factory; Lib/asyncio/tasks.py, eager_task_factory. Read next: async_generator.h
#pragma once

#include <asyncio/loop.h>

#include <functional>
#include <optional>
#include <string_view>

namespace asyncio {

class AnyTask;

/// It has trivial members only, because g++ 12 destroys others twice beside a co_await.
struct TaskOptions {
  std::string_view name = {};        // "Task-<n>" if empty
  Loop* loop = nullptr;              // the running one if null
  const Context* context = nullptr;  // a copy of the current one if null
  /// First step inside create_task(), which throws std::runtime_error if the context is entered already; nullopt: no,
  /// or as the factory says.
  std::optional<bool> eager_start{};
};

/// The task that a factory is asked for, whatever its type.
class NewTask {
 public:
  /// Makes the task. Call it once, while the factory runs.
  virtual AnyTask operator()(const TaskOptions& options) = 0;

 protected:
  ~NewTask() = default;
};

/// Called for each task of a loop with the options of create_task(). It calls `make`, with these options or others.
using TaskFactory = std::function<void(Loop& loop, NewTask& make, const TaskOptions& options)>;

/// An empty factory restores the default.
void set_task_factory(Loop& loop, TaskFactory factory);
/// The factory; empty: it is the default one. [get_task_factory]
const TaskFactory& get_task_factory(Loop& loop);

/// A task takes its first step inside create_task(). One that never waits is done when create_task() returns, without a
/// tick; its done-callbacks still run by call_soon(). `.eager_start = false` makes a task that begins in the next tick,
/// and so does a loop that does not run yet.
void eager_task_factory(Loop& loop, NewTask& make, const TaskOptions& options);
/// Starts tasks eagerly, and makes them with `factory`.
TaskFactory create_eager_task_factory(TaskFactory factory);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: an eager task takes its first step inside of create_task(), any other in the next tick.
// Errors: what a factory throws leaves create_task(). std::runtime_error if the factory has made no task.
// Units: none.
