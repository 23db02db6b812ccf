// Task factories: a say in how the tasks of a loop are made, and tasks that begin at once instead of in the next tick.
// Mirrors: BaseEventLoop.set_task_factory; Lib/asyncio/tasks.py, eager_task_factory. Read next: task.h
#pragma once

#include <asyncio/loop.h>

#include <functional>
#include <optional>
#include <string_view>

namespace asyncio {

class AnyTask;

/// Trivial members only: g++ 12 destroys others twice beside a co_await.
struct TaskOptions {
  std::string_view name = {};         // "Task-<n>" if empty
  Loop* loop = nullptr;               // the running one if null
  const Context* context = nullptr;   // a copy of the current one if null
  std::optional<bool> eager_start{};  // its first step inside create_task(); nullopt: no, or as the factory says
};

/// What a factory is asked for: one task, of whatever type.
class NewTask {
 public:
  /// Makes it. To be called once, while the factory runs.
  virtual AnyTask operator()(const TaskOptions& options) = 0;

 protected:
  ~NewTask() = default;
};

/// Called for each task of a loop, with what create_task() was given. It calls `make`, with these options or others.
using TaskFactory = std::function<void(Loop& loop, NewTask& make, const TaskOptions& options)>;

/// Empty: tasks are made without a factory again.
void set_task_factory(Loop& loop, TaskFactory factory);
const TaskFactory& get_task_factory(Loop& loop);

/// A task takes its first step inside create_task(); one that never waits is done when that returns, and no tick has
/// passed. (Done-callbacks come by call_soon all the same.) `.eager_start = false` makes one that does not. On a loop that does
/// not run yet a task begins in the first tick.
void eager_task_factory(Loop& loop, NewTask& make, const TaskOptions& options);
/// The same before a factory of yours.
TaskFactory create_eager_task_factory(TaskFactory factory);

}  // namespace asyncio
