#include "asyncio/detail/coarse_clock.h"

#include <ctime>
#include <utility>

namespace asyncio::detail {

bool CoarseClock::has_advanced() noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::int64_t step = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  return std::exchange(last_, step) != step;
#else
  return true;
#endif
}

}  // namespace asyncio::detail
