// gather(): run several awaitables at the same time, and get all results, in the order of the arguments.
// Mirrors: Lib/asyncio/tasks.py: gather, _GatheringFuture. Read next: ../gather.cpp, for the rules
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

/// As the first argument: exceptions are results as well.
struct ReturnExceptions {
  explicit ReturnExceptions() = default;
};
inline constexpr ReturnExceptions return_exceptions{};

namespace detail {

/// What stands for T in the results: Outcome<T> if exceptions are results, std::monostate for void.
template <class T, bool exceptions>
using gathered_t = std::conditional_t<exceptions, Outcome<T>, std::conditional_t<std::is_void_v<T>, std::monostate, T>>;

/// Takes the result out of a child that is done: moved if nobody else can see it, copied otherwise.
template <class T, bool exceptions>
gathered_t<T, exceptions> take_result(Ref<FutureBase>& slot) {
  Future<T> child(std::move(slot));
  if constexpr (exceptions) {
    if (child.cancelled()) return Outcome<T>(child.state().cancel_message());
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

/// The future that gather() returns; `Collect` knows the types.
template <class Results, class Collect>
class GatheringFuture final : public FutureState<Results>, public Gathering {
 public:
  GatheringFuture(Loop& loop, bool exceptions) : FutureState<Results>(loop), Gathering(exceptions) {}

  bool cancel(const CancelledError& reason) override { return cancel_children(reason); }

 private:
  FutureBase& outer() noexcept override { return *this; }
  void collect(Children& children) override { this->set_result(Collect()(children)); }
  const char* kind() const noexcept override { return "_GatheringFuture"; }
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
    for (Ref<FutureBase>& slot : children) results.push_back(take_result<T, exceptions>(slot));
    return results;
  }
};

/// Makes the awaitable a child.
template <class A>
void add_child(Gathering& gathering, Loop& loop, A&& awaitable) {
  auto child = ensure_future(std::forward<A>(awaitable), loop);
  // A task of our own making, of which the caller knows nothing: no report if the loop is closed before it is
  // done.
  if constexpr (!is_future<A>) child.set_log_destroy_pending(false);
  gathering.add(Ref<FutureBase>(&child.state()));
}

/// `add_all` adds the children to the Gathering that it gets.
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

/// The first one decides which loop it is.
inline Loop& loop_for_all() { return Loop::running(); }
template <class A, class... Others>
Loop& loop_for_all(const A& first, const Others&...) {
  return loop_for(first);
}

template <bool exceptions, class... A>
auto gather_all(A&&... awaitables) {
  Loop& loop = loop_for_all(awaitables...);
  return start_gathering<CollectTuple<exceptions, value_for_t<A>...>>(
      loop, exceptions, sizeof...(A),
      [&](Gathering& gathering) { (add_child(gathering, loop, std::forward<A>(awaitables)), ...); });
}

template <bool exceptions, class A>
auto gather_list(std::vector<A> awaitables, Loop* given) {
  Loop& loop = given ? *given : awaitables.empty() ? Loop::running() : loop_for(awaitables.front());
  return start_gathering<CollectVector<exceptions, value_for_t<A>>>(
      loop, exceptions, awaitables.size(), [&](Gathering& gathering) {
        for (A& awaitable : awaitables) add_child(gathering, loop, std::move(awaitable));
      });
}

}  // namespace detail

/// `auto [a, b] = co_await gather(first(), second());` Coroutines and callables become tasks, in the order of
/// the arguments; futures and tasks are taken as they are, and may be given twice. The result is a tuple, in
/// which void is std::monostate. The first exception is that of the gather, at once; the other awaitables run
/// on, and what they throw later is dropped. A child that is cancelled counts as one that threw
/// CancelledError.
///
/// cancel() of the returned future cancels all children that are not done, and is false if there are none.
/// The future is done, with CancelledError, when they are.
///
/// Three ticks for coroutines that do not suspend; none if all are done already.  [gather]
/// Throws std::invalid_argument if two belong to different loops; std::runtime_error without a running loop.
template <detail::BecomesFuture... A>
auto gather(A&&... awaitables) {
  return detail::gather_all<false>(std::forward<A>(awaitables)...);
}

/// The same for any number of one type; gives a vector. `loop` is needed only outside of a running one.
template <detail::BecomesFuture A>
auto gather(std::vector<A> awaitables, Loop* loop = nullptr) {
  return detail::gather_list<false>(std::move(awaitables), loop);
}

/// The same, but exceptions are results: Outcome<T> in place of T. Waits for all in any case.
template <detail::BecomesFuture... A>
auto gather(ReturnExceptions, A&&... awaitables) {
  return detail::gather_all<true>(std::forward<A>(awaitables)...);
}
template <detail::BecomesFuture A>
auto gather(ReturnExceptions, std::vector<A> awaitables, Loop* loop = nullptr) {
  return detail::gather_list<true>(std::move(awaitables), loop);
}

}  // namespace asyncio
