// Context variables: values that follow a task through all its awaits, as thread_local values follow a thread. Example:
// a request's id, which is set where the request comes in and read by its task and by the tasks that this makes.
// Mirrors: Lib/contextvars.py (PEP 567). Read next: ../../stage2_future/README.md. Skip this header on a first reading:
// call_soon() takes a Context, but gets along without one.
#pragma once

#include <asyncio/detail/attributes.h>
#include <asyncio/detail/context_state.h>
#include <asyncio/detail/repr.h>
#include <asyncio/detail/scope_exit.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

template <class T>
class ContextVar;

/// Thrown by ContextVar::get() if there is neither a value nor a default.
class LookupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A handle to a set of values of ContextVars; copies refer to the same set. set() changes the current context: that of
/// the task or the callback that runs, or else the thread's. A task and a callback start with a copy of the context in
/// which they are made, or run in the Context that they are given. A Context belongs to one thread at a time.
class Context {
 public:
  /// Empty.
  Context() : state_(new detail::ContextState, detail::adopt) {}

  /// Calls `function` with this as the current context and returns its result. What it sets stays in this context.
  /// Throws std::runtime_error if the context is already entered.
  template <std::invocable F>
  decltype(auto) run(F&& function) const {
    state_->enter();
    const detail::ScopeExit leave([this] { state_->leave(); });
    const detail::ContextStaysEntered outer;
    detail::ContextSlot slot(state_);
    const detail::ContextScope scope(slot);
    return std::invoke(std::forward<F>(function));
  }

  /// Another context with the same values. The cost does not depend on their number.
  Context copy() const { return Context(detail::Ref(new detail::ContextState(*state_), detail::adopt)); }

  /// The value that is set in this context. Ignores the variable's default.
  template <class T>
  std::optional<T> get(const ContextVar<T>& variable) const;
  /// How many variables are set in this context.
  std::size_t size() const noexcept { return state_->size(); }

  friend bool operator==(const Context&, const Context&) = default;  // the same set, not the same values

  // ── for the library ──
  explicit Context(detail::Ref<detail::ContextState> state) noexcept : state_(std::move(state)) {}
  const detail::Ref<detail::ContextState>& state() const noexcept { return state_; }

 private:
  detail::Ref<detail::ContextState> state_;
};

/// A copy of the current context.
inline Context copy_context() {
  return Context(detail::Ref(new detail::ContextState(detail::ContextState::current()), detail::adopt));
}

/// A parameter for a context that may be left out: call_soon(callback), call_soon(callback, context).
class OptionalContext {
 public:
  constexpr OptionalContext() = default;
  /// Converts: where a context is an option, one may be passed as it is. It must outlive the call.
  // NOLINTNEXTLINE(google-explicit-constructor): converts on purpose
  OptionalContext(const Context& context ASYNCIO_LIFETIMEBOUND) noexcept : state_(context.state().get()) {}

  /// The context that was given, or else a copy of the current one.
  detail::ContextSlot slot() const {
    return state_ ? detail::ContextSlot(detail::Ref(state_)) : detail::ContextSlot::copy_of_current();
  }

 private:
  detail::ContextState* state_ = nullptr;
};

/// A variable with a value of its own in each context. Make it once, in static storage. Thread safety: any thread may
/// use it; each has its own contexts.
template <class T>
class ContextVar {
 public:
  /// Returned by set(), for reset().
  class Token {
    friend ContextVar;
    explicit Token(detail::ContextToken token) noexcept : token_(std::move(token)) {}
    detail::ContextToken token_;
  };

  /// Returned by scoped(): restores what that replaced, at the end of its scope.
  class [[nodiscard("a token without a name takes the value back at once")]] ScopedToken {
    friend ContextVar;
    ScopedToken(detail::ContextKey key, T value) : value_(key, std::make_shared<const T>(std::move(value))) {}
    detail::ScopedContextValue value_;
  };

  /// `name` is for repr() and errors. Without a default, get() throws LookupError while nothing is set.
  explicit ContextVar(std::string name) : name_(std::move(name)) {}
  ContextVar(std::string name, T default_value)
      : name_(std::move(name)), default_(std::make_shared<const T>(std::move(default_value))) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  /// The name it was given. [ContextVar.name]
  const std::string& name() const noexcept ASYNCIO_LIFETIMEBOUND { return name_; }

  /// A copy of the value in the current context, or of the default. Throws LookupError if there is neither.
  T get() const {
    if (const T* value = find(detail::ContextState::current())) return *value;
    if (!default_) throw LookupError("context variable " + detail::python_repr(name_) + " has no value");
    return *default_;
  }
  /// The value in the current context, or `fallback`. Ignores the default.
  T get(T fallback) const {
    const T* value = find(detail::ContextState::current());
    return value ? *value : fallback;
  }

  /// Sets the value in the current context.
  Token set(T value) const {
    return Token(detail::ContextState::set_current(key_, std::make_shared<const T>(std::move(value))));
  }
  /// set() for a scope: `const auto token = user.scoped("Ada");` At its end the token restores what was replaced, in
  /// the context in which it was set. If the context has got other values meanwhile, that needs memory; if there is
  /// none, the value stays. [with var.set(…), 3.14]
  ScopedToken scoped(T value) const { return ScopedToken(key_, std::move(value)); }

  /// Restores what set() replaced. Throws std::runtime_error if the token was used already, std::invalid_argument if it
  /// is from another variable or another context.
  void reset(Token& token) const { detail::ContextState::reset_current(key_, token.token_); }

 private:
  friend Context;
  const T* find(const detail::ContextState* context) const noexcept {
    return context ? static_cast<const T*>(context->find(key_)) : nullptr;
  }

  std::string name_;
  std::shared_ptr<const T> default_;
  detail::ContextKey key_ = detail::new_context_key();
};

template <class T>
std::optional<T> Context::get(const ContextVar<T>& variable) const {
  const T* value = variable.find(state_.get());
  return value ? std::optional<T>(*value) : std::nullopt;
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: a Context and a token belong to one thread at a time; a ContextVar may be used by many at once.
// Ticks: none. A callback, a timer and a task copy the context when they are made, not in the tick in which they
//   run.
// Errors: what a name says, and what a function throws that run() calls, or the copy of a value.
// Units: size() counts variables.
