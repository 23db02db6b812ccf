#include "asyncio/timers.h"

#include <algorithm>

namespace asyncio::detail {

void TimerState::on_cancel() noexcept {
  if (heap_) heap_->on_cancel(*this);
}

void TimerHeap::push(Ref<TimerState> timer) {
  inbox_.push_back({timer->when(), timer.get()});
  earliest_ = std::min(earliest_, timer->when());
  timer->heap_ = this;
  timer->number_ = next_number_++;
  timer.leak();  // the entry's from now on
}

std::optional<TimePoint> TimerHeap::next_deadline() {
  empty_inbox();
  while (!heap_.empty() && heap_.front().timer->cancelled()) {
    discard(heap_.front());
    pop_top();
  }
  earliest_ = heap_.empty() ? TimePoint::max() : heap_.front().when;
  if (heap_.empty()) return std::nullopt;
  return earliest_;
}

void TimerHeap::pop_due_now(TimePoint now, ReadyQueue& ready) {
  while (const auto deadline = next_deadline()) {
    if (*deadline > now) break;
    TimerState& timer = *heap_.front().timer;
    ready.push_back(timer);  // first, as it may throw: the reference goes from the entry to the queue
    timer.heap_ = nullptr;
    pop_top();
  }
}

void TimerHeap::clear() noexcept {
  // Dropping a callback may destroy an object that cancels other timers, hence one by one, each entry gone first.
  for (std::vector<Entry>* entries : {&heap_, &inbox_}) {
    while (!entries->empty()) {
      TimerState& timer = *entries->back().timer;
      entries->pop_back();
      timer.heap_ = nullptr;
      timer.drop();
    }
  }
  cancelled_ = 0;
  earliest_ = TimePoint::max();
}

void TimerHeap::on_cancel(TimerState& timer) noexcept {
  ++cancelled_;
  if (!inbox_.empty() && inbox_.back().timer == &timer) {  // made last, cancelled first: a time-out that did its duty
    discard(inbox_.back());
    inbox_.pop_back();
  } else if (cancelled_ > kMinCancelled && cancelled_ > size() / 2) {
    sweep();
  }
}

void TimerHeap::discard(const Entry& cancelled) noexcept {
  --cancelled_;
  cancelled.timer->heap_ = nullptr;
  cancelled.timer->release();
}

void TimerHeap::empty_inbox() {
  if (heap_.empty()) {  // all of them are new: made a heap at once, where they are
    heap_.swap(inbox_);
    sweep();
    return;
  }
  // Room first: nothing below may throw, or an entry would be in both vectors.
  if (const std::size_t needed = size(); needed > heap_.capacity())
    heap_.reserve(std::max(needed, 2 * heap_.capacity()));
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

void TimerHeap::sweep() {
  for (std::vector<Entry>* entries : {&heap_, &inbox_}) {
    std::erase_if(*entries, [this](const Entry& entry) {
      const bool cancelled = entry.timer->cancelled();
      if (cancelled) discard(entry);
      return cancelled;
    });
  }
  if (heap_.size() < 2) return;
  for (std::size_t parent = (heap_.size() - 2) / kArity + 1; parent-- > 0;) sift_down(parent);
}

void TimerHeap::pop_top() noexcept {
  heap_.front() = heap_.back();
  heap_.pop_back();
  if (heap_.empty()) return;
  sift_down(0);
  // The next top is one of these, and its timer, somewhere in memory, is looked at soon (measured: a third off the cost
  // of firing 100,000).
  for (std::size_t i = 0; i < std::min(heap_.size(), kArity + 1); ++i) __builtin_prefetch(heap_[i].timer);
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
