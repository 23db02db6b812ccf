// How a task awaits a future. It lives in stage 3, so that stage 2 knows no coroutines.
// Mirrors: Lib/asyncio/futures.py, Future.__await__. Read next: ../task.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <coroutine>
#include <utility>

namespace asyncio {

namespace detail {

/// A done future does not suspend: no tick passes, and it is no point of cancellation. Otherwise the task goes on in
/// the tick after the future was done. Result is const T& for an lvalue future, T for an rvalue.
template <class T, class Result>
class FutureAwaiter {
 public:
  explicit FutureAwaiter(Future<T> future) noexcept : future_(std::move(future)) {}
  FutureAwaiter(const FutureAwaiter&) = delete;
  FutureAwaiter& operator=(const FutureAwaiter&) = delete;
  ~FutureAwaiter() {
    if (task_) future_.state().remove_waiter(*task_);  // the frame is destroyed while it waits
  }

  bool await_ready() const { return future_.done(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    task_ = &frame.promise().task();
    task_->suspend_on_future(frame.promise(), future_.state());
  }
  Result await_resume() {
    if (task_) {
      future_.state().mark_retrieved();  // a task that is woken has looked, even if a cancel is thrown in its place
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
  TaskBase* task_ = nullptr;  // while it waits
};

}  // namespace detail

/// `const T& value = co_await future;` the value stays in the future.
template <class T>
auto operator co_await(const Future<T>& future) noexcept {
  if constexpr (std::is_void_v<T>) {
    return detail::FutureAwaiter<T, void>(future);
  } else {
    return detail::FutureAwaiter<T, const T&>(future);
  }
}

/// `T value = co_await std::move(future);` moved out if no other handle can see it, copied otherwise; what cannot be
/// copied is moved all the same, and the future then holds no result any more.
template <class T>
auto operator co_await(Future<T>&& future) noexcept {
  return detail::FutureAwaiter<T, T>(std::move(future));
}

}  // namespace asyncio
