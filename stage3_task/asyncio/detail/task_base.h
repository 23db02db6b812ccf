// Task::step: how a task runs its coroutine, a piece at a time. This is what the notes' Task class became.
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

class TaskRegistry;

/// A link in the ring of a loop's live tasks: of a task, or of the registry itself, where the ring begins and ends.
class TaskLink {
 protected:
  TaskLink() = default;
  ~TaskLink() = default;
  TaskLink(const TaskLink&) = delete;
  TaskLink& operator=(const TaskLink&) = delete;

 private:
  friend TaskRegistry;
  TaskLink* previous_ = this;
  TaskLink* next_ = this;
};

/// All of a task that does not depend on the type of its result.
///
/// A task is a future, and its own done-callback: step() resumes the innermost frame, which runs until it is suspended
/// on some Waitable; the task then adds itself to that one's callbacks, and when it is called back, steps again.
///
/// Invariants: (1) a pending task is in its loop's registry, which holds one reference: that is what keeps it alive.
/// (2) It is either scheduled, or waiting for fut_waiter_, or running; never two of them. (3) innermost_ is the
/// frame to resume; fut_waiter_ lives in that frame or is held by it.
class TaskBase : public FutureBase, public DoneCallback, private TaskLink {
 public:
  /// Takes over the coroutine's frame.
  TaskBase(Loop& loop, PromiseBase* coroutine, const TaskOptions& options)
      : FutureBase(loop, true),
        coroutine_(coroutine),
        innermost_(coroutine),
        context_((options.context ? OptionalContext(*options.context) : OptionalContext()).slot()),
        where_(coroutine->where()) {
    if (options.name.empty()) {
      number_ = next_number();
    } else {
      set_name(options.name);
    }
    coroutine_->set_task(*this);
  }
  ~TaskBase() override {
    if (coroutine_) destroy_frames();
  }

  /// Makes it one of its loop's live tasks, and schedules the first step by call_soon. An eager one takes that step
  /// here and now, if its loop runs; KeyboardInterrupt and SystemExit then leave this function.
  inline void start(Loop& loop, TaskRegistry& registry, bool eager);

  /// Throws CancelledError into the coroutine at its next chance: see Task::cancel in task.h.
  bool cancel(const CancelledError& reason) override;
  std::uint32_t cancelling() const noexcept { return cancel_requests_; }
  std::uint32_t uncancel() noexcept;

  std::string name() const;
  void set_name(std::string_view name);
  std::string repr() const override;

  /// The context in which its steps run.
  Context context() { return Context(current_ == this ? Ref(&ContextState::make_current()) : context_.state()); }

  /// The task that runs in this thread now, or null.
  static TaskBase* current() noexcept { return current_; }

  // ── for awaiters: how a frame of this task is suspended, and what it is told when it goes on ──

  /// The frame waits for `waitable`: step() will add this task to its callbacks.
  void suspend(PromiseBase& frame, Waitable& waitable) noexcept {
    innermost_ = &frame;
    fut_waiter_ = &waitable;
  }
  /// The frame waits for the next tick, and for nothing else: a bare yield.
  void suspend(PromiseBase& frame) noexcept { innermost_ = &frame; }
  /// The same for a future: one of another loop, or this task itself, is an error, thrown at the await one tick later.
  void suspend_on_future(PromiseBase& frame, FutureBase& future) noexcept {
    if (future.loop() != loop() || &future == this) [[unlikely]] {
      misuse_ = &future == this ? Misuse::awaits_itself : Misuse::foreign_loop;
      suspend(frame);
    } else {
      suspend(frame, future);
    }
  }
  /// To be called first thing on the way on: throws the CancelledError, if one is due. One comes anyway from a
  /// `waitable` that was cancelled itself; it must not come twice. Null after a bare yield.
  void throw_if_cancelled(const Waitable* waitable) {
    if (must_cancel_ || misuse_ != Misuse::none) [[unlikely]]
      throw_into(waitable);
  }

  /// Throws the CancelledError of the cancel() that ended the wait.
  [[noreturn]] void throw_cancelled();
  void set_cancel_reason(const CancelledError& reason) {
    cancel_reason_ = reason.has_message() ? std::make_unique<const CancelledError>(reason) : nullptr;
  }

  /// Runs the next step by call_soon.
  void schedule() { schedule(loop_to_schedule()); }

  /// run_until_complete()'s own task, and gather's children, are not reported when the loop is closed too early.
  void set_log_destroy_pending(bool on) noexcept { log_destroy_pending_ = on; }

 protected:
  const char* kind() const noexcept override { return "Task"; }
  /// The coroutine has returned: moves the value from its promise into the future.
  virtual void store_result(PromiseBase& promise) = 0;
  void report(const ErrorContext& error) override;

 private:
  friend TaskRegistry;
  enum class Misuse : std::uint8_t { none, awaits_itself, foreign_loop };

  void run(Loop& loop) override;  // DoneCallback: called back, or first run. CPython's __wakeup
  void drop() noexcept override;  // the loop was closed first
  void on_done(FutureBase&) noexcept override { scheduled_ = true; }

  void schedule(Loop& loop) {
    loop.enqueue(*this);
    scheduled_ = true;
  }
  /// An eager task's first step is taken inside of another's.
  struct TaskStaysCurrent {
    ~TaskStaysCurrent() { current_ = task; }
    TaskBase* task = current_;
  };

  // Process-wide, and for people to read: two threads that make tasks at the same moment may get the same number, which
  // a locked counter would prevent at 5 ns a task.
  static std::uint64_t next_number() noexcept {
    const std::uint64_t number = last_number_.load(std::memory_order_relaxed) + 1;
    last_number_.store(number, std::memory_order_relaxed);
    return number;
  }

  void start_eagerly(Loop& loop, TaskRegistry& registry);
  void step(Loop& loop);
  void complete();
  void complete_otherwise(PromiseBase::Outcome outcome, std::exception_ptr error);
  void destroy_frames() noexcept;
  void end_unfinished() noexcept;  // the loop is being closed
  void throw_into(const Waitable* waitable);
  CancelledError cancel_reason() const noexcept { return cancel_reason_ ? *cancel_reason_ : CancelledError(); }

  PromiseBase* coroutine_;                               // the outermost frame, owned; null once the task is done
  PromiseBase* innermost_;                               // the frame to resume next
  Waitable* fut_waiter_ = nullptr;                       // what it waits for
  ContextSlot context_;                                  // in which its steps run
  std::unique_ptr<const CancelledError> cancel_reason_;  // what the next throw at an await will be; null: no message
  std::source_location where_;                           // the coroutine function
  std::uint64_t number_ = 0;                             // of "Task-7"
  std::unique_ptr<const std::string> name_;              // only if one was given
  std::uint32_t cancel_requests_ = 0;                    // cancel() minus uncancel()
  bool must_cancel_ = false;      // a cancel that found nothing to forward to: thrown at the next step
  bool forwards_cancel_ = false;  // cancel() is on its way to fut_waiter_
  bool scheduled_ = false;        // in the ready queue
  bool started_ = false;
  bool log_destroy_pending_ = true;
  Misuse misuse_ = Misuse::none;

  static constinit inline thread_local TaskBase* current_ = nullptr;
  static constinit inline std::atomic<std::uint64_t> last_number_ = 0;
};

/// The live tasks of one loop, in the order of their making.
class TaskRegistry final : public LoopService, private TaskLink {
 public:
  explicit TaskRegistry(Loop&) noexcept {}
  /// Reports each pending task ("Task was destroyed but it is pending!") and ends it, innermost frame first.
  void on_close() noexcept override;

  void add(TaskBase& task) noexcept {
    TaskLink& link = task;
    link.previous_ = previous_;
    link.next_ = this;
    previous_->next_ = &link;
    previous_ = &link;
  }
  static void remove(TaskBase& task) noexcept {  // from whichever it is in
    TaskLink& link = task;
    link.previous_->next_ = link.next_;
    link.next_->previous_ = link.previous_;
    link.previous_ = link.next_ = &link;
  }
  std::vector<TaskBase*> all() const;

  const TaskFactory& factory() const noexcept { return factory_; }
  void set_factory(TaskFactory factory) noexcept { factory_ = std::move(factory); }

 private:
  static TaskBase* task_of(TaskLink* link) noexcept { return static_cast<TaskBase*>(link); }

  TaskFactory factory_;
};

inline void TaskBase::start(Loop& loop, TaskRegistry& registry, bool eager) {
  if (eager && Loop::running_or_null() == &loop) return start_eagerly(loop, registry);
  schedule(loop);
  registry.add(*this);
  add_ref();  // the registry's
}

}  // namespace asyncio::detail
