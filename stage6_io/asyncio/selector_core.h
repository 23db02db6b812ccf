// A core that also watches descriptors: who wants to hear of which, how the loop is woken from outside, and when it
// looks. How to ask the kernel is left to a backend of four small functions: see poll_core.h and epoll_core.h.
// Mirrors: Lib/asyncio/selector_events.py, BaseSelectorEventLoop, and Lib/selectors.py. Read next: poll_core.h
#pragma once

#include <asyncio/core.h>
#include <asyncio/detail/coarse_clock.h>
#include <asyncio/detail/watch.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace asyncio {

/// Which way a descriptor is watched, or was found ready: one, or both or'ed together.
enum class Readiness : std::uint8_t { none = 0, read = 1, write = 2, both = 3, closed = 4 };

constexpr Readiness operator|(Readiness a, Readiness b) { return Readiness(unsigned(a) | unsigned(b)); }
constexpr Readiness operator&(Readiness a, Readiness b) { return Readiness(unsigned(a) & unsigned(b)); }
constexpr Readiness without(Readiness a, Readiness b) { return Readiness(unsigned(a) & ~unsigned(b)); }

/// Thread safety: wake() from any thread and from signal handlers; the rest by the loop's thread only.
///
/// When it looks. CPython polls in every tick, a system call even where the next callback is ready already. Here a
/// busy tick (one that finds callbacks ready before it polls) polls, without waiting, unless
///   (a) the tick before polled and found something: what that led to comes first, or
///   (b) the last poll is less than kPollInterval ago.
/// So a ready descriptor is never further away than the second tick from now, or kPollInterval, whichever is later.
///
/// Invariants: (1) a descriptor is known to the backend exactly while it has a reader or a writer. (2) watching_ says
/// whether there is any. (3) found_ is empty except between wait(), or take_over(), and collect().
class SelectorCore : public Core {
 public:
  static constexpr Duration kPollInterval = std::chrono::microseconds(20);
  /// No wait is longer than a day; the loop then goes round once and waits again. [MAXIMUM_SELECT_TIMEOUT]
  static constexpr Duration kLongestWait = std::chrono::hours(24);

  ~SelectorCore() override;

  TimePoint now() override { return Clock::now(); }
  bool clock_went_on() override { return coarse_clock_.went_on(); }
  void wait(std::optional<TimePoint> until) override;
  void wake() noexcept override;
  void collect(ReadyQueue& ready) override;
  /// From another SelectorCore, all its readers and writers; their handles stay good.
  void take_over(Core& before) override;

  /// Will schedule `callback` in each tick in which `fd` is ready that way. One that was there for the same way is
  /// cancelled and replaced. Throws std::invalid_argument for a negative fd, std::system_error for a closed one.
  Handle watch(int fd, Readiness way, detail::Ref<detail::WatchState> callback);
  /// Cancels the callback; false if there was none.
  bool unwatch(int fd, Readiness way);
  /// Cancels them all: the loop is being closed.
  void unwatch_all() noexcept;
  /// Which ways `fd` is watched.
  Readiness watched(int fd) const noexcept;

 protected:
  struct Found {
    int fd;
    Readiness ways;
  };

  SelectorCore();
  /// The descriptor that polls readable once wake() was called. A backend watches it from its constructor on.
  int wake_fd() const noexcept { return wake_ends_[0]; }

  /// How many descriptors have a reader or a writer.
  std::size_t watched_descriptors() const noexcept { return watched_descriptors_; }

  /// One look at the descriptors, waiting until `until` at most. False if nothing was ready and nobody called wake().
  bool look(std::optional<TimePoint> until);

  // ── the backend ──
  /// Begins to watch; REQUIRES: it is not watched. Throws std::system_error if it is not open.
  virtual void add_interest(int fd, Readiness ways) = 0;
  /// REQUIRES: it is watched.
  virtual void change_interest(int fd, Readiness ways) = 0;
  /// What is not watched is left alone.
  virtual void remove_interest(int fd) noexcept = 0;
  /// Appends what is ready, waiting up to `timeout_ms` (-1: for ever). An error, or the other end's going away, is
  /// readiness both ways, as far as these are watched: the next call on the descriptor tells which. Interrupted by a
  /// signal, it finds nothing.
  virtual void select(int timeout_ms, std::vector<Found>& found) = 0;

 private:
  struct Watch {
    detail::Ref<detail::WatchState> reader;
    detail::Ref<detail::WatchState> writer;
    Readiness ways() const noexcept {
      return (reader ? Readiness::read : Readiness::none) | (writer ? Readiness::write : Readiness::none);
    }
    detail::Ref<detail::WatchState>& callback(Readiness way) noexcept {
      return way == Readiness::read ? reader : writer;
    }
  };

  bool is_ours(int fd) const noexcept { return fd == wake_ends_[0] || fd == wake_ends_[1]; }
  void schedule(int fd, Readiness way, ReadyQueue& ready);
  void schedule_closed(int fd, ReadyQueue& ready);
  void interest_changed(int fd, Readiness before);
  void drop_callbacks() noexcept;
  static int timeout_ms(std::optional<TimePoint> until, TimePoint now);

  std::vector<Watch> watches_;  // by descriptor: the kernel hands out the smallest numbers
  std::size_t watched_descriptors_ = 0;
  detail::CoarseClock coarse_clock_;
  std::vector<Found> found_;
  TimePoint last_look_{};
  bool found_something_ = false;  // the last look did, and no busy tick has passed since

  int wake_ends_[2];
  std::atomic<bool> woken_ = false;  // a wake-up is on its way: another need not write again
};

}  // namespace asyncio
