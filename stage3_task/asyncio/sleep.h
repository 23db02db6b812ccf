// sleep(): the smallest awaitable, a timer that wakes a task.
// Mirrors: Lib/asyncio/tasks.py, sleep and __sleep0. Read next: run.h
#pragma once

#include <asyncio/detail/waiter.h>
#include <asyncio/task.h>

#include <concepts>

namespace asyncio {

namespace detail {

/// A timer that wakes a task, and needs neither a place nor a context of its own for that: a quarter smaller than that of
/// a callback.
class SleepTimer final : public TimerState {
 public:
  SleepTimer(TimePoint when, Waiter& sleeper) noexcept : TimerState(when), sleeper_(sleeper) {}
  void run(Loop&) override {
    const Ref<HandleState> reference(this, adopt);
    if (std::exchange(armed_, false)) sleeper_.wake();
  }
  Context context() override { return Context(); }

 private:
  void destroy_callback() noexcept override {}
  std::string origin() const override { return "of sleep()"; }

  Waiter& sleeper_;  // is there as long as it is armed
};

class SleepAwaiter final : public Waiter {
 public:
  explicit SleepAwaiter(Duration delay) noexcept : delay_(delay) {}
  ~SleepAwaiter() { timer_.cancel(); }  // in any case: woken, cancelled, or destroyed as it sleeps

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    if (delay_ <= Duration::zero()) {
      suspend_for_a_tick(frame.promise());
    } else {
      Loop& loop = Loop::running();
      const TimePoint when = deadline_after(loop.time(), delay_);
      timer_ = loop.start_timer(Ref<TimerState>(new SleepTimer(when, *this), adopt));
      suspend(frame.promise());
    }
  }

 private:
  Duration delay_;
  TimerHandle timer_;
};

/// What sleep() returns: nothing happens until it is awaited.
class [[nodiscard("co_await it")]] Sleep {
 public:
  explicit Sleep(Duration delay) noexcept : delay_(delay) {}
  SleepAwaiter operator co_await() const noexcept { return SleepAwaiter(delay_); }

 private:
  Duration delay_;
};

}  // namespace detail

/// Suspends the task for `delay`, counted from the await. It runs in the tick after its timer's; with a delay of zero
/// or less in the next tick, without a timer. Throws std::invalid_argument for a delay that is not a number.
template <AnyDuration D>
detail::Sleep sleep(D delay) {
  return detail::Sleep(to_duration(delay));
}

/// The same, and gives `result`.
template <AnyDuration D, class T>
Coro<T> sleep(D delay, T result) {
  co_await detail::Sleep(to_duration(delay));
  co_return result;
}

/// Without this, sleep(1) would be POSIX's, which blocks the whole loop.
template <class N>
  requires std::is_arithmetic_v<N>
void sleep(N) {
  static_assert(!std::is_arithmetic_v<N>, "sleep() takes a duration with a unit: sleep(1s), sleep(100ms)");
}

}  // namespace asyncio
