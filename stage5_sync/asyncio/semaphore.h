// Semaphore: at most so many tasks at a time. BoundedSemaphore also notices who gives back more than was taken.
// Mirrors: Lib/asyncio/locks.py: Semaphore, BoundedSemaphore. Read next: condition.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/guard.h>

#include <cstddef>
#include <limits>
#include <string>

namespace asyncio {

/// A number of permits. Unlike a lock, it hands over: release() gives the permit to the first who waits at once, and
/// value() stays 0. Newcomers queue as long as somebody waits. Belongs to the thread of its loop; must live as long as
/// somebody holds a permit.
class Semaphore : private detail::LoopBound {
  class Acquire;

 public:
  /// Throws std::invalid_argument("Semaphore initial value must be >= 0").
  explicit Semaphore(std::ptrdiff_t value = 1) : Semaphore(value, std::numeric_limits<std::ptrdiff_t>::max()) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// `co_await semaphore.acquire();` Takes a permit; does not suspend if there is one and nobody waits. Throws
  /// CancelledError, and std::runtime_error if it would have to wait and the semaphore belongs to another loop.
  detail::OnAwait<Acquire, Semaphore> acquire() noexcept { return detail::OnAwait<Acquire, Semaphore>(*this); }

  /// `auto permit = co_await semaphore.scoped();` The same, and the guard releases it.  [async with]
  detail::OnAwait<detail::AcquireScoped<Acquire, Semaphore>, Semaphore> scoped() noexcept {
    return detail::OnAwait<detail::AcquireScoped<Acquire, Semaphore>, Semaphore>(*this);
  }

  /// A BoundedSemaphore throws std::invalid_argument if all permits are back already.
  void release() {
    if (value_ >= bound_) throw_released_too_often();
    ++value_;
    wake_up_next();
  }

  /// Whether acquire() would have to wait.
  bool locked() const noexcept { return value_ == 0 || !waiters_.all_cancelled(); }
  /// The permits that nobody has.
  std::ptrdiff_t value() const noexcept { return value_; }
  /// `<Semaphore [unlocked, value:1]>`
  std::string repr() const;

 protected:
  Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);

 private:
  [[noreturn]] static void throw_released_too_often();
  /// The permit changes hands here, a tick before the task that gets it runs.
  bool wake_up_next() {
    if (!waiters_.wake_next()) return false;
    --value_;
    return true;
  }

  std::ptrdiff_t value_;
  std::ptrdiff_t bound_;
  detail::WaitList waiters_;
};

/// Throws std::invalid_argument when released more often than acquired: the mistake is then found where it is made.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

/// No frame and no memory; await_resume() is what CPython's acquire() does after its await.
class Semaphore::Acquire : public detail::WaitNode {
 public:
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
    Finally finally(*this);
    Waiter::await_resume();
    finally.cancelled = false;
  }

 private:
  /// A destructor for the same reason as in Lock.
  struct Finally {
    explicit Finally(Acquire& waiter) noexcept : waiter(waiter) {}
    ~Finally() {
      Semaphore& semaphore = waiter.semaphore_;
      // It had got a permit, and cannot use it.
      if (cancelled && waiter.woken()) ++semaphore.value_;
      // Others had to queue while it was on its way, although there were permits.
      while (semaphore.value_ > 0 && semaphore.wake_up_next()) continue;
    }
    Acquire& waiter;
    bool cancelled = true;
  };

  Semaphore& semaphore_;
};

}  // namespace asyncio
