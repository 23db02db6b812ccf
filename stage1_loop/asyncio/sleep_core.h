// The first core: it sleeps on a semaphore. No descriptor is opened; all a loop needs until it does I/O.
// Mirrors: nothing in CPython, whose loop always has a selector and a self-pipe.
// Read next: loop.h, then virtual_core.h
#pragma once

#include <asyncio/core.h>
#include <asyncio/detail/coarse_clock.h>
#include <semaphore.h>

#include <atomic>

namespace asyncio {

/// Why a semaphore, and not a condition variable: sem_post() is one of the few calls that a signal handler may
/// make, and so Ctrl-C can wake the loop.
class SleepCore final : public Core {
 public:
  SleepCore();
  ~SleepCore() override;

  TimePoint now() override { return Clock::now(); }
  bool clock_went_on() override { return coarse_clock_.went_on(); }
  void wait(std::optional<TimePoint> until) override;
  void wake() noexcept override;

 private:
  detail::CoarseClock coarse_clock_;
  sem_t woken_;
  std::atomic<bool> posted_ = false;  // a wake-up is on its way: another need not post again
};

}  // namespace asyncio
