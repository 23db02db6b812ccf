// Event: tasks wait until somebody says that it happened.
// Mirrors: Lib/asyncio/locks.py, Event. Read next: semaphore.h
#pragma once

#include <asyncio/detail/loop_bound.h>
#include <asyncio/detail/wait_list.h>

#include <string>

namespace asyncio {

/// A flag. set() wakes those who wait now, in the order in which they came, for the next tick; a clear() before they
/// run does not stop them. Belongs to the thread of its loop.
class Event : private detail::LoopBound {
  class Wait;

 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// `co_await event.wait();` Does not suspend if it is set. Throws CancelledError, and std::runtime_error if it would
  /// have to wait and the event belongs to another loop.
  detail::OnAwait<Wait, Event> wait() noexcept { return detail::OnAwait<Wait, Event>(*this); }

  void set() {
    if (is_set_) return;
    is_set_ = true;
    waiters_.wake();
  }
  void clear() noexcept { is_set_ = false; }
  bool is_set() const noexcept { return is_set_; }
  /// `<Event [unset, waiters:2]>`
  std::string repr() const;

 private:
  bool is_set_ = false;
  detail::WaitList waiters_;
};

class Event::Wait final : public detail::WaitNode {
 public:
  explicit Wait(Event& event) noexcept : event_(event) {}

  bool await_ready() const noexcept { return event_.is_set_; }
  template <std::derived_from<detail::PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    event_.bind_to_loop_of(frame.promise().task(), event_);
    wait_in(event_.waiters_, frame.promise());
  }
  void await_resume() {
    if (leave()) Waiter::await_resume();
  }

 private:
  Event& event_;
};

}  // namespace asyncio
