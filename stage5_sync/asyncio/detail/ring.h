// The queue of a Queue: what goes in first comes out first, from memory that is used again and again.
// Mirrors: collections.deque. (std::deque would take and give back a block of memory every few dozen items.)
// Read next: ../queue.h
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace asyncio::detail {

/// Invariants: (1) capacity is a power of two, or 0. (2) The items are in the slots head_ … tail_ - 1, both taken
/// modulo the capacity; all other slots are empty. T need only be movable.
template <class T>
class Ring {
 public:
  std::size_t size() const noexcept { return tail_ - head_; }
  /// The i-th from the front.
  const T& operator[](std::size_t i) const noexcept { return *slots_[(head_ + i) & (capacity_ - 1)]; }

  void push(T&& item) {
    if (size() == capacity_) grow();
    slots_[tail_ & (capacity_ - 1)].emplace(std::move(item));
    ++tail_;
  }
  /// REQUIRES: size() > 0.
  T pop() {
    std::optional<T>& slot = slots_[head_ & (capacity_ - 1)];
    T item = std::move(*slot);
    slot.reset();
    ++head_;
    return item;
  }

 private:
  void grow() {
    const std::size_t wider = capacity_ == 0 ? 8 : 2 * capacity_;
    auto slots = std::make_unique<std::optional<T>[]>(wider);
    for (std::size_t i = head_; i != tail_; ++i) slots[i & (wider - 1)] = std::move(slots_[i & (capacity_ - 1)]);
    slots_ = std::move(slots);
    capacity_ = wider;
  }

  std::unique_ptr<std::optional<T>[]> slots_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace asyncio::detail
