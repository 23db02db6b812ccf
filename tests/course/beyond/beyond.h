// What the small asyncio lacks: each stage's file here is built twice, on the real stage and (BY_HAND) on by_hand. A
// case is one property: it passes on the real stage and fails, crashes or hangs on by_hand. The lessons list the cases.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace beyond {

struct Case {
  const char* name;
  bool (*holds)();
};

/// What operator new has handed out: how often, and how many bytes are not freed yet.
inline long allocations = 0;
inline long live_bytes = 0;

/// `program NAME` runs one case: 0 if the property holds. `program` lists them.
template <std::size_t N>
int run_cases(const Case (&cases)[N], int argc, char** argv) {
#ifdef BY_HAND
  alarm(6);  // a case that hangs fails
#else
  alarm(100);
#endif
  for (const Case& one : cases) {
    if (argc < 2) std::puts(one.name);
    if (argc > 1 && std::strcmp(one.name, argv[1]) == 0) return one.holds() ? 0 : 1;
  }
  return argc < 2 ? 0 : 2;
}

/// How many allocations `job` makes from its second run on.
template <class Job>
long allocations_of(Job job) {
  for (int i = 0; i < 100; ++i) job();
  const long before = allocations;
  for (int i = 0; i < 1000; ++i) job();
  return allocations - before;
}

/// What it prints; "" if it cannot.
std::string repr_of(const auto& object) {
  if constexpr (requires { object.repr(); }) return object.repr();
  return std::string();
}
/// What a CancelledError, or an error's report, says; "" if it says nothing.
std::string message_of(const auto& error) {
  if constexpr (requires { error.message(); }) return std::string(error.message());
  if constexpr (requires { error.message; }) return error.message;
  return std::string();
}
/// Cancels it with a message, if it takes one.
void cancel(const auto& future, const char* message) {
  if constexpr (requires { future.cancel(message); })
    future.cancel(message);
  else
    future.cancel();
}

}  // namespace beyond

void* operator new(std::size_t size) {
  void* memory = std::malloc(size + alignof(std::max_align_t));
  if (!memory) throw std::bad_alloc();
  *static_cast<std::size_t*>(memory) = size;
  ++beyond::allocations;
  beyond::live_bytes += static_cast<long>(size);
  return static_cast<char*>(memory) + alignof(std::max_align_t);
}
void operator delete(void* memory) noexcept {
  if (!memory) return;
  void* block = static_cast<char*>(memory) - alignof(std::max_align_t);
  beyond::live_bytes -= static_cast<long>(*static_cast<std::size_t*>(block));
  std::free(block);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
