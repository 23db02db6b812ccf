// wait_for(): awaits one thing, with a time limit.
// Mirrors: Lib/asyncio/tasks.py: wait_for (3.12 and later: a coroutine runs in the calling task). Read next: shield.h
#pragma once

#include <asyncio/timeouts.h>
#include <asyncio/wait.h>

#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Makes an awaitable the body of a timeout, whose frame owns it.
template <class A>
class AwaitableBody {
 public:
  explicit AwaitableBody(A&& awaitable) : awaitable_(std::move(awaitable)) {}
  A&& operator()() { return std::move(awaitable_); }

 private:
  A awaitable_;
};

/// Cancels the future, and waits until it is done: a task may need time to clean up. [_cancel_and_wait]
Coro<> cancel_and_wait(AnyFuture future);

/// For a limit of zero or less. A coroutine becomes a task that is cancelled before its first step: it never runs.
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

/// Awaits a coroutine, a future, a task, or what a callable returns, and returns its result. When the limit is over,
/// cancels it, waits until it has ended, and throws TimeoutError; but if it ends with a result or an error of its
/// own, that counts. To keep it running, wrap it in shield(). A coroutine runs in the calling task. std::nullopt
/// means no limit. If the result and the time-out fall into one tick, the time-out wins. [wait_for]
template <class A>
  requires(detail::CoroFunction<A> || (Awaitable<std::remove_cvref_t<A>> && !detail::is_lvalue_coro<A>))
ASYNCIO_CORO_WRAPPER auto wait_for(A&& awaitable, TimeLimit limit) {
  using Awaited = std::remove_cvref_t<A>;
  Awaited owned(std::forward<A>(awaitable));
  if (limit.is_over()) return detail::wait_for_no_time<Awaited>(std::move(owned));
  if constexpr (detail::CoroFunction<Awaited>) {
    detail::check_callable(owned);
    return detail::run_in_timeout(detail::ScopeAfter{limit}, std::move(owned));
  } else {
    return detail::run_in_timeout(detail::ScopeAfter{limit}, detail::AwaitableBody<Awaited>(std::move(owned)));
  }
}

/// Refuses what cannot be awaited, with a sentence.
template <class A>
ASYNCIO_CORO_WRAPPER Coro<> wait_for(A&&, TimeLimit) {
  detail::check_runs<A>();
  return {};
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: none is added: a coroutine runs in the calling task. TimeoutError comes when what was cancelled has ended.
// Errors: what the awaitable throws; TimeoutError.
// Units: the limit is any std::chrono duration, from the await on.
