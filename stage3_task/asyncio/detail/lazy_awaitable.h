// What sleep(), acquire(), wait(), put() and others like them return: a recipe for an awaiter.
// Mirrors: nothing in CPython, where these are coroutines. Read next: ../sleep.h
#pragma once

#include <concepts>
#include <tuple>
#include <utility>

namespace asyncio::detail {

/// Keeps the arguments of an awaiter, which co_await makes of them. Nothing happens before that, and until then this
/// may be copied and moved, to create_task() or gather(), for example. The awaiter itself may not: others point to it.
template <class Awaiter, class... Args>
class [[nodiscard("co_await it")]] LazyAwaitable {
 public:
  explicit LazyAwaitable(Args... args) : args_(std::move(args)...) {}

  Awaiter operator co_await() const&
    requires std::constructible_from<Awaiter, const Args&...>
  {
    return std::make_from_tuple<Awaiter>(args_);
  }
  Awaiter operator co_await() && { return std::make_from_tuple<Awaiter>(std::move(args_)); }

 private:
  std::tuple<Args...> args_;
};

}  // namespace asyncio::detail
