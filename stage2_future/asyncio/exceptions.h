// The exceptions of futures and tasks.
// Mirrors: Lib/asyncio/exceptions.py. Read next: waitable.h
#pragma once

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asyncio {

/// Thrown at the await of a task that was cancelled. As in Python it is no ordinary exception: it does not derive from
/// std::exception, so that `catch (const std::exception&)` never swallows a cancellation. Catch it by its name, and
/// throw it on. Copying it cannot fail.
class CancelledError final {
 public:
  CancelledError() noexcept = default;
  explicit CancelledError(std::string_view message)
      : message_(message.empty() ? nullptr : std::make_shared<const std::string>(message)) {}

  bool has_message() const noexcept { return message_ != nullptr; }
  /// What cancel(message) was given; "" without one.
  std::string_view message() const noexcept { return message_ ? std::string_view(*message_) : std::string_view(); }
  const char* what() const noexcept { return message_ ? message_->c_str() : ""; }

 private:
  std::shared_ptr<const std::string> message_;
};

/// A result was asked for before it was there, or set twice.
class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {
/// Null without a message: a plain CancelledError can be made where it is thrown, and the cancel needs no memory.
std::exception_ptr to_exception_ptr(const CancelledError& reason);
bool is_cancelled_error(const std::exception_ptr& error) noexcept;
}  // namespace detail

}  // namespace asyncio
