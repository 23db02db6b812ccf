#include "asyncio/detail/pool.h"

namespace asyncio::detail {

struct Pool::Cleaner {
  ~Cleaner() {
    for (std::size_t list = 0; list != kLargest / kGrain + 1; ++list) {
      while (Block* block = free_[list]) {
        free_[list] = block->next;
        ::operator delete(block);
      }
    }
  }
};

void* Pool::allocate_new(std::size_t size) {
  static thread_local Cleaner cleaner;  // made here, on the slow path, so that the fast path needs no check
  static_cast<void>(cleaner);
  return ::operator new(list_of(size) * kGrain);
}

}  // namespace asyncio::detail
