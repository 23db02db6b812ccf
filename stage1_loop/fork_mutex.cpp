#include "asyncio/detail/fork_mutex.h"

#include <pthread.h>

#include <memory>

namespace asyncio::detail {
namespace {

std::mutex one_at_a_time;  // no thread of the parent can have held it when it forked

const int counts_forks = pthread_atfork([] { one_at_a_time.lock(); }, [] { one_at_a_time.unlock(); },
                                        [] {
                                          fork_count.fetch_add(1, std::memory_order_relaxed);
                                          one_at_a_time.unlock();
                                        });

}  // namespace

// Whoever holds the mutex in this process has been here before. So if it is locked, a thread of the parent held it.
void ForkMutex::begin_anew() noexcept {
  const std::lock_guard lock(one_at_a_time);
  if (forks_.load(std::memory_order_relaxed) == forks()) return;
  if (mutex_.try_lock()) {
    mutex_.unlock();
  } else {
    std::construct_at(&mutex_);
    if (mend_) mend_(guarded_);
  }
  forks_.store(forks(), std::memory_order_release);
}

}  // namespace asyncio::detail
