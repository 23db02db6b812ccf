// Task<T>: a future that runs a coroutine to its end. This header has the handles and the ways to make a task; how a
// task runs is in detail/task_base.h.
// Mirrors: Lib/asyncio/tasks.py: Task, create_task, ensure_future, current_task, all_tasks. Read next: sleep.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/future_awaiter.h>
#include <asyncio/detail/task_base.h>

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asyncio {

struct FrameCallGraphEntry;  // call_graph.h

namespace detail {

std::vector<FrameCallGraphEntry> get_stack(const TaskBase& task, std::optional<std::size_t> limit);
void print_stack(const TaskBase& task, std::optional<std::size_t> limit, std::ostream* out);

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
  /// The number of calls of cancel() minus those of uncancel(). Above 0, somebody wants this task to end.
  std::uint32_t cancelling() const { return task().cancelling(); }
  /// Takes back one cancel(), after its CancelledError was caught on purpose. Returns how many are left. At 0, one that
  /// is not delivered yet is forgotten.
  std::uint32_t uncancel() const { return task().uncancel(); }

  /// "Task-1", counted up, unless another name was given: in TaskOptions, or by set_name().
  std::string get_name() const { return task().name(); }
  void set_name(std::string_view name) const { task().set_name(name); }

  /// The coroutines in which it waits, oldest first; only the newest `limit` of them. Empty once it is done. While it
  /// runs, only the oldest is known. Needs call_graph.h, which says more. [Task.get_stack]
  std::vector<FrameCallGraphEntry> get_stack(std::optional<std::size_t> limit = {}) const {
    return detail::get_stack(task(), limit);
  }
  /// Prints get_stack(), to std::cerr if `out` is null. [Task.print_stack]
  void print_stack(std::optional<std::size_t> limit = {}, std::ostream* out = nullptr) const {
    detail::print_stack(task(), limit, out);
  }

  /// The context in which it runs.
  Context get_context() const { return task().context(); }

  /// Whether to report it if the loop is closed before the task is done.
  void set_log_destroy_pending(bool on) const { task().set_log_destroy_pending(on); }
  // ── for the library ──
  TaskBase& task() const { return static_cast<TaskBase&>(static_cast<const Handle&>(*this).state()); }
};

}  // namespace detail

/// A handle to a task. The task begins to run in the next tick, and runs whether or not a handle is kept.
///
/// cancel(message) asks it to end: what it waits for is cancelled, and at its next step CancelledError is thrown from
/// the await where it waits. The task may clean up, or refuse by catching the error. It is cancelled() only if
/// CancelledError leaves its coroutine.
template <class T = void>
class Task : public Future<T>, public detail::TaskMethods<Task<T>> {
 public:
  Task() = default;

  void set_result() const = delete;  // the coroutine does that
  void set_exception() const = delete;

  /// As Future::add_done_callback(), but the callback gets this type of handle.
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
  /// Converts: a task of any type is a task.
  template <class T>
  AnyTask(const Task<T>& task) noexcept : AnyFuture(task) {}  // NOLINT(google-explicit-constructor)
  /// As Future::add_done_callback(), but the callback gets the task. Returns a number for remove_done_callback().
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
/// The tasks of the running loop that are not done. Throws std::runtime_error("no running event loop").
std::vector<AnyTask> all_tasks();

namespace detail {

/// Takes over the coroutine once there is memory for its task; if there is none, the caller keeps it. `options` is one
/// TaskOptions or none.
template <class T, class... Options>
[[gnu::always_inline]] inline Task<T> start_task(Coro<T>& coroutine, Loop& loop, TaskRegistry& registry,
                                                 const Options&... options) {
  auto* state = new TaskState<T>(loop, coroutine.promise(), options...);
  static_cast<void>(coroutine.release());
  Task<T> task(Ref<FutureBase>(state, adopt));
  state->start(loop, registry, (false || ... || options.eager_start.value_or(false)));
  return task;
}

template <class T>
Task<T> create_task_by_factory(Coro<T> coroutine, Loop& loop, TaskRegistry& registry, const TaskOptions& options = {});

template <class T, class... Options>
[[gnu::always_inline]] inline Task<T> create_task_on(Loop& loop, Coro<T>& coroutine, const Options&... options) {
  const ScopeExit close([&] { coroutine.close(); });  // if refused: not reported as never awaited
  loop.check_may_schedule();
  if (!coroutine) throw_awaited_twice();
  auto& registry = loop.service<TaskRegistry>();
  if (registry.factory()) [[unlikely]]
    return create_task_by_factory(std::move(coroutine), loop, registry, options...);
  return start_task(coroutine, loop, registry, options...);
}

}  // namespace detail

/// Makes a task of a coroutine. Its first step runs in the next tick, or here if it starts eagerly. Throws
/// std::runtime_error if no loop runs and none is given, if the loop is closed, or if the coroutine was awaited
/// already.
/// [create_task]
template <class T>
Task<T> create_task(Coro<T> coroutine ASYNCIO_LIFETIMEBOUND, const TaskOptions& options) {
  return detail::create_task_on(options.loop ? *options.loop : Loop::running(), coroutine, options);
}

// A second function, and no default argument: see "store buffer" in tests/performance/README.md.
/// create_task(coroutine, {}).
template <class T>
Task<T> create_task(Coro<T> coroutine ASYNCIO_LIFETIMEBOUND) {
  return detail::create_task_on(Loop::running(), coroutine);
}

// ── the way through a task factory, if the loop has one ──

namespace detail {

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

namespace detail {
/// gather(*tasks, return_exceptions=True) without the results; the real one is in stage 4. REQUIRES: `tasks` is not
/// empty.
Future<> all_done(std::vector<AnyTask> tasks, Loop& loop);
}  // namespace detail

// ── tasks of other awaitables: sleep(…), lock.acquire(), a Future; and of functions that return a Coro ──

namespace detail {

template <class A>
concept CoroFunction = std::invocable<std::decay_t<A>&> && is_coro<std::invoke_result_t<std::decay_t<A>&>>;

template <class A>
using await_value_t = std::remove_cvref_t<await_result_t<A>>;

/// The callable is a parameter, so it lives in the frame: what a lambda captured lives as long as its coroutine.
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

template <class A>
inline constexpr bool is_lvalue_coro = is_coro<std::remove_cvref_t<A>> && std::is_lvalue_reference_v<A>;
template <class A>
inline constexpr bool runs = is_coro<std::remove_cvref_t<A>> || BecomesCoro<A> || is_foreign_awaitable<A>;

/// Refuses with one sentence what no task can run.
template <class A>
consteval void check_runs() {
  refuse_foreign_awaitable<A>();
  static_assert(!is_lvalue_coro<A>, "a Coro is awaited once, and is gone then: pass std::move(coro)");
  static_assert(runs<A> || !std::invocable<std::decay_t<A>&>,
                "this function returns no Coro: write -> Coro<> behind its parameters, and co_return at its end");
  static_assert(runs<A> || std::invocable<std::decay_t<A>&>,
                "this cannot be awaited: pass a Coro, a Future, a Task, an awaitable such as sleep(1s), or a function "
                "without parameters that returns a Coro");
}

/// A named list is copied. Refuses with one sentence a list of what cannot be.
template <class A>
std::vector<A> copy_of(const std::vector<A>& list) {
  static_assert(std::copy_constructible<A>, "a Coro is awaited once, and is gone then: pass std::move(list)");
  if constexpr (std::copy_constructible<A>) {
    return list;
  } else {
    return {};
  }
}

/// A Coro of what can be awaited, or of a function that returns a Coro. Throws std::invalid_argument for an empty one.
template <class A>
ASYNCIO_CORO_WRAPPER auto to_coro(A&& awaitable) {
  check_runs<A>();
  if constexpr (is_lvalue_coro<A> || !(runs<A> && !is_foreign_awaitable<A>)) {
    return Coro<>();  // so that nothing else is wrong
  } else if constexpr (is_coro<std::remove_cvref_t<A>>) {
    return std::forward<A>(awaitable);
  } else if constexpr (CoroFunction<A>) {
    check_callable(awaitable);
    return call<std::decay_t<A>>(std::forward<A>(awaitable));
  } else {
    return await_it<std::remove_cvref_t<A>>(std::forward<A>(awaitable));
  }
}

}  // namespace detail

/// create_task() for anything else that can be awaited, as create_task(sleep(1s)), and for a function that returns a
/// Coro. The task owns the function: what a lambda captured by value lives long enough.
template <detail::BecomesCoro A>
auto create_task(A&& awaitable, const TaskOptions& options) {
  return create_task(detail::to_coro(std::forward<A>(awaitable)), options);
}
template <detail::BecomesCoro A>
auto create_task(A&& awaitable) {
  return create_task(std::forward<A>(awaitable), TaskOptions());
}

/// Refuses what no task can run, with a sentence.
template <class A>
  requires(!detail::BecomesCoro<A> && !detail::is_coro<std::remove_cvref_t<A>>)
auto create_task(A&&, const TaskOptions& = {}) {
  detail::check_runs<A>();
  return Task<>();
}

/// Makes a task of what is not a future. Returns a future or a task itself. [ensure_future]
template <class A>
  requires(detail::is_coro<A> || detail::CoroFunction<A> ||
           (detail::OtherAwaitable<A> && !std::derived_from<std::remove_cvref_t<A>, AnyFuture>))
auto ensure_future(A&& awaitable, Loop& loop) {
  auto coroutine = detail::to_coro(std::forward<A>(awaitable));
  return detail::create_task_on(loop, coroutine);
}
/// Throws std::invalid_argument if the task belongs to another loop.
template <class T>
Task<T> ensure_future(Task<T> task, Loop& loop) {
  detail::check_same_loop(task, loop);
  return task;
}
/// For run_until_complete(): runs a task that it made itself, and of which its caller knows nothing.
template <class T>
void run_made_task(const Task<T>& task, Loop& loop) {
  task.set_log_destroy_pending(false);  // no report if the loop is stopped, and closed, too early
  try {
    loop.run_until_done(task);
  } catch (...) {  // KeyboardInterrupt of that task: it leaves through here, and so it was looked at
    if (task.done() && !task.cancelled()) task.exception();
    throw;
  }
}
/// ensure_future() on the running loop.
template <class A>
auto ensure_future(A&& awaitable) {
  return ensure_future(std::forward<A>(awaitable), Loop::running());
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task takes its first step in the next tick. A cancel() comes with its next step. Who awaits it runs in
//   the tick after its end.
// Errors: what a coroutine throws stays in its task, for who awaits it; if nobody does, it goes to the exception
//   handler. Making a task throws std::runtime_error if the loop is closed, if there is none, or if the coroutine
//   was awaited.
// Units: cancelling() counts calls of cancel(), and `limit` frames.
