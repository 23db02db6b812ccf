// A core on poll(2), which gets the list of all descriptors with every call. Portable, and fast while most of the
// descriptors are busy. Its four functions are in poll_core.cpp.
// Mirrors: Lib/selectors.py, PollSelector. Read next: epoll_core.h
#pragma once

#include <asyncio/selector_core.h>
#include <poll.h>

#include <vector>

namespace asyncio {

/// Invariants: (1) polled_[0] is the descriptor that wakes the loop. (2) place_[fd] is the index of fd in polled_; 0 if
/// it is not there.
class PollCore : public SelectorCore {
 public:
  /// Throws std::system_error if there are no descriptors left.
  PollCore();

 protected:
  void add_interest(int fd, Readiness ways) override;
  void change_interest(int fd, Readiness ways) override;
  void remove_interest(int fd) noexcept override;
  void select(int timeout_ms, std::vector<Found>& found) override;

 private:
  std::vector<pollfd> polled_;
  std::vector<std::size_t> place_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread, and a signal handler.
// Ticks: a descriptor's callback runs in the tick that finds it ready, behind what was ready before, and before
//   timers.
// Errors: std::system_error from the constructor and from watch(), and from wait() if poll() fails.
// Units: timeout_ms is in milliseconds.
