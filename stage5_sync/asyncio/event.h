// Event: a flag. Tasks wait until another task or a callback sets it.
// Mirrors: Lib/asyncio/locks.py, Event. Read next: semaphore.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>

#include <string>

namespace asyncio {

/// set() wakes the tasks that wait now: they run in the next tick, in order of arrival, even if the event is cleared or
/// destroyed before. Belongs to the thread of its loop.
class Event : private detail::LoopBound {
  class Wait;

 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// `co_await event.wait();` Does not suspend if the event is set. Throws CancelledError; std::runtime_error if it
  /// must wait and the event belongs to another loop. [Event.wait]
  detail::AwaitableOf<Wait, Event> wait() noexcept { return detail::AwaitableOf<Wait, Event>(*this); }

  /// Wakes all that wait; they run in the next tick. Until clear(), wait() does not wait. [Event.set]
  void set() {
    if (is_set_) return;
    is_set_ = true;
    waiters_.wake();
  }
  /// From now on wait() waits again. Those that set() has woken go on. [Event.clear]
  void clear() noexcept { is_set_ = false; }
  /// Whether it is set. [Event.is_set]
  bool is_set() const noexcept { return is_set_; }
  /// `<Event [unset, waiters:2]>`
  std::string repr() const;

 private:
  bool is_set_ = false;
  detail::WaitList waiters_;
};

/// What wait() is.
class Event::Wait final : public detail::WaitNode {
 public:
  /// wait() makes it.
  explicit Wait(Event& event) noexcept : event_(event) {}

  bool await_ready() const noexcept { return event_.is_set_; }
  template <std::derived_from<detail::PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    event_.bind_to_loop_of(frame.promise().task(), event_);
    wait_in(event_.waiters_, frame.promise());
  }
  void await_resume() {
    if (leave_if_there()) FrameFuture::await_resume();
  }

 private:
  std::string repr_primitive() const override { return event_.repr(); }

  Event& event_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that waits is woken by the call that lets it go on, and runs in the next tick.
// Errors: std::runtime_error from an await that has to wait in an object of another loop, or of one that is
//   destroyed meanwhile.
// Units: none.
