// Future<T>: a result that arrives later, and the callbacks that wait for it.
// Mirrors: Lib/asyncio/futures.py, Future. There are no coroutines here yet: those come with stage 3.
// Read next: stage 3's coro.h
#pragma once

#include <asyncio/detail/future_base.h>

#include <concepts>
#include <iosfwd>
#include <memory>
#include <optional>
#include <typeinfo>
#include <utility>

namespace asyncio {

template <class T>
class Future;

namespace detail {

/// The state with room for the result. Base is FutureBase, or in stage 3 TaskBase.
template <class T, class Base = FutureBase>
class FutureState : public Base {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "a Future holds a value: an object that can be moved (not a reference)");

 public:
  using Base::Base;
  template <class U>
  void set_result(U&& value) {
    this->check_pending();
    store(std::forward<U>(value));
    this->finish();
  }
  void* value() noexcept final { return std::addressof(*value_); }

 protected:
  template <class U>
  void store(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  std::string repr_value() const final { return repr_of(*value_); }

 private:
  std::optional<T> value_;
};

template <class Base>
class FutureState<void, Base> : public Base {
 public:
  using Base::Base;
  void set_result() {
    this->check_pending();
    this->finish();
  }
  void* value() noexcept final { return nullptr; }

 protected:
  std::string repr_value() const final { return "None"; }
};

/// A user's done-callback. It gets the future, and so holds it, but only from the moment it is scheduled.
template <class F, class Handle>
class FutureCallback final : public DoneCallback, public Pooled {
 public:
  template <class G>
  FutureCallback(G&& callback, CallbackId id, OptionalContext context, std::source_location where)
      : callback_(std::forward<G>(callback)), id_(id), where_(where), context_(context.slot()) {}

  void on_done(FutureBase& future) noexcept override { future_ = Ref<FutureBase>(&future); }
  CallbackId id() const noexcept override { return id_; }

  void run(Loop& loop) override {
    const std::unique_ptr<FutureCallback> self(this);
    Handle future(std::move(future_));
    const ContextScope scope(context_);
    try {
      callback_(future);
    } catch (...) {
      report_callback_exception(loop, where_, future.repr());
    }
  }
  void drop() noexcept override { delete this; }
  std::string repr() const override {
    return "<done-callback added at " + file_and_line(where_) + " to " + future_->repr() + ">";
  }

 private:
  F callback_;
  CallbackId id_;
  std::source_location where_;
  ContextSlot context_;
  Ref<FutureBase> future_;
};

CallbackId next_callback_id() noexcept;

}  // namespace detail

/// A handle to a future whose result type does not matter: for waiting, cancelling and printing. Copies speak of the
/// same future; an empty one (default-made, moved-from) speaks of none, and any use of it is an InvalidStateError.
/// Belongs to the thread of its loop.
class AnyFuture {
 public:
  AnyFuture() = default;

  explicit operator bool() const noexcept { return static_cast<bool>(state_); }
  bool done() const { return state().done(); }
  bool cancelled() const { return state().cancelled(); }

  /// The exception, or null if there is a result; counts as looked at. Throws CancelledError, or
  /// InvalidStateError("Exception is not set.").
  std::exception_ptr exception() const& { return state().exception(); }
  /// The same, and taken away if no other handle can see it: to be destroyed in another thread, say.
  std::exception_ptr exception() && { return state().take_exception(); }

  /// Asks for its cancellation: false if it is done already. A future is cancelled at once; a task at its next step.
  bool cancel(std::string_view message = {}) const { return state().cancel(CancelledError(message)); }

  /// Will call `callback(*this)` by call_soon once it is done; in the next tick if it is already. In `context`, or else
  /// in a copy of the current one.
  template <std::invocable<AnyFuture&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return add_callback<AnyFuture>(std::forward<F>(callback), context, where);
  }
  /// How many were removed: 0 or 1. Has no effect once the future is done.
  std::size_t remove_done_callback(CallbackId id) const { return state().remove_done_callback(id); }

  /// The loop it belongs to. Throws std::runtime_error if that is closed.
  Loop& get_loop() const { return state().open_loop(); }
  /// `<Future finished result=42>`
  std::string repr() const { return state_ ? state_->repr() : "<Future empty>"; }

  friend bool operator==(const AnyFuture&, const AnyFuture&) = default;  // the same future, not the same result

  // ── for the higher stages ──
  explicit AnyFuture(detail::Ref<detail::FutureBase> state) noexcept : state_(std::move(state)) {}
  detail::FutureBase& state() const {
    if (!state_) [[unlikely]]
      throw_empty();
    return *state_;
  }
  bool holds_fatal_exception() const { return state().holds_fatal_exception(); }

 protected:
  template <class Handle, class F>
  CallbackId add_callback(F&& callback, OptionalContext context, std::source_location where) const {
    detail::check_callable(callback);
    const CallbackId id = detail::next_callback_id();
    auto node = std::make_unique<detail::FutureCallback<std::decay_t<F>, Handle>>(std::forward<F>(callback), id,
                                                                                  context, where);
    state().add_waiter(*node);
    node.release();  // the future's, or the ready queue's, from now on
    return id;
  }

 private:
  [[noreturn]] static void throw_empty();

  detail::Ref<detail::FutureBase> state_;
};

/// A handle to a result of type T that arrives later. Its state lives while there are handles; an exception that nobody
/// ever looked at is then reported to the loop's exception handler.
template <class T = void>
class Future : public AnyFuture {
 public:
  using value_type = T;

  Future() = default;
  /// A pending future of that loop; complete it with set_result(), set_exception() or cancel().
  explicit Future(Loop& loop)
      : AnyFuture(detail::Ref<detail::FutureBase>(new detail::FutureState<T>(loop), detail::adopt)) {}

  /// Throws CancelledError, the future's exception, or InvalidStateError("Result is not ready.").
  decltype(auto) result() const&;
  /// The same as a value: moved out if no other handle can see it (or T cannot be copied), otherwise copied.
  T result() &&;

  /// Completes it, and schedules the callbacks by call_soon, in the order they were added; none runs inline.
  /// Throws InvalidStateError if it is done, std::runtime_error if it is a task.
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<T, U>)
  void set_result(U&& value) const {
    plain_state().set_result(std::forward<U>(value));
  }
  void set_result() const
    requires std::is_void_v<T>
  {
    plain_state().set_result();
  }
  /// An exception_ptr, or any exception object. Throws InvalidStateError if it is done.
  template <class E>
  void set_exception(E error) const {
    state().check_settable("set_exception");
    if constexpr (std::convertible_to<E, std::exception_ptr>) {  // nullptr, too: refused as the empty one it is
      state().set_exception(std::move(error));
    } else {
      state().set_exception(std::make_exception_ptr(std::move(error)));
    }
  }

  /// As AnyFuture's; the callback gets this type of handle.
  template <std::invocable<Future&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return this->template add_callback<Future>(std::forward<F>(callback), context, where);
  }

  // ── for the higher stages ──
  explicit Future(detail::Ref<detail::FutureBase> state) noexcept : AnyFuture(std::move(state)) {}

 private:
  /// REQUIRES, for the cast: its result is not that of a coroutine, which would be a state of another type.
  detail::FutureState<T>& plain_state() const {
    state().check_settable("set_result");
    return static_cast<detail::FutureState<T>&>(state());
  }
};

template <class T>
decltype(auto) Future<T>::result() const& {
  detail::FutureBase& future = state();
  future.throw_unless_finished();
  if constexpr (!std::is_void_v<T>) return static_cast<const T&>(*static_cast<T*>(future.value()));
}

template <class T>
T Future<T>::result() && {
  detail::FutureBase& future = state();
  future.throw_unless_finished();
  if constexpr (!std::is_void_v<T>) {
    T& value = *static_cast<T*>(future.value());
    if constexpr (std::copy_constructible<T>) {
      if (!future.unique()) return T(static_cast<const T&>(value));
    } else {
      future.set_moved_out();
    }
    return T(std::move(value));
  }
}

/// A pending future of the running loop.  [loop.create_future]
template <class T = void>
Future<T> create_future() {
  return Future<T>(Loop::running());
}

namespace detail {
void check_same_loop(const AnyFuture& future, const Loop& loop);
}

/// A future is awaitable as it is. Throws std::invalid_argument if it belongs to another loop.
template <class T>
Future<T> ensure_future(Future<T> future, Loop& loop) {
  detail::check_same_loop(future, loop);
  return future;
}

std::ostream& operator<<(std::ostream& out, const AnyFuture& future);

}  // namespace asyncio
