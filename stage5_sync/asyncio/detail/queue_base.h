// All of a queue that does not depend on the type of its items: who waits to put, who waits to get, and join().
// Mirrors: Lib/asyncio/queues.py, Queue. Read next: ../queue.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/event.h>

#include <cstddef>
#include <optional>
#include <string>

namespace asyncio::detail {

class QueueBase : private LoopBound {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  std::size_t qsize() const noexcept { return size_; }
  std::ptrdiff_t maxsize() const noexcept { return maxsize_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Never, if maxsize is 0 or less.
  bool full() const noexcept { return maxsize_ > 0 && size_ >= static_cast<std::size_t>(maxsize_); }

  /// To be called once for each item that was got, when the work on it is done; join() waits for that.
  /// Throws std::invalid_argument("task_done() called too many times").
  void task_done();

  /// `co_await queue.join();` Waits until task_done() was called for every item ever put.
  auto join() noexcept { return finished_.wait(); }

  /// From now on put() throws QueueShutDown, and get() too, once the queue is empty. `immediate` drops what is in it
  /// (as if it were done). All who wait are woken.
  void shutdown(bool immediate = false);

  /// `<Queue maxsize=0 _queue=[1, 2] _getters[1] tasks=2 shutdown>`
  std::string repr() const;

 protected:
  explicit QueueBase(std::ptrdiff_t maxsize) noexcept : maxsize_(maxsize) { finished_.set(); }
  ~QueueBase() = default;

  /// Throw QueueShutDown, and QueueFull or QueueEmpty.
  void check_put() const {
    if (is_shutdown_ || full()) throw_cannot_put();
  }
  void check_get() const {
    if (empty()) throw_cannot_get();
  }
  /// The second halves of put_nowait() and get_nowait(), when the item is in, or out.
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

 private:
  template <class>
  friend class QueuePut;
  template <class>
  friend class QueueGet;
  friend LoopBound;

  /// Whether there is nothing to wait for: room, or a QueueShutDown to be thrown.
  bool put_at_once() const noexcept { return !full() || is_shutdown_; }
  bool get_at_once() const noexcept { return !empty() || is_shutdown_; }
  Coro<> wait_to_put();
  Coro<> wait_to_get();
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

/// The awaiters of put() and get(). If there is room, or an item, they need no memory; if they have to wait, a
/// coroutine waits for them, because they may be woken in vain, and have to wait again.
class QueueWait {
 public:
  QueueWait() noexcept {}
  QueueWait(const QueueWait&) = delete;
  QueueWait& operator=(const QueueWait&) = delete;

 protected:
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> wait(Coro<> wait, std::coroutine_handle<P> frame) {
    return waiting_.emplace(wait.release()).await_suspend(frame);
  }
  /// Throws what the waiting ended with.
  void waited() {
    if (waiting_) waiting_->await_resume();
  }

 private:
  std::optional<CoroAwaiter<void>> waiting_;
};

template <class Queue>
class QueueGet final : public QueueWait {
 public:
  explicit QueueGet(Queue& queue) noexcept : queue_(queue) {}
  bool await_ready() const noexcept { return queue_.get_at_once(); }
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) {
    return wait(queue_.wait_to_get(), frame);
  }
  typename Queue::value_type await_resume() {
    waited();
    return queue_.get_nowait();
  }

 private:
  Queue& queue_;
};

template <class Queue>
class QueuePut final : public QueueWait {
 public:
  using T = typename Queue::value_type;
  QueuePut(Queue& queue, T& item) noexcept : queue_(queue), item_(item) {}
  bool await_ready() const noexcept { return queue_.put_at_once(); }
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) {
    return wait(queue_.wait_to_put(), frame);
  }
  void await_resume() {
    waited();
    queue_.put_nowait(std::move(item_));
  }

 private:
  Queue& queue_;
  T& item_;
};

/// What put() returns: owns the item, and as a temporary of the await lives as long as that takes.
template <class Queue>
class [[nodiscard("co_await it")]] PutOnAwait {
 public:
  using T = typename Queue::value_type;
  PutOnAwait(Queue& queue, T&& item) : queue_(&queue), item_(std::move(item)) {}
  QueuePut<Queue> operator co_await() && noexcept { return QueuePut<Queue>(*queue_, item_); }

 private:
  Queue* queue_;
  T item_;
};

}  // namespace asyncio::detail
