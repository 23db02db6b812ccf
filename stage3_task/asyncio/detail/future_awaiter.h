// How a task awaits a future. It is in stage 3 so that stage 2 needs no coroutines.
// Mirrors: Lib/asyncio/futures.py, Future.__await__. Read next: ../task.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <coroutine>
#include <utility>

namespace asyncio {

namespace detail {

/// Does not suspend if the future is done: no tick passes, and no cancel is delivered. Otherwise the task continues in
/// the tick after the future is done. Result is const T& for an lvalue future, T for an rvalue.
template <class T, class Result>
class FutureAwaiter {
 public:
  explicit FutureAwaiter(Future<T> future) noexcept : future_(std::move(future)) {}
  FutureAwaiter(const FutureAwaiter&) = delete;
  FutureAwaiter& operator=(const FutureAwaiter&) = delete;
  ~FutureAwaiter() {
    if (task_) future_.state().remove_callback(*task_);  // the frame is destroyed while it waits
  }

  bool await_ready() const { return future_.done(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    task_ = &frame.promise().task();
    task_->suspend_on_future(frame.promise(), future_.state());
  }
  Result await_resume() {
    if (task_) {
      future_.state().mark_retrieved();  // a woken task has looked, even if a cancel is thrown instead
      std::exchange(task_, nullptr)->throw_if_cancelled(&future_.state());
    }
    if constexpr (std::is_reference_v<Result>) {
      return std::as_const(future_).result();
    } else {
      return std::move(future_).result();
    }
  }

 private:
  Future<T> future_;
  TaskBase* task_ = nullptr;  // set while it waits
};

}  // namespace detail

/// `const T& value = co_await future;` The value stays in the future.
template <class T>
auto operator co_await(const Future<T>& future) noexcept {
  if constexpr (std::is_void_v<T>) {
    return detail::FutureAwaiter<T, void>(future);
  } else {
    return detail::FutureAwaiter<T, const T&>(future);
  }
}

/// `T value = co_await std::move(future);` The value is moved out if there is no other handle or T cannot be copied;
/// after that the future has no result. Otherwise it is copied.
template <class T>
auto operator co_await(Future<T>&& future) noexcept {
  return detail::FutureAwaiter<T, T>(std::move(future));
}

}  // namespace asyncio
