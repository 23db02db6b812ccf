// PriorityQueue: the least item is got first. Often the items are pairs: {priority, what}.
// Mirrors: Lib/asyncio/queues.py, PriorityQueue. Read next: ../README.md for what stays unsolved, then stage 6
#pragma once

#include <asyncio/detail/heapq.h>
#include <asyncio/queue.h>

#include <functional>
#include <vector>

namespace asyncio {

namespace detail {
template <class T, class Compare>
class Heap {
 public:
  explicit Heap(Compare less = Compare()) : less_(std::move(less)) {}
  std::size_t size() const noexcept { return items_.size(); }
  const T& operator[](std::size_t i) const noexcept { return items_[i]; }
  void push(T&& item) { heap_push(items_, std::move(item), less_); }
  T pop() { return heap_pop(items_, less_); }

 private:
  std::vector<T> items_;
  Compare less_;
};
}  // namespace detail

/// Equal items come out in the order in which they do in Python, which is not that of arrival.
/// Compare(a, b): whether a is to come before b.
template <class T, class Compare = std::less<>>
class PriorityQueue final : public detail::BasicQueue<T, detail::Heap<T, Compare>> {
  using Items = detail::Heap<T, Compare>;

 public:
  explicit PriorityQueue(std::ptrdiff_t maxsize = 0, Compare compare = Compare())
      : detail::BasicQueue<T, Items>(maxsize, Items(std::move(compare))) {}

 private:
  std::string repr_name() const override { return "PriorityQueue"; }
};

}  // namespace asyncio
