// How a queue stores an item whose move may throw.
// Mirrors: nothing in CPython, where a list holds pointers. Skip on a first reading. Read next: ../queue.h
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// An item behind a pointer. Moving it cannot fail.
template <class T>
class Boxed {
 public:
  explicit Boxed(T&& item) : item_(std::make_unique<T>(std::move(item))) {}
  T& get() const noexcept { return *item_; }

 private:
  std::unique_ptr<T> item_;
};

template <class T>
inline constexpr bool moves_surely = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;

/// T itself if its move cannot throw, or else Boxed<T>: reordering a queue cannot lose an item.
template <class T>
using Stored = std::conditional_t<moves_surely<T>, T, Boxed<T>>;

template <class T>
const T& item_of(const T& stored) noexcept {
  return stored;
}
template <class T>
T& item_of(const Boxed<T>& stored) noexcept {
  return stored.get();
}

}  // namespace asyncio::detail
