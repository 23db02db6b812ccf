#include "asyncio/timers.h"

#include "asyncio/detail/observers.h"

#include <algorithm>
#include <new>
#include <utility>

namespace asyncio::detail {

void TimerState::on_cancel() noexcept {
  if (heap_) heap_->on_cancel(*this);
}

void TimerHeap::push(Ref<TimerState> timer) {
  inbox_.push_back({timer->when(), timer.get()});
  earliest_ = std::min(earliest_, timer->when());
  timer->heap_ = this;
  timer->number_ = next_number_++;
  timer.detach();  // the entry's from now on
}

std::optional<TimePoint> TimerHeap::next_deadline() {
  for (;;) {
    const Entry* const first = first_live();
    if (discarded_) [[unlikely]] {
      release_discarded();  // the first may be another one now
      continue;
    }
    if (!first) return std::nullopt;
    return earliest_;
  }
}

void TimerHeap::pop_due_now(TimePoint now, ReadyQueue& ready) {
  for (;;) {
    const Entry* due = first_live();
    for (; due && due->when <= now; due = first_live()) {
      try {
        ready.push_back(*due->timer);  // the reference goes from the entry to the queue
      } catch (const std::bad_alloc&) {
        break;  // it will be as due in the next tick
      }
      due->timer->heap_ = nullptr;
      pop(due);
    }
    if (!discarded_) [[likely]]
      return;
    release_discarded();
  }
}

// Forgets the cancelled timers before it.
inline TimerHeap::Entry* TimerHeap::first_live() noexcept {
  Entry* entry = first();
  for (; entry && entry->timer->cancelled(); entry = first()) {
    discard(*entry);
    pop(entry);
  }
  earliest_ = entry ? entry->when : TimePoint::max();
  return entry;
}

inline TimerHeap::Entry* TimerHeap::first() noexcept {
  if (!inbox_.empty()) empty_inbox();
  if (sorted_ == pile_.size() && !pile_.empty()) sort_pile();
  if (heap_.empty()) return pile_.empty() ? nullptr : &pile_.back();
  return pile_.empty() || heap_.front().before(pile_.back()) ? &heap_.front() : &pile_.back();
}

void TimerHeap::clear() noexcept {
  // Dropping a callback may destroy an object that cancels other timers, hence one by one, each entry gone first.
  for (std::vector<Entry>* entries : {&heap_, &pile_, &inbox_}) {
    while (!entries->empty()) {
      TimerState& timer = *entries->back().timer;
      entries->pop_back();
      timer.heap_ = nullptr;
      timer.drop();
    }
  }
  cut_count_ = sorted_ = 0;
  cancelled_ = 0;
  earliest_ = TimePoint::max();
}

void TimerHeap::on_cancel(TimerState& timer) noexcept {
  if (observers_) [[unlikely]]
    return on_cancel_observed(timer);
  note_cancelled(timer);
}

[[gnu::noinline]] void TimerHeap::on_cancel_observed(TimerState& timer) noexcept {
  observers_->timer_cancelled(timer);
  note_cancelled(timer);
}

inline void TimerHeap::note_cancelled(TimerState& timer) noexcept {
  if (!inbox_.empty() && inbox_.back().timer == &timer) {  // made last, cancelled first: the usual life of a time-out
    inbox_.pop_back();
    timer.heap_ = nullptr;
    timer.release();
    return;
  }
  const std::size_t cancelled = ++cancelled_;
  if (cancelled > kMinCancelled && cancelled > size() / 2) sweep();
}

void TimerHeap::discard(const Entry& cancelled) noexcept {
  --cancelled_;
  cancelled.timer->heap_ = nullptr;
  cancelled.timer->next_ = std::exchange(discarded_, cancelled.timer);
}

[[gnu::noinline]] void TimerHeap::release_discarded() noexcept {
  while (TimerState* timer = std::exchange(discarded_, nullptr)) {
    while (timer) std::exchange(timer, timer->next_)->release();
    if (observers_) observers_->look_at_timers();  // at one that a destructor has armed
  }
}

// The heap cannot grow. Its top, which is all that anybody asks for, changes places with the earliest in the inbox, if
// that is earlier: what is earlier than the top may be the top.
template <class Entry>
static void exchange_earliest(std::vector<Entry>& inbox, Entry& top) noexcept {
  Entry* earliest = &top;
  for (Entry& entry : inbox) {
    if (!entry.timer->cancelled() && entry.before(*earliest)) earliest = &entry;
  }
  std::swap(*earliest, top);
}

void TimerHeap::empty_inbox() noexcept {
  if (inbox_.size() >= kMany && inbox_.size() >= pile_.size()) {
    try {
      inbox_.insert(inbox_.end(), pile_.begin(), pile_.end());
      pile_.clear();
      return make_pile_of(inbox_);
    } catch (const std::bad_alloc&) {  // then into the heap
    }
  }
  if (heap_.empty()) {  // all are new: build the heap from them at once
    heap_.swap(inbox_);
    forget_cancelled(heap_);
    return build_heap();
  }
  // Reserve first: if anything below threw, an entry would be in both vectors.
  if (const std::size_t needed = heap_.size() + inbox_.size(); needed > heap_.capacity()) {
    try {
      heap_.reserve(std::max(needed, 2 * heap_.capacity()));
    } catch (const std::bad_alloc&) {
      const bool heap_is_first = pile_.empty() || heap_.front().before(pile_.back());
      return exchange_earliest(inbox_, heap_is_first ? heap_.front() : pile_.back());
    }
  }
  for (const Entry& entry : inbox_) {
    if (entry.timer->cancelled()) {
      discard(entry);
    } else {
      heap_.push_back(entry);
      sift_up(heap_.size() - 1);
    }
  }
  inbox_.clear();
}

void TimerHeap::sweep() noexcept {
  for (std::vector<Entry>* entries : {&heap_, &pile_, &inbox_}) forget_cancelled(*entries);
  make_pile_of(pile_);
  build_heap();
  release_discarded();
}

void TimerHeap::forget_cancelled(std::vector<Entry>& entries) noexcept {
  std::erase_if(entries, [this](const Entry& entry) {
    const bool cancelled = entry.timer->cancelled();
    if (cancelled) discard(entry);
    return cancelled;
  });
}

// The next first is one of those whose timers are prefetched, and is needed soon. (Measured: a third off the cost of
// firing 100,000.)
inline void TimerHeap::pop(const Entry* first) noexcept {
  if (!pile_.empty() && first == &pile_.back()) {
    pile_.pop_back();
    if (pile_.size() >= 4) __builtin_prefetch(pile_[pile_.size() - 4].timer);
    return;
  }
  heap_.front() = heap_.back();
  heap_.pop_back();
  if (heap_.size() >= kMany && pile_.empty()) return make_pile_of(heap_);
  if (heap_.empty()) return;
  sift_down(0);
  for (std::size_t i = 0; i < std::min(heap_.size(), kArity + 1); ++i) __builtin_prefetch(heap_[i].timer);
}

// ── the pile ────────────────────────────────────────────────────────────────────────────────────────────────────────

// REQUIRES: the pile is empty, or it is `entries`.
void TimerHeap::make_pile_of(std::vector<Entry>& entries) noexcept {
  pile_.swap(entries);
  sorted_ = pile_.size();
  cuts_[0] = 0;
  cut_count_ = 1;
}

// Takes the last part, and divides it into later and earlier ones until the last is small. That is sorted, and the
// others are left for later.
void TimerHeap::sort_pile() noexcept {
  const auto later = [](const Entry& one, const Entry& other) { return other.before(one); };
  std::size_t begin = cuts_[--cut_count_];
  while (pile_.size() - begin > kSortedAtOnce && cut_count_ < cuts_.size()) {
    const Entry& middle = pile_[(begin + pile_.size()) / 2];
    const Entry pivot = std::max(std::min(pile_[begin], middle, later),
                                 std::min(std::max(pile_[begin], middle, later), pile_.back(), later), later);
    const auto earlier = std::partition(pile_.begin() + static_cast<std::ptrdiff_t>(begin), pile_.end(),
                                        [&](const Entry& entry) { return !entry.before(pivot); });
    cuts_[cut_count_++] = begin;  // never all: the pivot is none of the earlier, and another is
    begin = static_cast<std::size_t>(earlier - pile_.begin());
  }
  std::sort(pile_.begin() + static_cast<std::ptrdiff_t>(begin), pile_.end(), later);
  sorted_ = begin;
}

// ── the heap ────────────────────────────────────────────────────────────────────────────────────────────────────────

void TimerHeap::build_heap() noexcept {
  if (heap_.size() < 2) return;
  for (std::size_t parent = (heap_.size() - 2) / kArity + 1; parent-- > 0;) sift_down(parent);
}

void TimerHeap::sift_up(std::size_t index) noexcept {
  const Entry entry = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    heap_[index] = heap_[parent];
    index = parent;
  }
  heap_[index] = entry;
}

void TimerHeap::sift_down(std::size_t index) noexcept {
  const Entry entry = heap_[index];
  for (;;) {
    const std::size_t first = kArity * index + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kArity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(entry)) break;
    heap_[index] = heap_[least];
    index = least;
  }
  heap_[index] = entry;
}

}  // namespace asyncio::detail
