// A future for one task, which lives in the frame of the await: sleep(), Lock::acquire() and others like them wait for
// one. It needs no memory of its own.
// Mirrors: the `fut = loop.create_future()` inside Lib/asyncio/locks.py. Read next: ../sleep.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <coroutine>

namespace asyncio::detail {

/// An awaiter: it suspends the task until wake(), or throws CancelledError. It behaves as a Future<void> does, tick for
/// tick: the task runs in the tick after wake(), and a cancel that comes between the two still wins. Await it as a
/// temporary that operator co_await makes: g++ 12 copies an awaiter that has a name.
class FrameFuture : public Waitable {
 public:
  FrameFuture() = default;
  FrameFuture(const FrameFuture&) = delete;
  FrameFuture& operator=(const FrameFuture&) = delete;

  bool done() const noexcept { return state_ != State::pending; }
  bool cancelled() const noexcept { return state_ == State::cancelled; }

  /// set_result(None): schedules the task. Has no effect if it is done.
  void wake() {
    if (!done()) settle(State::woken);
  }

  bool cancel(const CancelledError& reason) final {
    if (done()) return false;
    task_->set_cancel_reason(reason);  // only its task can cancel it: nobody else knows it
    settle(State::cancelled);
    return true;
  }
  bool throws_cancelled() const noexcept final { return cancelled(); }
  bool waits_for_tasks() const noexcept override { return false; }

  /// Asked before the coroutine is resumed, if suspend_until_satisfied() suspended it: true if it was woken in vain. It
  /// is pending again then.
  virtual bool waits_again() noexcept { return false; }

  // ── the awaiter ──
  bool await_ready() const noexcept { return done(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    suspend(frame.promise());
  }
  void await_resume() {
    if (!task_) return;  // it did not wait
    task_->throw_if_cancelled(this);
    if (cancelled()) task_->throw_cancelled();
  }

 protected:
  ~FrameFuture() = default;
  void suspend(PromiseBase& frame) noexcept {
    task_ = &frame.task();
    task_->suspend(frame, *this);
  }
  void suspend_until_satisfied(PromiseBase& frame) noexcept {
    task_ = &frame.task();
    task_->suspend_until_satisfied(frame, *this);
  }
  void set_pending() noexcept { state_ = State::pending; }
  /// Waits for the next tick: a bare yield.
  void suspend_for_a_tick(PromiseBase& frame) noexcept {
    task_ = &frame.task();
    task_->suspend(frame);
  }
  TaskBase* task() const noexcept { return task_; }

 private:
  enum class State : std::uint8_t { pending, woken, cancelled };

  void add_callback(DoneCallback&) noexcept final {}  // the task, which is known already
  void remove_callback(DoneCallback&) noexcept final {}
  void settle(State state) {
    if (task_) task_->schedule();
    state_ = state;
  }

  TaskBase* task_ = nullptr;
  State state_ = State::pending;
};

}  // namespace asyncio::detail
