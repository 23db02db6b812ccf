// Memory for things that are made and dropped millions of times a second: handles, tasks, coroutine frames.
// A freed block goes on a list of its size and is handed out again: 2 ns instead of malloc's 20.
// (CPython does the same with its free lists.) Skip on a first reading: it is operator new, only faster.
#pragma once

#include <cstddef>
#include <new>

namespace asyncio::detail {

// Under a sanitizer every block comes from operator new, so that a use after free is seen and not hidden.
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

/// Invariants: (1) block sizes are multiples of 16; a list holds blocks of one size. (2) Lists belong to the
/// thread: no lock. A block may be freed on another thread than its maker's; it then joins that thread's list.
/// (3) A list keeps what was once in use at the same time, up to kMostKept bytes; the thread's end gives it back. (Each
/// its own: a burst of one size must not take the room of all others.) (4) The bytes on a list and its room are kMostKept
/// together; before the first block comes back, and after the thread's end, there is no room.
class Pool {
 public:
  static constexpr std::size_t kGrain = 16;
  static constexpr std::size_t kLargest = 1024;  // larger blocks go straight to operator new
  static constexpr std::size_t kMostKept = 64 << 20;

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
    return ::operator new(size);
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

 private:
  struct Block {
    Block* next;
  };
  struct List {
    Block* first;
    std::size_t room;  // for so many bytes more
  };
  struct Cleaner;  // frees the lists when the thread ends

  static std::size_t list_of(std::size_t size) { return (size + kGrain - 1) / kGrain; }
  static void* allocate_new(std::size_t size);
  static void deallocate_without_room(void* memory, std::size_t size) noexcept;

  // constinit and trivial: an access is one instruction, without the guard of a dynamic initialiser.
  static constinit thread_local inline List lists_[kLargest / kGrain + 1] = {};
};

/// Derive from it, and `new` takes the memory from the pool.
struct Pooled {
  static void* operator new(std::size_t size, std::align_val_t align) { return ::operator new(size, align); }
  static void operator delete(void* memory, std::align_val_t align) noexcept { ::operator delete(memory, align); }
  static void* operator new(std::size_t size) { return Pool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { Pool::deallocate(memory, size); }
};

}  // namespace asyncio::detail
