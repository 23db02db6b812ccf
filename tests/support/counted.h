// A value that counts its live objects and its copies, for tests of lifetimes and copying.
#pragma once

#include <atomic>
#include <utility>

namespace asyncio::testing {

class Counted {
 public:
  // Atomic for the tests with threads.
  static inline std::atomic<int> alive = 0;   // objects that exist now
  static inline std::atomic<int> copies = 0;  // copies made since reset()
  static inline std::atomic<int> moves = 0;
  static void reset() { alive = copies = moves = 0; }

  explicit Counted(int value = 0) : value(value) { ++alive; }
  Counted(const Counted& other) : value(other.value) {
    ++alive;
    ++copies;
  }
  Counted(Counted&& other) noexcept : value(std::exchange(other.value, -1)) {
    ++alive;
    ++moves;
  }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }

  int value;
};

/// Can be moved, but not copied.
class MoveOnly {
 public:
  explicit MoveOnly(int value = 0) : value(value) {}
  MoveOnly(MoveOnly&& other) noexcept : value(std::exchange(other.value, -1)) {}
  MoveOnly& operator=(MoveOnly&& other) noexcept {
    value = std::exchange(other.value, -1);
    return *this;
  }
  int value;
};

}  // namespace asyncio::testing
