// What fork() does to locks: the child has one thread, and a mutex that another thread held stays locked for ever.
// Skip on a first reading. Read next: inbox.h
#pragma once

#include <atomic>
#include <mutex>

namespace asyncio::detail {

inline std::atomic<unsigned> fork_count = 0;  // counted up in each child

/// How many forks lie between the first process and this one. Who keeps the number knows whether it is a copy.
inline unsigned forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

/// A mutex that a forked child finds unlocked, whichever thread of its parent held it. Example:
/// `const std::lock_guard lock(mutex_.get());`
class ForkMutex {
 public:
  /// What makes whole again, in the child, what was about to change when its parent forked.
  using Mend = void (*)(void* guarded) noexcept;

  explicit ForkMutex(Mend mend = nullptr, void* guarded = nullptr) noexcept : mend_(mend), guarded_(guarded) {}

  /// The mutex; a new one, if this is a copy of one that was locked. REQUIRES: the thread that forked did not hold it.
  std::mutex& get() noexcept {
    if (forks_.load(std::memory_order_acquire) != forks()) [[unlikely]]
      begin_anew();
    return mutex_;
  }

 private:
  void begin_anew() noexcept;

  std::mutex mutex_;
  std::atomic<unsigned> forks_ = forks();
  const Mend mend_;
  void* const guarded_;
};

}  // namespace asyncio::detail
