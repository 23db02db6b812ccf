// Condition: wait, with a lock put aside, until somebody says that things have changed.
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

/// wait() releases the lock, sleeps until notified, and has the lock again when it comes back, whatever happened:
/// woken or cancelled. It may come back for no reason: wait in a loop, or with wait_for(). Belongs to the thread of its
/// loop.
class Condition : private detail::LoopBound {
 public:
  /// With a lock of its own.
  Condition() : lock_(own_lock_.emplace()) {}
  /// With the caller's, which must live longer; several conditions may share one.
  explicit Condition(Lock& lock) noexcept : lock_(lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  auto acquire() noexcept { return lock_.acquire(); }
  auto scoped() noexcept { return lock_.scoped(); }
  void release() { lock_.release(); }
  bool locked() const noexcept { return lock_.locked(); }

  /// Throws std::runtime_error("cannot wait on un-acquired lock"). If cancelled it first waits for the lock, then
  /// throws the latest CancelledError; and if it had been notified, somebody else is notified in its place.
  Coro<> wait();

  /// Waits until `predicate()` is true (or not null, or not empty …), and gives what it returned. It is asked at once,
  /// and after each notification, with the lock held.
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

  /// Wakes up to `n` of those who wait; each goes on once it has the lock, in the order in which they came. Throws
  /// std::runtime_error("cannot notify on un-acquired lock").
  void notify(std::size_t n = 1);
  void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }

  /// `<Condition [unlocked, waiters:1]>`
  std::string repr() const;

 private:
  std::optional<Lock> own_lock_;
  Lock& lock_;
  detail::WaitList waiters_;
};

}  // namespace asyncio
