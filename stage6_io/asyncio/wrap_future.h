// wrap_future(): a future of another thread as one of the loop, which a task can await.
// Mirrors: Lib/asyncio/futures.py: wrap_future, _chain_future. Read next: thread_pool.h, then executor.h
#pragma once

#include <asyncio/concurrent_future.h>
#include <asyncio/detail/thread_bridge.h>
#include <asyncio/future.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {

/// The outcome of `source`, which is done, on its way into `destination`. [_set_state]
template <class T>
class FutureArrival final : public Arrival {
 public:
  FutureArrival(ConcurrentFuture<T> source, Future<T> destination)
      : source_(std::move(source)), destination_(std::move(destination)) {}

  void arrive() override {
    if (destination_.done()) return;  // cancelled, that is
    if (source_.cancelled()) {
      destination_.cancel();
    } else if (std::exception_ptr error = std::move(source_).exception()) {  // whoever else sees it shares it
      destination_.set_exception(std::move(error));
    } else if constexpr (std::is_void_v<T>) {
      destination_.set_result();
    } else {
      try {
        destination_.set_result(std::move(source_).result());
      } catch (...) {  // of the value's constructor; or another has taken a value that cannot be copied
        destination_.set_exception(std::current_exception());
      }
    }
  }

 private:
  ConcurrentFuture<T> source_;
  Future<T> destination_;
};

/// Passes a cancel of the loop's future on. It does not hold that future, as a user's callback would: a result that only the
/// library can see is moved, not copied.
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

/// A future of `loop` (the running one, if none is given) that gets the outcome of `future`: in the loop's thread, by
/// call_soon_threadsafe. Cancelling it cancels `future`, if that does not run yet, and the other way round. A loop that
/// is closed in the meantime is left alone. Throws std::runtime_error if the loop is closed already.
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future, Loop& loop) {
  loop.check_closed();
  Future<T> wrapped(loop);
  // The state and not a handle: not to be taken for somebody who can see the result.
  wrapped.state().add_waiter(*new detail::CancelSource(future.state()));
  auto& bridge = loop.service<detail::ThreadBridge>();
  const auto state = future.state();
  const auto number = bridge.expect(std::make_unique<detail::FutureArrival<T>>(std::move(future), wrapped));
  using Ticket = detail::ThreadBridge::Ticket;
  using Callback = detail::ConcurrentState::PlainCallback<Ticket>;
  state->add_done_callback(std::make_unique<Callback>(Ticket(bridge, number)));
  return wrapped;
}
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future) {
  return wrap_future(std::move(future), Loop::running());
}

}  // namespace asyncio
