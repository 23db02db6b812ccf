#include "asyncio/recorder.h"

#include <asyncio/detail/repr.h>
#include <asyncio/loop.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace asyncio {

Recorder::Recorder(std::size_t most) : most_(most) {
  if (most == 0) throw std::invalid_argument("Recorder: the number of events must be positive");
}

RecordedEvent& Recorder::add(std::string_view event, ObservedId id, ObservedId by) {
  if (events_.size() == most_) events_.pop_front();
  ++total_;
  RecordedEvent& added = events_.emplace_back();
  added.event = event;
  added.time = loop_->core().now();
  added.id = id;
  added.by = by;
  return added;
}

RecordedEvent& Recorder::add(std::string_view event, const Observed& what, ObservedId by) {
  constexpr std::array kinds = {"callback", "timer", "descriptor", "posted", "task", "future"};
  RecordedEvent& added = add(event, what.id(), by);
  added.name = what.name();
  if (added.name.empty()) added.name = kinds.at(static_cast<std::size_t>(what.kind()));
  std::vector<Place> places = what.places();
  if (!places.empty()) added.place = std::move(places.front());
  return added;
}

// ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────────────

std::vector<RecordedEvent> Recorder::of(ObservedId id) const {
  std::vector<RecordedEvent> found;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
               [&](const RecordedEvent& event) { return id != 0 && (event.id == id || event.by == id); });
  return found;
}

std::size_t Recorder::count(std::string_view event) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(events_.begin(), events_.end(), [&](const RecordedEvent& one) { return one.event == event; }));
}

std::string Recorder::text() const {
  std::string all;
  for (const RecordedEvent& event : events_) {
    char time[40];
    std::snprintf(time, sizeof time, "%.3f s", std::chrono::duration<double>(event.time.time_since_epoch()).count());
    all += time;
    if (event.id != 0) all.append("  #").append(std::to_string(event.id));
    if (!event.name.empty()) all.append(" ").append(detail::on_one_line(event.name));
    all.append("  ").append(event.event);
    if (event.number >= 0) all.append(" ").append(std::to_string(event.number));
    if (event.by != 0) all.append(" by #").append(std::to_string(event.by));
    if (event.place.line != 0) {
      const std::string_view path = event.place.file;
      all.append("  ").append(path.substr(path.find_last_of('/') + 1)).append(":");
      all.append(std::to_string(event.place.line));
    }
    if (!event.waits_for.empty()) all.append("  waits for ").append(event.waits_for);
    all += '\n';
  }
  return all;
}

// ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────────

void Recorder::added(Loop& loop) {
  if (loop_) throw std::logic_error("Recorder: it observes another loop");
  loop_ = &loop;
}
void Recorder::removed(Loop&) { loop_ = nullptr; }
void Recorder::tick_begins(std::uint64_t number) { add("tick_begins").number = static_cast<std::int64_t>(number); }
void Recorder::core_waits(std::optional<TimePoint>) { add("core_waits"); }
void Recorder::core_woke(std::size_t descriptors) { add("core_woke").number = static_cast<std::int64_t>(descriptors); }
void Recorder::tick_ends(std::uint64_t number) { add("tick_ends").number = static_cast<std::int64_t>(number); }
void Recorder::callback_scheduled(const Observed& callback, ObservedId by) { add("callback_scheduled", callback, by); }
void Recorder::callback_begins(const Observed& callback) { add("callback_begins", callback); }
void Recorder::callback_ends(ObservedId callback) { add("callback_ends", callback); }
void Recorder::callback_skipped(const Observed& callback) { add("callback_skipped", callback); }
void Recorder::thread_posted(const Observed& callback) { add("thread_posted", callback); }
void Recorder::timer_armed(const Observed& timer, TimePoint, ObservedId by) { add("timer_armed", timer, by); }
void Recorder::timer_due(const Observed& timer) { add("timer_due", timer); }
void Recorder::timer_cancelled(const Observed& timer, ObservedId by) { add("timer_cancelled", timer, by); }
void Recorder::future_done(const Observed& future, ObservedId by) { add("future_done", future, by); }
void Recorder::task_made(const Observed& task, ObservedId by) { add("task_made", task, by); }
void Recorder::task_woken(const Observed& task, ObservedId by) { add("task_woken", task, by); }
void Recorder::step_begins(const Observed& task) { add("step_begins", task); }
void Recorder::step_ends(const Observed& task, const Observed* waits_for) {
  RecordedEvent& event = add("step_ends", task);
  if (waits_for) event.waits_for = waits_for->repr();
}
void Recorder::task_done(const Observed& task) { add("task_done", task); }
void Recorder::cancel_asked(const Observed& task, const Place& where, ObservedId by) {
  add("cancel_asked", task, by).place = where;
}
void Recorder::descriptor_watched(const Observed& callback, int fd, bool) {
  add("descriptor_watched", callback).number = fd;
}
void Recorder::descriptor_unwatched(ObservedId callback, int fd, bool) {
  add("descriptor_unwatched", callback).number = fd;
}
void Recorder::descriptor_ready(const Observed& callback, int fd, bool) {
  add("descriptor_ready", callback).number = fd;
}

}  // namespace asyncio
