// What call_soon() and call_later() give back: a callback that waits for its turn, and may be cancelled until then.
// Mirrors: Lib/asyncio/events.py, Handle and TimerHandle. Read next: timers.h
#pragma once

#include <asyncio/context.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/ready_queue.h>
#include <asyncio/time.h>

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

namespace asyncio {

namespace detail {

class TimerHeap;

/// Inside a catch block: lets KeyboardInterrupt and SystemExit pass, and reports any other exception to the loop.
void report_callback_exception(Loop& loop, const std::source_location& where, std::string handle);
/// "demo.cpp:12"
std::string file_and_line(const std::source_location& where);

/// A callback on its way through the loop. Counted: one reference is the queue's, the others are the users' Handles.
class HandleState : public Runnable, public Pooled {
 public:
  HandleState() = default;
  HandleState(const HandleState&) = delete;
  HandleState& operator=(const HandleState&) = delete;
  virtual ~HandleState() = default;

  void cancel() noexcept {
    if (cancelled_) return;
    cancelled_ = true;
    const Ref<HandleState> alive(this);  // the callback may hold the last handle, and the heap may let go of us
    on_cancel();
    // The callback goes at once, and what it captured with it; unless it is running: then it cancels itself.
    if (std::exchange(armed_, false)) destroy_callback();
  }
  bool cancelled() const noexcept { return cancelled_; }
  std::string repr() const override;
  /// In which the callback runs.
  virtual Context context() = 0;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }
  void drop() noexcept final {
    cancel();
    release();
  }

 protected:
  virtual void destroy_callback() noexcept = 0;
  virtual void on_cancel() noexcept {}
  virtual std::string origin() const = 0;  // for repr(): "created at demo.cpp:12"
  std::string describe(const std::string& kind, const std::string& more = "") const;

  bool armed_ = true;  // the callback is there, and has not begun to run
 private:
  bool cancelled_ = false;
  std::uint32_t refs_ = 1;
};

class TimerState : public HandleState {
 public:
  explicit TimerState(TimePoint when) noexcept : when_(when) {}
  TimePoint when() const noexcept { return when_; }
  std::string repr() const override;

 private:
  friend TimerHeap;
  void on_cancel() noexcept override;

  TimePoint when_;
  TimerHeap* heap_ = nullptr;  // while it waits there
  std::uint64_t number_ = 0;   // counts up: the tie-break of equal deadlines
};

/// A callback of a user runs in a context, and has a place to be known by. Base is HandleState or TimerState.
template <class Base>
class UserCallback : public Base {
 public:
  template <class... When>
  explicit UserCallback(std::source_location where, OptionalContext context = {}, When... when)
      : Base(when...), context_(context.slot()), where_(where) {}
  Context context() override { return Context(context_.state()); }

 protected:
  std::string origin() const override { return "created at " + file_and_line(where_); }

  ContextSlot context_;
  std::source_location where_;  // who scheduled it: the most useful thing to know when it throws
};

/// The node of a callback of type F.
template <class F, class Base>
class CallbackNode final : public UserCallback<Base> {
 public:
  template <class... Args>
  explicit CallbackNode(F&& callback, Args... args)
      : UserCallback<Base>(args...), callback_(std::forward<F>(callback)) {}
  ~CallbackNode() override {
    if (this->armed_) std::destroy_at(&callback_);
  }

  void run(Loop& loop) override {
    const Ref<HandleState> reference(this, adopt);  // the queue's own: whatever happens, it goes with this call
    if (!std::exchange(this->armed_, false)) return;
    const ContextScope scope(this->context_);
    const DestroyAtEnd callback{callback_};
    try {
      callback_();
    } catch (...) {
      report_callback_exception(loop, this->where_, this->repr());
    }
  }

 private:
  struct DestroyAtEnd {
    std::decay_t<F>& callback;
    ~DestroyAtEnd() { std::destroy_at(&callback); }
  };
  void destroy_callback() noexcept override { std::destroy_at(&callback_); }

  union {  // in a union because its life ends before the node's
    std::decay_t<F> callback_;
  };
};

}  // namespace detail

/// A scheduled callback. Copies speak of the same one. Belongs to the thread of its loop.
class Handle {
 public:
  /// The callback will not run. It is destroyed at once. May be called twice, and after the callback ran.
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

/// A callback that waits for a point in time.
class TimerHandle : public Handle {
 public:
  /// When it is due, on Loop::time()'s clock.
  TimePoint when() const noexcept { return state_ ? static_cast<detail::TimerState&>(*state_).when() : TimePoint{}; }

  TimerHandle() = default;
  explicit TimerHandle(detail::Ref<detail::TimerState> state) noexcept : Handle(std::move(state)) {}
};

}  // namespace asyncio
