// A value whose k-th copy, move or comparison throws: for sweeps over k.
#pragma once

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio::testing {

class Fragile {
 public:
  struct Broken : std::runtime_error {
    Broken() : std::runtime_error("broken") {}
  };

  // Atomic for the tests with threads.
  static inline std::atomic<int> alive = 0;
  static inline std::atomic<int> throws_in = 0;  // operations until one throws; 0: none does
  static inline bool moves_throw = true;

  explicit Fragile(int value) : value(value) { ++alive; }
  Fragile(const Fragile& other) : value(other.value) {
    step();
    ++alive;
  }
  Fragile(Fragile&& other) : value(other.value) {
    if (moves_throw) step();
    other.value = -1;
    ++alive;
  }
  Fragile& operator=(const Fragile& other) {
    step();
    value = other.value;
    return *this;
  }
  Fragile& operator=(Fragile&& other) {
    if (moves_throw) step();
    value = std::exchange(other.value, -1);
    return *this;
  }
  ~Fragile() { --alive; }
  friend bool operator<(const Fragile& a, const Fragile& b) {
    step();
    return a.value < b.value;
  }

  static void step() {
    if (throws_in > 0 && --throws_in == 0) throw Broken();
  }

  int value;  // -1: moved from
};

}  // namespace asyncio::testing
