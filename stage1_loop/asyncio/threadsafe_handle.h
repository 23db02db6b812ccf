// What call_soon_threadsafe() returns: a callback on its way from one thread to the loop of another.
// Mirrors: Lib/asyncio/events.py, _ThreadSafeHandle (3.14). Read next: error_context.h
#pragma once

#include <asyncio/context.h>
#include <asyncio/ready_queue.h>

#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

/// Shared by the loop and the thread that scheduled the callback: hence a shared_ptr and a mutex. The mutex is
/// recursive because a callback may cancel itself.
class ThreadSafeState : public Wakeup {
 public:
  ThreadSafeState(std::source_location where, OptionalContext context) : where_(where), context_(context.slot()) {}
  virtual ~ThreadSafeState() = default;

  void cancel() noexcept;
  bool cancelled() const noexcept;

  /// The inbox and the ready queue hold a bare pointer, so the state owns itself until it runs. Call it once.
  static ThreadSafeState& owned_by_itself(std::shared_ptr<ThreadSafeState> state) noexcept;

  void run(Loop& loop) override;
  void drop() noexcept override;
  Kind kind() const noexcept override { return Kind::posted; }
  std::string repr() const override;
  std::source_location where() const noexcept override { return where_; }
  bool skipped() const noexcept override { return cancelled(); }

 protected:
  virtual void call() = 0;
  virtual void destroy_callback() noexcept = 0;

 private:
  mutable std::recursive_mutex mutex_;
  bool cancelled_ = false;
  bool running_ = false;
  std::shared_ptr<ThreadSafeState> self_;
  std::source_location where_;
  ContextSlot context_;
};

template <class F>
class ThreadSafeNode final : public ThreadSafeState {
 public:
  template <class G>
  ThreadSafeNode(G&& callback, std::source_location where, OptionalContext context)
      : ThreadSafeState(where, context), callback_(std::forward<G>(callback)) {}

 private:
  void call() override { (*callback_)(); }
  void destroy_callback() noexcept override { callback_.reset(); }
  std::optional<F> callback_;
};

}  // namespace detail

/// Thread safety: every member may be called from any thread.
class ThreadSafeHandle {
 public:
  /// After this call the callback does not run: if it is running on another thread, cancel() waits for its end. Called
  /// by the callback itself, it returns at once.
  void cancel() noexcept {
    if (state_) state_->cancel();
  }
  /// Whether cancel() was called before the callback ran.
  bool cancelled() const noexcept { return state_ && state_->cancelled(); }

  ThreadSafeHandle() = default;
  explicit ThreadSafeHandle(std::shared_ptr<detail::ThreadSafeState> state) noexcept : state_(std::move(state)) {}

 private:
  std::shared_ptr<detail::ThreadSafeState> state_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread.
// Ticks: the callback runs in the tick that waits when it comes, or else in the next one.
// Errors: none.
// Units: none.
