// Barrier: a fixed number of tasks wait for each other, and go on together.
// Mirrors: Lib/asyncio/locks.py, Barrier. Read next: queue.h
#pragma once

#include <asyncio/coro.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace asyncio {

/// The barrier was aborted, or reset while a task waited at it.
class BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// It fills until `parties` tasks are there, then drains until all have left, and may be used again. Who comes while
/// it drains waits in front of it. A cancelled task just leaves: the barrier is not broken by that. Belongs to the
/// thread of its loop. A task at the barrier keeps its state alive.
class Barrier {
 public:
  /// Throws std::invalid_argument("parties must be > 0").
  explicit Barrier(std::ptrdiff_t parties);
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Waits for the others; gives the place in the order of arrival, 0 … parties - 1. The last to come does not
  /// suspend. Throws BrokenBarrierError, CancelledError.
  Coro<std::size_t> wait();
  /// Back to empty: who waits gets a BrokenBarrierError. Also mends a broken one.
  Coro<> reset();
  /// Breaks it until reset(): who waits and who comes gets a BrokenBarrierError.
  Coro<> abort();

  std::size_t parties() const noexcept;
  /// How many wait for it to fill; 0 while it drains.
  std::size_t n_waiting() const noexcept;
  bool broken() const noexcept;
  /// `<Barrier [filling, waiters:2/3]>`
  std::string repr() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace asyncio
