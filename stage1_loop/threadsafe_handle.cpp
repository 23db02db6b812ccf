#include "asyncio/threadsafe_handle.h"

#include "asyncio/handle.h"

namespace asyncio::detail {

ThreadSafeState& ThreadSafeState::owned_by_itself(std::shared_ptr<ThreadSafeState> state) noexcept {
  ThreadSafeState& owned = *state;
  owned.self_ = std::move(state);
  return owned;
}

void ThreadSafeState::run(Loop& loop) {
  const auto self = std::move(self_);
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  running_ = true;
  const ScopeExit destroy([this] {
    running_ = false;
    destroy_callback();
  });
  const ContextScope scope(context_);
  try {
    call();
  } catch (...) {
    report_callback_exception(loop, where_, this);
  }
}

std::string ThreadSafeState::repr() const { return "<ThreadSafeHandle created at " + file_and_line(where_) + ">"; }

void ThreadSafeState::drop() noexcept {
  const auto self = std::move(self_);
  cancel();
}

void ThreadSafeState::cancel() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(cancelled_, true) || running_) return;
  destroy_callback();
}

bool ThreadSafeState::cancelled() const noexcept {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace asyncio::detail
