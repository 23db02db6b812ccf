// What a loop does between its ticks: tell the time, and wait. Everything else about a loop is the same with any
// core; stage 6 swaps in one that watches descriptors and does not touch the loop.
// Mirrors: the selector inside Lib/asyncio/selector_events.py. Read next: loop.h
#pragma once

#include <asyncio/ready_queue.h>
#include <asyncio/time.h>

#include <optional>
#include <stdexcept>

namespace asyncio {

/// Thread safety: wake() may be called from any thread and from a signal handler; the rest by the loop only.
class Core {
 public:
  Core() = default;
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  virtual ~Core() = default;

  /// The time by which timers are due.
  virtual TimePoint now() = 0;
  /// Whether now() may have gone on much since it was last asked (milliseconds); cheaper than asking. The loop does not
  /// read the clock in every tick: see Loop::run_once.
  virtual bool clock_went_on() { return true; }

  /// Waits until `until` (nullopt: for ever), or until wake() was called, or until something watched is ready;
  /// may return early for no reason. A time that is already past asks for a look without waiting.
  virtual void wait(std::optional<TimePoint> until) = 0;

  /// Ends the wait that goes on now, or else the next one. Never lost; several may count as one.
  virtual void wake() noexcept = 0;

  /// Whether there is something to look at even on a tick that has work already (descriptors, in stage 6).
  bool watching() const noexcept { return watching_; }

  /// Appends the callbacks of what the last wait() found ready. Asked for only while watching().
  virtual void collect(ReadyQueue&) {}

  /// The loop is about to leave `before` for this one: goes on with what that one watches. A core that can watch
  /// nothing throws std::logic_error if there is anything. If it throws, `before` is as it was.
  virtual void take_over(Core& before) {
    if (before.watching()) throw std::logic_error("the loop watches descriptors, which its new core cannot do");
  }

 protected:
  bool watching_ = false;  // a plain flag: a busy loop reads it every tick
};

/// How a Core says that it is not to wait: no clock was ever there.
inline constexpr TimePoint kDoNotWait = TimePoint::min();

}  // namespace asyncio
