// gather(): runs several awaitables at the same time, and returns all results in the order of the arguments.
// Mirrors: Lib/asyncio/tasks.py: gather, _GatheringFuture. Read next: outcome.h; its rules are in ../gather.cpp
#pragma once

#include <asyncio/detail/future_for.h>
#include <asyncio/detail/gathering.h>
#include <asyncio/outcome.h>
#include <asyncio/run.h>

#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace asyncio {

/// The first argument of a gather() that returns exceptions as results.
struct ReturnExceptions {
  explicit ReturnExceptions() = default;
};
/// `gather(return_exceptions, a, b)`
inline constexpr ReturnExceptions return_exceptions{};

namespace detail {

/// The type that represents T in the results: Outcome<T> if exceptions are results, std::monostate for void.
template <class T, bool exceptions>
using gathered_t = std::conditional_t<exceptions, Outcome<T>, std::conditional_t<std::is_void_v<T>, std::monostate, T>>;

/// The result of a child that is done: moved if there is no other handle, copied otherwise.
template <class T, bool exceptions>
gathered_t<T, exceptions> take_result(GatheredChild& of) {
  Future<T> child(of.take());
  if constexpr (exceptions) {
    if (child.cancelled()) return Outcome<T>(cancel_message(child.state()));
    if (std::exception_ptr error = child.exception()) return Outcome<T>(std::move(error));
  }
  if constexpr (std::is_void_v<T>) {
    child.result();
    if constexpr (exceptions) {
      return Outcome<void>(std::in_place);
    } else {
      return std::monostate();
    }
  } else if constexpr (exceptions) {
    return Outcome<T>(std::in_place, std::move(child).result());
  } else {
    return std::move(child).result();
  }
}

/// The future that gather() returns. `Collect` makes its result.
template <class Results, class Collect>
class GatheringFuture final : public FutureState<Results>, public Gathering {
 public:
  GatheringFuture(Loop& loop, bool exceptions) : FutureState<Results>(loop), Gathering(*this, exceptions) {}

  bool cancel(const CancelledError& reason) override { return !this->done() && this->pass_cancel_on(reason); }

 private:
  using Role = Waitable::CancelRole;
  Role cancel_role() const noexcept override {
    return this->done() ? Role::carries_out : is_cancelling() ? Role::is_passing_on : Role::passes_on;
  }
  Waitable* begin_cancel(Waitable* before, const CancelledError&) noexcept override { return first_to_cancel(before); }
  Waitable* next_to_cancel(bool accepted) noexcept override { return next_to_cancel_after(accepted); }
  Waitable* leave_cancel(Waitable*) noexcept override { return all_cancelled(); }
  bool end_cancel(bool, const CancelledError&) override { return cancel_accepted(); }
  void collect(Children& children) override { this->set_result(Collect()(children)); }
  const char* class_name() const noexcept override { return "_GatheringFuture"; }
};

template <bool exceptions, class... T>
struct CollectTuple {
  using Results = std::tuple<gathered_t<T, exceptions>...>;
  Results operator()(Children& children) const {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return Results{take_result<T, exceptions>(children[i])...};
    }(std::index_sequence_for<T...>());
  }
};

template <bool exceptions, class T>
struct CollectVector {
  using Results = std::vector<gathered_t<T, exceptions>>;
  Results operator()(Children& children) const {
    Results results;
    results.reserve(children.size());
    for (GatheredChild& child : children) results.push_back(take_result<T, exceptions>(child));
    return results;
  }
};

/// Adds the awaitable as a child.
template <class A>
void add_child(Gathering& gathering, Loop& loop, A&& awaitable) {
  auto child = ensure_future(std::forward<A>(awaitable), loop);
  // The caller does not know a task that is made here: no report if the loop is closed before it is done.
  if constexpr (!is_future<A>) child.set_log_destroy_pending(false);
  gathering.add(Ref<FutureBase>(&child.state()));
}

/// `add_all` adds the children to the Gathering that it is called with.
template <class Collect, class AddAll>
Future<typename Collect::Results> start_gathering(Loop& loop, bool exceptions, std::size_t count, AddAll add_all) {
  using State = GatheringFuture<typename Collect::Results, Collect>;
  const Ref<State> state(new State(loop, exceptions), adopt);
  state->reserve(count);
  try {
    add_all(*state);
  } catch (...) {
    state->give_up();
    throw;
  }
  state->start();
  return Future<typename Collect::Results>(state);
}

/// The first argument determines the loop.
inline Loop& loop_for_all() { return Loop::running(); }
template <class A, class... Others>
Loop& loop_for_all(const A& first, const Others&...) {
  return loop_for(first);
}

/// The arguments of gather()'s other forms.
template <class... A>
inline constexpr bool is_list_for_gather = false;
template <class First, class... Others>
inline constexpr bool is_list_for_gather<First, Others...> = std::same_as<std::remove_cvref_t<First>, ReturnExceptions>;
template <class First, class... Others>
  requires BecomesFuture<typename std::remove_cvref_t<First>::value_type> && (sizeof...(Others) == 0) &&
               std::same_as<std::remove_cvref_t<First>, std::vector<typename std::remove_cvref_t<First>::value_type>>
inline constexpr bool is_list_for_gather<First, Others...> = true;

template <bool exceptions, class... A>
auto gather_all(A&&... awaitables) {
  Loop& loop = loop_for_all(awaitables...);
  return start_gathering<CollectTuple<exceptions, value_for_t<A>...>>(
      loop, exceptions, sizeof...(A),
      [&](Gathering& gathering) { (add_child(gathering, loop, std::forward<A>(awaitables)), ...); });
}

template <bool exceptions, class A>
auto gather_list(std::vector<A> awaitables) {
  Loop& loop = awaitables.empty() ? Loop::running() : loop_for(awaitables.front());
  return start_gathering<CollectVector<exceptions, value_for_t<A>>>(
      loop, exceptions, awaitables.size(), [&](Gathering& gathering) {
        for (A& awaitable : awaitables) add_child(gathering, loop, std::move(awaitable));
      });
}

}  // namespace detail

/// `auto [a, b] = co_await gather(first(), second());` Coroutines and callables become tasks, in the order of the
/// arguments; futures and tasks are taken as they are, and may be given twice. The result is a tuple, in which void
/// is std::monostate. The first exception completes the gather at once; the other awaitables keep running, and their
/// later exceptions are dropped. A cancelled child counts as one that threw CancelledError.
///
/// cancel() of the returned future cancels all children that are not done; false if there are none. When all children
/// are done, the future is done, with CancelledError.
///
/// Takes three ticks for coroutines that do not suspend, none if all children are done already. [gather]
/// Throws std::invalid_argument if two belong to different loops; std::runtime_error without a running loop.
template <detail::BecomesFuture... A>
auto gather(A&&... awaitables) {
  return detail::gather_all<false>(std::forward<A>(awaitables)...);
}

/// gather() of any number of awaitables of one type; the result is a vector.
template <detail::BecomesFuture A>
auto gather(std::vector<A>&& awaitables) {
  return detail::gather_list<false>(std::move(awaitables));
}
template <detail::BecomesFuture A>
auto gather(const std::vector<A>& awaitables) {
  return gather(detail::copy_of(awaitables));
}

/// Refuses what cannot be awaited, with a sentence. Returns what has no further faults.
template <class... A>
  requires(!(detail::BecomesFuture<A> && ...) && !detail::is_list_for_gather<A...>)
Future<> gather(A&&...) {
  (detail::check_runs<A>(), ...);
  return {};
}

/// gather() with exceptions as results: Outcome<T> in place of T. Waits for all in any case.
template <detail::BecomesFuture... A>
auto gather(ReturnExceptions, A&&... awaitables) {
  return detail::gather_all<true>(std::forward<A>(awaitables)...);
}
template <detail::BecomesFuture A>
auto gather(ReturnExceptions, std::vector<A>&& awaitables) {
  return detail::gather_list<true>(std::move(awaitables));
}
template <detail::BecomesFuture A>
auto gather(ReturnExceptions, const std::vector<A>& awaitables) {
  return gather(return_exceptions, detail::copy_of(awaitables));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the future is done in the tick after the one in which its last child ends, or the first one fails. Who
//   awaits it runs a tick later.
// Errors: the first exception of a child; CancelledError if it was cancelled. At the call std::invalid_argument if
//   two belong to different loops, std::runtime_error without a loop.
// Units: none.
