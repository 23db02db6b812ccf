#include "asyncio/future.h"

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

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

CallbackId next_callback_id() noexcept {
  static constinit thread_local std::uint64_t last = 0;
  return CallbackId{++last};
}

void FutureBase::throw_loop_gone() { throw std::runtime_error("Event loop is closed"); }

void FutureBase::add_waiter(DoneCallback& callback) {
  if (!done()) {
    callbacks_.push_back(callback);
    return;
  }
  loop_to_schedule().enqueue(callback);  // done already: scheduled all the same, never called inline
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
  settle(State::finished);  // may throw: then nothing has changed
  exception_ = std::move(error);
  unretrieved_ = true;
}

void FutureBase::set_fatal_exception(std::exception_ptr error) {
  fatal_ = true;
  set_exception(std::move(error));
}

std::exception_ptr FutureBase::cancelled_error() {
  if (!exception_) return std::make_exception_ptr(CancelledError());
  return cancelled_from_within_ ? std::exchange(exception_, nullptr) : exception_;
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

void FutureBase::drop_callbacks() noexcept {
  while (!callbacks_.empty()) callbacks_.pop_front().drop();
}

void FutureBase::report_unretrieved() noexcept {
  unretrieved_ = false;
  ErrorContext context(std::string(kind()) + " exception was never retrieved", exception_);
  context.with("future", repr());
  try {
    report(context);
  } catch (...) {  // KeyboardInterrupt out of a user's handler: there is nowhere to throw it to
  }
}

void FutureBase::report(const ErrorContext& context) {
  if (Loop* loop = anchor_->loop()) {
    loop->call_exception_handler(context);
  } else {
    Loop::default_exception_handler(context);
  }
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string FutureBase::repr() const { return describe({}, ""); }

std::string FutureBase::describe(std::string_view status, const std::string& more) const {
  if (status.empty()) status = !done() ? "pending" : cancelled() ? "cancelled" : "finished";
  std::string text = "<" + std::string(kind()) + " " + std::string(status) + more;
  if (done() && !cancelled()) {
    text += exception_   ? " exception=" + asyncio::describe(exception_)
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
  // The fewest digits that read back as the same number; Python writes an exponent below 1e-4 and from 1e16 on.
  const bool exponent = value != 0 && (std::fabs(value) < 1e-4 || std::fabs(value) >= 1e16);
  char digits[64];
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string text(digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr);
  if (!exponent && text.find('.') == std::string::npos) text += ".0";
  return text;
}
std::string repr_value(std::string_view value) {
  const bool has_single = value.find('\'') != std::string_view::npos;
  const char quote = has_single && value.find('"') == std::string_view::npos ? '"' : '\'';
  std::string text(1, quote);
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\\' || c == quote) {
      text += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      text += {'\\', 'x', kHex[byte / 16], kHex[byte % 16]};
    } else {
      text += c;  // UTF-8 stays as it is
    }
  }
  return text + quote;
}

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
