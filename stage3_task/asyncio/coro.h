// Coro<T>: the object that a coroutine function returns. As in Python it is lazy, so that nothing runs until it is
// awaited or made a task, and it is awaited once.
// Mirrors: the coroutine objects of the language itself (PEP 492). Read next: task.h
#pragma once

#include <asyncio/detail/promise.h>

#include <concepts>
#include <coroutine>
#include <iosfwd>
#include <utility>

namespace asyncio {

template <class T = void>
class Coro;

namespace detail {

template <class T>
inline constexpr bool is_coro<Coro<T>> = true;

/// A promise with all that a compiler asks of one, and nothing of ours.
struct ForeignPromise {
  void get_return_object();
  std::suspend_always initial_suspend() const noexcept;
  std::suspend_always final_suspend() const noexcept;
  void unhandled_exception() noexcept;
  void return_void() noexcept;
  template <class T>
  void return_value(T&&);
  template <class A>
  A&& await_transform(A&&);
  template <class T>
  std::suspend_always yield_value(T&&);
};

/// Suspends any coroutine: std::suspend_always, and every awaiter that keeps the handle of no matter whom. It knows no
/// task; to resume its handle would be to run a part of a task behind the task's back. (One that asks for a member which
/// only our promises have cannot be told apart from an awaiter made for them.)
template <class A>
concept ForeignAwaiter =
    requires(A& awaiter) { awaiter.await_ready(); } &&
    (
        requires(A& awaiter, std::coroutine_handle<> any) { awaiter.await_suspend(any); } ||
        requires(A& awaiter, std::coroutine_handle<ForeignPromise> other) { awaiter.await_suspend(other); });

/// Suspends a coroutine of this library, and no other.
template <class A>
concept Awaiter = !ForeignAwaiter<A> && requires(A& awaiter, std::coroutine_handle<PromiseBase> frame) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  awaiter.await_suspend(frame);
  awaiter.await_resume();
};

template <class A>
decltype(auto) get_awaiter(A&& awaitable) {
  if constexpr (requires { std::forward<A>(awaitable).operator co_await(); }) {
    return std::forward<A>(awaitable).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<A>(awaitable)); }) {
    return operator co_await(std::forward<A>(awaitable));
  } else {
    return std::forward<A>(awaitable);
  }
}

template <class A>
inline constexpr bool is_foreign_awaitable = requires(A&& awaitable) {
  { get_awaiter(std::forward<A>(awaitable)) } -> ForeignAwaiter;
};
template <class A>
consteval void refuse_foreign_awaitable() {
  static_assert(!is_foreign_awaitable<A>,
                "an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task: let the callback that "
                "would resume the handle complete a Future, and co_await that");
}

}  // namespace detail

/// What can be awaited: a Coro&&, a Future, a Task, sleep(…), lock.acquire() …
template <class A>
concept Awaitable = !(detail::is_coro<std::remove_cvref_t<A>> && std::is_lvalue_reference_v<A>)&&requires(A&& a) {
  { detail::get_awaiter(std::forward<A>(a)) } -> detail::Awaiter;
};

/// The type of a co_await expression; for `co_await future` a const T&.
template <Awaitable A>
using await_result_t = decltype(detail::get_awaiter(std::declval<A>()).await_resume());

namespace detail {

template <class A>
A&& PromiseBase::await_transform(A&& awaitable, std::source_location where) noexcept {
  static_assert(!(is_coro<std::remove_cvref_t<A>> && std::is_lvalue_reference_v<A>),
                "a Coro is awaited once, and is gone then: co_await std::move(coro)");
  refuse_foreign_awaitable<A>();
  static_assert(is_coro<std::remove_cvref_t<A>> || is_foreign_awaitable<A> || Awaitable<A>,
                "this cannot be awaited: co_await takes a Coro, a Future, a Task, or an awaitable such as sleep(1s)");
  line_ = where.line();
  return static_cast<A&&>(awaitable);
}

/// The awaiter of one Coro by another: a plain call. The callee runs in the caller's task, starts at once, and resumes
/// the caller when it is done. All that is symmetric transfer: no task, no tick, and the stack does not grow.
template <class T>
class CoroAwaiter : public Call {
 public:
  explicit CoroAwaiter(PromiseOf<T>* callee) noexcept : Call(callee) {}
  CoroAwaiter(const CoroAwaiter&) = delete;
  CoroAwaiter& operator=(const CoroAwaiter&) = delete;

  bool await_ready() const {
    if (!callee()) [[unlikely]]
      throw_awaited_twice();
    return false;
  }
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
    return begin(caller.promise());
  }
  T await_resume() { return static_cast<PromiseOf<T>*>(callee())->take_result(); }
};

}  // namespace detail

/// A coroutine that has not begun. Its parameters live in its frame: take them by value, unless the caller awaits it at
/// once. It is awaited once, as an rvalue, by a coroutine that runs in a task.
template <class T>
class [[nodiscard("a coroutine runs only if it is awaited, or made a task")]] ASYNCIO_CORO_TYPE Coro {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && std::move_constructible<T>),
                "a Coro returns void or a value: an object that can be moved (not a reference)");

 public:
  using value_type = T;
  using promise_type = detail::PromiseOf<T>;

  Coro() = default;
  /// The other one is empty afterwards.
  Coro(Coro&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  Coro& operator=(Coro&& other) noexcept {
    std::swap(promise_, other.promise_);
    return *this;
  }
  ~Coro() {
    if (promise_) detail::destroy_unawaited(*promise_);
  }

  /// Destroys it on purpose: debug mode does not report it as never awaited.
  void close() noexcept {
    if (promise_) std::exchange(promise_, nullptr)->destroy_before_begin();
  }

  detail::CoroAwaiter<T> operator co_await() && noexcept {
    return detail::CoroAwaiter<T>(std::exchange(promise_, nullptr));
  }

  /// False if it was awaited, moved from, or default-constructed.
  explicit operator bool() const noexcept { return promise_ != nullptr; }

  // ── for the library ──
  explicit Coro(promise_type* promise) noexcept : promise_(promise) {}
  promise_type* promise() const noexcept { return promise_; }
  promise_type* release() noexcept { return std::exchange(promise_, nullptr); }

 private:
  promise_type* promise_ = nullptr;
};

namespace detail {
template <class T>
Coro<T> PromiseOf<T>::get_return_object(std::source_location where) noexcept {
  this->set_where(where);
  return Coro<T>(this);
}
inline Coro<void> PromiseOf<void>::get_return_object(std::source_location where) noexcept {
  this->set_where(where);
  return Coro<void>(this);
}
}  // namespace detail

/// Refuses `std::cout << coro` with a sentence, in place of a list of all that can be printed.
template <class T>
std::ostream& operator<<(std::ostream& out, const Coro<T>&) {
  static_assert(!detail::is_coro<Coro<T>>,
                "a Coro has no value that could be printed: co_await it, and print its result");
  return out;
}

static_assert(Awaitable<Coro<int>> && !Awaitable<Coro<int>&> && !Awaitable<int>);
static_assert(std::same_as<await_result_t<Coro<int>>, int>);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: a coroutine that has not begun may be moved to another thread; then it belongs to the thread of the loop
//   that runs it.
// Ticks: none: `co_await` of a Coro runs it at once, as a call.
// Errors: std::runtime_error if it was awaited before, or moved from; else what the coroutine throws.
// Units: none.
