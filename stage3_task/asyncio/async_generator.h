// AsyncGenerator<T>: a coroutine that gives many values, one after the other, and may await between them.
//     AsyncGenerator<int> ticker() { for (int i = 0;; ++i) { co_yield i; co_await sleep(1s); } }
//     while (auto item = co_await numbers.next()) use(*item);
// Mirrors: asynchronous generators (PEP 525), and what BaseEventLoop does to close them. Read next: run.h
#pragma once

#include <asyncio/detail/generator_state.h>

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

  /// Holds the value in the generator's frame until next() has taken it.
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
    return begin(caller.promise());
  }
  std::optional<T> await_resume() {
    void* value = end();
    return value ? std::optional<T>(std::move(*static_cast<T*>(value))) : std::nullopt;
  }
};

/// What next() returns: nothing happens until it is awaited.
template <class T>
class [[nodiscard("co_await it")]] Next {
 public:
  explicit Next(Ref<GeneratorState> state) noexcept : state_(std::move(state)) {}
  NextAwaiter<T> operator co_await() const { return NextAwaiter<T>(state_); }

 private:
  Ref<GeneratorState> state_;
};

}  // namespace detail

/// The generator that a coroutine function with co_yield returns. Nothing runs before the first next(). It runs inside the
/// task that awaits next(), as any coroutine that is awaited: a value that is there costs no tick.
///
/// A generator that is dropped before its end is closed by its loop, in a task of its own; one that is still alive when the
/// Runner closes is closed by that. Closing throws GeneratorExit at the co_yield where it waits, so that it can clean up, and
/// even await as it does so; what it must not do is co_yield again.
template <class T>
class [[nodiscard]] AsyncGenerator {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "an AsyncGenerator yields objects that can be moved (not references)");

 public:
  using promise_type = detail::GeneratorPromise<T>;

  AsyncGenerator() = default;

  /// Runs it up to its next co_yield and gives that value; nullopt at its end, and ever after. What leaves the generator as an
  /// exception is thrown here, and it has ended. Throws std::runtime_error if another task is in a next() of it.  [anext]
  detail::Next<T> next() const { return detail::Next<T>(state()); }

  /// Ends it: see above. Throws std::runtime_error if it runs, or if it answers GeneratorExit with another value; and
  /// what else the generator throws.
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

template <class T>
AsyncGenerator<T> detail::GeneratorPromise<T>::get_return_object(std::source_location where) {
  set_where(where);
  return AsyncGenerator<T>(make_state());
}

/// Closes all generators of that loop which have begun and not ended, and waits for them; what they throw goes to the loop's
/// exception handler. Runner::close() does it. [loop.shutdown_asyncgens]
Coro<> shutdown_asyncgens(Loop& loop);

}  // namespace asyncio
