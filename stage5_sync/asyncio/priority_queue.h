// PriorityQueue: get() returns the least item. Items are often pairs: {priority, value}.
// Mirrors: Lib/asyncio/queues.py, PriorityQueue. Read next: ../../stage6_io/README.md
#pragma once

#include <asyncio/detail/heapq.h>
#include <asyncio/queue.h>

#include <functional>
#include <vector>

namespace asyncio {

namespace detail {
template <class T, class Compare>
class Heap {
  struct Less {
    bool operator()(const Stored<T>& a, const Stored<T>& b) const { return compare(item_of(a), item_of(b)); }
    Compare compare;
  };

 public:
  explicit Heap(Compare compare = Compare()) : less_{std::move(compare)} {}
  std::size_t size() const noexcept { return items_.size(); }
  const Stored<T>& operator[](std::size_t i) const noexcept { return items_[i]; }
  const Stored<T>& next() const noexcept { return items_.front(); }
  void push(Stored<T>&& item) { heap_push(items_, std::move(item), less_); }
  Stored<T> pop() { return heap_pop(items_, less_); }
  void clear() noexcept { std::vector<Stored<T>>().swap(items_); }

 private:
  std::vector<Stored<T>> items_;
  Less less_;
};
}  // namespace detail

/// Equal items come out in Python's order, which is not that of arrival.
/// Compare(a, b) is true if a comes before b. If it throws, so do put() and get(), as in Python: put() has then added
/// the item (but join() does not count it), and get() has lost the least item.
template <class T, class Compare = std::less<>>
class PriorityQueue final : public detail::BasicQueue<T, detail::Heap<T, Compare>> {
  using Items = detail::Heap<T, Compare>;

 public:
  /// At most `maxsize` items; 0 or less: no limit.
  explicit PriorityQueue(std::ptrdiff_t maxsize = 0, Compare compare = Compare())
      : detail::BasicQueue<T, Items>(maxsize, Items(std::move(compare))) {}

 private:
  std::string repr_name() const override { return "PriorityQueue"; }
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that waits is woken by the put or the get that lets it go on, and runs in the next tick, unless
//   another task is faster: then it waits on.
// Errors: QueueShutDown, QueueFull and QueueEmpty; what Compare throws; std::runtime_error from an await that has to
//   wait in an object of another loop, or of one that is destroyed meanwhile.
// Units: maxsize() and qsize() count items; 0 or less: no limit.
