// What the loop tells its exception handler, and the two exceptions that no handler ever sees.
// Mirrors: the context dict of BaseEventLoop.call_exception_handler. Read next: loop.h
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// Ctrl-C. Like Python's it is no ordinary exception (not a std::exception): it leaves the loop at once.
class KeyboardInterrupt final {
 public:
  const char* what() const noexcept { return "KeyboardInterrupt"; }
};

/// A request to end the program; leaves the loop at once, as KeyboardInterrupt does.
class SystemExit final {
 public:
  explicit SystemExit(int code = 0) noexcept : code_(code) {}
  int code() const noexcept { return code_; }
  const char* what() const noexcept { return "SystemExit"; }

 private:
  int code_;
};

/// An error that nobody is left to catch: an exception in a callback, a result never looked at, a task dropped.
struct ErrorContext {
  std::string message;
  std::exception_ptr exception;  // may be null
  /// What else is known, by CPython's keys ("handle", "future", "task" …), printable.
  std::vector<std::pair<std::string, std::string>> details;

  explicit ErrorContext(std::string text, std::exception_ptr error = nullptr)
      : message(std::move(text)), exception(std::move(error)) {}

  ErrorContext& with(std::string key, std::string value) {
    details.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  /// The detail of that key, or "".
  std::string detail(const std::string& key) const;
  /// The lines that the default handler prints: the message, the details by key, the exception.
  std::string to_string() const;
};

/// `std::runtime_error: disk full`; the type's name, and what() where there is one.
std::string describe(const std::exception_ptr& exception);

namespace detail {
std::string demangle(const char* name);
/// Inside a catch block: whether the exception is KeyboardInterrupt or SystemExit.
bool current_exception_is_fatal() noexcept;
}  // namespace detail

}  // namespace asyncio
