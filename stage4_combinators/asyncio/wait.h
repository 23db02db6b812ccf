// wait(): until some of the futures are done, or a time is over; and then it tells which.
// Mirrors: Lib/asyncio/tasks.py: wait, _wait. The simplest of the combinators: it starts nothing, cancels
// nothing, and throws nothing that the futures hold. Read next: gather.h
#pragma once

#include <asyncio/run.h>
#include <asyncio/time_limit.h>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// What wait() waits for.
enum class ReturnWhen : std::uint8_t {
  FIRST_COMPLETED,  // one is done, or cancelled
  FIRST_EXCEPTION,  // one ended with an exception (a cancelled one does not count); otherwise as ALL_COMPLETED
  ALL_COMPLETED,
};
using enum ReturnWhen;

struct WaitOptions {
  TimeLimit timeout = {};  // none: as long as it takes
  ReturnWhen return_when = ALL_COMPLETED;
};

/// `auto [done, pending] = co_await wait(tasks);` both in the order of the input (in Python they are sets).
template <class F>
struct WaitResult {
  std::vector<F> done;
  std::vector<F> pending;

  WaitResult() = default;  // no aggregate: g++ 12 destroys those twice beside a co_await
};

namespace detail {

/// What the callbacks of one wait() share; the awaiting frame waits for this future.
class WaitState final : public FutureState<void> {
 public:
  WaitState(Loop& loop, ReturnWhen return_when) : FutureState(loop), return_when_(return_when) {}
  void expect_one_more() noexcept { ++unfinished_; }
  void on_completion(AnyFuture& future);
  void release_waiter() {
    if (!done()) set_result();
  }

 private:
  std::size_t unfinished_ = 0;
  ReturnWhen return_when_;
};

/// Listens to some futures for as long as it lives. REQUIRES: the futures live longer.
class WaitScope {
 public:
  /// Throws std::invalid_argument if `return_when` is none of the three.
  WaitScope(Loop& loop, std::size_t futures, const WaitOptions& options);
  ~WaitScope();
  WaitScope(const WaitScope&) = delete;
  WaitScope& operator=(const WaitScope&) = delete;

  /// Throws std::invalid_argument if the future belongs to another loop.
  void add(const AnyFuture& future);
  const Future<>& released() const noexcept { return waiter_; }

 private:
  WaitState& state() const { return static_cast<WaitState&>(waiter_.state()); }

  struct Listening {
    FutureBase* future;
    CallbackId callback;
  };
  Future<> waiter_;
  TimerHandle timer_;
  std::vector<Listening> futures_;
};

/// Which of them are there for the first time, if some are there twice; empty if none is.
std::vector<bool> first_meetings(const std::vector<const FutureBase*>& futures);

template <class F>
std::vector<F> without_duplicates(std::vector<F> futures) {
  std::vector<const FutureBase*> states;
  states.reserve(futures.size());
  for (const F& future : futures) states.push_back(&future.state());
  const std::vector<bool> keep = first_meetings(states);
  if (keep.empty()) return futures;
  std::vector<F> kept;
  for (std::size_t i = 0; i != futures.size(); ++i) {
    if (keep[i]) kept.push_back(std::move(futures[i]));
  }
  return kept;
}

}  // namespace detail

/// Waits until the futures are done as `return_when` says, or until the timeout. Never cancels one, and never throws
/// what one holds, nor TimeoutError: what is not done in time is in `pending`. A future that is given twice counts once.
/// Always suspends: two ticks even if all are done. Which are done is looked up only when the caller goes on, and so there
/// may be several with FIRST_COMPLETED.
/// Throws, at the await, std::invalid_argument if there are no futures, or if one belongs to another loop.  [wait]
template <class F>
Coro<WaitResult<F>> wait(std::vector<F> futures, WaitOptions options = {}) {
  static_assert(!detail::is_coro<F>,
                "wait() takes futures and tasks, so that you can tell which is done: call create_task() first");
  static_assert(std::derived_from<F, AnyFuture>,
                "wait() takes a std::vector of Future<T>, Task<T>, AnyFuture or AnyTask");
  if (futures.empty()) throw std::invalid_argument("Set of Tasks/Futures is empty.");
  futures = detail::without_duplicates(std::move(futures));
  {
    detail::WaitScope scope(Loop::running(), futures.size(), options);
    for (const F& future : futures) scope.add(future);
    co_await scope.released();
  }
  WaitResult<F> result;
  for (F& future : futures) (future.done() ? result.done : result.pending).push_back(std::move(future));
  co_return result;
}

}  // namespace asyncio
