// The deque of the notes: `_ready`, what the loop will run next, first in, first out.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop._ready (a collections.deque).
// Read next: handle.h
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace asyncio {

class Loop;

/// Something the loop can run once. A callback's node is one, and so is a task.
class Runnable {
 public:
  /// Called by the loop, once; the runnable then belongs to itself again and may destroy itself.
  virtual void run(Loop& loop) = 0;
  /// Called instead of run() when the loop is closed first.
  virtual void drop() noexcept = 0;
  /// For people: what it is, and where it comes from.
  virtual std::string repr() const { return "<callback of the library>"; }

 protected:
  ~Runnable() = default;
};

/// A ring of pointers: appending is a store, and running through it is as cheap as a walk over an array.
/// (Measured against a list threaded through the runnables: a million callbacks at once cost 2.5 times less.)
/// Invariants: (1) capacity is a power of two, or 0. (2) tail_ - head_ is the length; both only ever grow.
class ReadyQueue {
 public:
  ReadyQueue() = default;
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }

  void push_back(Runnable& runnable) {
    if (size() == capacity_) [[unlikely]]
      grow();
    ring_[tail_++ & (capacity_ - 1)] = &runnable;
  }

  /// Exchanges the i-th and the j-th from the front.
  void swap(std::size_t i, std::size_t j) noexcept {
    std::swap(ring_[(head_ + i) & (capacity_ - 1)], ring_[(head_ + j) & (capacity_ - 1)]);
  }

  /// REQUIRES: !empty().
  Runnable& front() const noexcept { return *ring_[head_ & (capacity_ - 1)]; }
  Runnable& pop_front() noexcept { return *ring_[head_++ & (capacity_ - 1)]; }

 private:
  void grow();  // in loop.cpp: were it inlined, every push_back() would save registers for it

  std::unique_ptr<Runnable*[]> ring_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace asyncio
