// Several at once: gather, wait, as_completed, wait_for. Each is a future, or a coroutine, around others.
// Mirrors: Lib/asyncio/tasks.py, timeouts.py. Read next: sync.h
#pragma once
#include <by_hand/task.h>
#include <vector>
namespace by_hand {
template <class A>
using ResultOf = typename decltype(ensure_future(std::declval<A>(), std::declval<Loop&>()))::Result;
/// The future that gather() returns. It keeps its children alive; their callbacks must not keep it alive in turn.
struct Gathering : FutureState {
  using FutureState::FutureState;
  void start(auto results) {  // [step 4.1]
    left = children.size();
    if (left == 0) set_result(results());
    for (const Future<>& child : children) {
      child.add_done_callback([this, alive = weak_from_this(), results](auto& child) {
        if (alive.expired() || done()) return;
        try {
          child.result();
          if (--left == 0) cancel_requested ? throw CancelledError() : set_result(results());
        } catch (...) {
          set_exception(std::current_exception());  // [step 4.2]
        }
      });
    }
  }
  /// Cancels the children. This future then ends by the first of them that does.
  bool cancel() override {  // [step 4.3]
    for (const Future<>& child : children) cancel_requested |= !done() && child.cancel();
    return cancel_requested;
  }
  std::vector<Future<>> children;
  std::size_t left = 0;
  bool cancel_requested = false;
};

/// All results, in the order of the arguments. Or the first exception; then the others run on.
template <class... A>
Future<std::tuple<Value<ResultOf<A>>...>> gather(A... awaitables) {  // [step 4.1]
  using Results = std::tuple<Value<ResultOf<A>>...>;
  const auto all = std::make_shared<Gathering>(Loop::running());
  (all->children.push_back(ensure_future(std::move(awaitables), Loop::running())), ...);
  all->start([all = all.get()] {
    auto child = all->children.begin();
    return Results{std::any_cast<Value<ResultOf<A>>>(child++->state->result())...};
  });
  return Future<Results>(all);
}
template <class A>
Future<std::vector<Value<ResultOf<A>>>> gather(std::vector<A> awaitables) {  // [step 4.1]
  using Results = std::vector<Value<ResultOf<A>>>;
  const auto all = std::make_shared<Gathering>(Loop::running());
  for (A& awaitable : awaitables) all->children.push_back(ensure_future(std::move(awaitable), Loop::running()));
  all->start([all = all.get()] {
    Results results;
    for (auto& child : all->children) results.push_back(std::any_cast<Value<ResultOf<A>>>(child.state->result()));
    return results;
  });
  return Future<Results>(all);
}

enum ReturnWhen { FIRST_COMPLETED, ALL_COMPLETED };
struct WaitOptions {
  std::optional<Duration> timeout = {};
  ReturnWhen return_when = ALL_COMPLETED;
};
/// The done and the pending: when all are done, or the first is, or the time is over. Cancels nothing.
template <class F>
Coro<std::pair<std::vector<F>, std::vector<F>>> wait(std::vector<F> futures, WaitOptions options = {}) {  // [step 4.4]
  if (futures.empty()) throw std::invalid_argument("Set of Tasks/Futures is empty.");
  const Future<> waiter(Loop::running());
  const auto release = [waiter] { waiter.done() ? void() : waiter.set_result(); };
  Handle timer([] {});
  if (options.timeout) timer = Loop::running().call_later(*options.timeout, release);  // [step 4.5]
  const Finally leave{[&] { timer.cancel(); }};
  const auto left = std::make_shared<std::size_t>(futures.size());
  for (const F& future : futures) {
    future.add_done_callback(
        [=](auto&) { --*left == 0 || options.return_when == FIRST_COMPLETED ? release() : void(); });
  }
  co_await waiter;
  std::pair<std::vector<F>, std::vector<F>> result;
  for (const F& future : futures) (future.done() ? result.first : result.second).push_back(future);
  co_return result;
}

/// As many futures as there are awaitables: the first ends as that awaitable does which ends first, and so on.
template <class A>
std::deque<Future<ResultOf<A>>> as_completed(std::vector<A> awaitables) {  // [step 4.6]
  const auto next = std::make_shared<std::deque<Future<ResultOf<A>>>>();
  for (A& awaitable : awaitables) {
    next->emplace_back(Loop::running());
    ensure_future(std::move(awaitable), Loop::running()).add_done_callback([next](auto& done) {
      next->front().state->copy(*done.state), next->pop_front();
    });
  }
  return *next;
}

struct TimeoutError : std::exception {};
/// Awaits it. When the time is over first, cancels this task, and makes a TimeoutError of the CancelledError.
template <class A>
Coro<ResultOf<A>> wait_for(A awaitable, Duration timeout) {  // [step 4.7]
  TaskState& task = *TaskState::current;
  bool expired = false;
  const Handle alarm = Loop::running().call_later(timeout, [&] { expired = task.cancel(); });
  const Finally off{[&] { alarm.cancel(); }};
  try {
    co_return co_await std::move(awaitable);
  } catch (const CancelledError&) {
    expired ? throw TimeoutError() : throw;
  }
}
}  // namespace by_hand
