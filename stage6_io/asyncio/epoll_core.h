// The core that tells epoll(7) once what it watches, and from then on hears only of what is ready: a descriptor that
// is idle costs nothing. Linux only. Lay it beside poll_core.h: the same four functions.
// Mirrors: Lib/selectors.py, EpollSelector. Read next: epoll_core.cpp, then detail/first_core.h
#pragma once

#ifdef __linux__

#include <asyncio/selector_core.h>

#include <cstdint>
#include <vector>

namespace asyncio {

/// What poll() is told anew each time, the kernel remembers here, and the two memories may come apart: the kernel's goes
/// with the open file, ours with its number. Four cases, in which a loop on this core behaves as on a PollCore all the
/// same:
///   closed behind our back      the kernel forgets silently. A loop that had nothing to hear of for kAuditAfter asks
///                               about each descriptor, and reports what is closed.
///   closed, the number re-used  a new registration finds out (ENOENT), the audit as well; the new file is watched.
///   closed, but dup'ed          the kernel goes on, under a number that means nothing any more, and cannot be told to
///                               stop. Its next event shows it, and a new epoll descriptor takes the place of the old.
///   a regular file              epoll refuses it (EPERM), poll() finds it ready always: so it is, in each select().
///
/// Invariants: (1) a descriptor that is wanted is registered for exactly what is wanted, or in refused_. (2) One that is
/// not wanted may still be registered for reading: see remove_interest(). (3) The wake descriptor is registered.
class EpollCore : public SelectorCore {
 public:
  static constexpr std::chrono::milliseconds kAuditAfter{500};
  /// Events taken by one look. What is beyond waits for the next, and comes first then.
  static constexpr int kMostEvents = 256;

  EpollCore();
  ~EpollCore() override;

 protected:
  void add_interest(int fd, Readiness ways) override;
  void change_interest(int fd, Readiness ways) override;
  void remove_interest(int fd) noexcept override;
  void select(int timeout_ms, std::vector<Found>& found) override;

 private:
  struct Interest {
    Readiness wanted = Readiness::none;
    bool registered = false;
    std::uint32_t registrations = 0;  // of this number; each event says of which it speaks
  };

  Interest& interest(int fd) { return interests_[static_cast<std::size_t>(fd)]; }
  int wait_time(int timeout_ms) const noexcept;
  int tell_kernel(int fd);
  void tell_kernel_everything();
  bool forget(int fd) noexcept;
  void start_anew();
  bool control(int operation, int fd) noexcept;

  int epoll_;
  std::vector<Interest> interests_;  // by descriptor
  std::vector<int> refused_;         // wanted, but epoll takes none of: regular files, and what is closed
  int waited_in_vain_ms_ = 0;        // since the last audit
  bool audited_ = false;             // nothing has happened since the last audit
};

}  // namespace asyncio

#endif
