// operator new that fails when a test says so, in all threads, and that counts the blocks.
#pragma once

#include <cstddef>
#include <limits>

namespace asyncio::testing {

/// While it lives, `count` allocations fail, from the `first` on: counted from here, in all threads.
class NoMemory {
 public:
  static constexpr long kForEver = std::numeric_limits<long>::max() / 2;

  explicit NoMemory(long first = 1, long count = kForEver) noexcept;
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
  ~NoMemory() { restore(); }

  /// From here on none fails.
  static void restore() noexcept;
  /// Whether one has failed since the latest NoMemory began.
  static bool any_failed() noexcept;
};

/// Counts an allocation, and says whether it has to fail.
bool fails() noexcept;
/// For libraries in C: they fail and are counted as operator new.
void* allocate(std::size_t size) noexcept;
void* reallocate(void* memory, std::size_t size) noexcept;
void release(void* memory) noexcept;

/// How many blocks are in use. (The pool is off in these programs: what is freed is free.)
long blocks() noexcept;

}  // namespace asyncio::testing
