// An observer that writes down, in words, all that it hears of.
#pragma once

#include <asyncio/loop.h>
#include <asyncio/observer.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {

/// One line for each event; things are called "a", "b" … in the order in which they appear, tasks by their name.
class EventLog : public Observer {
 public:
  std::vector<std::string> lines;
  std::vector<Place> places;  // of the last step that ended

  void added(Loop& loop) override {
    loop_ = &loop;
    write("added");
  }
  void removed(Loop&) override { write("removed"); }
  void tick_begins(std::uint64_t number) override { write("tick " + std::to_string(number)); }
  void tick_ends(std::uint64_t number) override { write("tick " + std::to_string(number) + " ends"); }
  void core_waits(std::optional<TimePoint> until) override {
    write(until ? "waits until " + seconds(*until) : std::string("waits"));
  }
  void core_woke(std::size_t descriptors) override { write("woke, " + std::to_string(descriptors)); }
  void callback_scheduled(const Observed& what, ObservedId by) override { write(name(what), "scheduled", by); }
  void callback_begins(const Observed& what) override { write(name(what) + " begins"); }
  void callback_ends(ObservedId id) override { write(name(id) + " ends"); }
  void callback_skipped(const Observed& what) override { write(name(what) + " skipped"); }
  void thread_posted(const Observed& what) override { write(name(what) + " posted"); }
  void timer_armed(const Observed& what, TimePoint when, ObservedId by) override {
    write(name(what), "armed for " + seconds(when), by);
  }
  void timer_due(const Observed& what) override { write(name(what) + " due"); }
  void timer_cancelled(const Observed& what, ObservedId by) override { write(name(what), "cancelled", by); }
  void future_done(const Observed& what, ObservedId by) override { write(name(what), "done", by); }
  void task_made(const Observed& what, ObservedId by) override { write(name(what), "made", by); }
  void task_woken(const Observed& what, ObservedId by) override { write(name(what), "woken", by); }
  void step_begins(const Observed& what) override { write(name(what) + " steps"); }
  void step_ends(const Observed& what, const Observed* waits_for) override {
    places = what.places();
    write(name(what) + " waits for " + (waits_for ? name(*waits_for) : "its turn"));
  }
  void task_done(const Observed& what) override { write(name(what) + " done"); }
  void cancel_asked(const Observed& what, const Place& where, ObservedId by) override {
    cancelled_at = where;
    write(name(what), "asked to cancel", by);
  }
  void descriptor_watched(const Observed& what, int, bool writing) override {
    write(name(what) + (writing ? " watched for writing" : " watched for reading"));
  }
  void descriptor_unwatched(ObservedId id, int, bool) override { write(name(id) + " not watched"); }
  void descriptor_ready(const Observed& what, int, bool) override { write(name(what) + " ready"); }

  /// The lines, but for the ticks.
  std::vector<std::string> without_ticks() const {
    std::vector<std::string> rest;
    for (const std::string& line : lines) {
      if (!line.starts_with("tick ")) rest.push_back(line);
    }
    return rest;
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : without_ticks()) all += line + "\n";
    return all;
  }

  Place cancelled_at;

 protected:
  virtual void write(const std::string& line) { lines.push_back(line); }

 private:
  void write(const std::string& what, const std::string& event, ObservedId by) {
    write(what + " " + event + (by == 0 ? "" : " by " + name(by)));
  }
  std::string name(const Observed& what) {
    std::string& name = names_[what.id()];
    if (name.empty()) name = what.name().empty() ? std::string(1, next_++) : what.name();
    return name;
  }
  std::string name(ObservedId id) { return names_.contains(id) ? names_[id] : "?"; }
  std::string seconds(TimePoint when) {
    const double count = std::chrono::duration<double>(when.time_since_epoch()).count();
    return std::to_string(count).substr(0, std::to_string(count).find('.') + 2) + " s";
  }

  Loop* loop_ = nullptr;
  std::map<ObservedId, std::string> names_;
  char next_ = 'a';
};

}  // namespace asyncio::testing
