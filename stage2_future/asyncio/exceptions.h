// The exceptions of futures and tasks.
// Mirrors: Lib/asyncio/exceptions.py. Read next: waitable.h
#pragma once

#include <asyncio/detail/attributes.h>

#include <exception>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asyncio {

/// Thrown at the await of a task that was cancelled. It does not derive from std::exception, as Python's does not
/// derive from Exception, so that `catch (const std::exception&)` never swallows a cancellation. Catch it by name, and
/// rethrow it. Copying it cannot fail.
class CancelledError final {
 public:
  /// A place in the source.
  using Where = std::source_location;
  /// `where` is the place that throws it; a message says why.
  explicit CancelledError(Where where = Where::current()) noexcept : where_(where) {}
  explicit CancelledError(std::string_view message, Where where = Where::current())
      : message_(message.empty() ? nullptr : std::make_shared<const std::string>(message)), where_(where) {}

  /// Whether it was given a message.
  bool has_message() const noexcept { return message_ != nullptr; }
  /// The message given to cancel(), or "".
  std::string_view message() const noexcept { return message_ ? std::string_view(*message_) : std::string_view(); }
  /// The message, or "".
  const char* what() const noexcept { return message_ ? message_->c_str() : ""; }
  /// The call of cancel(); of an error that a program makes itself, that place.
  const std::source_location& where() const noexcept { return where_; }

 private:
  std::shared_ptr<const std::string> message_;
  std::source_location where_;
};

/// A result was requested before it was set, or was set twice.
class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {
/// Null without a message: a plain CancelledError is made where it is thrown, so that cancelling needs no memory.
std::exception_ptr to_exception_ptr(const CancelledError& reason);
bool is_cancelled_error(const std::exception_ptr& error) noexcept;
}  // namespace detail

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; copies share their message, and may go to another thread.
// Ticks: a task that is cancelled throws CancelledError at its await, in its next step.
// Errors: none: these are the errors.
// Units: none.
