// A child process, as the kernel knows it: by a descriptor, where it has such a thing. A number is not enough: once the
// child is reaped, by whomever, its number may be given to another process, and a signal would go to that.
// Mirrors: Lib/asyncio/unix_events.py, PidfdChildWatcher; Lib/subprocess.py, Popen.send_signal. Read next:
// ../../child.cpp
#pragma once

#include <asyncio/file_descriptor.h>
#include <sys/types.h>

#include <optional>

namespace asyncio::detail {

/// Invariant: pidfd_ is ours, if there is one, and speaks of the child for ever, whatever becomes of its number.
/// Without one (an old kernel, no descriptor left) we look first whether a child of ours has that number; a thread that
/// reaps it between that look and the signal is the one thing that cannot be helped.
class Child {
 public:
  Child() = default;
  /// REQUIRES: just spawned.
  explicit Child(pid_t pid) noexcept;

  explicit operator bool() const noexcept { return pid_ != 0; }
  pid_t pid() const noexcept { return pid_; }
  /// Readable when the child has ended; -1 if there is none.
  int pidfd() const noexcept { return pidfd_.fd(); }

  /// -1 and errno if it fails: ESRCH if the child is gone, whoever has reaped it, or if it is the child of a process that
  /// has forked this one.
  int send_signal(int signal) const noexcept;

  /// What is left of it (the status of wait(2)). Nothing if somebody else has reaped it, or if it has not ended.
  std::optional<int> reap() const noexcept { return reap(false); }
  /// … and waits for it to end.
  std::optional<int> wait_and_reap() const noexcept { return reap(true); }

  void close() noexcept { pidfd_.close(); }

 private:
  std::optional<int> reap(bool wait) const noexcept;

  pid_t pid_ = 0;
  unsigned forks_ = 0;  // before it was spawned; in a forked copy of this process the child is not ours
  FileDescriptor pidfd_;
};

/// What returncode is: the exit code, or the negative number of the signal.
int to_returncode(int status) noexcept;

}  // namespace asyncio::detail
