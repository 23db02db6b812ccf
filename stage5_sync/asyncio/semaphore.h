// Semaphore: limits how many tasks run at a time. BoundedSemaphore also finds a release() without an acquire().
// Mirrors: Lib/asyncio/locks.py: Semaphore, BoundedSemaphore. Read next: condition.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/guard.h>

#include <cstddef>
#include <limits>
#include <string>

namespace asyncio {

/// A number of permits. Unlike Lock's, its release() hands the permit to the first waiter at once, and value() stays
/// 0. Newcomers queue while a task waits. Belongs to the thread of its loop. Must outlive the tasks that hold its
/// permits.
class Semaphore : private detail::LoopBound {
  class Acquire;

 public:
  /// Throws std::invalid_argument("Semaphore initial value must be >= 0").
  explicit Semaphore(std::ptrdiff_t value = 1) : Semaphore(value, std::numeric_limits<std::ptrdiff_t>::max()) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// `co_await semaphore.acquire();` Takes a permit; does not suspend if there is one and no task waits. Throws
  /// CancelledError; std::runtime_error if it must wait and the semaphore belongs to another loop.
  detail::AwaitableOf<Acquire, Semaphore> acquire() noexcept { return detail::AwaitableOf<Acquire, Semaphore>(*this); }

  /// `auto permit = co_await semaphore.scoped();` acquire() with a guard that releases. [async with]
  detail::AwaitableOf<detail::AcquireScoped<Acquire, Semaphore>, Semaphore> scoped() noexcept {
    return detail::AwaitableOf<detail::AcquireScoped<Acquire, Semaphore>, Semaphore>(*this);
  }

  /// Gives a permit back. A BoundedSemaphore throws std::invalid_argument if all permits are back already.
  void release() {
    if (value_ >= bound_) throw_released_too_often();
    ++value_;
    wake_up_next();
  }

  /// True if acquire() would wait.
  bool locked() const noexcept { return value_ == 0 || !waiters_.all_cancelled(); }
  /// The number of free permits.
  std::ptrdiff_t value() const noexcept { return value_; }
  /// `<Semaphore [unlocked, value:1]>`
  std::string repr() const;

 protected:
  Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);

 private:
  [[noreturn]] static void throw_released_too_often();
  /// Gives a permit to the first waiter, a tick before its task runs. False if none waits.
  bool wake_up_next() {
    if (!waiters_.wake_next()) return false;
    --value_;
    return true;
  }

  std::ptrdiff_t value_;
  std::ptrdiff_t bound_;
  detail::WaitList waiters_;
};

/// A Semaphore whose release() throws std::invalid_argument if it is called more often than acquire().
class BoundedSemaphore : public Semaphore {
 public:
  /// May be acquired `value` times at once.
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

/// Needs no frame and no memory. await_resume() does what CPython's acquire() does after its await.
class Semaphore::Acquire : public detail::WaitNode {
 public:
  /// acquire() makes it.
  explicit Acquire(Semaphore& semaphore) noexcept : semaphore_(semaphore) {}

  bool await_ready() noexcept {
    if (semaphore_.locked()) return false;
    --semaphore_.value_;
    return true;
  }
  template <std::derived_from<detail::PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    semaphore_.bind_to_loop_of(frame.promise().task(), semaphore_);
    wait_in(semaphore_.waiters_, frame.promise());
  }
  void await_resume() {
    if (!leave()) return;
    bool cancelled = true;
    const detail::ScopeExit pass_on([&] {  // a destructor, not a catch block: see Lock
      // This task was given a permit, and cannot use it.
      if (cancelled && woken()) ++semaphore_.value_;
      // Tasks may have queued behind this one although there were permits.
      while (semaphore_.value_ > 0 && semaphore_.wake_up_next()) continue;
    });
    FrameFuture::await_resume();
    cancelled = false;
  }

 private:
  std::string repr_primitive() const override { return semaphore_.repr(); }

  Semaphore& semaphore_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a free permit is acquired at once. A task that waits has the permit as soon as release() is called, and
//   runs in the next tick.
// Errors: std::invalid_argument from the constructor and from BoundedSemaphore::release(); std::runtime_error from
//   an await that has to wait in an object of another loop, or of one that is destroyed meanwhile.
// Units: permits are counted.
