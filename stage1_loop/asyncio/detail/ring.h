// A first-in, first-out queue in one growing block of memory, which is used again and again. (std::deque allocates and
// frees a block every few dozen items.)
// Mirrors: collections.deque. Skip on a first reading. Read next: ../ready_queue.h
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace asyncio::detail {

/// Invariants: (1) capacity_ is a power of two, or 0. (2) The items are in slots head_ … tail_ - 1, both taken modulo
/// the capacity. T need only be movable.
template <class T, std::size_t kFirstCapacity = 8>
class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    for (; !empty(); ++head_) std::destroy_at(std::addressof(slot(head_)));
  }

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }
  /// The i-th from the front.
  T& operator[](std::size_t i) noexcept { return slot(head_ + i); }
  const T& operator[](std::size_t i) const noexcept { return slot(head_ + i); }

  void push(T&& item) {
    if (size() == capacity_) [[unlikely]]
      grow();
    std::construct_at(std::addressof(slot(tail_)), std::move(item));
    ++tail_;
  }
  /// REQUIRES: !empty().
  T pop() {
    T& first = slot(head_);
    T item = std::move(first);
    std::destroy_at(std::addressof(first));
    ++head_;
    return item;
  }

 private:
  union Slot {  // holds no item until one is pushed
    Slot() noexcept {}
    ~Slot() {}
    T item;
  };
  T& slot(std::size_t i) const noexcept { return slots_[i & (capacity_ - 1)].item; }

  // Not inlined: every push() would save registers for it.
  [[gnu::noinline]] void grow() {
    Ring wider;
    wider.capacity_ = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    wider.slots_ = std::make_unique<Slot[]>(wider.capacity_);
    while (!empty()) wider.push(pop());
    slots_.swap(wider.slots_);
    capacity_ = wider.capacity_;
    head_ = std::exchange(wider.head_, wider.tail_);
    tail_ = wider.tail_;
  }

  std::unique_ptr<Slot[]> slots_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace asyncio::detail
