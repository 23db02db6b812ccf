#include "asyncio/detail/pool.h"

namespace asyncio::detail {
namespace {
constinit thread_local bool has_cleaner = false;  // and had one: it stays true when the thread has ended
}

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

// The first block that the thread gives back, its own or another thread's; or one that comes after the cleaner; or one
// too many.
void Pool::deallocate_without_room(void* memory, std::size_t size) noexcept {
  if (has_cleaner) return ::operator delete(memory);
  static thread_local Cleaner cleaner;
  static_cast<void>(cleaner);
  has_cleaner = true;
  for (List& list : lists_) list.room = kMostKept;
  deallocate(memory, size);
}

}  // namespace asyncio::detail
