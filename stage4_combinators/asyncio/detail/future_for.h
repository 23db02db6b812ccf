// The future that a combinator makes of an awaitable.
// Mirrors: the ensure_future() calls in Lib/asyncio/tasks.py. Skip on a first reading.
#pragma once

#include <asyncio/task.h>

#include <concepts>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// Task<T> for a coroutine, a callable or another awaitable; Future<T> and Task<T> stay what they are.
template <class A>
using future_for_t = decltype(ensure_future(std::declval<A>(), std::declval<Loop&>()));
/// The T of that future.
template <class A>
using value_for_t = typename future_for_t<A>::value_type;

template <class A>
concept BecomesFuture = requires { typename value_for_t<A>; };

template <class A>
inline constexpr bool is_future = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;

static_assert(BecomesFuture<Coro<int>> && BecomesFuture<Future<int>&> && !BecomesFuture<Coro<int>&> &&
              !BecomesFuture<int>);

/// The loop of a future; for other awaitables, the running loop.
template <class A>
Loop& loop_for(const A& awaitable) {
  if constexpr (is_future<A>) {
    return awaitable.get_loop();
  } else {
    return Loop::running();
  }
}

}  // namespace asyncio::detail
