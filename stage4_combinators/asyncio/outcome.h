// Outcome<T>: what gather(return_exceptions, …) returns for each awaitable: its value, or its exception.
// Mirrors: the list of values and exceptions that gather(…, return_exceptions=True) returns.
// Read next: as_completed.h
#pragma once

#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace asyncio {

/// Either a T or an exception; for a cancelled task, its CancelledError.
template <class T>
class [[nodiscard]] Outcome {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  /// Holds a result, made in place.
  template <class... Args>
  explicit Outcome(std::in_place_t, Args&&... args) : content_(std::in_place_index<0>, std::forward<Args>(args)...) {}
  /// Holds an error.
  explicit Outcome(std::exception_ptr error) : content_(std::in_place_index<1>, std::move(error)) {}

  /// Whether it holds a result.
  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The exception; null if there is a value.
  std::exception_ptr exception() const noexcept { return has_value() ? nullptr : *std::get_if<1>(&content_); }

  /// Returns the value, or throws the exception.
  decltype(auto) value() const& {
    check();
    if constexpr (!std::is_void_v<T>) return static_cast<const T&>(*std::get_if<0>(&content_));
  }
  T value() && {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(*std::get_if<0>(&content_));
  }

 private:
  void check() const {
    if (!has_value()) std::rethrow_exception(*std::get_if<1>(&content_));
  }
  std::variant<Value, std::exception_ptr> content_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: value() throws the exception that it holds; nothing else throws.
// Units: none.
