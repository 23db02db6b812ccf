#include "asyncio/detail/inbox.h"

#include "asyncio/loop.h"

#include <memory>
#include <new>
#include <utility>

namespace asyncio::detail {

// The first one wakes the core. Those behind it need not: they are taken together with it.
void Inbox::post(std::shared_ptr<ThreadSafeState> callback) {
  const std::lock_guard lock(mutex_.get());
  if (closed_) Loop::throw_closed();
  callbacks_.push_back(ThreadSafeState::owned_by_itself(std::move(callback)));
  if (has_callbacks()) return;
  pending_.fetch_or(kCallbacks, std::memory_order_release);
  core_->wake();
}

void Inbox::notify_signal(int signal) noexcept {
  pending_.fetch_or(std::uint64_t{1} << signal, std::memory_order_release);
  core_->wake();
}

void Inbox::take_callbacks(ReadyQueue& ready) noexcept {
  IntrusiveQueue<ThreadSafeState, Wakeup> arrived;
  {
    const std::lock_guard lock(mutex_.get());
    pending_.fetch_and(~kCallbacks, std::memory_order_relaxed);
    std::swap(arrived, callbacks_);
  }
  while (!arrived.empty()) ready.push_back(arrived.pop_front());
}

// One for which there is no memory stays in the inbox, and the next tick tries again.
void Inbox::take_signals(Loop& loop) {
  const std::uint64_t signals = pending_.fetch_and(kCallbacks, std::memory_order_acquire) & ~kCallbacks;
  for (int signal = 1; signal < 64; ++signal) {
    if ((signals >> signal & 1) == 0) continue;
    try {
      loop.call_soon([this, signal] {
        if (signal_callback_) signal_callback_(signal);
      });
    } catch (const std::bad_alloc&) {
      pending_.fetch_or(std::uint64_t{1} << signal, std::memory_order_release);
    }
  }
}

void Inbox::set_core(Core& core) {
  const std::lock_guard lock(mutex_.get());
  core_ = &core;
}

void Inbox::forget_callbacks(void* inbox) noexcept { std::construct_at(&static_cast<Inbox*>(inbox)->callbacks_); }

void Inbox::close() {
  const std::lock_guard lock(mutex_.get());
  closed_ = true;
}

}  // namespace asyncio::detail
