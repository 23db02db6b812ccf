// What fork() does to locks: the child has one thread, and a mutex that another thread held stays locked for ever.
// Skip on a first reading. Read next: inbox.h
#pragma once

#include <atomic>
#include <mutex>

namespace asyncio::detail {

/// How many forks lie between the first process and this one. Who keeps the number knows whether it is a copy.
unsigned forks() noexcept;

/// Locks a mutex as std::lock_guard does. If another thread forks meanwhile, the child finds the mutex unlocked.
/// Invariants: (1) A thread's locks are a list, the innermost first. (2) One that stands there may still wait for its
/// mutex, or have unlocked it already.
class ForkLock {
 public:
  /// What makes whole again, in the child, what was about to change.
  using Mend = void (*)(void* guarded) noexcept;

  explicit ForkLock(std::mutex& mutex, Mend mend = nullptr, void* guarded = nullptr) noexcept;
  ForkLock(const ForkLock&) = delete;
  ForkLock& operator=(const ForkLock&) = delete;
  ~ForkLock();

 private:
  struct Thread;
  static Thread& this_thread() noexcept;
  static void before_fork() noexcept;
  static void after_fork() noexcept;
  static void in_child() noexcept;
  static const int at_fork_;

  std::mutex& mutex_;
  const Mend mend_;
  void* const guarded_;
  Thread& thread_;
  ForkLock* const outer_;
};

}  // namespace asyncio::detail
