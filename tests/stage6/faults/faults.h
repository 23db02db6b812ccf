// Makes system calls fail or fall short. The library is the one for users: only in this test program, the linker
// redirects its system calls to faults.cpp (--wrap).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace asyncio::testing {

/// The fate of a call. By default it runs as usual.
struct Fault {
  int error = 0;                   // if not 0: the call only fails with this errno
  std::size_t at_most = SIZE_MAX;  // the most bytes to request: a short read or write; 0 of getaddrinfo: no address
  explicit operator bool() const noexcept { return error != 0 || at_most != SIZE_MAX; }
};

/// During its lifetime, each system call of stage 6, in any thread, first calls `decide`, one after the other. Only one
/// Faults may exist. `decide` gets the call's name, except: "eventfd_read" and "eventfd_write" (the loop's wake-up),
/// "dup" (by fcntl), "pidfd_open" and "pidfd_send_signal" (by syscall), "waitid_pidfd" (waitid by a pidfd).
class Faults {
 public:
  using Decide = std::function<Fault(std::string_view call)>;

  explicit Faults(Decide decide);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults();

  /// Calls this with each piece of bytes that the kernel has taken for a descriptor, in any thread, one after the other;
  /// with an empty piece when the descriptor is closed. Not for eventfds. sendfile()'s bytes are unknown: "sendfile".
  using Sent = std::function<void(int fd, std::string_view bytes)>;
  void watch_sends(Sent sent);

  /// The number of calls that were changed.
  int injected() const;

  /// For faults.cpp: the fate of this call.
  static Fault next(std::string_view call);
  /// For faults.cpp. Tells of the bytes if `result`, of a call that sends, is their number. Gives `result`.
  static ssize_t taken(int fd, const void* data, ssize_t result);
  static void tell_sent(int fd, std::string_view bytes);

 private:
  Decide decide_;
  Sent sent_;
  int injected_ = 0;
};

/// The fault happens at each `k`-th of the named calls.
Faults::Decide at_every(int k, std::vector<std::string_view> calls, Fault fault);
/// The fault happens at the `k`-th of the named calls only.
Faults::Decide at_call(int k, std::vector<std::string_view> calls, Fault fault);

}  // namespace asyncio::testing
