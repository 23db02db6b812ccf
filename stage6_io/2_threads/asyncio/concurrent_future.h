// ConcurrentFuture<T>: a result from another thread. Like a Future, but any thread can use it, and a thread without a
// loop can wait for it.
// Mirrors: Lib/concurrent/futures/_base.py, Future. Read next: thread_pool.h
#pragma once

#include <asyncio/detail/concurrent_state.h>
#include <asyncio/exceptions.h>
#include <asyncio/loop.h>
#include <asyncio/timeouts.h>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T>
class ConcurrentFuture;

namespace detail {

/// A user's callback, which gets a handle.
template <class T, class F>
class ConcurrentCallback final : public ConcurrentState::Callback {
 public:
  template <class G>  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): nobody copies one
  explicit ConcurrentCallback(G&& callback) : callback_(std::forward<G>(callback)) {}
  void call(const std::shared_ptr<ConcurrentState>& done) override {
    ConcurrentFuture<T> future(std::static_pointer_cast<ConcurrentStateOf<T>>(done));
    callback_(future);
  }

 private:
  F callback_;
};

}  // namespace detail

/// A handle; copies refer to the same future. A pool and run_coroutine_threadsafe() return one. The default constructor
/// makes a pending one, for an executor of your own. A moved-from handle may only be assigned to or destroyed.
///
/// Thread safety: any number of threads may use handles to the same future; one handle belongs to one thread at a time.
template <class T = void>
class ConcurrentFuture {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && std::move_constructible<T>),
                "a ConcurrentFuture holds a value: an object that can be moved (not a reference)");

 public:
  using value_type = T;

  /// A pending one. Copies stand for the same future. Thread safety: any thread, for all of its functions.
  ConcurrentFuture() : ConcurrentFuture(std::make_shared<detail::ConcurrentStateOf<T>>()) {}
  ConcurrentFuture(const ConcurrentFuture& other) noexcept : ConcurrentFuture(other.state_) {}
  ConcurrentFuture(ConcurrentFuture&& other) noexcept = default;
  ConcurrentFuture& operator=(ConcurrentFuture other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ConcurrentFuture() {
    if (state_) state_->drop_handle();
  }

  /// Whether it has a result or an exception, or is cancelled. [concurrent.futures.Future.done]
  bool done() const { return state_->done(); }
  /// Whether it is cancelled. [concurrent.futures.Future.cancelled]
  bool cancelled() const { return state_->cancelled(); }
  /// Whether a thread works on it: it cannot be cancelled then. [concurrent.futures.Future.running]
  bool running() const { return state_->running(); }

  /// False if the job runs already or is done. Otherwise it never runs, and all waiters get CancelledError.
  bool cancel() const { return state_->cancel(); }

  /// Waits for the result. Throws what the job threw, CancelledError, or TimeoutError after `timeout`. On the loop's
  /// own thread, never wait for something that the loop has to do.
  decltype(auto) result(TimeLimit timeout = {}) const&;
  /// Returns the result by value: moved out if this is the only handle, or if T cannot be copied; otherwise copied.
  T result(TimeLimit timeout = {}) &&;
  /// Waits for the exception; null if there is a result. Throws CancelledError, TimeoutError.
  std::exception_ptr exception(TimeLimit timeout = {}) const& {
    state_->wait(timeout);
    return state_->exception();
  }
  /// Moves the exception out if this is the only handle.
  std::exception_ptr exception(TimeLimit timeout = {}) && {
    state_->wait(timeout);
    return state_->has_one_handle() ? state_->take_exception() : state_->exception();
  }

  /// Calls `callback(*this)` when the future is done, in the thread that completes it; at once, in this thread, if it
  /// is done already. An exception from the callback is printed.
  template <std::invocable<ConcurrentFuture&> F>
  void add_done_callback(F&& callback) const {
    detail::check_callable(callback);
    state_->add_done_callback(
        std::make_unique<detail::ConcurrentCallback<T, std::decay_t<F>>>(std::forward<F>(callback)));
  }

  // ── for executors ──
  /// To be called before the job runs. False if it was cancelled and must not run; afterwards it cannot be cancelled.
  bool set_running_or_notify_cancel() const { return state_->set_running_or_notify_cancel(); }
  /// Throws InvalidStateError if it is done.
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<T, U>)
  void set_result(U&& value) const {
    state_->set_result(std::forward<U>(value));
  }
  /// The same for a future without a value. Throws InvalidStateError if it is done.
  void set_result() const
    requires std::is_void_v<T>
  {
    state_->set_result();
  }
  /// `error` is an exception, or a std::exception_ptr. Throws InvalidStateError if it is done.
  template <class E>
  void set_exception(E error) const {
    if constexpr (std::convertible_to<E, std::exception_ptr>) {
      state_->set_exception(std::move(error));
    } else {
      state_->set_exception(std::make_exception_ptr(std::move(error)));
    }
  }

  // ── for the library ──
  using State = detail::ConcurrentStateOf<T>;
  explicit ConcurrentFuture(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {
    if (state_) state_->add_handle();
  }
  const std::shared_ptr<State>& state() const noexcept { return state_; }

 private:
  void wait_for_result(TimeLimit timeout) const {
    state_->wait(timeout);
    if (const std::exception_ptr& error = state_->exception()) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>) {
      if (!state_->value()) throw InvalidStateError("Result was moved out already, by result() of an rvalue.");
    }
  }

  std::shared_ptr<State> state_;
};

template <class T>
decltype(auto) ConcurrentFuture<T>::result(TimeLimit timeout) const& {
  wait_for_result(timeout);
  if constexpr (!std::is_void_v<T>) return static_cast<const T&>(*state_->value());
}

template <class T>
T ConcurrentFuture<T>::result(TimeLimit timeout) && {
  wait_for_result(timeout);
  if constexpr (!std::is_void_v<T>) {
    std::optional<T>& value = state_->value();
    if constexpr (std::copy_constructible<T>) {
      if (!state_->has_one_handle()) return T(std::as_const(*value));
      return T(std::move(*value));
    } else {
      T taken(std::move(*value));
      value.reset();
      return taken;
    }
  }
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one handle belongs to one thread at a time.
// Ticks: none: a thread waits for it, without a loop.
// Errors: what the job throws; CancelledError, TimeoutError; InvalidStateError for a second outcome.
// Units: the timeout is any std::chrono duration, from the call on.
