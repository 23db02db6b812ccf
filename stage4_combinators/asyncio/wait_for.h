// wait_for(): await one thing, but not for ever.
// Mirrors: Lib/asyncio/tasks.py: wait_for (3.12 and later: a coroutine runs in the calling task). Read next:
// shield.h
#pragma once

#include <asyncio/timeouts.h>
#include <asyncio/wait.h>

#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// An awaitable as the body of a timeout: the frame of the timeout owns it.
template <class A>
class Held {
 public:
  explicit Held(A&& awaitable) : awaitable_(std::move(awaitable)) {}
  A&& operator()() { return std::move(awaitable_); }

 private:
  A awaitable_;
};

/// Cancels the future, and goes on when it is done: a task may take its time to clean up.  [_cancel_and_wait]
Coro<> cancel_and_wait(AnyFuture future);

/// No time at all. A coroutine becomes a task, which is cancelled before its first step: the body never runs.
template <class A, class Future = decltype(ensure_future(std::declval<A>()))>
Coro<typename Future::value_type> wait_for_no_time(A awaitable) {
  Future future = ensure_future(std::move(awaitable));
  if (!future.done()) {
    co_await cancel_and_wait(future);
    if (future.state().throws_cancelled()) {
      future.state().mark_retrieved();
      throw TimeoutError();
    }
  }
  co_return std::move(future).result();
}

}  // namespace detail

/// Awaits a coroutine, a future, a task, or what a callable returns; when the limit is over, cancels it,
/// waits until it has ended, and throws TimeoutError. (If it does not let itself be cancelled, its result or
/// exception counts.) To keep it running, wrap it in shield(). A coroutine runs in the calling task.
/// std::nullopt: no limit. If result and time-out fall into the same tick, the time-out wins.  [wait_for]
template <class A>
auto wait_for(A&& awaitable, TimeLimit limit) {
  using Awaited = std::remove_cvref_t<A>;
  static_assert(!(detail::is_coro<Awaited> && std::is_lvalue_reference_v<A>),
                "a Coro is awaited once, and is gone then: pass std::move(coro)");
  static_assert(detail::CoroFunction<Awaited> || Awaitable<Awaited>,
                "wait_for() takes a Coro, a Future, a Task, another awaitable, or a callable that returns a Coro");
  Awaited owned(std::forward<A>(awaitable));
  if (limit.is_over()) return detail::wait_for_no_time<Awaited>(std::move(owned));
  if constexpr (detail::CoroFunction<Awaited>) {
    detail::check_callable(owned);
    return detail::run_in_timeout(detail::ScopeAfter{limit}, std::move(owned));
  } else {
    return detail::run_in_timeout(detail::ScopeAfter{limit}, detail::Held<Awaited>(std::move(owned)));
  }
}

}  // namespace asyncio
