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

}  // namespace asyncio::detail
