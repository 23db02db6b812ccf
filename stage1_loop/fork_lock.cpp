#include "asyncio/detail/fork_lock.h"

#include <pthread.h>

#include <memory>

namespace asyncio::detail {
namespace {

std::mutex threads_mutex;  // held during a fork, so that the list is whole in the child
std::atomic<unsigned> forks_before = 0;

}  // namespace

unsigned forks() noexcept { return forks_before.load(std::memory_order_relaxed); }

/// A thread that has locked something. It needs no memory, and stays usable until its thread has gone.
struct ForkLock::Thread {
  std::atomic<ForkLock*> innermost = nullptr;
  Thread* next = nullptr;
  Thread* previous = nullptr;

  static Thread* all;
};
ForkLock::Thread* ForkLock::Thread::all = nullptr;

ForkLock::Thread& ForkLock::this_thread() noexcept {
  static thread_local constinit Thread thread;
  struct Listed {
    Listed() noexcept {
      const std::lock_guard lock(threads_mutex);
      thread.next = Thread::all;
      if (thread.next) thread.next->previous = &thread;
      Thread::all = &thread;
    }
    ~Listed() {
      const std::lock_guard lock(threads_mutex);
      if (thread.next) thread.next->previous = thread.previous;
      (thread.previous ? thread.previous->next : Thread::all) = thread.next;
    }
  };
  static thread_local const Listed listed;
  return thread;
}

ForkLock::ForkLock(std::mutex& mutex, Mend mend, void* guarded) noexcept
    : mutex_(mutex),
      mend_(mend),
      guarded_(guarded),
      thread_(this_thread()),
      outer_(thread_.innermost.load(std::memory_order_relaxed)) {
  thread_.innermost.store(this);
  mutex_.lock();
}

ForkLock::~ForkLock() {
  mutex_.unlock();
  thread_.innermost.store(outer_, std::memory_order_release);
}

// ── fork() ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const int ForkLock::at_fork_ = pthread_atfork(before_fork, after_fork, in_child);

void ForkLock::before_fork() noexcept { threads_mutex.lock(); }
void ForkLock::after_fork() noexcept { threads_mutex.unlock(); }

void ForkLock::in_child() noexcept {
  forks_before.fetch_add(1, std::memory_order_relaxed);
  after_fork();
  Thread& own = this_thread();
  const auto is_own = [&own](const std::mutex& mutex) {
    const ForkLock* lock = own.innermost;
    while (lock && &lock->mutex_ != &mutex) lock = lock->outer_;
    return lock != nullptr;
  };
  for (const Thread* thread = Thread::all; thread; thread = thread->next) {
    for (const ForkLock* lock = thread->innermost; lock; lock = lock->outer_) {
      if (is_own(lock->mutex_)) continue;
      std::construct_at(&lock->mutex_);
      if (lock->mend_) lock->mend_(lock->guarded_);
    }
  }
  own.next = own.previous = nullptr;  // the other threads are the parent's
  Thread::all = &own;
}

}  // namespace asyncio::detail
