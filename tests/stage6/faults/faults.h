// System calls that fail, or fall short, when a test wants them to. The library is the one that everybody gets: the
// linker leads each of its system calls through faults.cpp first (--wrap), in this test program alone.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace asyncio::testing {

/// What becomes of a call. Nothing special by default.
struct Fault {
  int error = 0;                   // it fails with this errno, and does nothing
  std::size_t at_most = SIZE_MAX;  // it is asked for so many bytes only: a short read, a short write
  explicit operator bool() const noexcept { return error != 0 || at_most != SIZE_MAX; }
};

/// While it lives, each system call of stage 6, of any thread, asks `decide` first, one after the other. One at a time.
/// A call has its own name, but for these: "eventfd_read" and "eventfd_write" (the loop's wake-up), "dup" (a duplicate, by
/// fcntl), "pidfd_open" (by syscall).
class Faults {
 public:
  using Decide = std::function<Fault(std::string_view call)>;

  explicit Faults(Decide decide);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults();

  /// How many calls were not what they would have been.
  int injected() const;

  /// For faults.cpp: what is to become of this call.
  static Fault next(std::string_view call);

 private:
  Decide decide_;
  int injected_ = 0;
};

/// The fault at each `k`-th of the calls named, and at no other.
Faults::Decide at_every(int k, std::vector<std::string_view> calls, Fault fault);
/// The fault at the `k`-th of the calls named, once.
Faults::Decide at_call(int k, std::vector<std::string_view> calls, Fault fault);

}  // namespace asyncio::testing
