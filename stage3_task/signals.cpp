#include "asyncio/detail/signals.h"

#include "asyncio/detail/task_base.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <new>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

namespace asyncio::detail {
namespace {

pthread_t main_thread = pthread_self();  // set before main(), and so on the main thread

// A signal belongs to the process, and so does this. Written by the main thread, read by the handler.
std::array<std::atomic<SignalHandlers*>, SignalHandlers::kLast + 1> listening;  // null: our handler is not installed
std::array<struct sigaction, SignalHandlers::kLast + 1> before;                 // what was there before our handler

// A Runner's SIGINT: no Runner catches it, all were heard, or one is stored and not heard yet.
enum class Interrupts : int { not_ours, heard, unheard };
std::atomic<Interrupts> interrupts = Interrupts::not_ours;

/// A line to write in a signal handler: of texts that stay, without memory.
class Line {
 public:
  Line& operator<<(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), sizeof text_ - 1 - size_);
    std::copy_n(text.data(), size, text_ + size_);
    size_ += size;
    return *this;
  }
  Line& operator<<(std::uint64_t number) noexcept {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;  // neither memory nor locale
    return *this << std::string_view(digits, end);
  }
  /// Replaces the line breaks of what was written so far; without memory there is no repr().
  void stay_on_one_line() noexcept {
    std::replace_if(
        text_, text_ + size_, [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  }
  void write_to_stderr() noexcept {
    text_[size_++] = '\n';
    for (const char* at = text_; size_ > 0;) {
      const ssize_t written = ::write(STDERR_FILENO, at, size_);
      if (written <= 0) return;
      at += written;
      size_ -= static_cast<std::size_t>(written);
    }
  }

 private:
  char text_[512];
  std::size_t size_ = 0;
};

Line& operator<<(Line& line, const std::source_location& where) noexcept {
  const std::string_view path = where.file_name();
  return line << path.substr(path.find_last_of('/') + 1) << ":";
}

// Reads what this thread has written, at any moment: pointers to literals, and a task that exists while it runs.
void write_what_runs(int signal) noexcept {
  Line line;
  line << "signal " << static_cast<std::uint64_t>(signal) << ": ";
  if (const TaskBase* task = TaskBase::current()) {
    task->for_name([&](auto part) { line << part; });
    line.stay_on_one_line();
    const PromiseBase* const frame = task->known_frame();
    line << " makes a step: " << coroutine_name(task->where()) << "(), last await at " << task->where()
         << (frame ? frame->line() : task->where().line());
  } else if (const Loop* loop = Loop::running_or_null()) {
    const std::source_location where = loop->what_runs();
    if (where.line() > 0) {
      line << "a callback runs, scheduled at " << where << where.line();
    } else {
      line << "the loop waits, or looks for what to run next";
    }
  } else {
    line << "no loop runs in this thread";
  }
  line.write_to_stderr();
}

extern "C" void asyncio_on_signal(int signal) {
  const int saved_errno = errno;
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, signal);  // only the loop's own thread may touch the core
  } else if (SignalHandlers* handlers = listening[static_cast<std::size_t>(signal)].load()) {
    auto heard = Interrupts::heard;
    if (signal == SIGINT && !interrupts.compare_exchange_strong(heard, Interrupts::unheard) &&
        heard == Interrupts::unheard) {
      ::signal(SIGINT, SIG_DFL);  // the loop does not react: end the program, as Ctrl-C does by default
      ::raise(SIGINT);
    }
    if (handlers->announces(signal)) write_what_runs(signal);
    handlers->note(signal);
  }
  errno = saved_errno;
}

bool is_ours(const struct sigaction& action) noexcept {
  return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == asyncio_on_signal;
}

// In a forked child the loop that listens is a copy that nobody runs: signals do what they did before. Its one thread
// is its main thread.
void forget_loops_in_child() noexcept {
  main_thread = pthread_self();
  interrupts = Interrupts::not_ours;
  for (int signal = 1; signal <= SignalHandlers::kLast; ++signal) {
    const auto index = static_cast<std::size_t>(signal);
    struct sigaction now = {};
    if (!listening[index].exchange(nullptr)) continue;
    if (sigaction(signal, nullptr, &now) == 0 && is_ours(now)) sigaction(signal, &before[index], nullptr);
  }
}

[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, forget_loops_in_child);

}  // namespace

bool SignalHandlers::on_main_thread() noexcept { return pthread_equal(pthread_self(), main_thread); }

SignalHandlers::SignalHandlers(Loop& loop) : loop_(loop) {
  loop_.inbox().set_signal_callback([this](int) { hear_all(); });
}

void SignalHandlers::on_close() noexcept {
  while (!callbacks_.empty()) remove(callbacks_.begin()->first);
  release_interrupts();
}

// ── a loop that listens ─────────────────────────────────────────────────────────────────────────────────────────────

void SignalHandlers::listen(int signal) {
  const auto index = static_cast<std::size_t>(signal);
  SignalHandlers* const other = listening[index].exchange(this);
  struct sigaction now = {};
  if (other && sigaction(signal, nullptr, &now) == 0 && is_ours(now)) return;  // unless the program has set another
  struct sigaction ours = {};
  ours.sa_handler = asyncio_on_signal;
  ours.sa_flags = SA_RESTART;  // do not interrupt the program's own system calls; the loop is woken anyway
  sigfillset(&ours.sa_mask);   // so that no other comes in the midst of note()
  if (sigaction(signal, &ours, &before[index]) == -1) {
    listening[index] = nullptr;
    throw std::system_error(errno, std::generic_category(), "sigaction(" + std::to_string(signal) + ")");
  }
}

void SignalHandlers::stop_listening(int signal) noexcept {
  const auto index = static_cast<std::size_t>(signal);
  if (listening[index].load() != this) return;
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  // (If the program has installed another handler meanwhile, that stays.)
  if (is_ours(now)) sigaction(signal, &before[index], nullptr);
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
  set_announced(signal, false);
  place = std::move(shared);
  if (signal == SIGINT) interrupts = Interrupts::not_ours;
}

bool SignalHandlers::remove(int signal) noexcept {
  if (callbacks_.erase(signal) == 0) return false;
  set_announced(signal, false);
  if (signal == SIGINT && interrupt_) {
    interrupts = Interrupts::heard;  // the Runner catches it again
  } else {
    stop_listening(signal);
  }
  return true;
}

void SignalHandlers::set_announced(int signal, bool on) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (signal - 1);
  announced_ = on ? announced_ | bit : announced_ & ~bit;
  loop_.note_what_runs(announced_ != 0);
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

// ── from the handler to the loop ────────────────────────────────────────────────────────────────────────────────────

void SignalHandlers::note(int signal) noexcept {
  const unsigned end = noted_end_.load(std::memory_order_relaxed);
  if (end - noted_begin_.load(std::memory_order_relaxed) < kMost) {
    noted_[end % kMost].store(static_cast<std::uint8_t>(signal), std::memory_order_relaxed);
    noted_end_.store(end + 1, std::memory_order_release);
  } else {
    beyond_.fetch_or(std::uint64_t{1} << (signal - 1), std::memory_order_relaxed);
  }
  loop_.inbox().notify_signal(1);  // which one, it need not know
}

void SignalHandlers::hear_all() {
  struct ComeBack {  // for what is left if one of them throws (KeyboardInterrupt)
    SignalHandlers& handlers;
    ~ComeBack() {
      if (handlers.noted_begin_ != handlers.noted_end_ || handlers.beyond_ != 0)
        handlers.loop_.inbox().notify_signal(1);
    }
  } const come_back{*this};
  while (noted_begin_ != noted_end_.load(std::memory_order_acquire)) {
    const int signal = noted_[noted_begin_ % kMost];
    if (!schedule(signal)) return;
    ++noted_begin_;
    interrupt(signal);
  }
  while (const std::uint64_t beyond = beyond_) {
    const int signal = std::countr_zero(beyond) + 1;
    if (!schedule(signal)) return;
    beyond_.fetch_and(~(std::uint64_t{1} << (signal - 1)));
    interrupt(signal);
  }
}

// Called in the tick that finds the signal, as CPython's callback of the self-pipe is. What it schedules runs in the
// next. False if there is no memory: the signal then waits for another tick.
bool SignalHandlers::schedule(int signal) {
  const auto found = callbacks_.find(signal);
  if (found == callbacks_.end()) return true;
  try {
    loop_.call_soon([handler = found->second] { handler->callback(); }, found->second->context);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void SignalHandlers::interrupt(int signal) {
  if (signal != SIGINT || !interrupt_ || callbacks_.contains(SIGINT)) return;
  interrupts = Interrupts::heard;
  interrupt_();
}

}  // namespace asyncio::detail
