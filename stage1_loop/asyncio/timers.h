// The heap of timers: which callback is due next.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop._scheduled and the pruning in _run_once.
// Read next: core.h
#pragma once

#include <asyncio/handle.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Equal deadlines are due first in, first out. (In CPython their order depends on its heap; no program should depend
/// on that.)
///
/// New timers go into an unsorted inbox. It is emptied into the heap only when somebody asks for the earliest deadline,
/// because most timers of a server are time-outs that are cancelled long before. A cancelled timer stays where it is
/// and is skipped later; when more than half of the timers are cancelled, all of those are removed at once.
///
/// Many timers together, a large inbox or a large heap, become a pile beside the heap. A pile is sorted by quicksort,
/// which stops when it knows the earliest and goes on when that is gone. To empty a pile takes a third of the
/// instructions that a heap takes, and one of which all are cancelled is never sorted.
///
/// A timer that leaves the heap takes its context with it, whose values may have destructors of the user's. So it is put
/// aside, and released when the heap is in order: a destructor may push and cancel.
///
/// Invariants: (1) Entry i of heap_ is not due later than entries 4i+1 … 4i+4. (2) Each entry holds one reference.
/// (3) cancelled_ counts the cancelled timers in all vectors. (4) earliest_ is not later than any live deadline. (5) The
/// entries of pile_ from sorted_ on are sorted, the earliest last. They, and those from each of cuts_ on, are earlier
/// than all before them.
class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;
  ~TimerHeap() { clear(); }

  /// No timer will ever be due. Cancelled ones may still be here.
  bool idle() const noexcept { return earliest_ == TimePoint::max(); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return heap_.size() + pile_.size() + inbox_.size(); }
  /// Those that are not cancelled.
  std::size_t live() const noexcept { return size() - cancelled_; }

  void push(Ref<TimerState> timer);

  /// The earliest deadline of a timer that is not cancelled.
  std::optional<TimePoint> next_deadline();

  /// Moves every timer that is due at `now` to the end of `ready`, in the order of deadlines.
  void pop_due(TimePoint now, ReadyQueue& ready) {
    if (earliest_ <= now) pop_due_now(now, ready);
  }

  /// Forgets all timers; none will run.
  void clear() noexcept;

  /// From now on they hear of each cancel(). Null: nobody does.
  void set_observers(Observers* observers) noexcept {
    observers_ = observers;
    next_to_tell_ = next_number_;
  }
  /// The timer that was pushed since the last call, or null. So push() need not tell, and has no test for observers:
  /// they ask before the next push() could follow, and before the inbox is emptied.
  const TimerState* newly_armed() noexcept {
    if (std::exchange(next_to_tell_, next_number_) == next_number_ || inbox_.empty()) return nullptr;
    return inbox_.back().timer;
  }

 private:
  friend TimerState;
  struct Entry {
    TimePoint when;  // a copy of the timer's: comparing entries touches no timer
    TimerState* timer;
    bool before(const Entry& other) const noexcept {
      return when != other.when ? when < other.when : timer->number_ < other.timer->number_;
    }
  };

  void pop_due_now(TimePoint now, ReadyQueue& ready);
  void on_cancel(TimerState& timer) noexcept;
  void on_cancel_observed(TimerState& timer) noexcept;
  void note_cancelled(TimerState& timer) noexcept;
  Entry* first_live() noexcept;
  Entry* first() noexcept;
  void pop(const Entry* first) noexcept;
  void empty_inbox() noexcept;
  void sweep() noexcept;
  void forget_cancelled(std::vector<Entry>& entries) noexcept;
  void discard(const Entry& cancelled) noexcept;
  void release_discarded() noexcept;
  void make_pile_of(std::vector<Entry>& entries) noexcept;
  void sort_pile() noexcept;
  void build_heap() noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  static constexpr std::size_t kArity = 4;  // shallower than a binary heap; four children fill one cache line
  static constexpr std::size_t kMinCancelled = 100;
  static constexpr std::size_t kMany = 64;  // from so many on, a pile is worth it
  static constexpr std::size_t kSortedAtOnce = 8;

  std::vector<Entry> heap_;
  std::vector<Entry> pile_;
  std::size_t sorted_ = 0;
  std::array<std::size_t, 64> cuts_;  // where the unsorted parts of pile_ begin
  std::size_t cut_count_ = 0;
  std::vector<Entry> inbox_;
  std::size_t cancelled_ = 0;
  TimerState* discarded_ = nullptr;  // cancelled, out of the heap, and not released yet
  std::uint64_t next_number_ = 0;
  TimePoint earliest_ = TimePoint::max();
  Observers* observers_ = nullptr;
  std::uint64_t next_to_tell_ = 0;
};

}  // namespace asyncio::detail

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: what pop_due() moves runs in the tick that calls it.
// Errors: push() throws std::bad_alloc; nothing else throws.
// Units: a time is in nanoseconds, on the clock of the core; the sizes count timers, live() only those that are not
//   cancelled.
