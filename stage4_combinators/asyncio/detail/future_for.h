// Which future an awaitable becomes when a combinator takes it.
// Mirrors: the ensure_future() calls in Lib/asyncio/tasks.py. Skip on a first reading.
#pragma once

#include <asyncio/task.h>

#include <concepts>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// A Task<T> for a coroutine, a callable and the like; the Future<T> or Task<T> itself for those.
template <class A>
using future_for_t = decltype(ensure_future(std::declval<A>(), std::declval<Loop&>()));
/// Its T.
template <class A>
using value_for_t = typename future_for_t<A>::value_type;

template <class A>
concept BecomesFuture = requires { typename value_for_t<A>; };

template <class A>
inline constexpr bool is_future = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;

static_assert(BecomesFuture<Coro<int>> && BecomesFuture<Future<int>&> && !BecomesFuture<Coro<int>&> &&
              !BecomesFuture<int>);

/// The loop of a future; for what is not one yet, the running loop.
template <class A>
Loop& loop_for(const A& awaitable) {
  if constexpr (is_future<A>) {
    return awaitable.get_loop();
  } else {
    return Loop::running();
  }
}

}  // namespace asyncio::detail
