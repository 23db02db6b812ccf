// Barrier: a fixed number of tasks wait for each other, then continue together.
// Mirrors: Lib/asyncio/locks.py, Barrier. Read next: queue.h
#pragma once

#include <asyncio/coro.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace asyncio {

/// Thrown by Barrier::wait() if the barrier is aborted, or reset while tasks wait at it.
class BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Fills until `parties` tasks wait, then drains until all of them have left, and can be used again. A task that
/// arrives while it drains waits until that ends. A cancelled task leaves without breaking the barrier. Belongs to
/// the thread of its loop. Tasks at the barrier keep its state alive.
class Barrier {
 public:
  /// Throws std::invalid_argument("parties must be >= 1").
  explicit Barrier(std::ptrdiff_t parties);
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Waits for the others; returns the place in the order of arrival, 0 … parties - 1. The last to arrive does not
  /// suspend. Throws BrokenBarrierError, CancelledError. [Barrier.wait]
  Coro<std::size_t> wait();
  /// Empties it: tasks that wait get BrokenBarrierError. Also repairs a broken barrier.
  Coro<> reset();
  /// Breaks it until reset(): tasks that wait or arrive get BrokenBarrierError.
  Coro<> abort();

  /// How many tasks it takes to open it. [Barrier.parties]
  std::size_t parties() const noexcept;
  /// The number of tasks that wait for it to fill; 0 while it drains.
  std::size_t n_waiting() const noexcept;
  /// Whether abort() has broken it. [Barrier.broken]
  bool broken() const noexcept;
  /// `<Barrier [filling, waiters:2/3]>`
  std::string repr() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the last task to arrive goes on at once, and the others from the next tick on.
// Errors: BrokenBarrierError; std::invalid_argument from the constructor.
// Units: parties() and n_waiting() count tasks; wait() returns a place, from 0.
