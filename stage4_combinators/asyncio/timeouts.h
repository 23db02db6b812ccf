// timeout(): a time limit for everything that a piece of code awaits.
// Mirrors: Lib/asyncio/timeouts.py. `async with timeout(1): …` takes a body here: a destructor, which is what
// C++ has at the end of a block, can neither await nor turn one exception into another. Read next: wait_for.h
#pragma once

#include <asyncio/run.h>
#include <asyncio/time_limit.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

/// The time was over before the work was done.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("the time is over") {}
  using std::runtime_error::runtime_error;
};

/// A time limit. When it is over, the task is cancelled once; at the end of the body the CancelledError becomes a
/// TimeoutError, unless somebody else wants the task cancelled as well.
/// States: created → active → finished; or, when the time is over: active → expiring → expired.
class Timeout {
 public:
  /// Not begun: timeout(scope, body) does that. Without a time it never expires.
  explicit Timeout(std::optional<TimePoint> when = std::nullopt) noexcept : when_(when) {}
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;
  ~Timeout() { handler_.cancel(); }

  /// The deadline, on Loop::time()'s clock; nullopt if there is none.
  std::optional<TimePoint> when() const noexcept { return when_; }
  /// Sets another deadline, or none. One that is past strikes at the next await that suspends.
  /// Throws std::runtime_error unless it is active.
  void reschedule(std::optional<TimePoint> when);
  /// Whether the time was over before the body was.
  bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }
  /// `<Timeout [active] when=12.5>`
  std::string repr() const;

  // ── what `async with` does ──
  /// Throws std::runtime_error if it was entered before.
  void enter();
  /// Whether the CancelledError that leaves the body is ours, and has to become a TimeoutError.
  bool exit() noexcept;

 private:
  enum class State : std::uint8_t { created, active, expiring, expired, finished };
  static const char* name_of(State state) noexcept;
  void on_timeout();

  State state_ = State::created;
  std::uint32_t cancelling_ = 0;  // the task's count at entry: what is above it at the exit came meanwhile
  std::optional<TimePoint> when_;
  Handle handler_;
  detail::TaskBase* task_ = nullptr;  // whose frame we are in, and so it lives
};

namespace detail {

/// What a body gives when it is called: with the scope if it takes one, otherwise with nothing.
template <class Body, class Scope>
decltype(auto) call_body(Body& body, Scope& scope) {
  if constexpr (std::invocable<Body&, Scope&>) {
    return std::invoke(body, scope);
  } else {
    static_assert(std::invocable<Body&>, "the body is a callable that takes the scope, or nothing, and returns a Coro");
    return std::invoke(body);
  }
}

template <class Body, class Scope>
using body_result_t = await_value_t<decltype(call_body(std::declval<Body&>(), std::declval<Scope&>()))>;

// Where the scope comes from; a body's frame holds one of these until it begins.
struct ScopeAfter {
  TimeLimit limit;
  Timeout operator()() const { return Timeout(limit.deadline(Loop::running())); }
};
struct ScopeAt {
  std::optional<TimePoint> when;
  Timeout operator()() const { return Timeout(when); }
};
struct GivenScope {
  Timeout& scope;
  Timeout& operator()() const { return scope; }
};

/// `async with scope: return await body()`. The body is a parameter, and so it lives as long as what it
/// captured is used.
template <class MakeScope, class Body, class R = body_result_t<Body, Timeout>>
Coro<R> run_in_timeout(MakeScope make_scope, Body body) {
  decltype(auto) scope = make_scope();
  scope.enter();
  try {
    if constexpr (std::is_void_v<R>) {
      co_await call_body(body, scope);
      scope.exit();
    } else {
      R result = co_await call_body(body, scope);
      scope.exit();
      co_return result;
    }
  } catch (const CancelledError&) {
    if (scope.exit()) throw TimeoutError();
    throw;
  } catch (...) {
    scope.exit();
    throw;
  }
}

}  // namespace detail

/// `co_await timeout(1s, [&]() -> Coro<> { … });` Awaits the body, and cancels it when the time is over
/// (counted from the await); then it throws TimeoutError. The body may take a Timeout&, to reschedule it.
/// With a limit of zero or less the body runs up to its first await that suspends; std::nullopt: no limit.
/// Gives what the body gives.  [timeout]
template <class Body>
auto timeout(TimeLimit limit, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::ScopeAfter{limit}, std::move(body));
}

/// The same with a point in time, on Loop::time()'s clock.  [timeout_at]
template <class Body>
auto timeout_at(std::optional<TimePoint> when, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::ScopeAt{when}, std::move(body));
}

/// The same with a Timeout of yours, that can be asked afterwards whether it expired; it has to live until
/// then.
template <class Body>
auto timeout(Timeout& scope, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::GivenScope{scope}, std::move(body));
}

}  // namespace asyncio
