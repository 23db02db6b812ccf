// The loop's clock, and how a std::chrono duration becomes a deadline on it.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop.time().
// Read next: version.h
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <stdexcept>
#include <type_traits>

namespace asyncio {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: never set back
using Duration = Clock::duration;         // whole nanoseconds
/// A point on that clock, as Loop::time() returns it.
using TimePoint = Clock::time_point;

namespace detail {
template <class D>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
}  // namespace detail

/// Any std::chrono duration: 5ms, std::chrono::duration<double>(0.1), hours::max() …
template <class D>
concept AnyDuration = detail::is_duration<std::remove_cvref_t<D>>;

static_assert(AnyDuration<std::chrono::milliseconds>);
static_assert(!AnyDuration<int>, "a delay carries its unit: write 5s, not 5");

/// `d` in nanoseconds, rounded up, so that a timer never fires early. Values out of range are clamped.
/// Throws std::invalid_argument for NaN, as sleep(nan) does in Python.
template <AnyDuration D>
constexpr Duration to_duration(const D& d) {
  using Seconds = std::chrono::duration<double>;
  if constexpr (std::floating_point<typename D::rep>) {
    if (d != d) throw std::invalid_argument("Invalid delay: NaN (not a number)");  // NOLINT(misc-redundant-expression)
  }
  if (Seconds(d) >= Seconds(Duration::max())) return Duration::max();
  if (Seconds(d) <= Seconds(Duration::min())) return Duration::min();
  if constexpr (std::floating_point<typename D::rep>) {
    return std::chrono::ceil<Duration>(Seconds(d));  // in a float's own precision a huge one could overflow
  } else {
    return std::chrono::ceil<Duration>(d);
  }
}

/// `start` + `delay`, clamped to the range of the clock.
constexpr TimePoint deadline_after(TimePoint start, Duration delay) {
  if (delay > Duration::zero() && start > TimePoint::max() - delay) return TimePoint::max();
  if (delay < Duration::zero() && start < TimePoint::min() - delay) return TimePoint::min();
  return start + delay;
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread.
// Ticks: none. A timer is due in the first tick whose clock shows its time, or a later one.
// Errors: std::invalid_argument for a duration that is not a number.
// Units: a Duration is in whole nanoseconds; a TimePoint too, on CLOCK_MONOTONIC or on the clock of a VirtualCore.
