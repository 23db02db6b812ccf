#include "asyncio/detail/pool.h"

#include <cstdlib>
#include <string_view>

namespace asyncio::detail {
namespace {

constinit thread_local bool has_cleaner = false;  // stays true at thread exit, when the cleaner has run

// ASYNCIO_POOL=0 in the environment: every block comes from operator new, for valgrind and for tests that let it fail.
// [PYTHONMALLOC=malloc]
bool is_off() noexcept {
  static const bool off = [] {
    const char* const pool = std::getenv("ASYNCIO_POOL");
    return pool && std::string_view(pool) == "0";
  }();
  return off;
}

}  // namespace

struct Pool::Cleaner {
  ~Cleaner() {
    for (List& list : lists_) {
      list.room = 0;
      while (Block* block = list.first) {
        list.first = block->next;
        ::operator delete(block);
      }
    }
  }
};

void* Pool::allocate_new(std::size_t size) { return ::operator new(list_of(size) * kGrain); }

// Called for the first block that the thread frees, for a block freed after the cleaner ran, and beyond kMostKept.
void Pool::deallocate_without_room(void* memory, std::size_t size) noexcept {
  if (has_cleaner || is_off()) return ::operator delete(memory);
  static thread_local Cleaner cleaner;
  static_cast<void>(cleaner);
  has_cleaner = true;
  for (List& list : lists_) list.room = kMostKept;
  deallocate(memory, size);
}

constinit Pool::HandedOver Pool::handed_over_[kLargest / kGrain + 1] = {};

void Pool::hand_over(void* memory, std::size_t size) noexcept {
  if (!ASYNCIO_POOL || size > kLargest || is_off()) return ::operator delete(memory);
  HandedOver& stack = handed_over_[list_of(size)];
  const std::size_t bytes = list_of(size) * kGrain;
  const std::size_t held = stack.bytes.load(std::memory_order_relaxed);
  if (held + bytes > kMostHandedOver) return ::operator delete(memory);
  stack.bytes.store(held + bytes, std::memory_order_relaxed);  // when two threads do this at once, one is not counted
  auto* const block = new (memory) Block{stack.first.load(std::memory_order_relaxed)};
  while (!stack.first.compare_exchange_weak(block->next, block, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void Pool::take_handed_over(std::size_t list) noexcept {
  HandedOver& stack = handed_over_[list];
  if (!stack.first.load(std::memory_order_relaxed)) return;
  Block* block = stack.first.exchange(nullptr, std::memory_order_acquire);
  stack.bytes.store(0, std::memory_order_relaxed);
  while (block) {
    Block* const next = block->next;
    deallocate(block, list * kGrain);
    block = next;
  }
}

}  // namespace asyncio::detail
