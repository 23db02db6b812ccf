// An observer that reads everything, keeps nothing, and checks that what it hears fits together. The corpora and the tests
// of stages 1 to 6 run once more with it on each loop: not one tick may change.
#pragma once

#include <asyncio/observer.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace asyncio::testing {

class CheckingObserver final : public Observer {
 public:
  static inline std::atomic<long> events = 0, faults = 0;  // of all loops, in all threads

  void removed(Loop&) override {
    expect(running_.empty(), "something has begun and not ended");
    expect(tasks_.empty(), "a task was made, and is not done");
  }
  void tick_begins(std::uint64_t number) override { expect(number == ++tick_, "a tick's number"); }
  void tick_ends(std::uint64_t number) override { expect(number == tick_ && running_.empty(), "a tick's end"); }
  void core_waits(std::optional<TimePoint>) override { expect(queue_.empty(), "it waits, and has something to run"); }
  void callback_scheduled(const Observed& what, ObservedId by) override {
    read(what, by);
    expect(queue_.insert(what.id()).second, "a callback scheduled twice");
  }
  void callback_begins(const Observed& what) override {
    read(what, 0);
    expect(queue_.erase(what.id()) == 1, "a callback begins that nobody has scheduled");
    running_.push_back(what.id());
  }
  void callback_ends(ObservedId id) override { end(id); }
  void callback_skipped(const Observed& what) override {
    read(what, 0);
    expect(queue_.erase(what.id()) == 1, "a callback skipped that nobody has scheduled");
  }
  void thread_posted(const Observed& what) override { callback_scheduled(what, 0); }
  void timer_armed(const Observed& what, TimePoint, ObservedId by) override {
    read(what, by);
    expect(timers_.insert(what.id()).second, "a timer armed twice");
  }
  void timer_due(const Observed& what) override {
    read(what, 0);
    expect(timers_.erase(what.id()) == 1, "a timer due that was not armed");
    queue_.insert(what.id());
  }
  void timer_cancelled(const Observed& what, ObservedId by) override {
    read(what, by);
    expect(timers_.erase(what.id()) == 1, "a timer cancelled that was not armed");
  }
  void future_done(const Observed& what, ObservedId by) override { read(what, by); }
  void task_made(const Observed& what, ObservedId by) override {
    read(what, by);
    expect(tasks_.insert(what.id()).second, "a task made twice");
  }
  void task_woken(const Observed& what, ObservedId by) override {
    read(what, by);
    expect(tasks_.contains(what.id()), "a task woken that was not made");
  }
  void step_begins(const Observed& what) override {
    read(what, 0);
    expect(tasks_.contains(what.id()), "a step of a task that was not made");
    running_.push_back(what.id());
    stepping_.insert(what.id());
  }
  void step_ends(const Observed& what, const Observed* waits_for) override {
    read(what, 0);
    if (waits_for) read(*waits_for, 0);
    stepping_.erase(what.id());
    end(what.id());
  }
  void task_done(const Observed& what) override {
    read(what, 0);
    expect(tasks_.erase(what.id()) == 1, "a task done that was not made");
    if (stepping_.erase(what.id()) == 1) end(what.id());
  }
  void cancel_asked(const Observed& what, const Place& where, ObservedId by) override {
    read(what, by);
    expect(where.line > 0, "a cancel without a place");
  }
  void descriptor_watched(const Observed& what, int fd, bool) override {
    read(what, 0);
    expect(fd >= 0 && watched_.insert(what.id()).second, "a descriptor watched twice by one callback");
  }
  void descriptor_unwatched(ObservedId id, int, bool) override {
    watched_.erase(id);  // it is not there if the core was given to the loop with this descriptor
    expect(unwatched_.insert(id).second, "a descriptor unwatched twice");
  }
  void descriptor_ready(const Observed& what, int fd, bool) override {
    read(what, 0);
    expect(fd >= 0 && queue_.insert(what.id()).second, "a descriptor's callback scheduled twice");
  }

 private:
  void read(const Observed& what, ObservedId by) {
    ++events;
    expect(what.id() != 0 && !what.repr().empty(), "a thing without an id or a text");
    expect((what.kind() == Observed::Kind::task) == !what.name().empty(), "a task's name");
    for (const Place& place : what.places()) expect(place.line > 0, "a place without a line");
    expect(running_.empty() ? by == 0 : by == 0 || by == running_.back(), "not by what runs now");
  }
  void end(ObservedId id) {
    expect(!running_.empty() && running_.back() == id, "something ends that is not what runs now");
    if (!running_.empty()) running_.pop_back();
  }
  static void expect(bool holds, const char* otherwise) {
    if (!holds && ++faults <= 5) std::printf("observed: %s\n", otherwise);
  }

  std::uint64_t tick_ = 0;
  std::set<ObservedId> queue_, timers_, tasks_, stepping_, watched_, unwatched_;
  std::vector<ObservedId> running_;
};

}  // namespace asyncio::testing
