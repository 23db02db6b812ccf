// AsyncGenerator<T>: a coroutine that yields many values, one after the other, and may await between them.
//     AsyncGenerator<int> ticker() { for (int i = 0;; ++i) { co_yield i; co_await sleep(1s); } }
//     while (auto item = co_await numbers.next()) use(*item);
// Mirrors: asynchronous generators (PEP 525), and what BaseEventLoop does to close them.
// Read next: call_graph.h
#pragma once

#include <asyncio/detail/generator_state.h>
#include <asyncio/detail/lazy_awaitable.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace asyncio {

template <class T>
class AsyncGenerator;

namespace detail {

template <class T>
class GeneratorPromise final : public GeneratorPromiseBase {
 public:
  AsyncGenerator<T> get_return_object(std::source_location where = std::source_location::current());

  /// Keeps the value in the generator's frame until next() takes it.
  class Yield : public YieldBase {
   public:
    explicit Yield(T value) : value_(std::move(value)) {}
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> generator) noexcept {
      return yield(generator.promise(), std::addressof(value_));
    }

   private:
    T value_;
  };
  Yield yield_value(T value) { return Yield(std::move(value)); }
  void return_void() noexcept { outcome_ = Outcome::value; }
};

template <class T>
class NextAwaiter final : public NextAwaiterBase {
 public:
  using NextAwaiterBase::NextAwaiterBase;
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
    return resume(caller.promise());
  }
  std::optional<T> await_resume() {
    void* value = take_value();
    return value ? std::optional<T>(std::move(*static_cast<T*>(value))) : std::nullopt;
  }
};

template <class T>
using Next = LazyAwaitable<NextAwaiter<T>, Ref<GeneratorState>>;

}  // namespace detail

/// What a coroutine function with co_yield returns. Nothing runs before the first next(). The generator runs inside the
/// task that awaits next(), as any awaited coroutine: a value without an await in the generator takes no tick.
///
/// A generator that is dropped before its end is closed by its loop, in a task of its own; one that is alive when the
/// Runner closes is closed by the Runner. Closing throws GeneratorExit at the co_yield where the generator waits. It
/// may then clean up, and await, but it must not co_yield again.
template <class T>
class [[nodiscard]] AsyncGenerator {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "an AsyncGenerator yields objects that can be moved (not references)");

 public:
  using promise_type = detail::GeneratorPromise<T>;

  AsyncGenerator() = default;

  /// Runs the generator up to its next co_yield and returns that value; nullopt at its end, and from then on. Throws
  /// the exception that ends the generator, and std::runtime_error if another task is in next() already. [anext]
  detail::Next<T> next() const { return detail::Next<T>(state()); }

  /// Closes the generator: see above. Throws std::runtime_error if it is running, or if it yields again; and whatever
  /// else the generator throws.
  Coro<> aclose() const { return detail::close_generator(state()); }

  explicit operator bool() const noexcept { return static_cast<bool>(state_); }
  /// `<async_generator ticker() defined at demo.cpp:12>`
  std::string repr() const { return state()->repr(); }

  // ── for the library ──
  explicit AsyncGenerator(detail::Ref<detail::GeneratorState> state) noexcept : state_(std::move(state)) {}

 private:
  const detail::Ref<detail::GeneratorState>& state() const {
    if (!state_) detail::throw_empty_generator();
    return state_;
  }
  detail::Ref<detail::GeneratorState> state_;
};

namespace detail {
template <class T>
AsyncGenerator<T> GeneratorPromise<T>::get_return_object(std::source_location where) {
  this->set_where(where);
  return AsyncGenerator<T>(this->make_state());
}
}  // namespace detail

/// Closes all generators of that loop which have begun and not ended, and waits for them. What they throw goes to the
/// loop's exception handler. Runner::close() calls it. [loop.shutdown_asyncgens]
Coro<> shutdown_asyncgens(Loop& loop);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: next() and aclose() take none, unless the generator awaits. What the loop closes, it closes in tasks, which
//   begin in the next tick.
// Errors: std::runtime_error for an empty generator, and for one in which another task is; else what the generator
//   throws.
// Units: none.
