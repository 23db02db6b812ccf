#include "asyncio/detail/child.h"

#include <asyncio/detail/fork_mutex.h>

#include "asyncio/detail/syscalls.h"

#include <sys/wait.h>

#include <cerrno>

namespace asyncio::detail {

Child::Child(pid_t pid) noexcept : pid_(pid), forks_(forks()), pidfd_(sys::pidfd_open(pid)) {
  // It may have ended in the meantime, been reaped by somebody else, and its number given away: then this is not it.
  if (pidfd_ && sys::peek_by_pidfd(pidfd_.fd()) == -1 && errno == ECHILD) pidfd_.close();
}

int Child::send_signal(int signal) const noexcept {
  if (forks_ != forks()) {
    errno = ESRCH;
    return -1;
  }
  if (pidfd_) {
    if (sys::pidfd_send_signal(pidfd_.fd(), signal) == 0) return 0;
    if (errno != ENOSYS) return -1;
  }
  if (!sys::is_child(pid_)) {
    errno = ESRCH;
    return -1;
  }
  return sys::kill(pid_, signal);
}

std::optional<int> Child::reap(bool wait) const noexcept {
  if (forks_ != forks()) return std::nullopt;
  int status = 0;
  if (pidfd_) {
    const pid_t reaped = sys::reap_by_pidfd(pidfd_.fd(), &status, wait);
    if (reaped > 0) return status;
    if (reaped == 0 || errno != EINVAL) return std::nullopt;  // EINVAL: Linux 5.3 has the descriptor, but not this
  }
  return sys::reap(pid_, &status, wait) > 0 ? std::optional<int>(status) : std::nullopt;
}

int to_returncode(int status) noexcept { return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace asyncio::detail
