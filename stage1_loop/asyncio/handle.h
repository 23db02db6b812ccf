// What call_soon() and call_later() return: a callback that waits for its turn and can be cancelled until then.
// Mirrors: Lib/asyncio/events.py, Handle and TimerHandle. Read next: timers.h
#pragma once

#include <asyncio/context.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/ref_counted.h>
#include <asyncio/detail/scope_exit.h>
#include <asyncio/ready_queue.h>
#include <asyncio/time.h>

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

class TimerHeap;

/// REQUIRES: the caller is in a catch block. Rethrows KeyboardInterrupt and SystemExit; reports any other exception to
/// the loop.
/// `handle`, if not null, is named in the report. Without memory for that, there is a line on stderr.
void report_callback_exception(Loop& loop, const std::source_location& where, const Runnable* handle);
/// "demo.cpp:12"
std::string file_and_line(const std::source_location& where);

/// Where a callback comes from: the context in which it runs, and the place where it was scheduled.
struct CallbackOrigin {
  ContextSlot context;
  std::source_location where;  // the most useful thing to know when it throws
};

/// A callback that the loop may run and a user may cancel. The queue holds one reference, each Handle another.
class HandleState : public Runnable, public RefCounted<HandleState>, public Pooled {
 public:
  HandleState() = default;
  virtual ~HandleState() = default;

  void cancel() noexcept {
    if (cancelled_) return;
    const Ref<HandleState> alive(this);  // the callback may hold the last handle, and the heap may drop its reference
    cancel_referenced();
  }
  bool cancelled() const noexcept { return cancelled_; }
  bool skipped() const noexcept override { return cancelled_; }
  std::string repr() const override;
  std::source_location where() const noexcept override { return origin() ? origin()->where : std::source_location(); }
  /// The context in which the callback runs; an empty one for a callback of the library.
  Context context() const { return origin() ? Context(origin()->context.state()) : Context(); }

  void drop() noexcept final {
    if (!cancelled_) cancel_referenced();  // the reference is the caller's, as in run()
    release();
  }

 protected:
  virtual void destroy_callback() noexcept = 0;
  virtual void on_cancel() noexcept {}
  virtual const CallbackOrigin* origin() const noexcept = 0;  // null for a callback of the library
  virtual std::string place() const;                          // for repr(): "created at demo.cpp:12"
  std::string describe(const std::string& kind, const std::string& more = "") const;

  bool armed_ = true;  // the callback exists, and has not begun to run
 private:
  void cancel_referenced() noexcept {
    cancelled_ = true;
    on_cancel();
    // The callback is destroyed at once, with what it captured; unless it is running, and cancels itself.
    if (std::exchange(armed_, false)) destroy_callback();
  }

  bool cancelled_ = false;
};

class TimerState : public HandleState {
 public:
  explicit TimerState(TimePoint when) noexcept : when_(when) {}
  TimePoint when() const noexcept { return when_; }
  Kind kind() const noexcept override { return Kind::timer; }
  std::string repr() const override;

 private:
  friend TimerHeap;
  void on_cancel() noexcept override;

  TimePoint when_;
  TimerHeap* heap_ = nullptr;  // set while the timer is in it
  union {
    std::uint64_t number_ = 0;  // counts up: decides between equal deadlines
    TimerState* next_;          // once it is out of the heap and not released yet: the next of those
  };
};

/// A callback of type F, in one block of memory with all that belongs to it. Base is HandleState or TimerState.
template <class F, class Base>
class CallbackNode final : public Base {
 public:
  /// `when` is a TimerState's deadline.
  template <class... When>
  CallbackNode(F&& callback, std::source_location where, OptionalContext context, When... when)
      : Base(when...), origin_{context.slot(), where}, callback_(std::forward<F>(callback)) {}
  ~CallbackNode() override {
    if (this->armed_) std::destroy_at(std::addressof(callback_));
  }

  void run(Loop& loop) override {
    const Ref<HandleState> reference(this, adopt);  // the queue's: released when this call ends
    if (!std::exchange(this->armed_, false)) return;
    const ContextScope scope(origin_.context);
    const ScopeExit destroy([this] { std::destroy_at(std::addressof(callback_)); });
    try {
      callback_();
    } catch (...) {
      report_callback_exception(loop, origin_.where, this);
    }
  }

 private:
  void destroy_callback() noexcept override { std::destroy_at(std::addressof(callback_)); }
  const CallbackOrigin* origin() const noexcept override { return &origin_; }

  CallbackOrigin origin_;
  union {  // because its life ends before the node's
    std::decay_t<F> callback_;
  };
};

}  // namespace detail

/// A scheduled callback. Copies refer to the same one. Belongs to the thread of its loop.
class Handle {
 public:
  /// Destroys the callback, which will not run. Has no effect on one that has run or is cancelled already.
  void cancel() noexcept {
    if (state_) state_->cancel();
  }
  bool cancelled() const noexcept { return state_ && state_->cancelled(); }
  /// The context in which the callback runs. REQUIRES: the handle is not empty.
  Context get_context() const { return state_->context(); }
  /// `<Handle created at demo.cpp:12>`
  std::string repr() const { return state_ ? state_->repr() : "<Handle empty>"; }

  Handle() = default;
  explicit Handle(detail::Ref<detail::HandleState> state) noexcept : state_(std::move(state)) {}

 protected:
  detail::Ref<detail::HandleState> state_;
};

/// A callback scheduled for a point in time.
class TimerHandle : public Handle {
 public:
  /// The deadline, on the clock of Loop::time().
  TimePoint when() const noexcept { return state_ ? static_cast<detail::TimerState&>(*state_).when() : TimePoint{}; }

  TimerHandle() = default;
  explicit TimerHandle(detail::Ref<detail::TimerState> state) noexcept : Handle(std::move(state)) {}
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a callback of call_soon() runs in the next tick, a timer's in the first tick that finds its time past.
//   cancel() counts at once, in the tick of the callback too.
// Errors: none.
// Units: when() is in nanoseconds, on the clock of Loop::time().
