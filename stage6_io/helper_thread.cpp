#include "asyncio/detail/helper_thread.h"

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace asyncio::detail {
namespace {

// While it lives no signal is delivered to this thread. A new thread inherits that: signals are the main thread's.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

std::uint64_t HelperThreads::start(std::function<void()> job, Waiter& waiter) {
  const std::uint64_t number = ++last_job_;
  waiters_.emplace(number, &waiter);
  try {
    const SignalsBlocked signals_blocked;
    // Detached: a lookup may take half a minute, and neither the task, if it is cancelled, nor the loop waits for it.
    std::thread([this, number, job = std::move(job), mailbox = mailbox_] {
      job();
      const std::lock_guard lock(mailbox->mutex);
      if (mailbox->loop) mailbox->loop->call_soon_threadsafe([this, number] { done(number); });
    }).detach();
  } catch (...) {
    waiters_.erase(number);
    throw;
  }
  return number;
}

void HelperThreads::done(std::uint64_t job) {
  if (const auto found = waiters_.find(job); found != waiters_.end()) found->second->wake();
}

}  // namespace asyncio::detail
