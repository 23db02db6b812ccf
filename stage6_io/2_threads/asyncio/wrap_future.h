// wrap_future(): turns a ConcurrentFuture into a future of the loop, which a task can await.
// Mirrors: Lib/asyncio/futures.py: wrap_future, _chain_future. Read next: threads.h
#pragma once

#include <asyncio/concurrent_future.h>
#include <asyncio/detail/thread_bridge.h>
#include <asyncio/future.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {

/// Copies the outcome of `source`, which is done, into `destination`. [_set_state]
template <class T>
class CopyOutcome final : public BridgeCallback {
 public:
  CopyOutcome(ConcurrentFuture<T> source, Future<T> destination)
      : source_(std::move(source)), destination_(std::move(destination)) {}

  void run() override {
    if (destination_.done()) return;  // it was cancelled
    if (source_.cancelled()) {
      destination_.cancel();
    } else if (std::exception_ptr error = std::move(source_).exception()) {
      destination_.set_exception(std::move(error));
    } else if constexpr (std::is_void_v<T>) {
      destination_.set_result();
    } else {
      try {
        destination_.set_result(std::move(source_).result());
      } catch (...) {  // the value's constructor threw, or another handle has taken the value
        destination_.set_exception(std::current_exception());
      }
    }
  }

 private:
  ConcurrentFuture<T> source_;
  Future<T> destination_;
};

/// Cancels the source when the loop's future is cancelled. It holds no handle to that future, as a user's callback
/// would: a result that only the library can see is moved, not copied.
class CancelSource final : public DoneCallback, public Pooled {
 public:
  explicit CancelSource(std::shared_ptr<ConcurrentState> source) noexcept : source_(std::move(source)) {}
  void on_done(FutureBase& future) noexcept override { cancelled_ = future.cancelled(); }
  void run(Loop&) override {
    const std::unique_ptr<CancelSource> self(this);
    if (cancelled_) source_->cancel();
  }
  void drop() noexcept override { delete this; }

 private:
  std::shared_ptr<ConcurrentState> source_;
  bool cancelled_ = false;
};

}  // namespace detail

/// A future of `loop` (default: the running loop) that gets the outcome of `future`, on the loop's thread, through
/// call_soon_threadsafe. Cancelling one of the two cancels the other; `future` only if it does not run yet. If the loop
/// is closed meanwhile, nothing happens. Throws std::runtime_error if the loop is closed already.
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future, Loop& loop) {
  loop.check_closed();
  Future<T> wrapped(loop);
  // The state, not a handle: a handle would count as somebody who can see the result.
  wrapped.state().add_callback(*new detail::CancelSource(future.state()));
  auto& bridge = loop.service<detail::ThreadBridge>();
  const auto state = future.state();
  const auto number = bridge.add(std::make_unique<detail::CopyOutcome<T>>(std::move(future), wrapped));
  using Notifier = detail::ThreadBridge::Notifier;
  using Callback = detail::ConcurrentState::PlainCallback<Notifier>;
  try {
    state->add_done_callback(std::make_unique<Callback>(Notifier(bridge, number)));
  } catch (...) {  // no memory
    bridge.remove(number);
    throw;
  }
  return wrapped;
}
/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future) {
  return wrap_future(std::move(future), Loop::running());
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the future is done in the tick that finds the outcome. Who awaits it runs in the next one.
// Errors: std::runtime_error if the loop is closed, or if none runs.
// Units: none.
