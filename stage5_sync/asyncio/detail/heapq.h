// A binary heap in a vector, the least item first. Items that compare equal come out in an order of the algorithm's
// making, so it is Python's, step for step: std::push_heap and std::pop_heap would give another order.
// Mirrors: Lib/heapq.py: heappush, heappop. Read next: ../priority_queue.h
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// The item at `position` rises until its parent is not greater. [heapq._siftdown: down is towards the root]
template <class T, class Less>
void sift_towards_root(std::vector<T>& heap, std::size_t position, const Less& less) {
  T item = std::move(heap[position]);
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!less(item, heap[parent])) break;
    heap[position] = std::move(heap[parent]);
    position = parent;
  }
  heap[position] = std::move(item);
}

template <class T, class Less>
void heap_push(std::vector<T>& heap, T&& item, const Less& less) {
  heap.push_back(std::move(item));
  sift_towards_root(heap, heap.size() - 1, less);
}

/// REQUIRES: !heap.empty(). The hole at the root sinks to a leaf along the lesser children; the last item fills it, and
/// rises from there: being the last it is likely large, and so this takes fewer comparisons than to let it sink.
/// [heapq.heappop, heapq._siftup]
template <class T, class Less>
T heap_pop(std::vector<T>& heap, const Less& less) {
  T last = std::move(heap.back());
  heap.pop_back();
  if (heap.empty()) return last;
  T least = std::move(heap.front());
  std::size_t hole = 0;
  for (std::size_t child = 1; child < heap.size(); child = 2 * hole + 1) {
    const std::size_t right = child + 1;
    if (right < heap.size() && !less(heap[child], heap[right])) child = right;
    heap[hole] = std::move(heap[child]);
    hole = child;
  }
  heap[hole] = std::move(last);
  sift_towards_root(heap, hole, less);
  return least;
}

}  // namespace asyncio::detail
