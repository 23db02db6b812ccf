// Future<T>: a result that arrives later, and the callbacks that wait for it.
// Mirrors: Lib/asyncio/futures.py, Future. Coroutines come with stage 3.
// Read next: exceptions.h
#pragma once

#include <asyncio/detail/future_base.h>

#include <concepts>
#include <iosfwd>
#include <memory>
#include <optional>
#include <typeinfo>
#include <utility>
#include <vector>

namespace asyncio {

template <class T>
class Future;

namespace detail {

/// A future's state with its result. Base is FutureBase; in stage 3 also TaskBase.
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

void report_done_callback_exception(Loop& loop, const std::source_location& where, const FutureBase& future);

/// A user's done-callback. It holds the future, its argument, only from the moment it is scheduled.
template <class F, class Handle>
class FutureCallback final : public DoneCallback, public Pooled {
 public:
  template <class G>
  FutureCallback(G&& callback, CallbackId id, OptionalContext context, std::source_location where)
      : callback_(std::forward<G>(callback)), id_(id), where_(where), context_(context.slot()) {}

  void on_done(FutureBase& future) noexcept override { future_ = Ref<FutureBase>(&future); }
  CallbackId id() const noexcept override { return id_; }
  void add_awaiters([[maybe_unused]] Awaiters& found) override {
    if constexpr (requires { callback_.add_awaiters(found); }) callback_.add_awaiters(found);  // a combinator's
  }

  void run(Loop& loop) override {
    const std::unique_ptr<FutureCallback> self(this);
    Handle future(std::move(future_));
    const ContextScope scope(context_);
    try {
      callback_(future);
    } catch (...) {
      report_done_callback_exception(loop, where_, future.state());
    }
  }
  void drop() noexcept override { delete this; }
  std::source_location where() const noexcept override { return where_; }
  std::string repr() const override {
    const std::string future = future_ ? " to " + future_->repr() : "";  // none yet, when an observer asks
    return "<done-callback added at " + file_and_line(where_) + future + ">";
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

/// A handle to a future whose result type does not matter: for waiting, cancelling and printing. Copies refer to the
/// same future. Any use of an empty handle (default-constructed or moved from) throws InvalidStateError. Belongs to the
/// thread of its loop.
class AnyFuture {
 public:
  AnyFuture() = default;

  explicit operator bool() const noexcept { return static_cast<bool>(state_); }
  /// Whether it has a result or an exception, or is cancelled. [Future.done]
  bool done() const { return state().done(); }
  /// Whether it is cancelled. [Future.cancelled]
  bool cancelled() const { return state().cancelled(); }

  /// The exception, or null if there is a result; marks it as retrieved. Throws CancelledError, or
  /// InvalidStateError("Exception is not set.").
  std::exception_ptr exception() const& { return state().exception(); }
  /// As above; moves the exception out if there is no other handle, so that another thread may destroy it, for example.
  std::exception_ptr exception() && { return state().take_exception(); }

  /// Requests cancellation; false if it is already done. A future is cancelled at once, a task at its next step.
  bool cancel(std::string_view message = {}, std::source_location where = std::source_location::current()) const {
    return state().cancel(CancelledError(message, where));
  }

  /// Schedules `callback(*this)` by call_soon() once the future is done, or now if it is already. It runs in `context`,
  /// or else in a copy of the current one.
  template <std::invocable<AnyFuture&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return add_callback<AnyFuture>(std::forward<F>(callback), context, where);
  }
  /// Returns how many were removed: 0 or 1. Has no effect once the future is done.
  std::size_t remove_done_callback(CallbackId id) const { return state().remove_done_callback(id); }

  /// The loop it belongs to, closed or not. Throws std::runtime_error("Event loop is closed and destroyed").
  Loop& get_loop() const { return state().existing_loop(); }
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
  /// Whether its exception is KeyboardInterrupt or SystemExit, which leave the loop.
  bool holds_fatal_exception() const { return state().holds_fatal_exception(); }

 protected:
  template <class Handle, class F>
  CallbackId add_callback(F&& callback, OptionalContext context, std::source_location where) const {
    static_assert(!detail::returns_coro<F, Handle&>,
                  "coroutines cannot be used with add_done_callback(): call create_task() in the callback");
    detail::check_callable(callback);
    const CallbackId id = detail::next_callback_id();
    auto node = std::make_unique<detail::FutureCallback<std::decay_t<F>, Handle>>(std::forward<F>(callback), id,
                                                                                  context, where);
    state().add_callback(*node);
    node.release();  // the future's, or the ready queue's, from now on
    return id;
  }

 private:
  [[noreturn]] static void throw_empty();

  detail::Ref<detail::FutureBase> state_;
};

/// A handle to a result of type T that arrives later. The state lives as long as there are handles. If nobody has
/// looked at its exception by then, the loop's exception handler gets it.
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
  /// result() as a value: moved out if there is no other handle, or if T cannot be copied; otherwise copied.
  T result() &&;

  /// Completes the future and schedules its callbacks by call_soon(), in the order in which they were added.
  /// Throws InvalidStateError if it is done, std::runtime_error if it is a task.
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<T, U>)
  void set_result(U&& value) const {
    plain_state().set_result(std::forward<U>(value));
  }
  /// The same for a future without a value. Throws InvalidStateError if it is done, std::runtime_error if it is a task.
  void set_result() const
    requires std::is_void_v<T>
  {
    plain_state().set_result();
  }
  /// Takes an exception_ptr or any exception object. Throws InvalidStateError if the future is done.
  template <class E>
  void set_exception(E error) const {
    state().check_settable("set_exception");
    if constexpr (std::convertible_to<E, std::exception_ptr>) {  // also nullptr, which is refused
      state().set_exception(std::move(error));
    } else {
      state().set_exception(std::make_exception_ptr(std::move(error)));
    }
  }

  /// As AnyFuture::add_done_callback(), but the callback gets this type of handle.
  template <std::invocable<Future&> F>
  CallbackId add_done_callback(F&& callback, OptionalContext context = {},
                               std::source_location where = std::source_location::current()) const {
    return this->template add_callback<Future>(std::forward<F>(callback), context, where);
  }

  // ── for the higher stages ──
  explicit Future(detail::Ref<detail::FutureBase> state) noexcept : AnyFuture(std::move(state)) {}

 private:
  /// Throws for a task, whose state is of another type.
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
      T result(std::move(value));
      future.set_moved_out();
      return result;
    }
    return T(std::move(value));
  }
}

/// A pending future of the running loop. [loop.create_future]
template <class T = void>
Future<T> create_future() {
  return Future<T>(Loop::running());
}

namespace detail {
void check_same_loop(const AnyFuture& future, const Loop& loop);
}

/// Returns the future itself. Throws std::invalid_argument if it belongs to another loop.
template <class T>
Future<T> ensure_future(Future<T> future, Loop& loop) {
  detail::check_same_loop(future, loop);
  return future;
}

template <class Future>
void Loop::run_until_done(const Future& future) {
  const auto id = future.add_done_callback([this](auto& done) {
    if (!done.cancelled()) done.exception();  // marks it as looked at
    // KeyboardInterrupt leaves the loop by itself, and must not end the next run.
    if (!done.holds_fatal_exception()) stop();
  });
  {
    const detail::ScopeExit remove([&] { future.remove_done_callback(id); });
    run_forever();
  }
  if (!future.done()) throw std::runtime_error("Event loop stopped before Future completed.");
}

/// Finds ensure_future(awaitable, *this) in the awaitable's namespace. If that makes a task, stage 3 runs it.
template <class Awaitable>
auto Loop::run_until_complete(Awaitable&& awaitable) {
  check_closed();
  check_not_running();
  auto future = ensure_future(std::forward<Awaitable>(awaitable), *this);
  if constexpr (std::same_as<std::remove_cvref_t<Awaitable>, decltype(future)>) {
    run_until_done(future);
  } else {
    run_made_task(future, *this);
  }
  return std::move(future).result();
}

std::ostream& operator<<(std::ostream& out, const AnyFuture& future);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: callbacks and tasks that wait run in the tick after the one in which the future is done, never inside of
//   set_result(), set_exception() or cancel().
// Errors: InvalidStateError for an empty handle, and for a second outcome.
// Units: remove_done_callback() returns a count.
