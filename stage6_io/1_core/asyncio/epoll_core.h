// A core on epoll(7): the kernel learns once what to watch and then reports only what is ready, so an idle descriptor
// costs nothing. Linux only. It overrides the same four functions as poll_core.h: compare the two.
// Mirrors: Lib/selectors.py, EpollSelector.
// Read next: descriptors.h, or detail/auto_core.h for the choice between the two
#pragma once

#ifdef __linux__

#include <asyncio/selector_core.h>

#include <cstdint>
#include <vector>

namespace asyncio {

/// The kernel remembers open files, and this class remembers descriptor numbers, so the two can disagree. In four cases
/// extra work makes this core behave like a PollCore:
///   closed while watched        The kernel forgets it silently. After kAuditAfter without an event the core asks about
///                               each descriptor and reports those that are closed.
///   closed, number re-used      The next registration fails with ENOENT, or the audit finds it; the new file is
/// watched.
///   closed, but dup'ed          The kernel keeps reporting a number that is gone, and nothing can stop it. At the next
///                               such event a new epoll descriptor replaces the old one.
///   a regular file              epoll refuses it (EPERM); poll() finds it always ready. Each select() reports it.
///
/// Invariants: (1) a wanted descriptor is registered for exactly what is wanted, or it is in refused_. (2) An unwanted
/// one may still be registered for reading: see remove_interest(). (3) The wake descriptor is registered.
class EpollCore : public SelectorCore {
 public:
  /// After a wait that is longer, it looks for descriptors that were closed while they were watched.
  static constexpr std::chrono::milliseconds kAuditAfter{500};
  /// The most events that one select() takes. The kernel reports the rest first the next time.
  static constexpr int kMostEvents = 256;

  /// Throws std::system_error if there are no descriptors left.
  EpollCore();
  ~EpollCore() override;

  void close() noexcept override;

 protected:
  void add_interest(int fd, Readiness ways) override;
  void change_interest(int fd, Readiness ways) override;
  void remove_interest(int fd) noexcept override;
  void select(int timeout_ms, std::vector<Found>& found) override;

  /// Readable while select() would find something, for who waits outside. Another one may take its place in select().
  int descriptor() const noexcept { return epoll_; }
  /// True if select() does not wait, whatever the descriptor says: a regular file is watched.
  bool never_waits() const noexcept { return !refused_.empty(); }

 private:
  struct Interest {
    Readiness wanted = Readiness::none;
    bool registered = false;
    std::uint32_t registrations = 0;  // of this number; each event carries the count it was registered with
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
  std::vector<int> refused_;         // wanted, but epoll refuses them: regular files and closed descriptors
  int waited_in_vain_ms_ = 0;        // since the last audit
  bool audited_ = false;             // nothing has happened since the last audit
};

}  // namespace asyncio

#endif

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread, and a signal handler.
// Ticks: a descriptor's callback runs in the tick that finds it ready, behind what was ready before, and before
//   timers.
// Errors: std::system_error from the constructor and from watch(), and from wait() if epoll_wait() fails.
// Units: timeout_ms and kAuditAfter are in milliseconds; kMostEvents counts events.
