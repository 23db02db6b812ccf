// How a block is run: its statements one after the other, with a line of the log for each. Both interpreters do it so,
// this folder's and io/'s; what a word does is their own.
// Mirrors: statements.py. Read next: run.h, io/run.h
#pragma once

#include "scenario.h"

#include <asyncio/coro.h>

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::conformance {

class Run;

/// What a word leaves in the log; or that the block is to be left.
class Result {
 public:
  Result() = default;
  explicit Result(std::string text) : text_(std::move(text)) {}
  static Result from_return() {
    Result result;
    result.returned_ = true;
    return result;
  }
  static Result from_block(bool returned) { return returned ? from_return() : Result(); }

  bool returned() const noexcept { return returned_; }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  bool returned_ = false;
};

/// An operand is empty or has nothing of the kind, or waiting for it could close a circle.
inline Result skip() { return Result("-"); }
inline Result flag(bool value) { return Result(value ? "T" : "F"); }

/// Each interpreter's own.
std::string show_error(const std::exception_ptr& error);
/// `name(what)`, without what stands in < >: addresses and names of types differ.
std::string show_error(std::string_view name, std::string_view what);
std::string without_repr(std::string text);
/// Whether it is what Python calls an Exception: not a CancelledError, KeyboardInterrupt or SystemExit.
bool is_exception(const std::exception_ptr& error);
bool swallows(Swallow swallow, const std::exception_ptr& error);
std::string with_result(const Statement& statement, const Result& result);

/// A coroutine's statements; `scope` is what each word gets besides its arguments, if anything. True if it was left by
/// `ret`.
template <class SomeRun, class Who, class... Scope>
Coro<bool> run_statements(SomeRun& run, Who who, std::span<const Statement> statements, Scope&... scope) {
  for (const Statement& statement : statements) {
    const typename SomeRun::Word& word = *statement.operation;
    Result result;
    std::exception_ptr error;
    try {
      if (word.later) {
        Result awaited = co_await word.later(run, scope..., statement.arguments);
        result = std::move(awaited);
      } else {
        result = word.now(run, scope..., statement.arguments);
      }
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      run.log(who, statement.word + " !" + show_error(error));
      if (!swallows(statement.swallow, error)) std::rethrow_exception(error);
    } else if (result.returned()) {
      co_return true;
    } else {
      run.log(who, with_result(statement, result));
    }
  }
  co_return false;
}

/// A callback's statements: a word that waits is left out.
template <class SomeRun, class Who, class... Scope>
bool run_callback_statements(SomeRun& run, Who who, std::span<const Statement> statements, Scope&... scope) {
  for (const Statement& statement : statements) {
    const typename SomeRun::Word& word = *statement.operation;
    try {
      const Result result = word.now ? word.now(run, scope..., statement.arguments) : skip();
      if (result.returned()) return true;
      run.log(who, with_result(statement, result));
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      run.log(who, statement.word + " !" + show_error(error));
      if (!swallows(statement.swallow, error)) throw;
    }
  }
  return false;
}

}  // namespace asyncio::conformance
