// Semaphore, Lock, Condition, Event and queues: each is a little state, and a line of tasks that wait for it to change.
// Mirrors: Lib/asyncio/locks.py, queues.py. Read next: poll.h
#pragma once
#include <by_hand/combinators.h>
#include <set>
namespace by_hand {
/// Tasks that wait, first come, first served: a future for each.
struct Waiters {
  /// Until wake(). A task that is cancelled between its wake-up and its run has to `pass_on` what it was woken for.
  Coro<> wait(Callback pass_on = [] {}) {  // [step 5.1]
    const Future<> woken = line.emplace_back(Loop::running());
    try {
      co_await woken;
    } catch (const CancelledError&) {
      if (!woken.cancelled()) pass_on();  // [step 5.3]
      throw;
    }
  }
  /// Wakes the first `count` that sleep; false if there are not as many. Those that were cancelled leave the line, too.
  bool wake(std::size_t count) {  // [step 5.1]
    for (; count > 0 && !line.empty(); line.pop_front()) {
      if (!line.front().done()) line.front().set_result(), --count;
    }
    return count == 0;
  }
  std::deque<Future<>> line;
};

struct Event {
  bool is_set() const { return set_; }
  void set() { set_ = true, waiters_.wake(waiters_.line.size()); }  // [step 5.1]
  void clear() { set_ = false; }
  Coro<> wait() {  // [step 5.1]
    if (!set_) co_await waiters_.wait();
  }
  bool set_ = false;
  Waiters waiters_;
};
struct Semaphore {
  explicit Semaphore(int value = 1) : value_(value) {}
  bool locked() const { return value_ == 0; }
  Coro<> acquire() {  // [step 5.2]
    if (locked()) co_return co_await waiters_.wait([this] { release(); });
    --value_;
  }
  /// The first that waits has the permit from here on: nobody who comes now can jump the queue.
  void release() { waiters_.wake(1) ? value_ : ++value_; }  // [step 5.2]
  /// `const auto guard = co_await lock.scoped();` is Python's `async with lock:`. The deleter releases.
  Coro<std::shared_ptr<void>> scoped() {
    co_await acquire();
    co_return std::shared_ptr<void>(this, [this](void*) { release(); });
  }
  int value_;
  Waiters waiters_;
};
struct Lock : Semaphore {};

/// A lock whose owner can wait, without it, for a change of which another owner notifies.
struct Condition : Lock {
  Coro<> wait() {  // [step 5.4]
    release();
    std::exception_ptr error;
    for (bool woken = false, owner = false; !owner;) {  // it goes on as the owner only, however often it is cancelled
      try {
        if (!std::exchange(woken, true)) co_await sleepers_.wait();
        co_await acquire();
        owner = true;
      } catch (const CancelledError&) {
        error = std::current_exception();
      }
    }
    if (error) notify(1), std::rethrow_exception(error);
  }
  void notify(std::size_t count = 1) { sleepers_.wake(count); }
  void notify_all() { notify(sleepers_.line.size()); }
  Waiters sleepers_;
};

struct QueueEmpty : std::exception {};
struct QueueFull : std::exception {};
template <class T, class Items = std::deque<T>>
struct Queue {  // with room for `maxsize` items; 0: for any number
  explicit Queue(std::size_t maxsize = 0) : maxsize_(maxsize) {}
  std::size_t qsize() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  bool full() const { return maxsize_ > 0 && qsize() >= maxsize_; }
  void put_nowait(T item) {  // [step 5.5]
    if (full()) throw QueueFull();
    items_.insert(items_.end(), std::move(item));
    ++unfinished_, finished_.clear();  // [step 5.7]
    getters_.wake(1);
  }
  T get_nowait() {  // [step 5.5]
    if (empty()) throw QueueEmpty();
    T item = std::move(*items_.begin());
    items_.erase(items_.begin());
    putters_.wake(1);
    return item;
  }
  Coro<> put(T item) {  // [step 5.6]
    while (full()) co_await putters_.wait([this] { putters_.wake(1); });
    put_nowait(std::move(item));
  }
  Coro<T> get() {  // [step 5.6]
    while (empty()) co_await getters_.wait([this] { getters_.wake(1); });
    co_return get_nowait();
  }
  /// join() waits until task_done() was called for each item.
  void task_done() { --unfinished_ == 0 ? finished_.set() : void(); }  // [step 5.7]
  Coro<> join() { return finished_.wait(); }
  std::size_t maxsize_, unfinished_ = 0;
  Items items_;
  Waiters getters_, putters_;
  Event finished_{true, {}};
};
template <class T>
using PriorityQueue = Queue<T, std::multiset<T>>;  // the smallest first
}  // namespace by_hand
