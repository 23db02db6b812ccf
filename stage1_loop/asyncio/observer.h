// Who wants to see the loop work: an observer hears of each tick, callback, timer, future, task and descriptor.
// Mirrors: trio's Instrument. asyncio has none: there one reads debug logs. Skip on a first reading.
// Read next: ../observe/asyncio/trace.h
#pragma once

#include <asyncio/detail/describable.h>
#include <asyncio/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

class Loop;

/// Identifies what an observer hears of. Counted up in the process and never used again; 0 stands for nothing.
using ObservedId = std::uint64_t;

/// What an observer hears of. It exists during the call only: keep the id, and those texts that are needed. The texts
/// are made when they are asked for.
class Observed {
 public:
  /// What is observed: a callback, a timer, a task's step.
  using Kind = detail::Describable::Kind;

  /// Its number. It is unique in the process, and never used again.
  ObservedId id() const noexcept { return id_; }
  /// callback, timer, descriptor (a callback for one), posted (a callback from another thread), task, or future. What a
  /// task waits for is a task or a "future", as sleep() and Lock::acquire() wait for one.
  Kind kind() const noexcept { return thing_.kind(); }
  /// "Task-2"; empty for all that has no name.
  std::string name() const { return thing_.name(); }
  /// As repr() of its handle: `<Task pending name='Task-2' coro=<main() running at demo.cpp:12>>`
  std::string repr() const { return thing_.repr(); }
  /// Where it comes from: a task's awaits, the innermost first; for a callback the line that scheduled it. Empty if
  /// unknown.
  std::vector<Place> places() const { return thing_.places(); }

  // ── for the library ──
  Observed(ObservedId id, const detail::Describable& thing) noexcept : id_(id), thing_(thing) {}

 private:
  ObservedId id_;
  const detail::Describable& thing_;
};

/// Override what you want to hear of. All calls come on the loop's thread, at the moment when it happens; `by` is the
/// callback or the task that runs then, or 0 if none does. For the time use loop.core().now().
///
/// An observer may read everything. It may add and remove observers. It may not schedule, cancel or set anything, nor
/// call Loop::time(): then it would change what it observes. One that throws is removed, and the loop's exception
/// handler is told, once, at the end of the tick.
///
/// What exists before the observer is added is heard of when it does something.
class Observer {
 public:
  virtual ~Observer() = default;

  /// The first and the last call. The last one comes from remove_observer(), or when the loop is closed.
  virtual void added(Loop&) {}
  /// The last call: from remove_observer(), or when the loop is closed.
  virtual void removed(Loop&) {}

  // ── the tick, numbered from 1 in each loop (from the first one that is observed) ──
  /// A tick begins, and after all its callbacks it ends.
  virtual void tick_begins(std::uint64_t /*number*/) {}
  /// The loop has nothing to run, and waits until then (nullopt: without limit).
  virtual void core_waits(std::optional<TimePoint> /*until*/) {}
  /// The wait is over. So many callbacks of descriptors are ready.
  virtual void core_woke(std::size_t /*descriptors*/) {}
  /// The callbacks of the tick have run.
  virtual void tick_ends(std::uint64_t /*number*/) {}

  // ── callbacks of call_soon(), add_done_callback(), add_reader(), and of the library. A timer is one, when it runs ──
  /// A callback was put into the ready queue, by the callback or the task with the number `by` (0: none).
  virtual void callback_scheduled(const Observed& /*callback*/, ObservedId /*by*/) {}
  /// A callback runs, and has run. Between these two, everything is its doing.
  virtual void callback_begins(const Observed& /*callback*/) {}
  /// It has run; or it has thrown, and the exception handler was told.
  virtual void callback_ends(ObservedId /*callback*/) {}
  /// Its turn came, but it was cancelled.
  virtual void callback_skipped(const Observed& /*callback*/) {}
  /// The loop has taken a callback that another thread posted by call_soon_threadsafe().
  virtual void thread_posted(const Observed& /*callback*/) {}

  // ── timers ──
  /// A timer was set to `when` on the loop's clock, by the callback or the task with the number `by` (0: none).
  virtual void timer_armed(const Observed& /*timer*/, TimePoint /*when*/, ObservedId /*by*/) {}
  /// It is in the ready queue now, and will run in this tick.
  virtual void timer_due(const Observed& /*timer*/) {}
  /// It will not run: the callback or the task with the number `by` has cancelled it.
  virtual void timer_cancelled(const Observed& /*timer*/, ObservedId /*by*/) {}

  // ── futures ──
  /// It has an outcome, and its callbacks, if there are any, are about to be scheduled.
  virtual void future_done(const Observed& /*future*/, ObservedId /*by*/) {}

  // ── tasks ──
  /// Its first step is scheduled; an eager task's first step begins at once.
  virtual void task_made(const Observed& /*task*/, ObservedId /*by*/) {}
  /// Its next step is scheduled: `by` has done what the task waited for.
  virtual void task_woken(const Observed& /*task*/, ObservedId /*by*/) {}
  /// The task runs now, until it waits for something.
  virtual void step_begins(const Observed& /*task*/) {}
  /// The step ends, and the task waits. Null: for its next turn, after sleep(0s).
  virtual void step_ends(const Observed& /*task*/, const Observed* /*waits_for*/) {}
  /// The step ends, and the task with it; repr() tells how. Also called when closing the loop ends a pending task.
  virtual void task_done(const Observed& /*task*/) {}
  /// Somebody called cancel(), there; or cancelled a task that waits for this one.
  virtual void cancel_asked(const Observed& /*task*/, const Place& /*where*/, ObservedId /*by*/) {}

  // ── descriptors ──
  /// `callback` will run whenever the descriptor is ready for reading, or for writing.
  virtual void descriptor_watched(const Observed& /*callback*/, int /*fd*/, bool /*writing*/) {}
  /// From now on `callback` will not run for it.
  virtual void descriptor_unwatched(ObservedId /*callback*/, int /*fd*/, bool /*writing*/) {}
  /// Its callback is in the ready queue now.
  virtual void descriptor_ready(const Observed& /*callback*/, int /*fd*/, bool /*writing*/) {}
};

/// `make` is called for each loop that is made from now on, in the thread that makes it, and gives it an observer or
/// null. So a tracer finds the loops of a program. Several may be set; the result is for stop_observing_new_loops().
/// Thread safety: any thread.
std::uint64_t observe_new_loops(std::function<std::shared_ptr<Observer>(Loop&)> make);
/// The factory with this number is not called any more. Thread safety: any thread.
void stop_observing_new_loops(std::uint64_t id);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; observe_new_loops() and stop_observing_new_loops() any thread.
// Ticks: a call comes in the tick in which the thing happens, at that moment.
// Errors: what a function throws removes its observer, and goes to the exception handler at the end of the tick;
//   what added() and removed() throw leaves add_observer() and remove_observer().
// Units: ids and ticks are counted up; a time is in nanoseconds on the clock of the core; `fd` is the kernel's
//   number.
