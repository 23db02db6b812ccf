// Condition: a task waits, without the lock that it holds, until another notifies it of a change.
// Mirrors: Lib/asyncio/locks.py, Condition. Read next: barrier.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/lock.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace asyncio {

/// wait() releases the lock, waits for a notification, and holds the lock again when it returns or throws. It may
/// return without a reason: call it in a loop, or use wait_for(). Belongs to the thread of its loop.
class Condition : private detail::LoopBound {
 public:
  /// Makes its own lock.
  Condition() : lock_(own_lock_.emplace()) {}
  /// Uses the caller's lock, which must outlive it; several conditions may share a lock.
  explicit Condition(Lock& lock) noexcept : lock_(lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Acquires the lock: see Lock::acquire(). [Condition.acquire]
  auto acquire() noexcept { return lock_.acquire(); }
  /// Acquires the lock, and gives a guard that releases it: see Lock::scoped().
  auto scoped() noexcept { return lock_.scoped(); }
  /// Releases the lock. Throws std::runtime_error("Lock is not acquired."). [Condition.release]
  void release() { lock_.release(); }
  /// Whether somebody holds the lock. [Condition.locked]
  bool locked() const noexcept { return lock_.locked(); }

  /// Throws std::runtime_error("cannot wait on un-acquired lock"). If cancelled, it first acquires the lock, then
  /// throws the latest CancelledError; if it had been notified, it wakes another task instead. [Condition.wait]
  Coro<> wait();

  /// Waits until the result of `predicate()` converts to true, and returns the result. Calls the predicate at once and
  /// after each notification, with the lock held.
  template <std::invocable Predicate, class Result = std::decay_t<std::invoke_result_t<Predicate&>>>
    requires std::constructible_from<bool, Result&>
  Coro<Result> wait_for(Predicate predicate) {
    Result result = predicate();
    while (!static_cast<bool>(result)) {
      co_await wait();
      result = predicate();
    }
    co_return result;
  }

  /// Wakes up to `n` waiting tasks, in order of arrival; each continues once it has the lock. Throws
  /// std::runtime_error("cannot notify on un-acquired lock").
  void notify(std::size_t n = 1);
  /// Wakes all that wait. Throws what notify() throws. [Condition.notify_all]
  void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }

  /// `<Condition [unlocked, waiters:1]>`
  std::string repr() const;

 private:
  std::optional<Lock> own_lock_;
  Lock& lock_;
  detail::WaitList waiters_;
  detail::WaitList relocking_;  // tasks that were notified or cancelled, and want the lock again
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that is notified runs in the next tick, and goes on as soon as it has the lock.
// Errors: std::runtime_error if nobody holds the lock; what a predicate throws; what Lock::acquire() throws.
// Units: `n` counts tasks.
