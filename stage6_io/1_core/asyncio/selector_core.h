// A core that also watches descriptors. It keeps the table of readers and writers, wakes the loop from outside, and
// decides when to poll. A backend of four small functions asks the kernel: see poll_core.h and epoll_core.h.
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

/// The ways in which a descriptor is watched, or was found ready. Values can be or'ed.
enum class Readiness : std::uint8_t { none = 0, read = 1, write = 2, both = 3, closed = 4 };

constexpr Readiness operator|(Readiness a, Readiness b) { return Readiness(unsigned(a) | unsigned(b)); }
constexpr Readiness operator&(Readiness a, Readiness b) { return Readiness(unsigned(a) & unsigned(b)); }
/// What is in `a`, and not in `b`.
constexpr Readiness without(Readiness a, Readiness b) { return Readiness(unsigned(a) & ~unsigned(b)); }

/// Thread safety: wake() from any thread and from signal handlers, everything else from the loop's thread.
///
/// When it polls. CPython polls in every tick: one system call even if the next callback is ready already. Here a busy
/// tick (one that already has ready callbacks) polls without waiting, unless
///   (a) the tick before polled and found something: the callbacks of that come first, or
///   (b) the last poll was less than kPollInterval ago.
/// A ready descriptor therefore waits for two ticks or kPollInterval at most, whichever is longer.
///
/// Invariants: (1) the backend knows a descriptor exactly while it has a reader or a writer. (2) watching_ is true
/// exactly while there is such a descriptor. (3) found_ is empty, except from wait() or take_over() to collect().
class SelectorCore : public Core {
 public:
  /// While callbacks keep the loop busy, it asks for descriptors no more often than this.
  static constexpr Duration kPollInterval = std::chrono::microseconds(20);
  /// No wait is longer than a day; then the loop runs an empty tick and waits again. [MAXIMUM_SELECT_TIMEOUT]
  static constexpr Duration kLongestWait = std::chrono::hours(24);

  ~SelectorCore() override;

  TimePoint now() override { return Clock::now(); }
  bool clock_may_have_advanced() override { return coarse_clock_.has_advanced(); }
  void wait(std::optional<TimePoint> until) override;
  void wake() noexcept override;
  void close() noexcept override;
  void collect(ReadyQueue& ready) override;
  /// Takes all readers and writers from another SelectorCore. Their handles stay valid.
  void take_over(Core& before) override;

  /// The ways in which `fd` is watched.
  Readiness watched(int fd) const noexcept;

  // ── for the library ──
  /// Schedules `callback` in each tick in which `fd` is ready that way. Replaces and cancels the previous callback for
  /// that way. Throws std::invalid_argument for a negative fd, std::system_error for a closed one.
  Handle watch(int fd, Readiness way, detail::Ref<detail::WatchState> callback);
  /// Cancels the callback. False if there was none.
  bool unwatch(int fd, Readiness way);
  /// Cancels all callbacks: the loop is being closed.
  void unwatch_all() noexcept;

 protected:
  struct Found {
    int fd;
    Readiness ways;
  };

  SelectorCore();
  /// The descriptor that becomes readable when wake() is called. Each backend watches it from its constructor on.
  int wake_fd() const noexcept { return wake_ends_[0]; }

  /// The number of descriptors that have a reader or a writer.
  std::size_t watched_descriptors() const noexcept { return watched_descriptors_; }

  /// Polls once and waits until `until` at most. False if nothing was ready and nobody called wake().
  bool look(std::optional<TimePoint> until);

  // ── the backend ──
  /// Starts watching `fd`. REQUIRES: it is not watched. Throws std::system_error if it is not open.
  virtual void add_interest(int fd, Readiness ways) = 0;
  /// REQUIRES: `fd` is watched.
  virtual void change_interest(int fd, Readiness ways) = 0;
  /// Does nothing if `fd` is not watched.
  virtual void remove_interest(int fd) noexcept = 0;
  /// Appends what is ready; waits up to `timeout_ms` milliseconds (-1: without limit). An error or a hang-up counts as
  /// ready in every watched way: the next call on the descriptor reports it. Finds nothing if a signal interrupts it.
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
  bool found_something_ = false;  // the last poll found descriptors, and no busy tick has passed since

  int wake_ends_[2];
  std::atomic<bool> woken_ = false;  // a wake-up is under way: the next wake() need not write again
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread, and a signal handler.
// Ticks: a descriptor's callback runs in the tick that finds it ready, behind what was ready before, and before
//   timers.
// Errors: std::invalid_argument for a negative descriptor, std::system_error for one that cannot be watched.
// Units: timeout_ms is in milliseconds, a TimePoint in nanoseconds on CLOCK_MONOTONIC; `fd` is the kernel's number.
