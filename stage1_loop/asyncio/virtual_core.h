// A core whose clock is a number: waiting for an hour takes a microsecond, and always the same one.
// For tests of anything with time in it, yours as well as ours: run(main(), std::make_unique<VirtualCore>()).
// Mirrors: the TestLoop of CPython's test suite (Lib/test/test_asyncio/utils.py). Read next: loop.h
#pragma once

#include <asyncio/core.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace asyncio {

/// Time starts at zero and moves only when the loop has nothing to run; it then jumps to the next deadline.
/// A loop that could wait only for ever is an error: in virtual time, no one is left to wake it.
class VirtualCore final : public Core {
 public:
  TimePoint now() override { return now_; }

  /// Throws std::logic_error where a real core would block for ever.
  void wait(std::optional<TimePoint> until) override {
    if (woken_.exchange(false, std::memory_order_acquire)) return;
    if (!until) {
      throw std::logic_error("VirtualCore: no callback is ready and no timer is pending; the loop would wait for ever");
    }
    now_ = std::max(now_, *until);
  }

  /// Time passes: what a callback does that keeps the loop busy for so long.
  void advance(Duration time) { now_ = deadline_after(now_, time); }

  void wake() noexcept override { woken_.store(true, std::memory_order_release); }

 private:
  TimePoint now_{};
  std::atomic<bool> woken_ = false;
};

}  // namespace asyncio
