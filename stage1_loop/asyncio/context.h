// Context variables: values that follow a task through all its awaits, as thread_local values follow a thread.
// A request's id, say: set where the request comes in, and read wherever its task and the tasks it makes go.
// Mirrors: Lib/contextvars.py (PEP 567). Read next: handle.h; skip on a first reading, nothing else needs it.
#pragma once

#include <asyncio/detail/context_state.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

template <class T>
class ContextVar;

/// A ContextVar without a value and without a default was asked for one.
class LookupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A set of values of ContextVars: a handle, copies speak of the same set. What `set()` changes is the current one: a
/// task's own, a callback's own, and outside of these the thread's. A task and a callback begin with a copy of what is
/// current where they are made, or run in the Context they are given. One Context belongs to one thread at a time.
class Context {
 public:
  /// Empty.
  Context() : state_(new detail::ContextState, detail::adopt) {}

  /// Calls `function` with this as the current context, and gives what it gives; what it sets stays in here.
  /// Throws std::runtime_error if it is the current one, or one that called, already.
  template <std::invocable F>
  decltype(auto) run(F&& function) const {
    const Entered entered(*state_);
    const detail::ContextStaysEntered outer;
    detail::ContextSlot slot(state_);
    const detail::ContextScope scope(slot);
    return std::invoke(std::forward<F>(function));
  }

  /// Another context with the same values: it costs the same however many there are.
  Context copy() const { return Context(detail::Ref(new detail::ContextState(*state_), detail::adopt)); }

  /// The value that is set here; the variable's default does not count.
  template <class T>
  std::optional<T> get(const ContextVar<T>& variable) const;
  std::size_t size() const noexcept { return state_->size(); }

  friend bool operator==(const Context&, const Context&) = default;  // the same set, not the same values

  // ── for the library ──
  explicit Context(detail::Ref<detail::ContextState> state) noexcept : state_(std::move(state)) {}
  const detail::Ref<detail::ContextState>& state() const noexcept { return state_; }

 private:
  class Entered {
   public:
    explicit Entered(detail::ContextState& state) : state_(state) { state_.enter(); }
    ~Entered() { state_.leave(); }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    detail::ContextState& state_;
  };

  detail::Ref<detail::ContextState> state_;
};

/// A copy of the current context.
inline Context copy_context() {
  return Context(detail::Ref(new detail::ContextState(detail::ContextState::current()), detail::adopt));
}

/// Where a function takes a context or does without: call_soon(callback), call_soon(callback, context).
class OptionalContext {
 public:
  constexpr OptionalContext() = default;
  OptionalContext(const Context& context) noexcept : state_(context.state().get()) {}  // NOLINT: converts on purpose

  /// That context, or else a copy of the current one.
  detail::ContextSlot slot() const {
    return state_ ? detail::ContextSlot(detail::Ref(state_)) : detail::ContextSlot::copy_of_current();
  }

 private:
  detail::ContextState* state_ = nullptr;
};

/// A variable with a value of its own in each context. Make it once, with a name that says what it is, in static
/// storage. Thread safety: any thread; each has its own contexts.
template <class T>
class ContextVar {
 public:
  /// What set() gives, to take it back with.
  class Token {
    friend ContextVar;
    explicit Token(detail::ContextToken token) noexcept : token_(std::move(token)) {}
    detail::ContextToken token_;
  };

  explicit ContextVar(std::string name) : name_(std::move(name)) {}
  ContextVar(std::string name, T default_value)
      : name_(std::move(name)), default_(std::make_shared<const T>(std::move(default_value))) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// The value in the current context, or the default; a copy. Throws LookupError if there is neither.
  T get() const {
    if (const T* value = find(detail::ContextState::current())) return *value;
    if (!default_) throw LookupError("context variable '" + name_ + "' has no value");
    return *default_;
  }
  /// The value in the current context, or `fallback`, whatever the default.
  T get(T fallback) const {
    const T* value = find(detail::ContextState::current());
    return value ? *value : fallback;
  }

  /// Gives it a value in the current context.
  Token set(T value) const {
    return Token(detail::ContextState::set_current(key_, std::make_shared<const T>(std::move(value))));
  }
  /// Makes it what it was before that set(). Throws std::runtime_error if that was done already,
  /// std::invalid_argument for a token of another variable or another context.
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
