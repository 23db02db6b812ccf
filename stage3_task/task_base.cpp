#include "asyncio/detail/task_base.h"

#include <cxxabi.h>

#include <atomic>
#include <string_view>
#include <typeinfo>

namespace asyncio::detail {

// ── the step: the ten lines that the whole project is about ─────────────────────────────────────────────────────────

void TaskBase::step(Loop& loop) {
  fut_waiter_ = nullptr;
  if (must_cancel_ && !started_) {
    complete();  // cancelled before it began: the body never runs
    return;
  }
  started_ = true;

  current_ = this;
  {
    const ContextScope scope(context_);
    innermost_->frame().resume();  // gen.send(None) in the notes: runs until it ends, or is suspended on something
  }
  current_ = nullptr;

  if (coroutine_->outcome() != PromiseBase::Outcome::none) {
    complete();
  } else if (!fut_waiter_) {
    schedule(loop);  // a bare yield: on again in the next tick
  } else {
    fut_waiter_->add_waiter(*this);  // fut.add_done_callback(self._wakeup) in the notes
    if (must_cancel_ && fut_waiter_->cancel(cancel_reason())) must_cancel_ = false;  // it had cancelled itself
  }
}

void TaskBase::run(Loop& loop) {
  scheduled_ = false;
  step(loop);
}

// The coroutine has ended, and the future gets its outcome. The frame goes first: what the coroutine was given is
// destroyed before anyone hears that it is done.
void TaskBase::complete() {
  TaskRegistry::remove(*this);
  const Ref<TaskBase> registry_reference(this, adopt);  // given back at the end, when the callbacks are scheduled

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
    finish();
  } else {
    complete_otherwise(outcome, std::move(error));
  }
}

void TaskBase::complete_otherwise(PromiseBase::Outcome outcome, std::exception_ptr error) {
  using Outcome = PromiseBase::Outcome;
  if (outcome == Outcome::cancelled) {
    settle_cancelled_from_within(std::move(error));
  } else if (outcome == Outcome::fatal) {
    set_fatal_exception(error);
    std::rethrow_exception(error);  // and out of the loop
  } else if (error) {
    set_exception(std::move(error));
  } else {  // it returned, or never began, before a cancel was delivered: the cancel wins
    must_cancel_ = false;
    if (outcome == Outcome::none) {
      settle_cancelled_from_within(to_exception_ptr(cancel_reason()));
    } else {
      settle_cancelled(to_exception_ptr(cancel_reason()));
    }
  }
}

void PromiseBase::unhandled_exception() noexcept {
  std::construct_at(&exception_, std::current_exception());
  const std::type_info* type = abi::__cxa_current_exception_type();  // saves a rethrow, 1.3 µs
  outcome_ = type && *type == typeid(CancelledError) ? Outcome::cancelled
             : current_exception_is_fatal()          ? Outcome::fatal
                                                     : Outcome::exception;
}

void throw_awaited_twice() {
  throw std::runtime_error("cannot reuse already awaited coroutine (or one that was moved from)");
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {
struct ForwardsCancel {
  explicit ForwardsCancel(bool& flag) noexcept : flag(flag) { flag = true; }
  ~ForwardsCancel() { flag = false; }
  bool& flag;
};
}  // namespace

bool TaskBase::cancel(const CancelledError& reason) {
  mark_retrieved();
  if (done()) return false;
  ++cancel_requests_;
  // What it waits for is cancelled, and that wakes it. If that is done already, or there is none, the next step throws.
  if (fut_waiter_) {
    if (forwards_cancel_) throw std::runtime_error("tasks await each other in a circle, and so cancel() has no end");
    const ForwardsCancel forwarding(forwards_cancel_);
    if (fut_waiter_->cancel(reason)) return true;
  }
  // (If that is cancelled already, it is what the await will throw: the first reason stands.)
  if (!fut_waiter_ || !fut_waiter_->throws_cancelled()) set_cancel_reason(reason);
  must_cancel_ = true;
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
    if (misuse == Misuse::none && waitable && waitable->throws_cancelled()) return;  // its own comes, with its message
    throw_cancelled();
  }
  if (misuse == Misuse::awaits_itself) throw std::runtime_error("Task cannot await on itself: " + repr());
  throw std::runtime_error("Task " + repr() + " got Future " + static_cast<const FutureBase*>(waitable)->repr() +
                           " attached to a different loop");
}

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void TaskBase::start_eagerly(Loop& loop, TaskRegistry& registry) {
  registry.add(*this);
  add_ref();
  const TaskStaysCurrent creator;
  const ContextStaysEntered creators;
  step(loop);
}

// From the inside out, one by one: destroying the outermost frame alone would destroy the others inside its own
// destructor, one in the other, and the stack would not hold a chain of 200,000. In the task's context, as all that it does:
// what its coroutine was given may look at a ContextVar on its way out.
void TaskBase::destroy_frames() noexcept {
  if (!coroutine_) return;
  const ContextScope scope(context_);
  PromiseBase* frame = coroutine_->frame().done() ? coroutine_ : innermost_;
  coroutine_ = nullptr;
  while (frame) {
    PromiseBase* const caller = frame->caller();
    frame->disown();
    frame->frame().destroy();
    frame = caller;
  }
}

void TaskBase::end_unfinished() noexcept {
  if (log_destroy_pending_) {
    try {
      report(ErrorContext("Task was destroyed but it is pending!").with("task", repr()));
    } catch (...) {  // KeyboardInterrupt out of a user's handler, or no memory: it ends all the same
    }
  }
  abandon();
  fut_waiter_ = nullptr;
  drop_callbacks();
  destroy_frames();
  if (!scheduled_) release();  // otherwise the ready queue still points here: see drop()
}

void TaskBase::report(const ErrorContext& error) {
  const ContextScope scope(context_);  // the handler may want to know the request's id
  FutureBase::report(error);
}

void TaskBase::drop() noexcept {
  if (!scheduled_) return;
  if (!done()) {  // made by a destructor, when on_close() had passed already
    TaskRegistry::remove(*this);
    end_unfinished();
  }
  release();
}

// ── the live tasks of a loop ────────────────────────────────────────────────────────────────────────────────────────

std::vector<TaskBase*> TaskRegistry::all() const {
  std::vector<TaskBase*> tasks;
  for (TaskLink* link = next_; link != this; link = link->next_) tasks.push_back(task_of(link));
  return tasks;
}

// The latest first, as a stack unwinds: a task's locals, a Lock among them, outlive the tasks that it made.
void TaskRegistry::on_close() noexcept {
  while (previous_ != this) {
    TaskBase& task = *task_of(previous_);
    remove(task);
    task.end_unfinished();
  }
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

// The compilers' "asyncio::Coro<int> execute(int) [with …]" → "execute"; a lambda → "<lambda>".
std::string coroutine_name(const std::source_location& where) {
  std::string_view signature = where.function_name();
  const auto contains = [&](std::string_view part) { return signature.find(part) != signature.npos; };
  if (contains("<lambda(") || contains("(lambda at ") || contains("(anonymous class)")) return "<lambda>";
  signature = signature.substr(0, signature.find(" ["));             // the values of template parameters
  signature = signature.substr(0, signature.find_last_of(')') + 1);  // a "const" at the end
  // Backwards over the parameter list, and on to the blank before the name; those inside brackets do not count.
  std::size_t end = signature.size();
  for (std::size_t i = signature.size(), depth = 0; i > 0; --i) {
    const char c = signature[i - 1];
    if (c == ')' || c == '>' || c == '}') ++depth;
    if ((c == '(' || c == '<' || c == '{') && --depth == 0 && end == signature.size()) end = i - 1;
    if (c == ' ' && depth == 0) {
      signature = signature.substr(0, end).substr(i);
      break;
    }
  }
  for (const std::string_view anonymous : {"(anonymous namespace)::", "{anonymous}::"}) {
    if (const auto at = signature.find(anonymous); at != signature.npos) signature.remove_prefix(at + anonymous.size());
  }
  return std::string(signature);
}

void destroy_unawaited(PromiseBase& promise) noexcept {
  Loop* loop = Loop::running_or_null();
  if (loop && loop->get_debug()) {
    try {
      const std::string name = coroutine_name(promise.where());
      loop->call_exception_handler(
          ErrorContext("coroutine '" + name + "' was never awaited")
              .with("coroutine", "<" + name + "() defined at " + file_and_line(promise.where()) + ">"));
    } catch (...) {  // KeyboardInterrupt out of a user's handler, or no memory: there is nowhere to throw it to
    }
  }
  promise.frame().destroy();
}

void TaskBase::set_name(std::string_view name) { name_ = std::make_unique<const std::string>(name); }

std::string TaskBase::name() const { return name_ ? *name_ : "Task-" + std::to_string(number_); }

std::string TaskBase::repr() const {
  std::string more = " name='" + name() + "' coro=<" + coroutine_name(where_) + "()";
  if (coroutine_) {
    const std::string place = file_and_line(where_);
    more += " running at " + place.substr(0, place.rfind(':') + 1) + std::to_string(coroutine_->line()) + ">";
  } else {
    more += " done, defined at " + file_and_line(where_) + ">";
  }
  const bool dying = !done() && cancel_requests_ > 0;
  return describe(dying ? "cancelling" : std::string_view(), more);
}

}  // namespace asyncio::detail
