// Lock: one task at a time holds it. The tasks get it in order of arrival.
// Mirrors: Lib/asyncio/locks.py, Lock. Read next: guard.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/guard.h>

#include <cstdint>
#include <string>

namespace asyncio {

/// No task owns it: any task may release it, and a task that acquires it twice waits for itself. Must outlive its
/// holder; may be destroyed while tasks only wait: they can still be cancelled. Belongs to the thread of its loop.
///
/// release() does not hand the lock over: it unlocks, and wakes the first waiter, which locks it one tick later. In
/// between locked() is false, and yet a newcomer queues behind that waiter.
class Lock : private detail::LoopBound {
  class Acquire;

 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// `co_await lock.acquire();` Does not suspend if it is free and no task waits. Throws CancelledError;
  /// std::runtime_error if it must wait and the lock belongs to another loop. [Lock.acquire]
  detail::AwaitableOf<Acquire, Lock> acquire() noexcept { return detail::AwaitableOf<Acquire, Lock>(*this); }

  /// `auto guard = co_await lock.scoped();` acquire() with a guard that releases. [async with]
  detail::AwaitableOf<detail::AcquireScoped<Acquire, Lock>, Lock> scoped() noexcept {
    return detail::AwaitableOf<detail::AcquireScoped<Acquire, Lock>, Lock>(*this);
  }

  /// Throws std::runtime_error("Lock is not acquired."). [Lock.release]
  void release() {
    if (state_ != kHeld) [[unlikely]]
      return release_specially();
    state_ = kFree;
    waiters_.wake_head();
  }

  /// Whether somebody holds it. [Lock.locked]
  bool locked() const noexcept { return (state_ & kHeld) != 0; }
  /// `<Lock [unlocked, waiters:1]>`
  std::string repr() const;

 private:
  // What debug mode asks for takes ways that are slow anyway, and costs the others nothing. A lock that is new, or
  // watched, is not kFree: await_ready() says no; nor is it bound to the loop in the usual way: await_suspend() asks.
  static constexpr std::uint8_t kFree = 0, kHeld = 1, kWatched = 2, kNew = 4;
  [[gnu::cold]] bool acquire_specially(detail::PromiseBase& frame);
  [[gnu::cold]] void release_specially();
  void note_acquired(const detail::PromiseBase& frame) const;

  std::uint8_t state_ = kNew;  // until somebody acquires it: then it is decided whether debug mode watches it
  detail::WaitList waiters_;
};

/// Needs no frame and no memory, even to wait. await_resume() does what CPython's acquire() does after its await.
class Lock::Acquire : public detail::WaitNode {
 public:
  /// acquire() makes it.
  explicit Acquire(Lock& lock) noexcept : lock_(lock) {}

  bool await_ready() noexcept {
    if (lock_.state_ != kFree || !lock_.waiters_.all_cancelled()) return false;
    lock_.state_ = kHeld;
    return true;
  }
  /// False: acquired, after all.
  template <std::derived_from<detail::PromiseBase> P>
  [[gnu::always_inline]] bool await_suspend(std::coroutine_handle<P> frame) {
    detail::PromiseBase& promise = frame.promise();
    if (!lock_.is_bound_to_loop_of(promise.task())) [[unlikely]] {
      if (lock_.acquire_specially(promise)) return false;
      if (lock_.state_ & kWatched) watch();
    }
    wait_in(lock_.waiters_, promise);
    return true;
  }
  void await_resume() {
    if (!leave<true>()) return;
    bool cancelled = true;
    // A destructor, not a catch block: catching and rethrowing would make a cancel slower.
    const detail::ScopeExit pass_on([&] {
      if (cancelled && !lock_.locked()) lock_.waiters_.wake_head();
    });
    FrameFuture::await_resume();
    cancelled = false;
    lock_.state_ |= kHeld;
  }
  detail::Holder held_by() const override;

 private:
  void note_leave() override;
  std::string repr_primitive() const override { return lock_.repr(); }

  Lock& lock_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a free lock is acquired at once. A task that waits is woken by release(), and has the lock in the next
//   tick.
// Errors: std::runtime_error from an await that has to wait in an object of another loop, or of one that is
//   destroyed meanwhile.
// Units: none.
