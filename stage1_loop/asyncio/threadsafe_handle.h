// What call_soon_threadsafe() gives back: a callback on its way from one thread to the loop of another.
// Mirrors: Lib/asyncio/events.py, _ThreadSafeHandle (3.14). Read next: loop.h
#pragma once

#include <asyncio/context.h>
#include <asyncio/ready_queue.h>

#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <utility>

namespace asyncio {

namespace detail {

/// Shared by the thread that scheduled the callback and the loop: hence shared_ptr and a mutex, which nothing
/// else in the library needs. Recursive, because a callback may cancel itself.
class ThreadSafeState : public Runnable {
 public:
  ThreadSafeState(std::source_location where, OptionalContext context) : where_(where), context_(context.slot()) {}
  virtual ~ThreadSafeState() = default;

  void cancel() noexcept;
  bool cancelled() const noexcept;

  /// The ready queue holds a bare pointer: until the run the state owns itself.
  static void enqueue(std::shared_ptr<ThreadSafeState> state, ReadyQueue& ready);

  void run(Loop& loop) override;
  void drop() noexcept override;
  std::string repr() const override;

 protected:
  virtual void call() = 0;
  virtual void destroy_callback() noexcept = 0;

 private:
  struct DestroyAtEnd {
    ThreadSafeState& state;
    ~DestroyAtEnd() {
      state.running_ = false;
      state.destroy_callback();
    }
  };

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
  /// The callback will not begin to run any more; while it runs, waits for its end. (On the loop's own thread, from
  /// the callback itself, it returns at once.)
  void cancel() noexcept {
    if (state_) state_->cancel();
  }
  bool cancelled() const noexcept { return state_ && state_->cancelled(); }

  ThreadSafeHandle() = default;
  explicit ThreadSafeHandle(std::shared_ptr<detail::ThreadSafeState> state) noexcept : state_(std::move(state)) {}

 private:
  std::shared_ptr<detail::ThreadSafeState> state_;
};

}  // namespace asyncio
