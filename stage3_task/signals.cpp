#include "asyncio/detail/signals.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

namespace asyncio::detail {
namespace {

const pthread_t main_thread = pthread_self();  // set before main(), and so on the main thread

// A signal belongs to the process, and so does this. Written by the main thread, read by the handler.
std::array<std::atomic<Loop*>, 64> listening;  // whom it wakes; null: our handler is not installed
std::array<struct sigaction, 64> before;       // what was there before our handler

// Of SIGINT, as a Runner hears it: none, one that waits for nobody, or one that was noted and not heard yet.
enum class Interrupts : int { not_ours, heard, unheard };
std::atomic<Interrupts> interrupts = Interrupts::not_ours;

extern "C" void asyncio_on_signal(int signal) {
  const int saved_errno = errno;
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, signal);  // the loop's own thread, which alone may touch its core
  } else if (Loop* loop = listening[static_cast<std::size_t>(signal)].load()) {
    auto heard = Interrupts::heard;
    if (signal == SIGINT && !interrupts.compare_exchange_strong(heard, Interrupts::unheard) &&
        heard == Interrupts::unheard) {
      ::signal(SIGINT, SIG_DFL);  // the loop does not listen: end the program, as Ctrl-C always did
      ::raise(SIGINT);
    }
    loop->notify_signal(signal);
  }
  errno = saved_errno;
}

}  // namespace

bool SignalHandlers::on_main_thread() noexcept { return pthread_equal(pthread_self(), main_thread); }

SignalHandlers::SignalHandlers(Loop& loop) : loop_(loop) {
  loop_.set_signal_callback([this](int signal) { on_signal(signal); });
}

void SignalHandlers::on_close() noexcept {
  while (!callbacks_.empty()) remove(callbacks_.begin()->first);
  release_interrupts();
}

// ── a loop that listens ─────────────────────────────────────────────────────────────────────────────────────────────

void SignalHandlers::listen(int signal) {
  const auto index = static_cast<std::size_t>(signal);
  Loop* const other = listening[index].exchange(&loop_);
  if (other) return;  // the handler is in place
  struct sigaction ours = {};
  ours.sa_handler = asyncio_on_signal;
  ours.sa_flags = SA_RESTART;  // whoever waits in a system call of his own is not disturbed; the loop is woken anyway
  sigemptyset(&ours.sa_mask);
  if (sigaction(signal, &ours, &before[index]) == -1) {
    listening[index] = nullptr;
    throw std::system_error(errno, std::generic_category(), "sigaction(" + std::to_string(signal) + ")");
  }
}

void SignalHandlers::stop_listening(int signal) noexcept {
  const auto index = static_cast<std::size_t>(signal);
  if (listening[index].load() != &loop_) return;
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  // (Somebody may have put a handler of his own in our place meanwhile: then that stays.)
  if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == asyncio_on_signal) sigaction(signal, &before[index], nullptr);
  listening[index] = nullptr;
}

// ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

void SignalHandlers::add(int signal, Callback callback) {
  auto shared = std::make_shared<const Handler>(Handler{std::move(callback), copy_context()});
  auto& place = callbacks_[signal];
  try {
    listen(signal);
  } catch (...) {
    if (!place) callbacks_.erase(signal);
    throw;
  }
  place = std::move(shared);
  if (signal == SIGINT) interrupts = Interrupts::not_ours;
}

bool SignalHandlers::remove(int signal) noexcept {
  if (callbacks_.erase(signal) == 0) return false;
  if (signal == SIGINT && interrupt_) {
    interrupts = Interrupts::heard;  // it is the Runner's again
  } else {
    stop_listening(signal);
  }
  return true;
}

bool SignalHandlers::catch_interrupts(Callback callback) {
  struct sigaction now = {};
  sigaction(SIGINT, nullptr, &now);
  const bool has_default = !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
  if (!has_default || !on_main_thread()) return false;
  listen(SIGINT);
  interrupt_ = std::move(callback);
  interrupts = Interrupts::heard;
  return true;
}

void SignalHandlers::release_interrupts() noexcept {
  if (!interrupt_) return;
  interrupt_ = nullptr;
  if (callbacks_.contains(SIGINT)) return;
  interrupts = Interrupts::not_ours;
  stop_listening(SIGINT);
}

// In the tick that found the signal, as CPython's callback of the self-pipe; what it calls runs in the next one.
void SignalHandlers::on_signal(int signal) {
  if (const auto found = callbacks_.find(signal); found != callbacks_.end()) {
    loop_.call_soon([handler = found->second] { handler->callback(); }, found->second->context);
  } else if (signal == SIGINT && interrupt_) {
    interrupts = Interrupts::heard;
    interrupt_();
  }
}

}  // namespace asyncio::detail
