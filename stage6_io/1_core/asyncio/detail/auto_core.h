// The core that a loop gets with its first descriptor. It uses poll(2) until idle descriptors make epoll the cheaper
// call; then the loop moves to an EpollCore and stays there. It never replaces a core that the user chose, and never
// moves on systems without epoll.
// Mirrors: nothing; CPython chooses once, by what the system has. Read next: ../descriptors.h
#pragma once

#include <asyncio/poll_core.h>

#include <cstdint>

namespace asyncio::detail {

/// The share of idle descriptors decides, not their number: if a thousand are all busy, poll() reports them in one call
/// and epoll pays more for each event. This core therefore counts what poll() costs beyond epoll. The unit is the time
/// that poll() spends on one idle descriptor; the factors were measured in that unit with `./stages compare --growth`
/// and with `add_remove_reader` of stage6_bench.
///   + 1         for each idle descriptor in each poll
///   - kEvent    for each event
///   - kChange   for each descriptor added
/// The count never falls below zero: a busy hour long ago says nothing about now. The loop moves when the surplus has
/// paid for the move (kMove for each descriptor) and is too large to come from a passing state, such as accepting a few
/// hundred connections (kPatience). Whatever the loop does later, it has lost no more than that on poll().
class AutoCore final : public PollCore {
 public:
  static constexpr std::int64_t kEvent = 4;
  static constexpr std::int64_t kChange = 2;
  static constexpr std::int64_t kMove = 30;
  static constexpr std::int64_t kPatience = 100'000;

  void collect(ReadyQueue& ready) override;
  /// The move failed (no descriptor, no memory): starts counting again from zero.
  void stay() noexcept { surplus_ = 0, moving_ = false; }

 protected:
  void add_interest(int fd, Readiness ways) override;
  void select(int timeout_ms, std::vector<Found>& found) override;

 private:
  bool move_is_due() const noexcept {
    return !moving_ && surplus_ > kPatience + kMove * static_cast<std::int64_t>(watched_descriptors());
  }

  std::int64_t surplus_ = 0;
  bool moving_ = false;  // the callback that makes the move is in the ready queue
};

}  // namespace asyncio::detail
