// task_group(): runs a block that starts tasks, and leaves it when all of them have ended.
// Mirrors: Lib/asyncio/taskgroups.py: TaskGroup. `async with TaskGroup() as group: …` takes a body here: timeouts.h
// says why. Read next: exception_group.h
#pragma once

#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/exception_group.h>
#include <asyncio/timeouts.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The group of tasks that task_group() passes to its body. Lives until task_group() returns. Belongs to the thread of
/// its loop.
///
/// The first task that fails (CancelledError does not count) cancels the others, and the body if it still runs. When
/// all have ended, task_group() throws their errors as one ExceptionGroup.
class TaskGroup {
  class Child;
  class AllDone;

 public:
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// asyncio::create_task() for a task of this group. The group's tasks may call it, even after the body has ended.
  /// Throws std::runtime_error if the group is being cancelled or is finished; the coroutine is then destroyed.
  template <class A>
  auto create_task(A&& awaitable) {
    return create_task(std::forward<A>(awaitable), TaskOptions());
  }
  template <class A>
  auto create_task(A&& awaitable, TaskOptions options) {
    detail::check_callable(awaitable);
    auto coroutine = detail::to_coro(std::forward<A>(awaitable));
    const detail::ScopeExit close([&] { coroutine.close(); });  // as in asyncio::create_task()
    check_may_create();
    options.loop = &parent_->open_loop();
    NewChild child = new_child();  // before the task: if this fails, there must be no task
    auto task = asyncio::create_task(std::move(coroutine), options);
    add(*child.release(), task.task());
    return task;
  }

  /// Cancels the tasks of the group, and the body if it still runs. task_group() then ends without CancelledError,
  /// but it still throws errors. May be called twice, by a task of the group, or from a callback. No effect once the
  /// block has ended. [TaskGroup.cancel, 3.15]
  void cancel();

  /// `<TaskGroup tasks=2 entered>`
  std::string repr() const;

  // ── what `async with` does ──
  /// Throws std::runtime_error outside of a task.
  TaskGroup();
  /// Call it in the catch block if the body has thrown.
  void body_failed();
  /// Whether a task of the group is still running.
  bool has_tasks() const noexcept { return !children_.empty(); }
  /// `co_await group.all_done();` Waits until the last task has ended, or the parent is cancelled. Needs no memory.
  detail::LazyAwaitable<AllDone, std::reference_wrapper<TaskGroup>> all_done() noexcept;
  /// Call it in the catch block if all_done() has thrown CancelledError.
  void cancelled_at_exit();
  /// Throws the exception that leaves task_group(), if there is one.
  void exit();

 private:
  struct FreeChild {
    void operator()(Child* child) const noexcept;
  };
  using NewChild = std::unique_ptr<Child, FreeChild>;

  void check_may_create();
  NewChild new_child();
  void add(Child& child, detail::TaskBase& task);
  void remove(Child& child) noexcept;
  void on_task_done(Child& child);
  void abort();
  void cancel_parent();
  std::exception_ptr cancellation_or_last() const;

  detail::TaskBase* parent_;               // the task that runs the body
  detail::IntrusiveList<Child> children_;  // the tasks that have not ended, in order of creation
  std::size_t tasks_ = 0;
  AllDone* waiting_ = nullptr;  // set while all_done() waits
  bool exiting_ = false;
  bool aborting_ = false;
  bool parent_cancel_requested_ = false;  // by the group, once: exit() uncancels it
  detail::IntrusiveList<Child> failed_;   // the tasks that failed, in that order: linking them needs no memory
  std::size_t errors_ = 0;
  std::exception_ptr body_error_;         // what the body threw, if not CancelledError
  std::exception_ptr cancellation_;       // the CancelledError that leaves the group, if nothing else does
  std::exception_ptr last_cancellation_;  // the latest CancelledError of all_done()
  std::exception_ptr base_error_;         // KeyboardInterrupt or SystemExit: exit() throws it first
};

/// What all_done() is: the wait for the last task.
class TaskGroup::AllDone final : public detail::FrameFuture {
 public:
  /// TaskGroup makes it.
  explicit AllDone(TaskGroup& group) noexcept : group_(group) {
    group.waiting_ = this;
    group.exiting_ = true;
  }
  ~AllDone() { group_.waiting_ = nullptr; }
  bool waits_for_tasks() const noexcept override { return true; }

 private:
  TaskGroup& group_;
};

inline detail::LazyAwaitable<TaskGroup::AllDone, std::reference_wrapper<TaskGroup>> TaskGroup::all_done() noexcept {
  return detail::LazyAwaitable<AllDone, std::reference_wrapper<TaskGroup>>(*this);
}

/// `co_await task_group([&](TaskGroup& group) -> Coro<> { group.create_task(a()); group.create_task(b()); … });`
/// Runs the body, waits for all tasks of the group, and returns the body's result. Without tasks it adds no tick.
///
/// Throws errors as one ExceptionGroup, in order of occurrence, the body's own last; KeyboardInterrupt and SystemExit
/// as they are. If the calling task is cancelled, so are the tasks of the group. When they have ended, throws
/// CancelledError, or, if one of them failed, an ExceptionGroup: then the next await is cancelled. [TaskGroup]
///
/// Throws InvalidStateError if TaskGroup::cancel() cancels a body that returns a value.
///
/// The tasks may outlive the body: they must not refer to its local variables.
template <detail::BodyOf<TaskGroup> Body, class R = detail::body_result_t<Body, TaskGroup>>
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
  while (group.has_tasks()) {
    try {
      co_await group.all_done();
    } catch (const CancelledError&) {
      group.cancelled_at_exit();
    }
  }
  group.exit();
  if constexpr (!std::is_void_v<R>) {
    if (!result) throw InvalidStateError("the TaskGroup was cancelled before its body gave a value");
    co_return std::move(*result);
  }
}

/// Refuses any other body, with a sentence.
template <class Body>
  requires(!detail::BodyOf<std::decay_t<Body>, TaskGroup>)
ASYNCIO_CORO_WRAPPER Coro<> task_group(Body&&) {
  static_assert(detail::BodyOf<Body, TaskGroup>,
                "the body of task_group() takes nothing or a TaskGroup&, and returns what can be awaited: write "
                "-> Coro<> behind its parameters, and co_return at its end");
  return {};
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the block is left at its end, if no task is left, or else two ticks after the last one has ended.
// Errors: an ExceptionGroup of what the tasks and the body throw; KeyboardInterrupt and SystemExit as they are;
//   std::runtime_error outside of a task.
// Units: none.
