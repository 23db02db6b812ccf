// Queue: from those who make to those who use, first in, first out; with a limit, if you like, that makes the makers
// wait.
// Mirrors: Lib/asyncio/queues.py, Queue. Read next: lifo_queue.h, priority_queue.h
#pragma once

#include <asyncio/detail/queue_base.h>
#include <asyncio/detail/ring.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

/// get_nowait() on an empty queue.
class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("the queue is empty") {}
};

/// put_nowait() on a full queue.
class QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("the queue is full") {}
};

/// The queue was shut down: nothing can be put, and nothing is left to get.
class QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown() : std::runtime_error("the queue has been shut down") {}
};

namespace detail {

/// A queue of T, in the order that Items keeps: push(T&&), T pop(), size(), and operator[] for printing.
/// Belongs to the thread of its loop. T need only be movable.
template <class T, class Items>
class BasicQueue : public QueueBase {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "a queue holds values: objects that can be moved (not references)");

 public:
  using value_type = T;

  /// At most `maxsize` items; 0 or less: no limit.
  explicit BasicQueue(std::ptrdiff_t maxsize = 0) : QueueBase(maxsize) {}
  BasicQueue(std::ptrdiff_t maxsize, Items items) : QueueBase(maxsize), items_(std::move(items)) {}

  /// `co_await queue.put(item);` Waits for room. Throws QueueShutDown, CancelledError (the item is then not in the
  /// queue), and std::runtime_error if it would have to wait and the queue belongs to another loop.
  PutOnAwait<BasicQueue> put(T item) { return PutOnAwait<BasicQueue>(*this, std::move(item)); }

  /// `T item = co_await queue.get();` Waits for an item. Throws as put() does.
  OnAwait<QueueGet<BasicQueue>, BasicQueue> get() noexcept { return OnAwait<QueueGet<BasicQueue>, BasicQueue>(*this); }

  /// Throws QueueShutDown, QueueFull.
  void put_nowait(T item) {
    check_put();
    items_.push(std::move(item));
    item_put();
  }

  /// Throws QueueShutDown, QueueEmpty.
  T get_nowait() {
    check_get();
    T item = items_.pop();
    item_got();
    return item;
  }

 protected:
  ~BasicQueue() = default;

 private:
  void drop_all() noexcept override {
    while (items_.size() > 0) items_.pop();
  }
  std::string repr_items() const override {
    std::string text;
    for (std::size_t i = 0; i < items_.size(); ++i) text += (i > 0 ? ", " : "") + repr_of(items_[i]);
    return text;
  }

  Items items_;
};

}  // namespace detail

template <class T>
class Queue final : public detail::BasicQueue<T, detail::Ring<T>> {
 public:
  using detail::BasicQueue<T, detail::Ring<T>>::BasicQueue;

 private:
  std::string repr_name() const override { return "Queue"; }
};

}  // namespace asyncio
