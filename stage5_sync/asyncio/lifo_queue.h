// LifoQueue: get() returns the item that was put last.
// Mirrors: Lib/asyncio/queues.py, LifoQueue. Read next: priority_queue.h
#pragma once

#include <asyncio/queue.h>

#include <vector>

namespace asyncio {

namespace detail {
template <class T>
class Stack {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  const Stored<T>& operator[](std::size_t i) const noexcept { return items_[i]; }
  const Stored<T>& next() const noexcept { return items_.back(); }
  void push(Stored<T>&& item) { items_.push_back(std::move(item)); }
  Stored<T> pop() {
    Stored<T> item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  void clear() noexcept { std::vector<Stored<T>>().swap(items_); }

 private:
  std::vector<Stored<T>> items_;
};
}  // namespace detail

/// A queue that gives the latest item first: a stack. All else is as in Queue.
template <class T>
class LifoQueue final : public detail::BasicQueue<T, detail::Stack<T>> {
 public:
  using detail::BasicQueue<T, detail::Stack<T>>::BasicQueue;

 private:
  std::string repr_name() const override { return "LifoQueue"; }
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that waits is woken by the put or the get that lets it go on, and runs in the next tick, unless
//   another task is faster: then it waits on.
// Errors: QueueShutDown, QueueFull and QueueEmpty; std::runtime_error from an await that has to wait in an object of
//   another loop, or of one that is destroyed meanwhile.
// Units: maxsize() and qsize() count items; 0 or less: no limit.
