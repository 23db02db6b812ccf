#include "no_memory/no_memory.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace asyncio::testing {
namespace {

std::atomic<bool> counting = false;
std::atomic<long> number = 0;  // of the latest allocation
std::atomic<long> first_to_fail = 0;
std::atomic<long> how_many = 0;
std::atomic<bool> has_failed = false;
std::atomic<long> in_use = 0;

void* count(void* memory) {
  if (!memory) throw std::bad_alloc();
  ++in_use;
  return memory;
}

// So that each block is an allocation of its own, and each allocation may fail. Before the first block is freed.
[[maybe_unused]] const int pool_is_off = setenv("ASYNCIO_POOL", "0", 1);

}  // namespace

bool fails() noexcept {
  if (!counting.load(std::memory_order_relaxed)) return false;
  const long mine = ++number;
  if (mine < first_to_fail || mine - first_to_fail >= how_many) return false;
  has_failed = true;
  return true;
}

NoMemory::NoMemory(long first, long count) noexcept {
  number = 0;
  first_to_fail = first;
  how_many = count;
  has_failed = false;
  counting = true;
}

void NoMemory::restore() noexcept { counting = false; }

bool NoMemory::any_failed() noexcept { return has_failed; }

long blocks() noexcept { return in_use; }

void* allocate(std::size_t size) noexcept {
  void* const memory = fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory) ++in_use;
  return memory;
}

void* reallocate(void* memory, std::size_t size) noexcept {
  if (!memory) return allocate(size);
  return fails() ? nullptr : std::realloc(memory, size);
}

void release(void* memory) noexcept {
  if (memory) --in_use;
  std::free(memory);
}

}  // namespace asyncio::testing

using asyncio::testing::count;
using asyncio::testing::fails;
using asyncio::testing::release;

// (Not inlined, or g++ takes the malloc() here and the free() there for a mistake.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  return count(fails() ? nullptr : std::malloc(size == 0 ? 1 : size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  return count(fails() ? nullptr : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return asyncio::testing::allocate(size);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
