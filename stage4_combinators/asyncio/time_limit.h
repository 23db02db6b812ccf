// How long to wait at most: any duration, or no limit. One type for wait, wait_for, timeout and as_completed.
// Mirrors: the `timeout=None` parameters of Lib/asyncio/tasks.py. Read next: wait.h
#pragma once

#include <asyncio/loop.h>

#include <optional>

namespace asyncio {

/// `5s`, `100ms`, `std::chrono::duration<double>(0.1)`, an optional Duration, or std::nullopt for "no limit".
/// Trivial to copy and to destroy, so that it may stand in an option struct beside a co_await.
class TimeLimit {
 public:
  constexpr TimeLimit() noexcept = default;
  constexpr TimeLimit(std::nullopt_t) noexcept {}              // NOLINT: converts on purpose
  constexpr TimeLimit(std::optional<Duration> limit) noexcept  // NOLINT
      : has_value_(limit.has_value()), duration_(limit.value_or(Duration::zero())) {}
  /// Throws std::invalid_argument for one that is not a number.
  template <AnyDuration D>
  constexpr TimeLimit(D limit) : has_value_(true), duration_(to_duration(limit)) {}  // NOLINT

  constexpr bool has_value() const noexcept { return has_value_; }
  /// Whether there is no time at all: zero or less.
  constexpr bool is_over() const noexcept { return has_value_ && duration_ <= Duration::zero(); }
  /// REQUIRES: has_value().
  constexpr Duration duration() const noexcept { return duration_; }

  /// When it is over, if it begins now; nullopt: never.
  std::optional<TimePoint> deadline(Loop& loop) const {
    if (!has_value_) return std::nullopt;
    return deadline_after(loop.time(), duration_);
  }

 private:
  bool has_value_ = false;
  Duration duration_ = {};  // no std::optional: is_over() may look at it before it knows, and valgrind minds
};

static_assert(std::is_convertible_v<std::chrono::milliseconds, TimeLimit>);
static_assert(!std::is_convertible_v<int, TimeLimit>, "a time limit carries its unit: write 5s, not 5");
static_assert(std::is_trivially_copyable_v<TimeLimit> && std::is_trivially_destructible_v<TimeLimit>);

}  // namespace asyncio
