// The deque of the notes: `_ready`, what the loop will run next, first in, first out.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop._ready (a collections.deque).
// Read next: handle.h
#pragma once

#include <asyncio/detail/describable.h>
#include <asyncio/detail/intrusive_list.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace asyncio {

class Loop;
namespace detail {
class Observers;
}

/// What the loop can run once: the node of a callback, for example, or a task.
class Runnable : public detail::Describable {
 public:
  /// Called by the loop, once. The loop does not touch the runnable afterwards: it may destroy itself.
  virtual void run(Loop& loop) = 0;
  /// Called instead of run() when the loop is closed first.
  virtual void drop() noexcept = 0;
  /// run(), while the loop is observed.
  virtual void run_observed(Loop& loop, detail::Observers& observers);

  /// For observers.
  Kind kind() const noexcept override { return Kind::callback; }
  /// What it is and where it comes from, for messages.
  std::string repr() const override { return "<callback of the library>"; }

 protected:
  ~Runnable() = default;
};

/// A runnable that somebody waits for. Scheduling it needs no memory and cannot fail, because it has a link of its own.
class Wakeup : public Runnable, public detail::QueueLink<Wakeup> {
 protected:
  ~Wakeup() = default;
};

/// A ring of pointers: appending is a store, and running through it is as cheap as a walk over an array. (A list
/// through the runnables themselves was measured, and slower: a million callbacks do not fit into the caches.)
///
/// If the ring is full and there is no memory for a wider one, wakeups wait in a list behind it. They come at most some
/// ticks later than they should, in their order.
///
/// Invariants: (1) capacity_ is a power of two. (2) The ring's items are in slots head_ … tail_ - 1, both taken modulo
/// the capacity. (3) limit_ is open_limit(), or 0 while the loop is observed: each push is out of the ordinary then.
class ReadyQueue {
 public:
  /// Empty.
  ReadyQueue() : ring_(std::make_unique<Runnable*[]>(kFirstCapacity)) {}
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;

  /// Of those who can run now, which are all but after refill() has found no room for some.
  bool empty() const noexcept { return head_ == tail_; }
  /// How many can run now.
  std::size_t size() const noexcept { return tail_ - head_; }

  /// Throws std::bad_alloc; nothing has changed then.
  void push_back(Runnable& runnable) {
    if (size() >= limit_) [[unlikely]]
      make_room_for(runnable);
    ring_[tail_++ & (capacity_ - 1)] = &runnable;
  }
  void push_back(Wakeup& wakeup) noexcept {
    if (size() >= limit_) [[unlikely]]
      return push_slowly(wakeup);
    ring_[tail_++ & (capacity_ - 1)] = &wakeup;
  }
  /// Lets those behind the ring into it, as many as there is room for.
  void refill() noexcept {
    if (limit_ == 0) [[unlikely]]
      let_in();
  }

  /// Exchanges the i-th and the j-th item from the front.
  void swap(std::size_t i, std::size_t j) noexcept {
    std::swap(ring_[(head_ + i) & (capacity_ - 1)], ring_[(head_ + j) & (capacity_ - 1)]);
  }

  /// From now on they hear of each push_back(). Null: nobody does.
  void set_observers(detail::Observers* observers) noexcept {
    observers_ = observers;
    set_limit();
  }

  /// REQUIRES: !empty().
  Runnable& front() const noexcept { return *ring_[head_ & (capacity_ - 1)]; }
  /// The first one, and takes it out. REQUIRES: !empty().
  Runnable& pop_front() noexcept { return *ring_[head_++ & (capacity_ - 1)]; }

 private:
  static constexpr std::size_t kFirstCapacity = 64;

  // In loop.cpp: were they inlined, every push_back() would save registers for them.
  void make_room_for(const Runnable& runnable);
  void push_slowly(Wakeup& wakeup) noexcept;
  void make_room();
  bool has_room() noexcept;
  void let_in() noexcept;
  /// The capacity, or 0 while somebody waits behind the ring: whoever comes now queues behind them.
  std::size_t open_limit() const noexcept { return behind_.empty() ? capacity_ : 0; }
  void set_limit() noexcept { limit_ = observers_ ? 0 : open_limit(); }

  std::unique_ptr<Runnable*[]> ring_;
  std::size_t capacity_ = kFirstCapacity;
  std::size_t limit_ = kFirstCapacity;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  detail::IntrusiveQueue<Wakeup> behind_;
  detail::Observers* observers_ = nullptr;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a tick runs what is in the queue when its callbacks begin; what they append runs in the next one.
// Errors: run() throws KeyboardInterrupt and SystemExit of a callback. push_back() of a Wakeup cannot fail.
// Units: size() counts runnables; swap() counts them from the front, from 0.
