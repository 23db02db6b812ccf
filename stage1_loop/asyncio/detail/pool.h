// Memory for what is made and dropped millions of times a second: handles, tasks, coroutine frames.
// A freed block goes on a list of its size and is handed out again, which is faster than malloc. (CPython has free
// lists for the same reason.) Skip on a first reading.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

namespace asyncio::detail {

// Under a sanitizer every block comes from operator new, so that the sanitizer sees a use after free. It has the size that
// a list would give it all the same: a program under AddressSanitizer may use a library that was built without.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASYNCIO_POOL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ASYNCIO_POOL 0
#endif
#endif
#ifndef ASYNCIO_POOL
#define ASYNCIO_POOL 1
#endif

/// Invariants: (1) Block sizes are multiples of kGrain; a list holds blocks of one size. (2) Lists belong to the
/// thread: there is no lock. A block that is freed on another thread than its maker's joins that thread's list. (3)
/// Cached memory of each size is capped at kMostKept bytes; the rest goes back to malloc, and thread exit frees the
/// lists. (4) A list's bytes and its room add up to kMostKept; its room is 0 before the first block comes back, and
/// after thread exit. (5) A block that was handed over lies on a stack of its size, which all threads share, and which
/// is taken whole, never popped: so nobody looks at a block that another thread may have taken. The stack has about
/// kMostHandedOver bytes at most.
class Pool {
 public:
  static constexpr std::size_t kGrain = 16;
  static constexpr std::size_t kLargest = 1024;  // larger blocks go straight to operator new
  static constexpr std::size_t kMostKept = 64 << 20;
  static constexpr std::size_t kMostHandedOver = 1 << 20;

  static void* allocate(std::size_t size) {
    if (ASYNCIO_POOL && size <= kLargest) {
      List& list = lists_[list_of(size)];
      if (Block* block = list.first) {
        list.first = block->next;
        list.room += list_of(size) * kGrain;
        return block;
      }
      return allocate_new(size);
    }
    return ::operator new(size <= kLargest ? list_of(size) * kGrain : size);
  }

  static void deallocate(void* memory, std::size_t size) noexcept {
    if (ASYNCIO_POOL && size <= kLargest) {
      List& list = lists_[list_of(size)];
      if (list.room < list_of(size) * kGrain) [[unlikely]]
        return deallocate_without_room(memory, size);
      list.room -= list_of(size) * kGrain;
      list.first = new (memory) Block{list.first};
      return;
    }
    ::operator delete(memory);
  }

  /// For what one thread makes and another destroys. With deallocate() such blocks would gather in the thread that
  /// destroys; with these they go back to whoever makes the next one.
  static void* allocate_handed_over(std::size_t size) {
    if (ASYNCIO_POOL && size <= kLargest && !lists_[list_of(size)].first) take_handed_over(list_of(size));
    return allocate(size);
  }
  static void hand_over(void* memory, std::size_t size) noexcept;

 private:
  struct Block {
    Block* next;
  };
  struct List {
    Block* first;
    std::size_t room;  // how many more bytes it may keep
  };
  struct Cleaner;  // frees the lists at thread exit

  static std::size_t list_of(std::size_t size) { return (size + kGrain - 1) / kGrain; }
  static void* allocate_new(std::size_t size);
  static void deallocate_without_room(void* memory, std::size_t size) noexcept;
  static void take_handed_over(std::size_t list) noexcept;

  // constinit and trivial, so that an access needs no guard of a dynamic initialiser.
  static constinit thread_local inline List lists_[kLargest / kGrain + 1] = {};

  struct HandedOver {
    std::atomic<Block*> first;
    std::atomic<std::size_t> bytes;  // of the stack, about
  };
  static HandedOver handed_over_[kLargest / kGrain + 1];
};

/// An allocator of what one thread makes and another destroys, for std::allocate_shared.
template <class T>
struct HandedOverAllocator {
  using value_type = T;
  HandedOverAllocator() = default;
  template <class U>  // NOLINTNEXTLINE(google-explicit-constructor)
  explicit(false) HandedOverAllocator(const HandedOverAllocator<U>&) noexcept {}

  static constexpr bool kOverAligned = alignof(T) > Pool::kGrain;
  T* allocate(std::size_t count) {
    const std::size_t size = count * sizeof(T);
    if constexpr (kOverAligned) return static_cast<T*>(::operator new(size, std::align_val_t(alignof(T))));
    return static_cast<T*>(Pool::allocate_handed_over(size));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if constexpr (kOverAligned) {
      ::operator delete(memory, std::align_val_t(alignof(T)));
    } else {
      Pool::hand_over(memory, count * sizeof(T));
    }
  }
  bool operator==(const HandedOverAllocator&) const = default;
};

/// A base class whose `new` takes memory from the pool.
struct Pooled {
  static void* operator new(std::size_t size, std::align_val_t align) { return ::operator new(size, align); }
  static void operator delete(void* memory, std::align_val_t align) noexcept { ::operator delete(memory, align); }
  static void* operator new(std::size_t size) { return Pool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { Pool::deallocate(memory, size); }
};

}  // namespace asyncio::detail
