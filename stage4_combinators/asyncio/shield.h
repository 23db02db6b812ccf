// shield(): await something, and if we are cancelled meanwhile, leave it alone.
// Mirrors: Lib/asyncio/tasks.py: shield. Read next: task_group.h
#pragma once

#include <asyncio/detail/future_for.h>
#include <asyncio/run.h>

#include <source_location>
#include <utility>

namespace asyncio {

namespace detail {

/// What the outer future of a shield knows of the inner one. It does not keep that alive (a circle, as the
/// inner one's callback holds the outer one): `inner` is null as soon as that callback is gone.
struct ShieldLink {
  FutureBase* inner = nullptr;
  CallbackId callback{};

  /// The outer future is done. If it was first, the inner one's exception will be nobody's business but the
  /// exception handler's.
  void on_outer_done();
};

template <class T>
class ShieldState final : public FutureState<T> {
 public:
  using FutureState<T>::FutureState;
  ShieldLink link;
};

/// The inner future's callback.
template <class T>
class OnInnerDone {
 public:
  explicit OnInnerDone(Ref<ShieldState<T>> outer) noexcept : outer_(std::move(outer)) {}
  OnInnerDone(OnInnerDone&&) noexcept = default;
  ~OnInnerDone() {
    if (outer_) outer_->link.inner = nullptr;
  }

  void operator()(Future<T>& inner) {
    if (outer_->done()) return;
    if (inner.cancelled()) {
      outer_->FutureBase::cancel(CancelledError());
    } else if (std::exception_ptr error = inner.exception()) {
      outer_->set_exception(std::move(error));
    } else {
      pass_result(inner);
    }
  }

 private:
  void pass_result(Future<T>& inner) {
    try {
      if constexpr (std::is_void_v<T>) {
        outer_->set_result();
      } else {
        outer_->set_result(std::move(inner).result());
      }
    } catch (...) {  // its copy constructor, or it was moved out before
      outer_->set_exception(std::current_exception());
    }
  }

  Ref<ShieldState<T>> outer_;
};

}  // namespace detail

/// A future that is completed as `awaitable` is, but whose cancel() does not reach it. A coroutine becomes a
/// task first. One that is done already comes back as it is. If the outer future was cancelled, and the inner
/// one fails later, the loop's exception handler is told: "… exception in shielded future".  [shield]
template <detail::BecomesFuture A>
auto shield(A&& awaitable) {
  Loop& loop = detail::loop_for(awaitable);
  auto inner = ensure_future(std::forward<A>(awaitable), loop);
  using T = typename decltype(inner)::value_type;
  if (inner.done()) return Future<T>(std::move(inner));
  const detail::Ref<detail::ShieldState<T>> outer(new detail::ShieldState<T>(loop), detail::adopt);
  Future<T> result{detail::Ref<detail::FutureBase>(outer)};
  outer->link.callback = Future<T>(inner).add_done_callback(detail::OnInnerDone<T>(outer));
  outer->link.inner = &inner.state();
  result.add_done_callback(
      [](Future<T>& done) { static_cast<detail::ShieldState<T>&>(done.state()).link.on_outer_done(); });
  return result;
}

}  // namespace asyncio
