// A thread that hears no signals: those are for the main thread, whose loop they wake.
// Read next: ../thread_pool.h
#pragma once

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace asyncio::detail {

/// While it lives no signal is delivered to this thread. A thread that is started meanwhile inherits that.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

/// Throws std::system_error if there is no thread to be had.
template <class F>
std::thread quiet_thread(F&& body) {
  const SignalsBlocked signals_blocked;
  return std::thread(std::forward<F>(body));
}

}  // namespace asyncio::detail
