#include "asyncio/detail/completion_queue.h"

namespace asyncio::detail {

// ── a future is done ────────────────────────────────────────────────────────────────────────────────────────────────

void CompletionQueue::add(FutureBase& future) {
  CompletionCallback& callback = callbacks_.emplace_back(*this);
  future.add_callback(callback);
  add_ref();  // the callback's
}

void CompletionQueue::remove_callback(FutureBase& future, std::size_t number) noexcept {
  if (future.done()) return;
  future.remove_callback(callbacks_[number]);
  release();  // the callback's
}

void CompletionCallback::run(Loop&) {
  const Ref<CompletionQueue> queue(&queue_, adopt);
  queue_.on_completion(*this);
}

void CompletionCallback::drop() noexcept { queue_.release(); }

void CompletionCallback::add_awaiters(Awaiters& found) {
  for (CompletionQueue::Getter& getter : queue_.getters_) {
    found.tasks.push_back(getter.task());
    found.waits.push_back(&getter);
  }
}

void CompletionQueue::on_completion(const CompletionCallback& callback) {
  if (todo_ == 0) return;  // on_timeout() came first
  if (--todo_ == 0) timer_.cancel();
  put(static_cast<std::size_t>(&callback - callbacks_.data()));
}

void CompletionQueue::on_timeout() {
  for (; todo_ > 0; --todo_) put(kTimeout);
}

// ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────────────

void CompletionQueue::put(std::size_t number) {
  done_.push_back(number);
  wake_up_next();
}

void CompletionQueue::wake_up_next() {
  while (!getters_.empty()) {
    Getter& getter = getters_.front();
    getters_.remove(getter);
    if (getter.done()) continue;
    getter.wake();
    return;
  }
}

bool CompletionQueue::Getter::waits_again() noexcept {
  if (cancelled() || !queue_->empty()) return false;
  if (linked()) queue_->getters_.remove(*this);
  set_pending();
  queue_->getters_.push_back(*this);
  return true;
}

std::size_t CompletionQueue::Getter::await_resume() {
  if (linked()) queue_->getters_.remove(*this);
  try {
    FrameFuture::await_resume();
  } catch (...) {  // cancelled; if it was woken before, it wakes another
    if (!cancelled() && !queue_->empty()) queue_->wake_up_next();
    throw;
  }
  return queue_->done_[queue_->taken_++];
}

}  // namespace asyncio::detail
