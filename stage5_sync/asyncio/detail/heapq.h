// A binary heap in a vector, the least item first. The algorithm decides the order of equal items, so it is Python's,
// step for step: std::push_heap and std::pop_heap give another order.
// Mirrors: Modules/_heapqmodule.c: heappush, heappop. Read next: ../priority_queue.h
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// An item on its way through the heap. The destructor puts it into the hole, even if a comparison throws: no item is
/// lost or duplicated. (heapq swaps neighbours: the same heap, with more moves.) REQUIRES: T moves without throwing.
template <class T>
class ItemOnItsWay {
 public:
  ItemOnItsWay(std::vector<T>& heap, std::size_t hole, T&& item) noexcept
      : heap_(heap), hole_(hole), item_(std::move(item)) {}
  ~ItemOnItsWay() { heap_[hole_] = std::move(item_); }
  ItemOnItsWay(const ItemOnItsWay&) = delete;
  ItemOnItsWay& operator=(const ItemOnItsWay&) = delete;

  std::size_t hole() const noexcept { return hole_; }
  const T& item() const noexcept { return item_; }
  /// Moves the item at `position` into the hole, and leaves a hole there.
  void move_hole(std::size_t position) noexcept {
    heap_[hole_] = std::move(heap_[position]);
    hole_ = position;
  }
  /// Moves up until its parent is not greater. [siftdown: down is towards the root]
  template <class Less>
  void rise(const Less& less) {
    while (hole_ > 0) {
      const std::size_t parent = (hole_ - 1) / 2;
      if (!less(item_, heap_[parent])) break;
      move_hole(parent);
    }
  }

 private:
  std::vector<T>& heap_;
  std::size_t hole_;
  T item_;
};

/// Adds the item to the heap, even if a comparison throws. [heappush]
template <class T, class Less>
void heap_push(std::vector<T>& heap, T&& item, const Less& less) {
  heap.push_back(std::move(item));
  ItemOnItsWay<T>(heap, heap.size() - 1, std::move(heap.back())).rise(less);
}

/// Removes and returns the least item. REQUIRES: !heap.empty(). The hole at the root sinks to a leaf along the lesser
/// children; the last item fills it and rises. The last item is likely large, so this takes fewer comparisons than
/// letting it sink. If a comparison throws, the least item is lost, as in CPython.
/// [heappop, siftup]
template <class T, class Less>
T heap_pop(std::vector<T>& heap, const Less& less) {
  T last = std::move(heap.back());
  heap.pop_back();
  if (heap.empty()) return last;
  T least = std::move(heap.front());
  ItemOnItsWay<T> filler(heap, 0, std::move(last));
  for (std::size_t child = 1; child < heap.size(); child = 2 * filler.hole() + 1) {
    const std::size_t right = child + 1;
    if (right < heap.size() && !less(heap[child], heap[right])) child = right;
    filler.move_hole(child);
  }
  filler.rise(less);
  return least;
}

}  // namespace asyncio::detail
