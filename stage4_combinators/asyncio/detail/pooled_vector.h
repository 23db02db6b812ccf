// A vector whose memory comes from the pool: for what a combinator notes about its futures. Mirrors: nothing in
// CPython. Skip on a first reading. Read next: gathering.h
#pragma once

#include <asyncio/detail/pool.h>

#include <cstddef>
#include <vector>

namespace asyncio::detail {

/// As std::allocator; small blocks are taken from the thread's pool, and given back to it.
template <class T>
class PoolAllocator {
 public:
  using value_type = T;
  // NOLINTBEGIN(bugprone-sizeof-expression): a T may be a pointer
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): the standard asks for it

  T* allocate(std::size_t count) { return static_cast<T*>(Pool::allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { Pool::deallocate(memory, count * sizeof(T)); }
  // NOLINTEND(bugprone-sizeof-expression)
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) = default;
};

template <class T>
using PooledVector = std::vector<T, PoolAllocator<T>>;

}  // namespace asyncio::detail
