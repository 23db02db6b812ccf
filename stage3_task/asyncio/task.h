// Task<T>: a future that drives a coroutine to its end. Here are the handles, and the ways to make one; the machine
// itself is in detail/task_base.h.
// Mirrors: Lib/asyncio/tasks.py: Task, create_task, ensure_future, current_task, all_tasks. Read next: sleep.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/future_awaiter.h>
#include <asyncio/detail/task_base.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asyncio {

namespace detail {

template <class T>
class TaskState final : public FutureState<T, TaskBase> {
 public:
  using FutureState<T, TaskBase>::FutureState;

 private:
  void store_result(PromiseBase& promise) override {
    if constexpr (!std::is_void_v<T>) this->store(static_cast<PromiseOf<T>&>(promise).take_result());
  }
};

/// What a handle to a task can do beyond a handle to a future.
template <class Handle>
class TaskMethods {
 public:
  /// How often cancel() was called, less uncancel(). More than 0: somebody wants this task to end.
  std::uint32_t cancelling() const { return task().cancelling(); }
  /// Takes one cancel() back (after its CancelledError was caught on purpose); how many are left. At 0, one that is
  /// not delivered yet is forgotten.
  std::uint32_t uncancel() const { return task().uncancel(); }

  /// "Task-1", counted up, unless another was given.
  std::string get_name() const { return task().name(); }
  void set_name(std::string_view name) const { task().set_name(name); }

  /// The context in which it runs: to read its ContextVars from outside, or to run something else in it.
  Context get_context() const { return task().context(); }

  /// Off: no report if the loop is closed before the task is done.
  void set_log_destroy_pending(bool on) const { task().set_log_destroy_pending(on); }

  TaskBase& task() const { return static_cast<TaskBase&>(static_cast<const Handle&>(*this).state()); }
};

}  // namespace detail

/// A handle to a task. It begins to run in the next tick, and runs whether or not a handle is kept.
///
/// cancel(message) asks it to end: at its next step CancelledError is thrown from the await where it waits, and what
/// it waits for is cancelled. The task may clean up, or refuse by catching the error. It counts as cancelled() only
/// if CancelledError leaves its coroutine.
template <class T = void>
class Task : public Future<T>, public detail::TaskMethods<Task<T>> {
 public:
  Task() = default;

  void set_result() const = delete;  // its coroutine does that
  void set_exception() const = delete;

  /// As Future's; the callback gets this type of handle.
  template <std::invocable<Task&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return this->template add_callback<Task>(std::forward<F>(callback), context, where);
  }

  explicit Task(detail::Ref<detail::FutureBase> state) noexcept : Future<T>(std::move(state)) {}
};

/// A handle to a task whose result type does not matter.
class AnyTask : public AnyFuture, public detail::TaskMethods<AnyTask> {
 public:
  AnyTask() = default;
  template <class T>
  AnyTask(const Task<T>& task) noexcept : AnyFuture(task) {}  // NOLINT: converts on purpose
  template <std::invocable<AnyTask&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return add_callback<AnyTask>(std::forward<F>(callback), context, where);
  }

  explicit AnyTask(detail::Ref<detail::FutureBase> task) noexcept : AnyFuture(std::move(task)) {}
  explicit AnyTask(detail::TaskBase* task) noexcept : AnyFuture(detail::Ref<detail::FutureBase>(task)) {}
};

/// The task that runs now; an empty handle inside a plain callback. Throws std::runtime_error("no running event loop").
AnyTask current_task();
/// The task of that loop that runs now; an empty handle if none does.
AnyTask current_task(const Loop& loop) noexcept;

/// The tasks of that loop that are not done, oldest first.
std::vector<AnyTask> all_tasks(Loop& loop);
/// … of the running loop. Throws std::runtime_error("no running event loop").
std::vector<AnyTask> all_tasks();

namespace detail {

/// Takes the coroutine over as soon as there is memory for its task, and not before: without any it stays the caller's.
template <class T>
[[gnu::always_inline]] inline Task<T> start_task(Coro<T>& coroutine, Loop& loop, TaskRegistry& registry,
                                                 const TaskOptions& options) {
  auto* state = new TaskState<T>(loop, coroutine.release(), options);
  Task<T> task(Ref<FutureBase>(state, adopt));
  state->start(loop, registry, options.eager_start.value_or(false));
  return task;
}

template <class T>
class NewTaskOf final : public NewTask {
 public:
  NewTaskOf(Coro<T> coroutine, Loop& loop, TaskRegistry& registry) noexcept
      : coroutine_(std::move(coroutine)), loop_(loop), registry_(registry) {}

  AnyTask operator()(const TaskOptions& options) override {
    if (!coroutine_) throw_awaited_twice();
    task_ = start_task(coroutine_, loop_, registry_, options);
    return task_;
  }
  Task<T> made_by_factory(const TaskOptions& options) {
    const TaskFactory factory = registry_.factory();  // it may replace itself
    factory(loop_, *this, options);
    if (!task_) throw std::runtime_error("the task factory has made no task");
    return std::move(task_);
  }

 private:
  Coro<T> coroutine_;
  Loop& loop_;
  TaskRegistry& registry_;
  Task<T> task_;
};

template <class T>
[[gnu::noinline]] Task<T> create_task_by_factory(Coro<T> coroutine, Loop& loop, TaskRegistry& registry,
                                                 const TaskOptions& options) {
  return NewTaskOf<T>(std::move(coroutine), loop, registry).made_by_factory(options);
}

}  // namespace detail

/// Makes a task of a coroutine; its first step runs in the next tick, or here if it is to start eagerly. Throws
/// std::runtime_error if no loop runs (and none is given) or it is closed, or if the coroutine is gone already.
/// [create_task]
template <class T>
Task<T> create_task(Coro<T> coroutine, const TaskOptions& options) {
  Loop& loop = options.loop ? *options.loop : Loop::running();
  const detail::CloseUnlessMoved<T> refused{coroutine};
  loop.check_may_schedule();
  if (!coroutine) detail::throw_awaited_twice();
  auto& registry = loop.service<detail::TaskRegistry>();
  if (registry.factory()) [[unlikely]]
    return detail::create_task_by_factory(std::move(coroutine), loop, registry, options);
  return detail::start_task(coroutine, loop, registry, options);
}

// (No default argument: g++ would build it in the caller's frame, piece by piece, and copy it in other pieces, for which the
// processor has to wait; that took a quarter of the time of making, running and awaiting a task.)
template <class T>
Task<T> create_task(Coro<T> coroutine) {
  return create_task(std::move(coroutine), TaskOptions());
}

namespace detail {
/// gather(*tasks, return_exceptions=True), which is not there before stage 4; without the results. REQUIRES: not empty.
Future<> all_done(std::vector<AnyTask> tasks, Loop& loop);
}  // namespace detail

/// What can be awaited but is no Coro: sleep(…), lock.acquire(), a Future. And what is called to get such a thing.
namespace detail {

template <class A>
concept CoroFunction = std::invocable<std::decay_t<A>&> && is_coro<std::invoke_result_t<std::decay_t<A>&>>;

template <class A>
using await_value_t = std::remove_cvref_t<await_result_t<A>>;

/// The callable is a parameter, hence in the frame: what a lambda captured lives as long as its coroutine.
template <class F, class T = typename std::invoke_result_t<F&>::value_type>
Coro<T> call(F function) {
  co_return co_await function();
}

template <class A, class T = await_value_t<A>>
Coro<T> await_it(A awaitable) {
  co_return co_await std::move(awaitable);
}

template <class A>
concept OtherAwaitable = !is_coro<std::remove_cvref_t<A>> && !CoroFunction<A> && Awaitable<std::remove_cvref_t<A>>;

template <class A>
concept BecomesCoro = CoroFunction<A> || OtherAwaitable<A>;

/// Whatever one can await, or call for something to await, as a Coro.
template <class A>
auto to_coro(A&& awaitable) {
  if constexpr (is_coro<std::remove_cvref_t<A>>) {
    static_assert(!std::is_lvalue_reference_v<A>, "a Coro is awaited once, and is gone then: pass std::move(coro)");
    return std::forward<A>(awaitable);
  } else if constexpr (CoroFunction<A>) {
    return call<std::decay_t<A>>(std::forward<A>(awaitable));
  } else {
    return await_it<std::remove_cvref_t<A>>(std::forward<A>(awaitable));
  }
}

}  // namespace detail

/// The same from a callable that returns a Coro, which the task owns: a lambda may capture by value, and live long enough.
/// And from anything else that can be awaited: create_task(sleep(1s)).
template <detail::BecomesCoro A>
auto create_task(A&& awaitable, const TaskOptions& options) {
  if constexpr (detail::CoroFunction<A>) detail::check_callable(awaitable);
  return create_task(detail::to_coro(std::forward<A>(awaitable)), options);
}
template <detail::BecomesCoro A>
auto create_task(A&& awaitable) {
  return create_task(std::forward<A>(awaitable), TaskOptions());
}

/// Makes a task of what is not a future yet; a future or a task comes back as it is.  [ensure_future]
template <class A>
  requires(detail::is_coro<A> || detail::CoroFunction<A> ||
           (detail::OtherAwaitable<A> && !std::derived_from<std::remove_cvref_t<A>, AnyFuture>))
auto ensure_future(A&& awaitable, Loop& loop) {
  return create_task(std::forward<A>(awaitable), {.loop = &loop});
}
/// A task of another loop is std::invalid_argument.
template <class T>
Task<T> ensure_future(Task<T> task, Loop& loop) {
  detail::check_same_loop(task, loop);
  return task;
}
/// For the running loop.
template <class A>
auto ensure_future(A&& awaitable) {
  return ensure_future(std::forward<A>(awaitable), Loop::running());
}

}  // namespace asyncio
