// What a loop does between its ticks: tell the time, and wait. Everything else about a loop is independent of its core;
// stage 6 adds cores that watch descriptors, without a change to the loop.
// Mirrors: the selector inside Lib/asyncio/selector_events.py. Read next: sleep_core.h
#pragma once

#include <asyncio/ready_queue.h>
#include <asyncio/time.h>

#include <optional>
#include <stdexcept>

namespace asyncio {

/// Thrown by a core that is asked to wait, and that nothing can wake. Loop::run_forever() adds to the message what it
/// knows: in stage 3, who waits for whom.
class NeverWakes : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Thread safety: wake() may be called from any thread and from a signal handler; only the loop calls the rest.
class Core {
 public:
  Core() = default;
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  virtual ~Core() = default;

  /// The time by which timers are due.
  virtual TimePoint now() = 0;
  /// True if now() may have advanced by milliseconds since the last call. Cheaper than now(): see kCallbacksPerLook in
  /// loop.h.
  virtual bool clock_may_have_advanced() { return true; }

  /// Waits until `until` (nullopt: no limit), or until wake() is called, or until something watched is ready. May
  /// return early for no reason. If `until` is past, looks at what is ready without waiting.
  virtual void wait(std::optional<TimePoint> until) = 0;

  /// Ends the present wait, or else the next one. Never lost; several calls may count as one.
  virtual void wake() noexcept = 0;

  /// The loop is closed: releases what the core has open. Then wake() has no effect, and nothing but now() is called. A
  /// wake() in another thread must have returned. [BaseSelectorEventLoop.close]
  virtual void close() noexcept {}

  /// Whether there is something to look at even in a tick that has callbacks to run: descriptors, in stage 6.
  bool watching() const noexcept { return watching_; }

  /// Appends the callbacks of what the last wait() found ready. Called only while watching().
  virtual void collect(ReadyQueue&) {}

  /// The loop is about to replace `before` by this core, which continues to watch what `before` watches. A core that
  /// cannot watch throws std::logic_error if there is anything. If it throws, `before` is unchanged.
  virtual void take_over(Core& before) {
    if (before.watching()) throw std::logic_error("the loop watches descriptors, which its new core cannot do");
  }

  /// Those who hear of each descriptor that is watched; null: nobody does.
  void set_observers(detail::Observers* observers) noexcept { observers_ = observers; }

 protected:
  bool watching_ = false;  // a plain flag: a busy loop reads it every tick
  detail::Observers* observers_ = nullptr;
};

/// The `until` that asks a Core not to wait: no clock shows a time before it.
inline constexpr TimePoint kDoNotWait = TimePoint::min();

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; wake() any thread, and a signal handler.
// Ticks: a tick begins with wait(), if nothing is ready or something is watched; what collect() appends runs in that
//   tick.
// Errors: what wait() throws leaves run_forever(). NeverWakes is such an error.
// Units: a TimePoint is in nanoseconds, on the core's own clock.
