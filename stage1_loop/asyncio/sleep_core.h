// The first core: it sleeps on a semaphore and opens no descriptor. A loop needs no more until it does I/O.
// Mirrors: nothing in CPython, whose loop always has a selector and a self-pipe.
// Read next: observer.h
#pragma once

#include <asyncio/core.h>
#include <asyncio/detail/coarse_clock.h>
#include <semaphore.h>

#include <atomic>

namespace asyncio {

/// A semaphore and not a condition variable, because a signal handler may call sem_post(): thus Ctrl-C can wake the
/// loop.
class SleepCore final : public Core {
 public:
  /// Throws std::system_error.
  SleepCore();
  ~SleepCore() override;

  TimePoint now() override { return Clock::now(); }
  bool clock_may_have_advanced() override { return coarse_clock_.has_advanced(); }
  void wait(std::optional<TimePoint> until) override;
  void wake() noexcept override;

 private:
  detail::CoarseClock coarse_clock_;
  sem_t woken_;
  std::atomic<bool> posted_ = false;  // a wake-up is under way; another need not post again
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread, and a signal handler.
// Ticks: wait() is called in a tick that has nothing to run.
// Errors: std::system_error from the constructor.
// Units: now() is in nanoseconds, on CLOCK_MONOTONIC.
