// The part of a queue that does not depend on the type of its items: waiting to put, waiting to get, and join().
// Mirrors: Lib/asyncio/queues.py, Queue. Read next: ../queue.h
#pragma once

#include <asyncio/event.h>

#include <cstddef>
#include <string>

namespace asyncio::detail {

class QueueBase : private LoopBound {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  std::size_t qsize() const noexcept { return size_; }          // how many items are in it
  std::ptrdiff_t maxsize() const noexcept { return maxsize_; }  // 0 or less: there is no limit
  bool empty() const noexcept { return size_ == 0; }            // whether there is no item in it
  /// Always false if maxsize() is 0 or less.
  bool full() const noexcept { return maxsize_ > 0 && size_ >= static_cast<std::size_t>(maxsize_); }

  /// Call it once for each item from get(), when the work on it is done; join() waits for that.
  /// Throws std::invalid_argument("task_done() called too many times"). [Queue.task_done]
  void task_done();

  /// `co_await queue.join();` Waits until task_done() has been called for every item put. Throws CancelledError.
  auto join() noexcept { return finished_.wait(); }

  /// From now on put() throws QueueShutDown; so does get() once the queue is empty. `immediate` drops the items, as if
  /// they were done. Wakes all waiting tasks. [Queue.shutdown]
  void shutdown(bool immediate = false);

  /// `<Queue maxsize=0 _queue=[1, 2] _getters[1] tasks=2 shutdown>`
  std::string repr() const;

 protected:
  explicit QueueBase(std::ptrdiff_t maxsize) noexcept : maxsize_(maxsize) { finished_.set(); }
  ~QueueBase() = default;

  /// Throw QueueShutDown; QueueFull or QueueEmpty.
  void check_put() const {
    if (is_shutdown_ || full()) throw_cannot_put();
  }
  void check_get() const {
    if (empty()) throw_cannot_get();
  }
  /// The second halves of put_nowait() and get_nowait(): the item is in the queue, or out of it.
  void item_put() {
    ++size_;
    ++unfinished_tasks_;
    finished_.clear();
    getters_.wake_next();
  }
  void item_got() {
    --size_;
    putters_.wake_next();
  }
  /// Sets the number of items after put_nowait() or get_nowait() has failed.
  void set_size(std::size_t size) noexcept { size_ = size; }

 private:
  template <class>
  friend class QueuePut;
  template <class>
  friend class QueueGet;
  friend LoopBound;

  /// True if put() or get() need not wait: it succeeds, or throws QueueShutDown.
  bool put_at_once() const noexcept { return !full() || is_shutdown_; }
  bool get_at_once() const noexcept { return !empty() || is_shutdown_; }
  /// A task that was woken for room or for an item has failed to use it: wakes the next.
  void pass_room_on() {
    if (!full()) putters_.wake_next();
  }
  void pass_item_on() {
    if (!empty()) getters_.wake_next();
  }
  [[noreturn]] void throw_cannot_put() const;
  [[noreturn]] void throw_cannot_get() const;

  virtual void drop_all() noexcept = 0;
  virtual std::string repr_name() const = 0;
  virtual std::string repr_items() const = 0;

  const std::ptrdiff_t maxsize_;
  std::size_t size_ = 0;
  std::size_t unfinished_tasks_ = 0;
  bool is_shutdown_ = false;
  WaitList getters_;
  WaitList putters_;
  Event finished_;  // set while unfinished_tasks_ is 0
};

/// The awaiter of get(). It needs no frame and no memory, even to wait. Before a woken task runs, another may take the
/// item: the woken task then goes to the end of the line, as in CPython.
template <class Queue>
class QueueGet final : public WaitNode {
 public:
  explicit QueueGet(Queue& queue) noexcept : queue_(queue) {}
  bool await_ready() const noexcept { return queue_.get_at_once(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    queue_.bind_to_loop_of(frame.promise().task(), queue_);
    wait_until_satisfied_in(queue_.getters_, frame.promise());
  }
  typename Queue::value_type await_resume() {
    if (!leave()) return queue_.get_nowait();
    const std::size_t size = queue_.qsize();
    try {
      FrameFuture::await_resume();
      return queue_.get_nowait();
    } catch (...) {  // woken by put(), and cancelled, or no item was got: another task may have it
      if (woken() && queue_.qsize() == size) queue_.pass_item_on();
      throw;
    }
  }

 private:
  bool waits_again() noexcept override {
    if (orphaned() || cancelled() || queue_.get_at_once()) return false;
    wait_again_in(queue_.getters_);
    return true;
  }
  std::string repr_primitive() const override { return queue_.repr(); }

  Queue& queue_;
};

/// The awaiter of put(), which waits for room in the same way.
template <class Queue>
class QueuePut final : public WaitNode {
 public:
  using T = typename Queue::value_type;
  QueuePut(Queue& queue, T&& item) noexcept : queue_(queue), item_(item) {}
  bool await_ready() const noexcept { return queue_.put_at_once(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    queue_.bind_to_loop_of(frame.promise().task(), queue_);
    wait_until_satisfied_in(queue_.putters_, frame.promise());
  }
  void await_resume() {
    if (!leave()) return queue_.put_nowait(std::move(item_));
    const std::size_t size = queue_.qsize();
    try {
      FrameFuture::await_resume();
      queue_.put_nowait(std::move(item_));
    } catch (...) {
      if (woken() && queue_.qsize() == size) queue_.pass_room_on();
      throw;
    }
  }

 private:
  bool waits_again() noexcept override {
    if (orphaned() || cancelled() || queue_.put_at_once()) return false;
    wait_again_in(queue_.putters_);
    return true;
  }
  std::string repr_primitive() const override { return queue_.repr(); }

  Queue& queue_;
  T& item_;
};

/// What put() returns. It owns the item, and as a temporary of the await it lives until that ends.
template <class Queue>
using PutAwaitable = LazyAwaitable<QueuePut<Queue>, std::reference_wrapper<Queue>, typename Queue::value_type>;

}  // namespace asyncio::detail
