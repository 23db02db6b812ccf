// The core that asks poll(2): "which of these descriptors are ready?", with a list of them all, every time. Portable,
// and fast while most of the descriptors it is asked about are busy.
// Mirrors: Lib/selectors.py, PollSelector. Read next: poll_core.cpp, then descriptors.h
#pragma once

#include <asyncio/selector_core.h>
#include <poll.h>

#include <vector>

namespace asyncio {

/// Invariants: (1) polled_[0] is the descriptor that wakes the loop. (2) place_[fd] is where fd is in polled_; 0 if it
/// is not there.
class PollCore : public SelectorCore {
 public:
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
