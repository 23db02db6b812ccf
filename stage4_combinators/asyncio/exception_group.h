// ExceptionGroup: several errors that happened at the same time, thrown as one.
// Mirrors: the built-in ExceptionGroup (PEP 654), as far as a TaskGroup needs it.
// Read next: ../../stage5_sync/README.md
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

/// Copies share their content, so that copying cannot fail.
class ExceptionGroup : public std::exception {
 public:
  /// Throws std::invalid_argument if `exceptions` is empty or contains a null pointer.
  ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions);

  /// `unhandled errors in a TaskGroup`
  const std::string& message() const noexcept { return content_->message; }
  /// In the order given to the constructor. One may be an ExceptionGroup itself.
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return content_->exceptions; }
  /// `unhandled errors in a TaskGroup (2 sub-exceptions)`
  const char* what() const noexcept override { return content_->what.c_str(); }

  /// what(), and below it a line for each exception, with its type, indented. Nested groups are shown to a depth of
  /// ten, as in Python's traceback.
  std::string to_string() const;

  /// The exceptions of type E, or derived from it, also inside nested groups. Takes the place of Python's `except*`.
  template <class E>
  std::vector<std::exception_ptr> matching() const;

 private:
  struct Content {
    Content(std::string_view text, std::string description, std::vector<std::exception_ptr> all)
        : message(text), what(std::move(description)), exceptions(std::move(all)) {}
    /// Beyond some depth of nesting, groups are destroyed later, by the outermost: the stack does not overflow.
    ~Content();

    std::string message;
    std::string what;
    std::vector<std::exception_ptr> exceptions;
  };
  std::shared_ptr<Content> content_;
};

template <class E>
std::vector<std::exception_ptr> ExceptionGroup::matching() const {
  std::vector<std::exception_ptr> found;
  std::vector<std::exception_ptr> to_do(exceptions().rbegin(), exceptions().rend());  // the next one is the last
  while (!to_do.empty()) {
    const std::exception_ptr exception = std::move(to_do.back());
    to_do.pop_back();
    try {
      std::rethrow_exception(exception);
    } catch (const ExceptionGroup& group) {
      to_do.insert(to_do.end(), group.exceptions().rbegin(), group.exceptions().rend());
    } catch (const E&) {
      found.push_back(exception);
    } catch (...) {
    }
  }
  return found;
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; copies share their content, which does not change.
// Ticks: none.
// Errors: std::invalid_argument from the constructor.
// Units: none.
