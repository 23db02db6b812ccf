// Keeps the last events of a loop in memory, to be asked by a test, or printed after a fault: what led to this?
// It belongs to asyncio::observe, a library of its own. Skip on a first reading.
// Mirrors: nothing in asyncio. Read next: ../../asyncio/virtual_core.h
#pragma once

#include <asyncio/observer.h>
#include <asyncio/time.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

/// What a function of Observer was called with.
struct RecordedEvent {
  std::string_view event;  // the function's name, a literal: "step_begins"
  TimePoint time;          // of the loop's core
  ObservedId id = 0;       // of what it is about; 0: of the loop itself
  ObservedId by = 0;       // of the callback or the task that did it; 0: none
  std::string name;        // "Task-2"; of what has none, its kind: "timer"
  Place place;  // of the innermost await of a task, of the line that scheduled a callback, or of the cancel()
  std::int64_t number = -1;  // of the tick, of the descriptors that are ready, or the descriptor's; -1: none
  std::string waits_for;     // step_ends: the repr() of that; empty: its next turn
};

/// Give it to Loop::add_observer(), of one loop at a time. Memory is bounded: beyond `most` events the oldest are
/// forgotten. It makes the texts of each event at once, which costs more than the event.
///
/// Thread safety: none; ask it on the loop's thread, or when the loop does not run.
class Recorder final : public Observer {
 public:
  /// Throws std::invalid_argument if `most` is 0.
  explicit Recorder(std::size_t most = 1000);

  /// The oldest first.
  const std::deque<RecordedEvent>& events() const noexcept { return events_; }
  /// How many there were, with those that are forgotten.
  std::uint64_t total() const noexcept { return total_; }
  /// Forgets the events that are kept.
  void clear() noexcept { events_.clear(); }

  /// Those that are about this task or callback, or that it did.
  std::vector<RecordedEvent> of(ObservedId id) const;
  /// Those for which this function of Observer was called.
  std::size_t count(std::string_view event) const noexcept;
  /// A line for each: "1.500 s  #7 Task-2  step_ends  demo.cpp:12  waits for <Future pending>"; #7 is the id.
  std::string text() const;

  // ── Observer ──
  void added(Loop& loop) override;
  void removed(Loop& loop) override;
  void tick_begins(std::uint64_t number) override;
  void core_waits(std::optional<TimePoint> until) override;
  void core_woke(std::size_t descriptors) override;
  void tick_ends(std::uint64_t number) override;
  void callback_scheduled(const Observed& callback, ObservedId by) override;
  void callback_begins(const Observed& callback) override;
  void callback_ends(ObservedId callback) override;
  void callback_skipped(const Observed& callback) override;
  void thread_posted(const Observed& callback) override;
  void timer_armed(const Observed& timer, TimePoint when, ObservedId by) override;
  void timer_due(const Observed& timer) override;
  void timer_cancelled(const Observed& timer, ObservedId by) override;
  void future_done(const Observed& future, ObservedId by) override;
  void task_made(const Observed& task, ObservedId by) override;
  void task_woken(const Observed& task, ObservedId by) override;
  void step_begins(const Observed& task) override;
  void step_ends(const Observed& task, const Observed* waits_for) override;
  void task_done(const Observed& task) override;
  void cancel_asked(const Observed& task, const Place& where, ObservedId by) override;
  void descriptor_watched(const Observed& callback, int fd, bool writing) override;
  void descriptor_unwatched(ObservedId callback, int fd, bool writing) override;
  void descriptor_ready(const Observed& callback, int fd, bool writing) override;

 private:
  RecordedEvent& add(std::string_view event, ObservedId id = 0, ObservedId by = 0);
  RecordedEvent& add(std::string_view event, const Observed& what, ObservedId by = 0);

  std::size_t most_;
  std::deque<RecordedEvent> events_;
  std::uint64_t total_ = 0;
  Loop* loop_ = nullptr;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; any other while the loop does not run.
// Ticks: an event is kept at the moment at which it happens, within its tick.
// Errors: std::invalid_argument from the constructor, std::logic_error from Loop::add_observer() of a second loop.
// Units: `most`, total() and count() count events; a time is in nanoseconds on the clock of the core.
