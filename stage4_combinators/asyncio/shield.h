// shield(): awaits something, and does not cancel it when the caller is cancelled.
// Mirrors: Lib/asyncio/tasks.py: shield. Read next: task_group.h
#pragma once

#include <asyncio/detail/future_for.h>
#include <asyncio/run.h>

#include <source_location>
#include <utility>

namespace asyncio {

namespace detail {

/// What the outer future of a shield knows of the inner one. It does not keep the inner one alive, whose callback
/// holds the outer one: that would be a cycle. `inner` is null as soon as that callback is destroyed.
struct ShieldLink {
  FutureBase* inner = nullptr;
  CallbackId callback{};

  /// Call it when the outer future is done. If the inner one is not, its exception will go to the loop's exception
  /// handler.
  void on_outer_done();
};

template <class T>
class ShieldState final : public FutureState<T> {
 public:
  using FutureState<T>::FutureState;
  ShieldLink link;
};

/// The done-callback of the inner future.
template <class T>
class OnInnerDone {
 public:
  explicit OnInnerDone(Ref<ShieldState<T>> outer) noexcept : outer_(std::move(outer)) {}
  OnInnerDone(OnInnerDone&&) noexcept = default;
  ~OnInnerDone() {
    if (outer_) outer_->link.inner = nullptr;
  }

  void add_awaiters(Awaiters& found) const { found.through.push_back(outer_.get()); }
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
    } catch (...) {  // the result's copy constructor, or it was moved out before
      outer_->set_exception(std::current_exception());
    }
  }

  Ref<ShieldState<T>> outer_;
};

}  // namespace detail

/// Refuses what cannot be awaited, with a sentence.
template <class A>
  requires(!detail::BecomesFuture<A>)
Future<> shield(A&&) {
  detail::check_runs<A>();
  return {};
}

/// Returns a future that completes as `awaitable` does, but whose cancel() does not reach it. A coroutine becomes a
/// task first. A future that is done is returned as it is. If the outer future is cancelled and the inner one fails
/// later, the loop's exception handler is called: "… exception in shielded future". [shield]
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

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the outer future is done in the tick after the inner one; its cancel() counts at once.
// Errors: what the awaitable throws; std::runtime_error without a loop.
// Units: none.
