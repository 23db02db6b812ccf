// Lock: one task at a time, in the order in which they came.
// Mirrors: Lib/asyncio/locks.py, Lock. Read next: event.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/guard.h>

#include <string>

namespace asyncio {

/// It is not owned by a task: any may release it, and nobody may acquire it twice. Belongs to the thread of its loop;
/// must live as long as somebody holds it. Destroying it while tasks wait is no error: they can still be cancelled.
///
/// release() does not hand the lock over: it unlocks it, and wakes the first in the queue, who locks it one tick later.
/// Between the two locked() is false, and yet a newcomer queues, because somebody was here first.
class Lock : private detail::LoopBound {
  class Acquire;

 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// `co_await lock.acquire();` Does not suspend if it is free and nobody waits. Throws CancelledError, and
  /// std::runtime_error if it would have to wait and the lock belongs to another loop.
  detail::OnAwait<Acquire, Lock> acquire() noexcept { return detail::OnAwait<Acquire, Lock>(*this); }

  /// `auto guard = co_await lock.scoped();` The same, and the guard releases it.  [async with]
  detail::OnAwait<detail::AcquireScoped<Acquire, Lock>, Lock> scoped() noexcept {
    return detail::OnAwait<detail::AcquireScoped<Acquire, Lock>, Lock>(*this);
  }

  /// Throws std::runtime_error("Lock is not acquired.").
  void release() {
    if (!locked_) throw_not_acquired();
    locked_ = false;
    waiters_.wake_head();
  }

  bool locked() const noexcept { return locked_; }
  /// `<Lock [unlocked, waiters:1]>`
  std::string repr() const;

 private:
  [[noreturn]] static void throw_not_acquired();

  bool locked_ = false;
  detail::WaitList waiters_;
};

/// No frame and no memory, whether it waits or not; await_resume() is what CPython's acquire() does after its await.
class Lock::Acquire : public detail::WaitNode {
 public:
  explicit Acquire(Lock& lock) noexcept : lock_(lock) {}

  bool await_ready() noexcept {
    if (lock_.locked_ || !lock_.waiters_.all_cancelled()) return false;
    lock_.locked_ = true;
    return true;
  }
  template <std::derived_from<detail::PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    lock_.bind_to_loop_of(frame.promise().task(), lock_);
    wait_in(lock_.waiters_, frame.promise());
  }
  void await_resume() {
    if (!leave()) return;
    WakeNextIfCancelled pass_on(lock_);
    Waiter::await_resume();
    pass_on.cancelled = false;
    lock_.locked_ = true;
  }

 private:
  /// A destructor, not a catch block: passing through it costs a cancel nothing, catching and rethrowing over 1 µs.
  struct WakeNextIfCancelled {
    explicit WakeNextIfCancelled(Lock& lock) noexcept : lock(lock) {}
    ~WakeNextIfCancelled() {
      if (cancelled && !lock.locked_) lock.waiters_.wake_head();
    }
    Lock& lock;
    bool cancelled = true;
  };

  Lock& lock_;
};

}  // namespace asyncio
