// What the loop tells its exception handler, and the two exceptions that no handler gets.
// Mirrors: the context dict of BaseEventLoop.call_exception_handler. Read next: time.h
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// Thrown by Ctrl-C; leaves the loop at once. As Python's is no Exception, this is no std::exception.
class KeyboardInterrupt final {
 public:
  /// "KeyboardInterrupt".
  const char* what() const noexcept { return "KeyboardInterrupt"; }
};

/// A request to end the program. Leaves the loop at once, as KeyboardInterrupt does.
class SystemExit final {
 public:
  /// `code` is what the process is to return.
  explicit SystemExit(int code = 0) noexcept : code_(code) {}
  /// The code it was given.
  int code() const noexcept { return code_; }
  /// "SystemExit".
  const char* what() const noexcept { return "SystemExit"; }

 private:
  int code_;
};

/// An error that nobody can catch: an exception in a callback or in a future that nobody looked at, a dropped task.
struct ErrorContext {
  /// What happened, in one line.
  std::string message;
  std::exception_ptr exception;  // may be null
  /// Printable details, by CPython's keys ("handle", "future", "task" …).
  std::vector<std::pair<std::string, std::string>> details;

  /// A report with a text, and the error if there is one.
  explicit ErrorContext(std::string text, std::exception_ptr error = nullptr)
      : message(std::move(text)), exception(std::move(error)) {}

  /// Adds an entry to what the default handler prints. Returns itself, for a chain of calls.
  ErrorContext& with(std::string key, std::string value) {
    details.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  /// The detail with that key, or "".
  std::string detail(const std::string& key) const;
  /// The lines that the default handler prints: the message, the details by key, the exception.
  std::string to_string() const;
};

/// `std::runtime_error: disk full`: the name of the type, and what() if it has one.
std::string describe(const std::exception_ptr& exception);

namespace detail {
std::string demangle(const char* name);
/// Prints a line to stderr when there is no memory for an ErrorContext.
void report_without_memory(const char* what) noexcept;
/// REQUIRES: the caller is in a catch block. Whether the exception is KeyboardInterrupt or SystemExit.
bool current_exception_is_fatal() noexcept;
}  // namespace detail

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none. KeyboardInterrupt and SystemExit end the tick that throws them, and run_forever() with it.
// Errors: none; but a program may throw KeyboardInterrupt and SystemExit itself.
// Units: SystemExit::code() is the exit code of the process.
