#include "asyncio/detail/pool.h"

namespace asyncio::detail {
namespace {
constinit thread_local bool thread_is_ending = false;
}

struct Pool::Cleaner {
  ~Cleaner() {
    has_cleaner_ = false;
    thread_is_ending = true;
    for (Block*& head : free_) {
      while (Block* block = head) {
        head = block->next;
        ::operator delete(block);
      }
    }
  }
};

void* Pool::allocate_new(std::size_t size) { return ::operator new(list_of(size) * kGrain); }

// The first block that the thread gives back, its own or another thread's; or one that comes after the cleaner; or one
// too many.
void Pool::deallocate_unkept(void* memory, std::size_t size) noexcept {
  if (thread_is_ending || has_cleaner_) return ::operator delete(memory);
  static thread_local Cleaner cleaner;
  static_cast<void>(cleaner);
  has_cleaner_ = true;
  deallocate(memory, size);
}

}  // namespace asyncio::detail
