// The observers of one loop, as the library sees them: what to call when something happens.
// Skip on a first reading. Read next: ../observer.h
#pragma once

#include <asyncio/detail/scope_exit.h>
#include <asyncio/observer.h>
#include <asyncio/ready_queue.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Gives ids, and passes each event on to all observers. Numbers stand here, and not in what they are for: so that a
/// task or a callback is no larger, and an unobserved loop does not count.
///
/// Invariants: (1) an address is in known_ at most as long as the object is there: each object that is remembered
/// reports its end, or is forgotten before it can end. (2) No exception of an observer leaves here; the loop's handler
/// hears of it at the end of the tick. Without memory, an event is lost, and counted.
class Observers {
 public:
  explicit Observers(Loop& loop) noexcept : loop_(loop) {}

  void add(std::shared_ptr<Observer> observer);
  void remove(const std::shared_ptr<Observer>& observer);
  /// The loop is being closed: none can be added any more.
  void remove_all() noexcept;
  /// How many have run while there was an observer.
  std::uint64_t callbacks() const noexcept { return callbacks_; }
  std::uint64_t steps() const noexcept { return steps_; }
  /// How many events, or failures of observers, nobody has heard of, for want of memory.
  std::uint64_t lost() const noexcept { return lost_; }

  // ── the loop ──
  void tick_begins() noexcept;
  void tick_ends() noexcept;
  /// From here to collected(), the loop fills the ready queue with what has become ready outside of it.
  void collecting() noexcept { collecting_ = true; }
  void collected() noexcept;
  /// Tells the exception handler of the observers that have thrown. Throws what that does.
  void report_failures();
  void core_waits(std::optional<TimePoint> until) noexcept;
  /// It is in the ready queue.
  void scheduled(const Describable& runnable) noexcept;
  /// Runs it, between callback_begins() and callback_ends().
  void run(Runnable& callback);
  /// Tells of the timer that was armed since the last event. Each event begins with that.
  void look_at_timers() noexcept;
  void timer_cancelled(const Describable& timer) noexcept;

  // ── the higher stages ──
  void future_done(const Describable& future) noexcept;
  void task_made(const Describable& task) noexcept;
  /// Ends with step_ended().
  void step_begins(const Describable& task) noexcept;
  void step_ended(const Describable& task, bool done, const Describable* waits_for) noexcept;
  void task_done(const Describable& task) noexcept;
  void cancel_asked(const Describable& task, const std::source_location& where) noexcept;
  void descriptor_watched(const Describable& callback, int fd, bool writing) noexcept;
  void descriptor_unwatched(const Describable& callback, int fd, bool writing) noexcept;

 private:
  struct Known {
    ObservedId id;
    int fd = -1;
    bool writing = false;
    bool ready = false;      // a descriptor's callback, in the ready queue: it is remembered until its turn
    bool unwatched = false;  // and then forgotten
  };

  /// Calls the function of each observer. `arguments` are cheap to copy.
  template <class... Parameters, class... Arguments>
  void tell(void (Observer::*event)(Parameters...), const Arguments&... arguments) noexcept;
  template <class Event>
  void without_memory_lost(Event event) noexcept;
  Known& know(const Describable& thing);
  Observed observed(const Describable& thing) { return Observed(know(thing).id, thing); }
  void forget(const Describable& thing) noexcept { known_.erase(key(thing)); }
  /// A task is one thing, whether it is waited for or scheduled. What shield() makes is two: a future, and a callback.
  static const void* key(const Describable& thing) noexcept {
    return thing.kind() == Describable::Kind::task ? thing.address() : &thing;
  }
  void end_if_nobody_is_left() noexcept;
  ObservedId running() const noexcept { return running_.empty() ? 0 : running_.back(); }

  Loop& loop_;
  std::vector<std::shared_ptr<Observer>> observers_;  // null: removed while they are told
  int telling_ = 0;
  bool closing_ = false;
  std::vector<std::exception_ptr> failures_;
  std::unordered_map<const void*, Known> known_;
  std::vector<ObservedId> running_;            // the innermost last: a task that began eagerly, and its maker
  std::vector<const Describable*> collected_;  // what became ready while collecting_
  bool collecting_ = false;
  bool waited_ = false;
  std::uint64_t tick_ = 0, callbacks_ = 0, steps_ = 0, lost_ = 0;
};

/// Adds what observe_new_loops() has for a new loop.
void add_observers_of_new_loops(Loop& loop);

}  // namespace asyncio::detail
