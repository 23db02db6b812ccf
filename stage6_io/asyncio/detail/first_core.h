// The core that a loop gets with its first descriptor: poll(2), until so many descriptors are idle beside the busy ones
// that epoll is the cheaper way to ask; then the loop moves on to an EpollCore, and never back. A core that the user
// chose is never one of these, and stays. (Where there is no epoll, the loop stays as well.)
// Mirrors: nothing; CPython chooses once and for all, by what the system has. Read next: ../epoll_core.h
#pragma once

#include <asyncio/poll_core.h>

#include <cstdint>

namespace asyncio::detail {

/// It is the share of idle descriptors that decides, and not their number: of a thousand that are all busy, poll()
/// tells in one call what epoll tells at a higher price each. So this core keeps an account of what poll() costs more
/// than epoll would. Its unit is what poll() pays for looking at one idle descriptor: 60 ns where this was measured, with
/// `./stages compare --growth` and stage6_bench's `add_remove_reader`. There an event cost epoll 250 ns more than poll(),
/// and a reader added 130 ns more; to register a descriptor for the first time took it 1.7 µs.
///   + 1         each idle descriptor in each look
///   - kEvent    each event found
///   - kChange   each descriptor added
/// The account never falls below zero: a busy hour long ago says nothing about now. The loop moves when the surplus
/// has paid for the move (kMove for each descriptor) and is so large that it does not come from a passing state alone,
/// from the accepting of a few hundred connections, say (kPatience: 6 ms). Whatever the loop does later, on poll() it
/// has lost no more than that.
class FirstCore final : public PollCore {
 public:
  static constexpr std::int64_t kEvent = 4;
  static constexpr std::int64_t kChange = 2;
  static constexpr std::int64_t kMove = 30;
  static constexpr std::int64_t kPatience = 100'000;

  void collect(ReadyQueue& ready) override;
  /// The move could not be made (no descriptor, no memory): goes on, and tries again when it would be paid for again.
  void stay() noexcept { surplus_ = 0, moving_ = false; }

 protected:
  void add_interest(int fd, Readiness ways) override;
  void select(int timeout_ms, std::vector<Found>& found) override;

 private:
  bool move_is_due() const noexcept {
    return !moving_ && surplus_ > kPatience + kMove * static_cast<std::int64_t>(watched_descriptors());
  }

  std::int64_t surplus_ = 0;
  bool moving_ = false;  // a callback that makes the move is in the ready queue
};

}  // namespace asyncio::detail
