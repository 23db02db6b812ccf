// ExceptionGroup: several errors that happened at the same time, thrown as one.
// Mirrors: the built-in ExceptionGroup (PEP 654), as far as a TaskGroup needs it. Read next: task_group.h
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
  /// Throws std::invalid_argument if `exceptions` is empty, or has an empty pointer in it.
  ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions);

  /// `unhandled errors in a TaskGroup`
  const std::string& message() const noexcept { return content_->message; }
  /// In the order in which they happened. One may be an ExceptionGroup itself.
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return content_->exceptions; }
  /// `unhandled errors in a TaskGroup (2 sub-exceptions)`
  const char* what() const noexcept override { return content_->what.c_str(); }

  /// what(), and below it each of the exceptions with its type, indented; groups in the group are opened as
  /// well.
  std::string to_string() const;

  /// Those of type E (or derived from it), also inside of groups in this group: in place of Python's
  /// `except*`.
  template <class E>
  std::vector<std::exception_ptr> matching() const;

 private:
  struct Content {
    std::string message;
    std::string what;
    std::vector<std::exception_ptr> exceptions;
  };
  std::shared_ptr<const Content> content_;
};

template <class E>
std::vector<std::exception_ptr> ExceptionGroup::matching() const {
  std::vector<std::exception_ptr> found;
  for (const std::exception_ptr& exception : exceptions()) {
    try {
      std::rethrow_exception(exception);
    } catch (const ExceptionGroup& group) {
      for (std::exception_ptr& inner : group.matching<E>()) found.push_back(std::move(inner));
    } catch (const E&) {
      found.push_back(exception);
    } catch (...) {
    }
  }
  return found;
}

}  // namespace asyncio
