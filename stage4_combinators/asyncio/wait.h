// wait(): waits until some of the futures are done, or a time is over, and returns which are done.
// Mirrors: Lib/asyncio/tasks.py: wait, _wait. The simplest of the combinators: it starts nothing, cancels nothing, and
// throws no exception of the futures. Read next: time_limit.h
#pragma once

#include <asyncio/detail/pooled_vector.h>
#include <asyncio/run.h>
#include <asyncio/time_limit.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// What wait() waits for.
enum class ReturnWhen : std::uint8_t {
  FIRST_COMPLETED,  // one is done, or cancelled
  FIRST_EXCEPTION,  // one has failed (a cancelled one does not count), or all are done
  ALL_COMPLETED,
};
using enum ReturnWhen;

/// When wait() returns.
struct WaitOptions {
  TimeLimit timeout = {};                  // default: no limit
  ReturnWhen return_when = ALL_COMPLETED;  // after the first result, the first exception, or all
};

/// `auto [done, pending] = co_await wait(tasks);` Both are in the order of the input. (In Python they are sets.)
template <class F>
struct WaitResult {
  std::vector<F> done;     // in the order of the input
  std::vector<F> pending;  // in the order of the input

  WaitResult() = default;  // no aggregate: g++ 12 destroys an aggregate beside a co_await twice
};

namespace detail {

class WaitState;

/// The done-callback of one of the futures. Once scheduled it may run after the frame is gone, and holds what it uses.
class WaitCallback final : public DoneCallback {
 public:
  WaitCallback(WaitState& state, FutureBase& future) noexcept : state_(state), future_(&future) {}

 private:
  friend WaitState;
  void on_done(FutureBase& future) noexcept override;
  void run(Loop& loop) override;
  void drop() noexcept override;
  void add_awaiters(Awaiters& found) override;
  std::string repr() const override { return "<done-callback of wait()>"; }

  WaitState& state_;
  FutureBase* future_;
  Ref<FutureBase> done_;  // the same, while this is scheduled
};

/// The future that the frame of a wait() awaits, and the callbacks of that wait().
class WaitState final : public FutureState<void> {
 public:
  WaitState(Loop& loop, std::size_t futures, ReturnWhen return_when) : FutureState(loop), return_when_(return_when) {
    callbacks_.reserve(futures);  // they must stay where they are
  }
  void add(FutureBase& future);
  void remove_callbacks() noexcept;
  void release_waiter() {
    if (!done()) set_result();
  }

 private:
  friend WaitCallback;
  void on_completion(FutureBase& future);

  PooledVector<WaitCallback> callbacks_;
  std::size_t unfinished_ = 0;
  ReturnWhen return_when_;
};

/// Adds a callback to each future, and removes it in the destructor. REQUIRES: the futures live longer.
class WaitScope {
 public:
  /// Throws std::invalid_argument if `return_when` is none of the three values.
  WaitScope(Loop& loop, std::size_t futures, const WaitOptions& options);
  ~WaitScope();
  WaitScope(const WaitScope&) = delete;
  WaitScope& operator=(const WaitScope&) = delete;

  /// Throws std::invalid_argument if the future belongs to another loop.
  void add(const AnyFuture& future);
  const Future<>& released() const noexcept { return waiter_; }

 private:
  WaitState& state() const { return static_cast<WaitState&>(waiter_.state()); }

  Future<> waiter_;
  TimerHandle timer_;
};

using FuturePointers = PooledVector<const FutureBase*>;
/// Whether one is there twice.
bool has_duplicates(FuturePointers futures);
/// For each future, whether it occurs for the first time.
std::vector<bool> first_occurrences(const FuturePointers& futures);

template <class Vector>
Vector without_duplicates(Vector futures) {
  const auto pointers = [&futures] {
    FuturePointers pointers;
    pointers.reserve(futures.size());
    for (const auto& future : futures) pointers.push_back(&future.state());
    return pointers;
  };
  if (!has_duplicates(pointers())) return futures;
  const std::vector<bool> keep = first_occurrences(pointers());
  Vector kept;
  for (std::size_t i = 0; i != futures.size(); ++i) {
    if (keep[i]) kept.push_back(std::move(futures[i]));
  }
  return kept;
}

/// Usually all are done, or none.
template <class F>
WaitResult<F> divide_by_done(std::vector<F> futures) {
  std::size_t done = 0;
  for (const F& future : futures) done += future.done();
  WaitResult<F> result;
  if (done == futures.size()) {
    result.done = std::move(futures);
  } else if (done == 0) {
    result.pending = std::move(futures);
  } else {
    result.done.reserve(done);
    result.pending.reserve(futures.size() - done);
    for (F& future : futures) (future.done() ? result.done : result.pending).push_back(std::move(future));
  }
  return result;
}

}  // namespace detail

/// Waits until the futures are done as `return_when` says, or until the timeout. Never cancels a future, and throws
/// neither its exception nor TimeoutError: a future that is not done in time is in `pending`. A future that is given
/// twice counts once. Always suspends: two ticks even if all are done. With FIRST_COMPLETED several may be done: `done`
/// is determined when the caller continues.
/// Throws, at the await, std::invalid_argument if there are no futures, or if one belongs to another loop. [wait]
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
  co_return detail::divide_by_done(std::move(futures));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the task always suspends. It runs two ticks after the future is done that ends the wait, or one after the
//   timer's.
// Errors: std::invalid_argument, at the await; never the exception of a future, nor TimeoutError.
// Units: the timeout is any std::chrono duration, from the await on.
