// A core whose clock is a number: waiting for an hour takes a microsecond, and runs are repeatable. Use it in tests of
// anything with time in it: run(main(), std::make_unique<VirtualCore>()).
// Mirrors: the TestLoop of CPython's test suite (Lib/test/test_asyncio/utils.py). Read next: threadsafe_handle.h
#pragma once

#include <asyncio/core.h>

#include <algorithm>
#include <atomic>

namespace asyncio {

/// Time starts at zero and moves only when the loop has nothing to run; it then jumps to the next deadline. To wait
/// without a deadline is an error: in virtual time, nobody is left to wake the loop.
class VirtualCore final : public Core {
 public:
  TimePoint now() override { return now_; }

  /// Throws NeverWakes, which is a std::logic_error, where a real core would wait without limit.
  void wait(std::optional<TimePoint> until) override {
    if (woken_.exchange(false, std::memory_order_acquire)) return;
    if (!until || *until == TimePoint::max()) {  // none, or only timers that will never be due
      throw NeverWakes("VirtualCore: no callback is ready and no timer is pending; the loop would wait for ever");
    }
    now_ = std::max(now_, *until);
  }

  /// Moves the clock, as a callback does that keeps the loop busy for that time.
  void advance(Duration time) { now_ = std::max(now_, deadline_after(now_, time)); }  // a clock does not go back

  void wake() noexcept override { woken_.store(true, std::memory_order_release); }

 private:
  TimePoint now_{};
  std::atomic<bool> woken_ = false;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread.
// Ticks: a tick that finds nothing to run moves the clock to the next timer; otherwise a tick takes no time, unless
//   a callback calls advance().
// Errors: NeverWakes, which leaves run_forever() and run().
// Units: nanoseconds of virtual time; a new core shows 0.
