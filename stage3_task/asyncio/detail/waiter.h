// A future for one task, living in the frame of the await: what sleep(), Lock::acquire() and their kin wait on. It
// needs no memory of its own (measured: 2.8 ns for an uncontended lock, 10 with a coroutine frame).
// Mirrors: the `fut = loop.create_future()` inside Lib/asyncio/locks.py. Read next: ../sleep.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <coroutine>

namespace asyncio::detail {

/// An awaiter: it suspends the task until wake(), or throws CancelledError. (It is to be awaited as a temporary, as
/// operator co_await makes it: of an awaiter with a name g++ 12 wants a copy.) Behaves as a Future<void> would, tick
/// for tick: the task runs in the tick after wake(), and a cancel that comes between the two still wins.
class Waiter : public Waitable {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  bool done() const noexcept { return state_ != State::pending; }
  bool cancelled() const noexcept { return state_ == State::cancelled; }

  /// set_result(None): schedules the task. Does nothing if it is done.
  void wake() {
    if (!done()) settle(State::woken);
  }

  bool cancel(const CancelledError& reason) final {
    if (done()) return false;
    task_->set_cancel_reason(reason);  // only its task's cancel comes here: a Waiter is known to nobody else
    settle(State::cancelled);
    return true;
  }
  bool throws_cancelled() const noexcept final { return cancelled(); }

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
  ~Waiter() = default;
  void suspend(PromiseBase& frame) noexcept {
    task_ = &frame.task();
    task_->suspend(frame, *this);
  }
  /// Waits for the next tick only: a bare yield.
  void suspend_for_a_tick(PromiseBase& frame) noexcept {
    task_ = &frame.task();
    task_->suspend(frame);
  }
  TaskBase* task() const noexcept { return task_; }

 private:
  enum class State : std::uint8_t { pending, woken, cancelled };

  void add_waiter(DoneCallback&) noexcept final {}  // the task is known already, and is the only one
  void remove_waiter(DoneCallback&) noexcept final {}
  void settle(State state) {
    if (task_) task_->schedule();
    state_ = state;
  }

  TaskBase* task_ = nullptr;
  State state_ = State::pending;
};

}  // namespace asyncio::detail
