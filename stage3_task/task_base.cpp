#include "asyncio/detail/task_base.h"

#include "asyncio/detail/debug_watch.h"
#include "asyncio/detail/frame_future.h"

#include <asyncio/detail/observers.h>
#include <asyncio/detail/repr.h>

#include <cxxabi.h>
#include <pthread.h>

#include <atomic>
#include <new>
#include <string_view>
#include <typeinfo>

namespace asyncio::detail {

// In a forked child no task runs: the one that forked is its parent's.
const int TaskBase::at_fork_ = pthread_atfork(nullptr, nullptr, [] { current_ = nullptr; });

// ── the step: the ten lines that the whole project is about ─────────────────────────────────────────────────────────

void TaskBase::step(Loop& loop) {
  if (slow_step_) [[unlikely]] {
    if (must_cancel_ && !started_) return complete();  // cancelled before it began: the body never runs
    if (!wants_step()) return;                         // it was woken in vain
  }
  fut_waiter_ = nullptr;
  started_ = true;

  current_ = this;
  {
    const ContextScope scope(context_);
    innermost_->frame().resume();  // gen.send(None) in the notes: runs until it ends, or is suspended on something
  }
  current_ = nullptr;

  if (coroutine_->frame().done()) {
    complete();
  } else if (!fut_waiter_) {
    schedule(loop);  // a bare yield: the next step is in the next tick
  } else {
    fut_waiter_->add_callback(*this);  // fut.add_done_callback(self._wakeup) in the notes
    if (must_cancel_) [[unlikely]]
      cancel_what_it_waits_for();  // it had cancelled itself
  }
}

void TaskBase::cancel_what_it_waits_for() {
  if (fut_waiter_->cancel(cancel_reason())) must_cancel_ = false;
}

void TaskBase::suspend_until_satisfied(PromiseBase& frame, FrameFuture& waitable) noexcept {
  suspend(frame, waitable);
  asks_first_ = slow_step_ = true;
}

// A task that was woken may find that another was faster. It then waits on without resuming a coroutine that would only
// find that out.
bool TaskBase::wants_step() noexcept {
  if (asks_first_ && !must_cancel_ && static_cast<FrameFuture*>(fut_waiter_)->waits_again()) return false;
  asks_first_ = false;
  slow_step_ = must_cancel_ || misuse_ != Misuse::none;
  return true;
}

void TaskBase::run(Loop& loop) {
  scheduled_ = false;
  step(loop);
}

void TaskBase::run_observed(Loop& loop, Observers& observers) { step_observed(loop, observers); }

void TaskBase::step_observed(Loop& loop, Observers& observers) {
  const Ref<TaskBase> alive(this);
  observers.step_begins(*static_cast<DoneCallback*>(this));
  scheduled_ = false;  // now: until here all its frames are known
  const ScopeExit ended([&] {
    const Waitable* const waits_for = done() ? nullptr : fut_waiter_;
    observers.step_ended(*static_cast<DoneCallback*>(this), done(), waits_for);
  });
  step(loop);
}

// The coroutine has ended; the future gets its outcome. The frame goes first, so that the coroutine's parameters are
// destroyed before anybody hears that it is done.
void TaskBase::complete() {
  TaskRegistry::remove(*this);
  const ScopeExit end([this] { release(); });  // the registry's reference, when the callbacks are scheduled

  const PromiseBase::Outcome outcome = coroutine_->outcome();
  std::exception_ptr error = coroutine_->take_exception();
  const bool has_value = outcome == PromiseBase::Outcome::value && !must_cancel_;
  if (has_value) {
    try {
      store_result(*coroutine_);
    } catch (...) {  // the value's move constructor
      error = std::current_exception();
    }
  }
  destroy_frames();
  if (has_value && !error) {
    finish_task();
  } else {
    complete_otherwise(outcome, std::move(error));
  }
}

[[noreturn]] static void throw_ended_without_value(const std::source_location& where) {
  throw std::logic_error("coroutine '" + std::string(coroutine_name(where)) + "' defined at " + file_and_line(where) +
                         " ended without co_return of a value");
}

void TaskBase::complete_otherwise(PromiseBase::Outcome outcome, std::exception_ptr error) {
  using Outcome = PromiseBase::Outcome;
  if (outcome == Outcome::cancelled) {
    settle_cancelled_from_within(std::move(error));
  } else if (outcome == Outcome::fatal) {
    fatal_ = true;
    set_exception(error);
    std::rethrow_exception(error);  // leaves the loop
  } else if (error) {
    set_exception(std::move(error));
  } else if (outcome == Outcome::none && !must_cancel_) {
    try {
      throw_ended_without_value(where_);
    } catch (...) {  // this error, or no memory for its text
      set_exception(std::current_exception());
    }
  } else {  // it returned, or did not begin, before a cancel was delivered: the cancel wins
    must_cancel_ = false;
    if (outcome == Outcome::none) {
      settle_cancelled_from_within(to_exception_ptr(cancel_reason()));
    } else {
      settle_cancelled(to_exception_ptr(cancel_reason()));
    }
  }
}

void TaskBase::settle_cancelled_from_within(std::exception_ptr error) {
  cancelled_from_within_ = true;
  settle_cancelled(std::move(error));
}

std::exception_ptr TaskBase::cancelled_error() {
  std::exception_ptr error = FutureBase::cancelled_error();
  if (cancelled_from_within_) forget_exception();
  return error;
}

std::exception_ptr cancel_message(FutureBase& future) {
  const bool from_within = future.is_task() && static_cast<TaskBase&>(future).cancelled_from_within();
  return from_within ? std::make_exception_ptr(CancelledError()) : future.cancelled_error();
}

void PromiseBase::unhandled_exception() noexcept {
  std::construct_at(&exception_, std::current_exception());
  const std::type_info* type = abi::__cxa_current_exception_type();  // saves a rethrow
  outcome_ = type && *type == typeid(CancelledError) ? Outcome::cancelled
             : current_exception_is_fatal()          ? Outcome::fatal
                                                     : Outcome::exception;
}

void PromiseBase::throw_no_value() {
  if (failed()) std::rethrow_exception(std::move(exception_));
  throw_ended_without_value(where_);
}

void throw_awaited_twice() {
  throw std::runtime_error("cannot reuse already awaited coroutine (or one that was moved from)");
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

bool TaskBase::cancel(const CancelledError& reason) {
  mark_retrieved();
  if (done()) return false;
  if (forwards_cancel_) throw std::runtime_error("tasks await each other in a circle, and so cancel() has no end");
  return pass_cancel_on(reason);
}

// What it waits for is cancelled, and that wakes it.
Waitable* TaskBase::begin_cancel(Waitable* before, const CancelledError& reason) noexcept {
  if (loop() && loop()->takes_slow_path()) [[unlikely]]
    note_cancel(reason.where());
  mark_retrieved();
  ++cancel_requests_;
  forwards_cancel_ = true;
  return std::exchange(fut_waiter_, before);
}

void TaskBase::note_cancel(const std::source_location& where) noexcept {
  if (Observers* observers = loop()->observers()) {
    observers->cancel_asked(*static_cast<DoneCallback*>(this), where);
  }
  if (!loop()->get_debug() || cancel_requests_ > 0) return;
  try {
    rare_ = std::make_unique<const Rare>(Rare{rare_ ? rare_->name : std::string(), where});
  } catch (const std::bad_alloc&) {  // better a cancel without its place than none
  }
}

CancelledError TaskBase::cancel_reason() const noexcept {
  if (cancel_reason_) return *cancel_reason_;
  return cancelled_at().line() != 0 ? CancelledError(cancelled_at()) : CancelledError();
}

Waitable* TaskBase::leave_cancel(Waitable* last) noexcept {
  forwards_cancel_ = false;
  return std::exchange(fut_waiter_, last);
}

// If that is done already, or there is none, the next step throws.
bool TaskBase::end_cancel(bool accepted, const CancelledError& reason) {
  if (accepted) return true;
  must_cancel_ = slow_step_ = true;
  // (If what it waits for is cancelled already, the await throws that error: the first reason stands.)
  if (fut_waiter_ && fut_waiter_->throws_cancelled()) return true;
  try {
    set_cancel_reason(reason);
  } catch (const std::bad_alloc&) {
    set_cancel_reason(CancelledError());  // better a cancel without its message than none
  }
  return true;
}

void TaskBase::throw_cancelled() {
  const CancelledError reason = cancel_reason();
  cancel_reason_ = nullptr;
  throw reason;
}

std::uint32_t TaskBase::uncancel() noexcept {
  if (cancel_requests_ > 0 && --cancel_requests_ == 0) must_cancel_ = false;
  return cancel_requests_;
}

void TaskBase::throw_into(const Waitable* waitable) {
  const Misuse misuse = std::exchange(misuse_, Misuse::none);
  if (std::exchange(must_cancel_, false)) {
    if (misuse == Misuse::none && waitable && waitable->throws_cancelled()) return;  // throws its own, with its message
    throw_cancelled();
  }
  if (misuse == Misuse::none) return;
  if (misuse == Misuse::awaits_itself) throw std::runtime_error("Task cannot await on itself: " + repr());
  throw std::runtime_error("Task " + repr() + " got Future " + static_cast<const FutureBase*>(waitable)->repr() +
                           " attached to a different loop");
}

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void TaskBase::start_eagerly(Loop& loop, TaskRegistry& registry) {
  if (context_.entered()) ContextState::throw_entered();  // before anything has changed
  registry.add(*this);
  add_ref();
  const ScopeExit restore([creator = current_] { current_ = creator; });
  const ContextStaysEntered creators;
  if (!loop.takes_slow_path()) return step(loop);
  const bool watched = loop.get_debug();
  if (watched) registry.step_begins(*static_cast<DoneCallback*>(this));
  const ScopeExit ended([&] {
    if (watched) registry.step_ended();
  });
  Observers* const observers = loop.observers();
  if (!observers) return step(loop);
  observers->task_made(*static_cast<DoneCallback*>(this));
  step_observed(loop, *observers);
}

// From the inside out, one by one. To destroy only the outermost frame would destroy the others recursively, and a
// chain of 200,000 would overflow the stack. In the task's context, because destructors of parameters and locals may
// read a ContextVar.
void TaskBase::destroy_frames() noexcept {
  if (!coroutine_) return;
  const ContextScope scope(context_);
  PromiseBase* frame = coroutine_->frame().done() ? coroutine_ : innermost_;
  coroutine_ = nullptr;
  while (frame) {
    PromiseBase* const caller = frame->caller();
    if (caller) caller->call().disown();
    frame->frame().destroy();
    frame = caller;
  }
}

void TaskBase::end_unfinished() noexcept {
  if (loop() && loop()->observers()) loop()->observers()->task_done(*static_cast<DoneCallback*>(this));
  if (log_destroy_pending_) {
    try {
      report(ErrorContext("Task was destroyed but it is pending!").with("task", repr()));
    } catch (...) {  // KeyboardInterrupt from a user's handler, or no memory: the task ends anyway
    }
  }
  abandon();
  fut_waiter_ = nullptr;
  drop_callbacks();
  destroy_frames();
  if (!scheduled_) release();  // the registry's reference. If scheduled, the ready queue still points here: see drop()
}

void TaskBase::report(const ErrorContext& error) {
  const ContextScope scope(context_);  // the handler may read a ContextVar, such as the request's id
  FutureBase::report(error);
}

void TaskBase::drop() noexcept {
  if (!scheduled_) return;
  if (!done()) {  // made by a destructor after on_close()
    TaskRegistry::remove(*this);
    end_unfinished();
  }
  release();
}

// ── the live tasks of a loop ────────────────────────────────────────────────────────────────────────────────────────

TaskRegistry::TaskRegistry(Loop& loop) noexcept : loop_(loop) {}
TaskRegistry::~TaskRegistry() {
  if (weak_loop_of_debug_mode_) weak_loop_of_debug_mode_->loop_destroyed();
}

WeakLoop& TaskRegistry::weak_loop_of_debug_mode() {
  if (!weak_loop_of_debug_mode_) weak_loop_of_debug_mode_ = Ref<WeakLoop>(new WeakLoop(loop_), adopt);
  return *weak_loop_of_debug_mode_;
}

std::vector<TaskBase*> TaskRegistry::all() const {
  std::vector<TaskBase*> tasks;
  for (TaskBase& task : tasks_) tasks.push_back(&task);
  return tasks;
}

std::string TaskRegistry::describe_waits() const { return format_task_tree(all()); }

// (The exception handler may end debug mode. Without memory all is forgotten: half of it could point to what is gone.)
void TaskRegistry::step_begins(Runnable& runnable) {
  TaskBase& task = static_cast<TaskBase&>(static_cast<DoneCallback&>(runnable));
  try {
    if (!debug_watch_) debug_watch_ = std::make_unique<DebugWatch>();
    for (const ErrorContext& error : debug_watch_->note_step(task)) loop_.call_exception_handler(error);
    if (debug_watch_) debug_watch_->step_begins(task);
  } catch (const std::bad_alloc&) {
    debug_watch_ = nullptr;
  }
}

void TaskRegistry::step_ended() {
  if (debug_watch_) debug_watch_->step_ended();
}

void TaskRegistry::about_to_wait() {
  if (!debug_watch_) return;
  try {
    for (const ErrorContext& error : debug_watch_->about_to_wait()) loop_.call_exception_handler(error);
  } catch (const std::bad_alloc&) {
    debug_watch_ = nullptr;
  }
}

void TaskRegistry::debug_mode_ended() noexcept { debug_watch_ = nullptr; }

// The latest first, as a stack unwinds: a task's locals, such as a Lock, outlive the tasks that it made.
void TaskRegistry::on_close() noexcept {
  debug_watch_ = nullptr;
  while (!tasks_.empty()) {
    TaskBase& task = tasks_.back();
    remove(task);
    task.end_unfinished();
  }
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

void destroy_unawaited(PromiseBase& promise) noexcept {
  Loop* loop = Loop::running_or_null();
  if (loop && loop->get_debug()) {
    try {
      const std::string name(coroutine_name(promise.where()));
      loop->call_exception_handler(
          ErrorContext("coroutine '" + name + "' was never awaited")
              .with("coroutine", "<" + name + "() defined at " + file_and_line(promise.where()) + ">"));
    } catch (...) {  // KeyboardInterrupt from a user's handler, or no memory: there is nowhere to throw it to
    }
  }
  promise.destroy_before_begin();
}

void PromiseBase::destroy_before_begin() noexcept {
  constexpr int kDeepest = 32;
  static constinit thread_local int depth = 0;
  static constinit thread_local PromiseBase* later = nullptr;  // linked by caller_, which they have not got
  if (depth == kDeepest) {
    caller_ = std::exchange(later, this);
    return;
  }
  ++depth;
  frame().destroy();
  while (depth == 1 && later) {
    PromiseBase& next = *later;
    later = std::exchange(next.caller_, nullptr);
    next.frame().destroy();
  }
  --depth;
}

std::unique_ptr<const TaskBase::Rare> TaskBase::with_name(std::string_view name, std::source_location cancelled_at) {
  return std::make_unique<const Rare>(Rare{std::string(name), cancelled_at});
}

void TaskBase::set_name(std::string_view name) {
  rare_ = with_name(name, rare_ ? rare_->cancelled_at : std::source_location());
  std::atomic_signal_fence(std::memory_order_release);  // a signal handler that finds no number finds the name
  number_ = 0;
}

std::string TaskBase::name() const { return number_ == 0 ? rare_->name : "Task-" + std::to_string(number_); }

std::vector<Place> TaskBase::places() const {
  if (!coroutine_) return {place_of(where_)};
  std::vector<Place> places;
  for (const PromiseBase* frame = known_frame(); frame; frame = frame->caller()) {
    places.push_back({std::string(function_name(frame->where())), frame->where().file_name(), frame->line()});
  }
  return places;
}

std::string TaskBase::repr() const {
  std::string more = " name=" + python_repr(name()) + " coro=<" + std::string(coroutine_name(where_)) + "()";
  if (coroutine_) {
    const std::string place = file_and_line(where_);
    more += " running at " + place.substr(0, place.rfind(':') + 1) + std::to_string(coroutine_->line()) + ">";
  } else {
    more += " done, defined at " + file_and_line(where_) + ">";
  }
  const bool dying = !done() && cancel_requests_ > 0;
  if (cancelled_at().line() != 0 && (dying || cancelled())) more += " cancelled at " + file_and_line(cancelled_at());
  return describe(dying ? "cancelling" : std::string_view(), more);
}

}  // namespace asyncio::detail
