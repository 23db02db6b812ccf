// TimeLimit: any duration, or no limit. One type for wait, wait_for, timeout and as_completed.
// Mirrors: the `timeout=None` parameters of Lib/asyncio/tasks.py. Read next: gather.h
#pragma once

#include <asyncio/loop.h>

#include <optional>

namespace asyncio {

/// `5s`, `100ms`, `std::chrono::duration<double>(0.1)`, an optional Duration, or std::nullopt for "no limit".
/// Trivial to copy and to destroy, so that an option struct beside a co_await may contain it.
class TimeLimit {
 public:
  constexpr TimeLimit() noexcept = default;
  /// No limit.
  constexpr TimeLimit(std::nullopt_t) noexcept {}  // NOLINT(google-explicit-constructor)
  /// A limit, or none.
  constexpr TimeLimit(std::optional<Duration> limit) noexcept  // NOLINT(google-explicit-constructor)
      : has_value_(limit.has_value()), duration_(limit.value_or(Duration::zero())) {}
  /// Throws std::invalid_argument if the duration is not a number.
  template <AnyDuration D>
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr TimeLimit(D limit) : has_value_(true), duration_(to_duration(limit)) {}

  /// Whether there is a limit.
  constexpr bool has_value() const noexcept { return has_value_; }
  /// True if the limit is zero or less.
  constexpr bool is_over() const noexcept { return has_value_ && duration_ <= Duration::zero(); }
  /// REQUIRES: has_value().
  constexpr Duration duration() const noexcept { return duration_; }

  /// The end of a limit that begins now, on Loop::time()'s clock; nullopt if there is no limit.
  std::optional<TimePoint> deadline(Loop& loop) const {
    if (!has_value_) return std::nullopt;
    return deadline_after(loop.time(), duration_);
  }

 private:
  bool has_value_ = false;
  Duration duration_ = {};  // no std::optional: is_over() may read it too early, which valgrind reports
};

static_assert(std::is_convertible_v<std::chrono::milliseconds, TimeLimit>);
static_assert(!std::is_convertible_v<int, TimeLimit>, "a time limit carries its unit: write 5s, not 5");
static_assert(std::is_trivially_copyable_v<TimeLimit> && std::is_trivially_destructible_v<TimeLimit>);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; deadline() the thread of its loop.
// Ticks: none: who takes a limit says from when on it counts.
// Errors: std::invalid_argument for a duration that is not a number.
// Units: any std::chrono duration, rounded up to nanoseconds. A bare number does not compile.
