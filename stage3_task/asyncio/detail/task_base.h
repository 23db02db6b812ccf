// TaskBase::step(): how a task runs its coroutine, a piece at a time. This is what the notes' Task class became.
// Mirrors: Lib/asyncio/tasks.py, Task.__step and Task.cancel. Read next: ../../task_base.cpp
#pragma once

#include <asyncio/detail/promise.h>
#include <asyncio/task_factory.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

class DebugWatch;
class FrameFuture;
class TaskRegistry;

/// The part of a task that does not depend on the type of its result.
///
/// A task is a future, and its own done-callback. step() resumes the innermost frame, which runs until it is suspended
/// on a Waitable. The task then adds itself to the callbacks of the Waitable, and steps again when it is called back.
///
/// Invariants: (1) A pending task is in its loop's registry, which holds one reference and thereby keeps it alive. (2)
/// It is either scheduled, or waiting for fut_waiter_, or running. (3) innermost_ is the frame to resume; fut_waiter_
/// lives in that frame or is held by it.
class TaskBase : public FutureBase, public DoneCallback, public ListLink {
 public:
  /// Takes over the coroutine's frame.
  TaskBase(Loop& loop, PromiseBase* coroutine) : TaskBase(loop, coroutine, OptionalContext(), nullptr) {}
  TaskBase(Loop& loop, PromiseBase* coroutine, const TaskOptions& options)
      : TaskBase(loop, coroutine, options.context ? OptionalContext(*options.context) : OptionalContext(),
                 options.name.empty() ? nullptr : with_name(options.name)) {}
  ~TaskBase() override {
    if (coroutine_) destroy_frames();
  }

  /// Adds it to its loop's live tasks and schedules the first step by call_soon(). An eager task takes that step here
  /// if its loop runs; KeyboardInterrupt and SystemExit then leave this function. Throws std::runtime_error if it is to
  /// begin here in a context that is entered.
  inline void start(Loop& loop, TaskRegistry& registry, bool eager);

  /// Throws CancelledError into the coroutine at its next chance: see Task::cancel in task.h.
  bool cancel(const CancelledError& reason) override;
  std::uint32_t cancelling() const noexcept { return cancel_requests_; }
  std::uint32_t uncancel() noexcept;
  /// Where the first cancel() was called that was not taken back. Only debug mode knows it; otherwise line 0.
  std::source_location cancelled_at() const noexcept {
    return rare_ && cancel_requests_ > 0 ? rare_->cancelled_at : std::source_location();
  }

  /// A CancelledError that left the coroutine is given only to the first who asks; those after it get a plain one.
  std::exception_ptr cancelled_error() override;
  bool holds_fatal_exception() const noexcept override { return fatal_; }
  bool cancelled_from_within() const noexcept { return cancelled_from_within_; }

  std::string name() const override;
  /// Calls `use` with each part of the name, texts and a number. Needs no memory: for a signal handler.
  template <class Use>
  void for_name(Use use) const {
    number_ == 0 ? use(std::string_view(rare_->name)) : (use(std::string_view("Task-")), use(number_));
  }
  void set_name(std::string_view name);
  std::string repr() const override;
  /// Of its frames, the innermost first: where each of them awaits. Of a task that is done, the coroutine function.
  std::vector<Place> places() const override;

  /// The context in which its steps run.
  Context context() { return Context(current_ == this ? Ref(&ContextState::make_current()) : context_.state()); }

  /// The task that runs in this thread now, or null.
  static TaskBase* current() noexcept { return current_; }

  // ── for those who look: call_graph.h ──

  /// In the midst of a step; or it waits in one for the first step of an eager task that it made.
  bool is_running() const noexcept { return !done() && !scheduled_ && !fut_waiter_; }
  /// The innermost frame; while it runs, the outermost, as the others may be gone since the step began. Null once done.
  PromiseBase* known_frame() const noexcept { return coroutine_ && !is_running() ? innermost_ : coroutine_; }
  /// While it runs: the frame with which the step began.
  const PromiseBase& resumed_frame() const noexcept { return *innermost_; }
  /// Null if it does not wait.
  const Waitable* waits_for() const noexcept { return scheduled_ ? nullptr : fut_waiter_; }
  std::source_location where() const noexcept override { return where_; }

  // ── for awaiters: how a frame of this task is suspended, and what it checks when it is resumed ──

  /// The frame waits for `waitable`: step() will add this task to its callbacks.
  void suspend(PromiseBase& frame, Waitable& waitable) noexcept {
    innermost_ = &frame;
    fut_waiter_ = &waitable;
  }
  /// The same for an awaiter that may be woken in vain: the next step asks it first whether it waits again.
  void suspend_until_satisfied(PromiseBase& frame, FrameFuture& waitable) noexcept;
  /// The frame waits for the next tick: a bare yield.
  void suspend(PromiseBase& frame) noexcept { innermost_ = &frame; }
  /// The frame waits for a future. One of another loop, and this task itself, is an error: thrown at the await a tick
  /// later.
  void suspend_on_future(PromiseBase& frame, FutureBase& future) noexcept {
    if (future.loop() != loop() || &future == this) [[unlikely]] {
      misuse_ = &future == this ? Misuse::awaits_itself : Misuse::foreign_loop;
      slow_step_ = true;
      suspend(frame);
    } else {
      suspend(frame, future);
    }
  }
  /// To be called first when the frame is resumed: throws the CancelledError if one is due, unless `waitable` was
  /// cancelled itself and is going to throw one. `waitable` is null after a bare yield.
  void throw_if_cancelled(const Waitable* waitable) {
    if (slow_step_) [[unlikely]]
      throw_into(waitable);
  }

  /// Throws the CancelledError of the cancel() that ended the wait.
  [[noreturn]] void throw_cancelled();
  void set_cancel_reason(const CancelledError& reason) {
    if (cancel_reason_ && reason.what() == cancel_reason_->what()) return;  // that one: no memory needed
    cancel_reason_ = reason.has_message() ? std::make_unique<const CancelledError>(reason) : nullptr;
  }

  /// Schedules the next step by call_soon().
  void schedule() { schedule(loop_to_schedule()); }

  /// Off for tasks that run_until_complete() and gather() make: no report if the loop is closed too early.
  void set_log_destroy_pending(bool on) noexcept { log_destroy_pending_ = on; }

 protected:
  const char* class_name() const noexcept override { return "Task"; }
  /// The coroutine has returned: moves the value from its promise into the future.
  virtual void store_result(PromiseBase& promise) = 0;
  void report(const ErrorContext& error) override;

 private:
  friend TaskRegistry;
  struct Rare;
  enum class Misuse : std::uint8_t { none, awaits_itself, foreign_loop };

  // All that needs memory comes before: a task that is not whole does not own its frames.
  TaskBase(Loop& loop, PromiseBase* coroutine, OptionalContext context, std::unique_ptr<const Rare> name)
      : FutureBase(loop, true),
        coroutine_(coroutine),
        innermost_(coroutine),
        context_(context.slot()),
        where_(coroutine->where()),
        number_(name ? 0 : next_number()),
        rare_(std::move(name)) {
    coroutine_->set_task(*this);
  }
  static std::unique_ptr<const Rare> with_name(std::string_view name, std::source_location cancelled_at = {});

  Kind kind() const noexcept override { return Kind::task; }
  bool is_new() const noexcept override { return !started_; }
  void run(Loop& loop) override;  // DoneCallback: called back, or first run. CPython's __wakeup
  void run_observed(Loop& loop, Observers& observers) override;
  void drop() noexcept override;  // the loop was closed first
  void on_done(FutureBase&) noexcept override { scheduled_ = true; }
  void add_awaiters(Awaiters& found) override { found.tasks.push_back(this); }

  // As a link in a chain of cancels. The way back is kept in fut_waiter_.
  CancelRole cancel_role() const noexcept override {
    return done() ? CancelRole::carries_out : forwards_cancel_ ? CancelRole::is_passing_on : CancelRole::passes_on;
  }
  Waitable* begin_cancel(Waitable* before, const CancelledError& reason) noexcept override;
  Waitable* leave_cancel(Waitable* last) noexcept override;
  bool end_cancel(bool accepted, const CancelledError& reason) override;

  void schedule(Loop& loop) {
    loop.enqueue(*this);
    scheduled_ = true;
  }
  // Process-wide, for messages. Two threads that make tasks at the same moment may get the same number; to prevent that
  // would take a locked instruction per task.
  static std::uint64_t next_number() noexcept {
    const std::uint64_t number = last_number_.load(std::memory_order_relaxed) + 1;
    last_number_.store(number, std::memory_order_relaxed);
    return number;
  }

  void start_eagerly(Loop& loop, TaskRegistry& registry);
  void step(Loop& loop);
  bool wants_step() noexcept;
  void cancel_what_it_waits_for();
  void step_observed(Loop& loop, Observers& observers);
  void complete();
  void complete_otherwise(PromiseBase::Outcome outcome, std::exception_ptr error);
  void settle_cancelled_from_within(std::exception_ptr error);
  void destroy_frames() noexcept;
  void end_unfinished() noexcept;  // the loop is being closed
  void throw_into(const Waitable* waitable);
  CancelledError cancel_reason() const noexcept;
  void note_cancel(const std::source_location& where) noexcept;

  /// What most tasks do not have. It is never changed, but replaced: a signal handler may read it.
  struct Rare {
    std::string name;                   // if number_ is 0
    std::source_location cancelled_at;  // line 0: unknown
  };

  PromiseBase* coroutine_;                               // the outermost frame, owned; null once the task is done
  PromiseBase* innermost_;                               // the frame to resume next
  Waitable* fut_waiter_ = nullptr;                       // what it waits for
  ContextSlot context_;                                  // in which its steps run
  std::unique_ptr<const CancelledError> cancel_reason_;  // what the next await will throw; null: no message
  std::source_location where_;                           // the coroutine function
  std::uint64_t number_ = 0;                             // of "Task-7"; 0 if a name was given
  std::unique_ptr<const Rare> rare_;
  std::uint32_t cancel_requests_ = 0;  // cancel() minus uncancel()
  bool must_cancel_ = false;           // a cancel that could not be forwarded: thrown at the next step
  bool forwards_cancel_ = false;       // cancel() is calling fut_waiter_->cancel()
  bool slow_step_ = false;             // must_cancel_, misuse_ or asks_first_: one test in a step, and one in the await
  bool asks_first_ = false;            // fut_waiter_ is a FrameFuture, and may wait again
  bool scheduled_ = false;             // in the ready queue
  bool started_ = false;
  bool log_destroy_pending_ = true;
  bool fatal_ = false;                  // its exception leaves the loop by itself as well
  bool cancelled_from_within_ = false;  // by a CancelledError that left the coroutine
  Misuse misuse_ = Misuse::none;

  static constinit inline thread_local TaskBase* current_ = nullptr;
  static const int at_fork_;
  static constinit inline std::atomic<std::uint64_t> last_number_ = 0;
};

/// The live tasks of one loop, oldest first.
class TaskRegistry final : public LoopService {
 public:
  explicit TaskRegistry(Loop& loop) noexcept;
  ~TaskRegistry() override;
  /// Reports each pending task ("Task was destroyed but it is pending!") and ends it, innermost frame first.
  void on_close() noexcept override;

  void add(TaskBase& task) noexcept { tasks_.push_back(task); }
  static void remove(TaskBase& task) noexcept { IntrusiveList<TaskBase>::remove(task); }  // from whichever it is in
  std::vector<TaskBase*> all() const;
  std::string describe_waits() const override;

  void step_begins(Runnable& task) override;
  void step_ended() override;
  void about_to_wait() override;
  void debug_mode_ended() noexcept override;
  /// What debug mode knows; null if there is nothing yet.
  DebugWatch* debug_watch() const noexcept { return debug_watch_.get(); }
  /// Another than the loop's own: whoever compares the two takes his slow path, see Lock.
  WeakLoop& weak_loop_of_debug_mode();

  const TaskFactory& factory() const noexcept { return factory_; }
  void set_factory(TaskFactory factory) noexcept { factory_ = std::move(factory); }

 private:
  Loop& loop_;
  IntrusiveList<TaskBase> tasks_;
  TaskFactory factory_;
  std::unique_ptr<DebugWatch> debug_watch_;
  Ref<WeakLoop> weak_loop_of_debug_mode_;
};

/// See call_graph.h.
std::string format_task_tree(const std::vector<TaskBase*>& tasks);

/// The CancelledError of a cancelled future as a value: with the message that cancel() was given, but not with that of
/// a CancelledError which left a coroutine. [fut._cancel_message, in gather]
std::exception_ptr cancel_message(FutureBase& future);

inline void TaskBase::start(Loop& loop, TaskRegistry& registry, bool eager) {
  if (eager && Loop::running_or_null() == &loop) return start_eagerly(loop, registry);
  schedule(loop);
  registry.add(*this);
  add_ref();  // the registry's
}

}  // namespace asyncio::detail
