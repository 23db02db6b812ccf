// timeout(): a time limit for everything that a body awaits.
// Mirrors: Lib/asyncio/timeouts.py. `async with timeout(1): …` takes a body here: a C++ block ends with destructors,
// which can neither await nor turn one exception into another. Read next: wait_for.h
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

/// Thrown when a time limit is over before the work is done.
class TimeoutError : public std::runtime_error {
 public:
  /// With the text "the time is over".
  TimeoutError() : std::runtime_error("the time is over") {}
  using std::runtime_error::runtime_error;
};

/// A time limit. When it is over, it cancels the task once; at the end of the body the CancelledError becomes a
/// TimeoutError, unless there is another cancel request. Belongs to the thread of its loop.
/// States: created → active → finished; or, when the time is over: active → expiring → expired.
class Timeout {
 public:
  /// timeout(scope, body) starts it. Without a time it never expires.
  explicit Timeout(std::optional<TimePoint> when = std::nullopt) noexcept : when_(when) {}
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;
  ~Timeout() { handler_.cancel(); }

  /// The deadline, on Loop::time()'s clock; nullopt if there is none.
  std::optional<TimePoint> when() const noexcept { return when_; }
  /// Sets another deadline, or none. A deadline in the past takes effect at the next await that suspends.
  /// Throws std::runtime_error unless it is active. [Timeout.reschedule]
  void reschedule(std::optional<TimePoint> when);
  /// True if the time was over before the body ended.
  bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }
  /// `<Timeout [active] when=12.5>`
  std::string repr() const;

  // ── what `async with` does ──
  /// Throws std::runtime_error if it was entered before, or outside of a task.
  void enter();
  /// True if the time limit caused the CancelledError that leaves the body, which then becomes a TimeoutError.
  bool exit() noexcept;

 private:
  enum class State : std::uint8_t { created, active, expiring, expired, finished };
  static const char* name_of(State state) noexcept;
  void on_timeout();

  State state_ = State::created;
  std::uint32_t cancelling_ = 0;  // the task's cancelling() at entry, for exit()
  std::optional<TimePoint> when_;
  Handle handler_;
  detail::TaskBase* task_ = nullptr;  // the task that runs the body
};

namespace detail {

/// Calls the body: with the scope if it takes one, otherwise without arguments.
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

template <class Body, class Scope>
concept BodyOf =
    (std::invocable<Body&, Scope&> || std::invocable<Body&>)&&requires { typename body_result_t<Body, Scope>; };

// Where the scope comes from. The frame of run_in_timeout() holds one of these until it begins.
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

/// `async with scope: return await body()`. The body is a parameter, so that its captures live until the end.
template <class MakeScope, BodyOf<Timeout> Body, class R = body_result_t<Body, Timeout>>
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

template <class MakeScope, class Body>
  requires(!BodyOf<Body, Timeout>)
ASYNCIO_CORO_WRAPPER Coro<> run_in_timeout(MakeScope, Body&&) {
  static_assert(BodyOf<Body, Timeout>,
                "the body of timeout() takes nothing or a Timeout&, and returns what can be awaited: write -> Coro<> "
                "behind its parameters, and co_return at its end");
  return {};
}

}  // namespace detail

/// `co_await timeout(1s, [&]() -> Coro<> { … });` Awaits the body, and returns its result. When the limit, counted
/// from the await, is over, cancels the body and throws TimeoutError. The body may take a Timeout& to reschedule it.
/// With a limit of zero or less the body runs up to its first await that suspends; std::nullopt: no limit. [timeout]
template <class Body>
auto timeout(TimeLimit limit, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::ScopeAfter{limit}, std::move(body));
}

/// timeout() with a deadline, on Loop::time()'s clock. [timeout_at]
template <class Body>
auto timeout_at(std::optional<TimePoint> when, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::ScopeAt{when}, std::move(body));
}

/// timeout() with a Timeout of the caller's, which must outlive the await; its expired() can be checked afterwards.
template <class Body>
auto timeout(Timeout& scope, Body body) {
  detail::check_callable(body);
  return detail::run_in_timeout(detail::GivenScope{scope}, std::move(body));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: when the time is over, the tick of its timer cancels the task, and TimeoutError comes in the task's next
//   step.
// Errors: TimeoutError; what the body throws; std::runtime_error outside of a task.
// Units: a limit is any std::chrono duration, from the await on; a deadline is in nanoseconds, on the clock of
//   Loop::time().
