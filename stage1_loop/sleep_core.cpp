#include "asyncio/sleep_core.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace asyncio {
namespace {

timespec to_timespec(std::chrono::nanoseconds since_epoch) {
  using namespace std::chrono;
  const auto whole = floor<seconds>(since_epoch);
  return {static_cast<time_t>(whole.count()), static_cast<long>((since_epoch - whole).count())};
}

// Waits for the semaphore until `until` on the monotonic clock. Only glibc can do that; elsewhere the wall clock is
// used. If that is set meanwhile, the loop wakes up too early or too late, but it loses no wake-up.
int timed_wait(sem_t& semaphore, TimePoint until) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 30)
  const timespec at = to_timespec(until.time_since_epoch());
  return sem_clockwait(&semaphore, CLOCK_MONOTONIC, &at);
#else
  const auto wall = std::chrono::system_clock::now().time_since_epoch() + (until - Clock::now());
  const timespec at = to_timespec(wall);
  return sem_timedwait(&semaphore, &at);
#endif
}

}  // namespace

SleepCore::SleepCore() {
  if (sem_init(&woken_, 0, 0) != 0) throw std::system_error(errno, std::generic_category(), "sem_init");
}

SleepCore::~SleepCore() { sem_destroy(&woken_); }

void SleepCore::wait(std::optional<TimePoint> until) {
  int result = 0;
  if (!until) {
    result = sem_wait(&woken_);
  } else if (const TimePoint now = Clock::now(); *until > now) {
    // At most a day, as in CPython: the loop then runs an empty tick and waits again.
    result = timed_wait(woken_, std::min(*until, now + std::chrono::hours(24)));
  } else {
    result = sem_trywait(&woken_);
  }
  // On 0 the token is taken, and the next wake() posts a new one. A wake() just before this line posts none; the loop,
  // which is awake now, sees that caller's work anyway.
  if (result == 0) posted_.exchange(false, std::memory_order_acq_rel);
}

void SleepCore::wake() noexcept {
  if (!posted_.exchange(true, std::memory_order_acq_rel)) sem_post(&woken_);
}

}  // namespace asyncio
