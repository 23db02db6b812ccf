// task_group(): start tasks in a block, and leave the block when all of them have ended.
// Mirrors: Lib/asyncio/taskgroups.py: TaskGroup. `async with TaskGroup() as group: …` takes a body here: see
// timeouts.h for why. Read next: ../task_group.cpp, then stage 5's lock.h
#pragma once

#include <asyncio/exception_group.h>
#include <asyncio/timeouts.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The group of tasks that a body gets from task_group(). Lives until task_group() returns.
///
/// The first task that fails (CancelledError does not count) cancels the others, and the body if that still
/// runs. When all have ended, their errors are thrown as one ExceptionGroup.
class TaskGroup {
 public:
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// asyncio::create_task(), for a task of this group. The group's tasks may call it too, even when the body has ended.
  /// Throws std::runtime_error when the group is being cancelled, or is finished; the coroutine is then destroyed.
  template <class A>
  auto create_task(A&& awaitable) {
    return create_task(std::forward<A>(awaitable), TaskOptions());
  }
  template <class A>
  auto create_task(A&& awaitable, TaskOptions options) {
    detail::check_callable(awaitable);
    auto coroutine = detail::to_coro(std::forward<A>(awaitable));
    const detail::CloseUnlessMoved<detail::await_value_t<decltype(coroutine)>> refused{coroutine};
    check_may_create();
    options.loop = &parent_->open_loop();
    auto task = asyncio::create_task(std::move(coroutine), options);
    add(task.task());
    return task;
  }

  /// Cancels the tasks of the group, and the body if that still runs. The end of the block is then an ordinary one: what was
  /// cancelled by this does not leave task_group() as CancelledError, but errors do. May be called twice, by a task of the
  /// group, or from a callback; nothing happens once the block has ended.  [3.15]
  void cancel();

  /// `<TaskGroup tasks=2 entered>`
  std::string repr() const;

  // ── what `async with` does ──
  /// Throws std::runtime_error outside of a task.
  TaskGroup();
  /// The body has thrown; to be called inside the catch block.
  void body_failed();
  bool has_tasks() const noexcept { return first_ != nullptr; }
  /// Waits until the last task has ended, no matter how often it is cancelled.
  Coro<> wait_for_tasks();
  /// Throws what is to be thrown at the end.
  void exit();

 private:
  class Child;

  void check_may_create();
  void add(detail::TaskBase& task);
  void remove(Child& child) noexcept;
  void on_task_done(AnyTask task);
  void abort();
  void cancel_parent();
  std::exception_ptr cancellation_or_last() const;

  detail::TaskBase* parent_;  // in whose frame we are
  Child* first_ = nullptr;    // the tasks that have not ended, in the order of their making
  Child* last_ = nullptr;
  std::size_t tasks_ = 0;
  Future<> on_completed_;  // while wait_for_tasks() waits
  bool exiting_ = false;
  bool aborting_ = false;
  bool parent_cancel_requested_ = false;  // by us, once: we take it back
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr body_error_;         // other than CancelledError
  std::exception_ptr cancellation_;       // the CancelledError that leaves the group, if nothing else does
  std::exception_ptr last_cancellation_;  // what last came to wait_for_tasks()
  std::exception_ptr base_error_;         // KeyboardInterrupt or SystemExit: beats all others
};

/// `co_await task_group([&](TaskGroup& group) -> Coro<> { group.create_task(a()); group.create_task(b()); … });`
/// Runs the body, waits for all tasks of the group, and gives what the body gives. Without tasks it does not suspend.
///
/// Errors leave as an ExceptionGroup, in the order in which they happened, the body's own last; KeyboardInterrupt and
/// SystemExit leave as themselves. If the calling task is cancelled, so are the tasks of the group; when they have ended,
/// CancelledError leaves, or, if one of them failed, an ExceptionGroup: then the next await is cancelled.  [TaskGroup]
///
/// If a body that is to give a value is cancelled by TaskGroup::cancel(), there is none: InvalidStateError.
///
/// The tasks may outlive the body: what they refer to belongs outside of it.
template <class Body, class R = detail::body_result_t<Body, TaskGroup>>
Coro<R> task_group(Body body) {
  detail::check_callable(body);
  TaskGroup group;
  std::optional<std::conditional_t<std::is_void_v<R>, bool, R>> result;
  try {
    if constexpr (std::is_void_v<R>) {
      co_await detail::call_body(body, group);
    } else {
      R value = co_await detail::call_body(body, group);
      result.emplace(std::move(value));
    }
  } catch (...) {
    group.body_failed();
  }
  if (group.has_tasks()) co_await group.wait_for_tasks();
  group.exit();
  if constexpr (!std::is_void_v<R>) {
    if (!result) throw InvalidStateError("the TaskGroup was cancelled before its body gave a value");
    co_return std::move(*result);
  }
}

}  // namespace asyncio
