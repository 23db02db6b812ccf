// Queue: passes items from producers to consumers, first in, first out. With a maxsize, put() waits while the queue is
// full.
// Mirrors: Lib/asyncio/queues.py, Queue. Read next: lifo_queue.h
#pragma once

#include <asyncio/detail/queue_base.h>
#include <asyncio/detail/ring.h>
#include <asyncio/detail/stored.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

/// Thrown by get_nowait() on an empty queue.
class QueueEmpty : public std::runtime_error {
 public:
  /// With the text "the queue is empty".
  QueueEmpty() : std::runtime_error("the queue is empty") {}
};

/// Thrown by put_nowait() on a full queue.
class QueueFull : public std::runtime_error {
 public:
  /// With the text "the queue is full".
  QueueFull() : std::runtime_error("the queue is full") {}
};

/// Thrown after shutdown() by put(), and by get() if no item is left.
class QueueShutDown : public std::runtime_error {
 public:
  /// With the text "the queue has been shut down".
  QueueShutDown() : std::runtime_error("the queue has been shut down") {}
};

namespace detail {

/// Keeps items first in, first out.
template <class T>
class Fifo {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  const Stored<T>& operator[](std::size_t i) const noexcept { return items_[i]; }
  const Stored<T>& next() const noexcept { return items_[0]; }
  void push(Stored<T>&& item) { items_.push(std::move(item)); }
  Stored<T> pop() { return items_.pop(); }
  void clear() noexcept {
    while (items_.size() > 0) items_.pop();
  }

 private:
  Ring<Stored<T>> items_;
};

/// A queue of T, in the order that Items keeps: push(Stored<T>&&), Stored<T> pop(), next() (what pop() would give),
/// clear(), size(), and operator[] for repr().
/// Belongs to the thread of its loop. T need only be movable.
template <class T, class Items>
class BasicQueue : public QueueBase {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "a queue holds values: objects that can be moved (not references)");

 public:
  using value_type = T;

  /// Holds at most `maxsize` items; 0 or less means no limit.
  explicit BasicQueue(std::ptrdiff_t maxsize = 0) : QueueBase(maxsize) {}
  BasicQueue(std::ptrdiff_t maxsize, Items items) : QueueBase(maxsize), items_(std::move(items)) {}

  /// `co_await queue.put(item);` Suspends only to wait for room. Throws QueueShutDown; CancelledError (without putting
  /// the item); std::runtime_error if it must wait and the queue belongs to another loop. [Queue.put]
  PutAwaitable<BasicQueue> put(T item) { return PutAwaitable<BasicQueue>(*this, std::move(item)); }

  /// `T item = co_await queue.get();` Suspends only to wait for an item. Throws what put() throws. [Queue.get]
  AwaitableOf<QueueGet<BasicQueue>, BasicQueue> get() noexcept {
    return AwaitableOf<QueueGet<BasicQueue>, BasicQueue>(*this);
  }

  /// Throws QueueShutDown, QueueFull. [Queue.put_nowait]
  void put_nowait(T item) {
    check_put();
    try {
      items_.push(Stored<T>(std::move(item)));
    } catch (...) {  // no memory, the item's move, or a comparison (the item is then in the queue)
      set_size(items_.size());
      throw;
    }
    item_put();
  }

  /// Throws QueueShutDown, QueueEmpty. [Queue.get_nowait]
  T get_nowait() {
    check_get();
    if constexpr (moves_surely<T>) {
      return take_out();
    } else {
      return take_out_boxed();
    }
  }

 protected:
  ~BasicQueue() = default;

 private:
  T take_out() {
    try {
      T item = items_.pop();
      item_got();
      return item;
    } catch (...) {  // a comparison threw: the item is lost
      set_size(items_.size());
      throw;
    }
  }
  /// Removes the item from the queue only after moving it has succeeded.
  T take_out_boxed() {
    T item = std::move(item_of(items_.next()));
    try {
      items_.pop();
      item_got();
    } catch (...) {
      set_size(items_.size());
      throw;
    }
    return item;
  }

  void drop_all() noexcept override { items_.clear(); }
  std::string repr_items() const override {
    std::string text;
    for (std::size_t i = 0; i < items_.size(); ++i) text += (i > 0 ? ", " : "") + repr_of(item_of(items_[i]));
    return text;
  }

  Items items_;
};

}  // namespace detail

/// A queue that gives the oldest item first. For tasks of one loop. Its functions are those of BasicQueue.
template <class T>
class Queue final : public detail::BasicQueue<T, detail::Fifo<T>> {
 public:
  using detail::BasicQueue<T, detail::Fifo<T>>::BasicQueue;

 private:
  std::string repr_name() const override { return "Queue"; }
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that waits is woken by the put or the get that lets it go on, and runs in the next tick, unless
//   another task is faster: then it waits on.
// Errors: QueueShutDown, QueueFull and QueueEmpty; std::runtime_error from an await that has to wait in an object of
//   another loop, or of one that is destroyed meanwhile.
// Units: maxsize() and qsize() count items; 0 or less: no limit.
