// sleep(): the smallest awaitable, a timer that wakes a task.
// Mirrors: Lib/asyncio/tasks.py, sleep and __sleep0. Read next: run.h
#pragma once

#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/task.h>

#include <concepts>

namespace asyncio {

namespace detail {

/// A timer that wakes a task. It needs no CallbackOrigin, which makes it smaller than the timer of a callback.
class SleepTimer final : public TimerState {
 public:
  SleepTimer(TimePoint when, FrameFuture& sleeper) noexcept : TimerState(when), sleeper_(sleeper) {}
  void run(Loop&) override {
    const Ref<HandleState> reference(this, adopt);
    if (std::exchange(armed_, false)) sleeper_.wake();
  }

 private:
  void destroy_callback() noexcept override {}
  const CallbackOrigin* origin() const noexcept override { return nullptr; }
  std::string place() const override { return "of sleep()"; }

  FrameFuture& sleeper_;  // exists while this is armed
};

class SleepAwaiter final : public FrameFuture {
 public:
  explicit SleepAwaiter(Duration delay) noexcept : delay_(delay) {}
  ~SleepAwaiter() { timer_.cancel(); }  // whether it is woken, cancelled, or destroyed asleep

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
  std::string repr() const override { return timer_.repr(); }

 private:
  Duration delay_;
  TimerHandle timer_;
};

using Sleep = LazyAwaitable<SleepAwaiter, Duration>;

}  // namespace detail

/// Suspends the task for `delay`, counted from the await. The task runs in the tick after its timer's; with a delay of
/// zero or less, in the next tick, without a timer. Throws std::invalid_argument for NaN.
template <AnyDuration D>
detail::Sleep sleep(D delay) {
  return detail::Sleep(to_duration(delay));
}

/// Suspends the task for `delay` and returns `result`.
template <AnyDuration D, class T>
Coro<T> sleep(D delay, T result) {
  co_await detail::Sleep(to_duration(delay));
  co_return result;
}

/// Refuses sleep(1), which would be POSIX's function otherwise, and would block the whole loop.
template <class N>
  requires std::is_arithmetic_v<N>
detail::Sleep sleep(N) {
  static_assert(!std::is_arithmetic_v<N>, "sleep() takes a duration with a unit: sleep(1s), sleep(100ms)");
  return detail::Sleep(Duration());
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the task runs in the tick after the one in which its timer is due; with a delay of zero or less in the next
//   tick, without a timer.
// Errors: std::invalid_argument for a duration that is not a number, at the call.
// Units: any std::chrono duration, rounded up to nanoseconds. A bare number does not compile.
