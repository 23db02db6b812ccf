#include "asyncio/future.h"

#include <asyncio/detail/observers.h>
#include <asyncio/detail/repr.h>

#include <charconv>
#include <cmath>
#include <ostream>

namespace asyncio {
namespace detail {

std::exception_ptr to_exception_ptr(const CancelledError& reason) {
  return reason.has_message() ? std::make_exception_ptr(reason) : nullptr;
}

bool is_cancelled_error(const std::exception_ptr& error) noexcept {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::string Waitable::repr() const { return "<" + demangle(typeid(*this).name()) + ">"; }

// ── cancelling along a chain ────────────────────────────────────────────────────────────────────────────────────────

Waitable* Waitable::begin_cancel(Waitable*, const CancelledError&) noexcept { return nullptr; }
Waitable* Waitable::next_to_cancel(bool) noexcept { return nullptr; }
Waitable* Waitable::leave_cancel(Waitable*) noexcept { return nullptr; }
bool Waitable::end_cancel(bool accepted, const CancelledError&) { return accepted; }

// A walk through a tree that keeps the way back in its nodes.
bool Waitable::pass_cancel_on(const CancelledError& reason) {
  std::exception_ptr error;  // the first; the way back is gone all the same
  const auto attempt = [&error](auto answer) {
    try {
      return answer();
    } catch (...) {
      error = std::current_exception();
      return false;
    }
  };
  Waitable* current = this;
  Waitable* next = begin_cancel(nullptr, reason);
  for (;;) {
    bool accepted = false;
    Waitable* last = next;
    if (next) {
      const CancelRole role = next->cancel_role();
      if (role == CancelRole::passes_on) {
        next = next->begin_cancel(std::exchange(current, next), reason);
        continue;
      }
      accepted = attempt([&] {
        if (role == CancelRole::carries_out) return next->cancel(reason);
        throw std::runtime_error("tasks await each other in a circle, and so cancel() has no end");
      });
    }
    for (;;) {  // back, to the first that has somebody else to pass it on to
      next = current->next_to_cancel(accepted);
      if (next && !error) break;
      Waitable* const before = current->leave_cancel(last);
      if (!error) accepted = attempt([&] { return current->end_cancel(accepted, reason); });
      if (!before) {
        if (error) std::rethrow_exception(error);
        return accepted;
      }
      last = std::exchange(current, before);
    }
  }
}

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

void report_done_callback_exception(Loop& loop, const std::source_location& where, const FutureBase& future) {
  struct Named final : Runnable {
    explicit Named(const FutureBase& future) : future(future) {}
    void run(Loop&) override {}
    void drop() noexcept override {}
    std::string repr() const override { return future.repr(); }
    const FutureBase& future;
  };
  const Named named(future);
  report_callback_exception(loop, where, &named);
}

CallbackId next_callback_id() noexcept {
  static constinit thread_local std::uint64_t last = 0;
  return CallbackId{++last};
}

void FutureBase::before_settling(State state) {
  Loop& loop = loop_to_schedule();
  state_ = state;
  tell_observers(loop);
}

void FutureBase::tell_observers(const Loop& loop) const noexcept {
  if (Observers* observers = loop.observers()) observers->future_done(*this);
}

void FutureBase::throw_loop_gone() { throw std::runtime_error("Event loop is closed and destroyed"); }

void FutureBase::add_callback(DoneCallback& callback) {
  if (!done()) {
    callbacks_.push_back(callback);
    return;
  }
  loop_to_schedule().enqueue(callback);  // already done: scheduled too, not called inline
  callback.on_done(*this);
}

std::size_t FutureBase::remove_done_callback(CallbackId id) noexcept {
  if (id == CallbackId{}) return 0;  // a waiting task's
  DoneCallback* callback = callbacks_.remove_if([&](DoneCallback& other) { return other.id() == id; });
  if (!callback) return 0;
  callback->drop();
  return 1;
}

// ── outcome ─────────────────────────────────────────────────────────────────────────────────────────────────────────

bool FutureBase::cancel(const CancelledError& reason) {
  unretrieved_ = false;
  if (done()) return false;
  settle_cancelled(to_exception_ptr(reason));
  return true;
}

void FutureBase::settle_cancelled(std::exception_ptr error) {
  check_pending();
  settle(State::cancelled);
  exception_ = std::move(error);
}

void FutureBase::set_exception(std::exception_ptr error) {
  check_pending();
  if (!error) throw std::invalid_argument("set_exception() needs an exception; got a null exception_ptr");
  exception_ = std::move(error);  // first: an observer may print it
  try {
    settle(State::finished);
  } catch (...) {  // the loop is closed: nothing has changed
    exception_ = nullptr;
    throw;
  }
  unretrieved_ = true;
}

std::exception_ptr FutureBase::cancelled_error() {
  return exception_ ? exception_ : std::make_exception_ptr(CancelledError());
}

std::exception_ptr FutureBase::exception() {
  if (cancelled()) std::rethrow_exception(cancelled_error());
  if (!done()) throw InvalidStateError("Exception is not set.");
  unretrieved_ = false;
  return exception_;
}

std::exception_ptr FutureBase::take_exception() {
  std::exception_ptr error = exception();
  if (error && unique()) {
    exception_ = nullptr;
    moved_out_ = true;
  }
  return error;
}

void FutureBase::throw_no_result() {
  if (cancelled()) std::rethrow_exception(cancelled_error());
  if (!done()) throw InvalidStateError("Result is not ready.");
  unretrieved_ = false;
  if (exception_) std::rethrow_exception(exception_);
  throw InvalidStateError("Result was moved out already, by the await or result() of an rvalue.");
}

void FutureBase::throw_not_settable(const char* operation) {
  throw std::runtime_error(std::string("Task does not support ") + operation + " operation");
}

void FutureBase::throw_already_done() const {
  throw InvalidStateError(std::string(cancelled() ? "CANCELLED" : "FINISHED") + ": " + repr());
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// A callback may hold the last reference to another future, that one's callback to a third, and so on. One that is
// dropped inside of another's drop() is therefore left to the outermost: a chain of a million costs no stack.
void FutureBase::drop_callbacks() noexcept {
  static constinit thread_local IntrusiveQueue<DoneCallback, Wakeup>* dropping = nullptr;
  IntrusiveQueue<DoneCallback, Wakeup> mine;
  const bool outermost = dropping == nullptr;
  if (outermost) dropping = &mine;
  while (!callbacks_.empty()) dropping->push_back(callbacks_.pop_front());
  if (!outermost) return;
  while (!mine.empty()) mine.pop_front().drop();
  dropping = nullptr;
}

void FutureBase::report_unretrieved() noexcept {
  unretrieved_ = false;
  try {
    ErrorContext context(std::string(class_name()) + " exception was never retrieved", exception_);
    context.with("future", repr());
    report(context);
  } catch (const std::bad_alloc&) {
    report_without_memory("Future exception was never retrieved");
  } catch (...) {  // KeyboardInterrupt from a user's handler: there is nowhere to throw it to
  }
}

void FutureBase::report(const ErrorContext& context) {
  if (Loop* loop = weak_loop_->loop()) {
    loop->call_exception_handler(context);
  } else {
    Loop::default_exception_handler(context);
  }
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string FutureBase::repr() const { return describe({}, ""); }

std::string FutureBase::describe(std::string_view status, const std::string& more) const {
  if (status.empty()) status = !done() ? "pending" : cancelled() ? "cancelled" : "finished";
  std::string text = "<" + std::string(class_name()) + " " + std::string(status) + more;
  if (done() && !cancelled()) {
    text += exception_   ? " exception=" + on_one_line(asyncio::describe(exception_))
            : moved_out_ ? " result=<moved out>"
                         : " result=" + repr_value();
  }
  return text + ">";
}

std::string repr_value(bool value) { return value ? "True" : "False"; }
std::string repr_value(long long value) { return std::to_string(value); }
std::string repr_value(unsigned long long value) { return std::to_string(value); }
std::string repr_value(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // The fewest digits that read back as the same number. Python writes an exponent below 1e-4 and from 1e16 on.
  const bool exponent = value != 0 && (std::fabs(value) < 1e-4 || std::fabs(value) >= 1e16);
  char digits[64];
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string text(digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr);
  if (!exponent && text.find('.') == std::string::npos) text += ".0";
  return text;
}
std::string repr_value(std::string_view value) { return python_repr(value); }

}  // namespace detail

void AnyFuture::throw_empty() {
  throw InvalidStateError("this Future is empty: it was default-constructed or moved from");
}

void detail::check_same_loop(const AnyFuture& future, const Loop& loop) {
  if (future.state().loop() != &loop) {
    throw std::invalid_argument("The future belongs to a different loop than the one specified as the loop argument");
  }
}

std::ostream& operator<<(std::ostream& out, const AnyFuture& future) { return out << future.repr(); }

}  // namespace asyncio
