// sleep(): the smallest awaitable, a timer that wakes a task.
// Mirrors: Lib/asyncio/tasks.py, sleep and __sleep0. Read next: run.h
#pragma once

#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/task.h>

#include <concepts>

namespace asyncio {

namespace detail {

class SleepAwaiter final : public FrameFuture {
 public:
  explicit SleepAwaiter(Duration delay) noexcept : delay_(delay) {}
  ~SleepAwaiter() {  // whether it is woken, cancelled, or destroyed asleep
    if (timer_) end_timer();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    if (delay_ <= Duration::zero()) return suspend_for_a_tick(frame.promise());
    start_timer();
    suspend(frame.promise());
  }
  std::string repr() const override;

 private:
  void start_timer();
  void end_timer() noexcept;

  Duration delay_;
  TimerState* timer_ = nullptr;  // one reference is ours
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
