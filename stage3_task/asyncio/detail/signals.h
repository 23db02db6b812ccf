// Which callback of a loop is called for which signal. Stage 3 needs it for Ctrl-C; stage 6 makes it public.
// Mirrors: Lib/asyncio/unix_events.py, _UnixSelectorEventLoop._signal_handlers and _handle_signal.
// Read next: ../../signals.cpp
#pragma once

#include <asyncio/loop.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace asyncio::detail {

/// The way of a signal: the signal handler stores it here (note()) and wakes the loop (Inbox::notify_signal); the loop
/// calls hear_all() in its next tick; that schedules the callbacks for the tick after. Invariant: while a signal has a
/// callback here, or SIGINT an interrupt, and no other loop has taken it over, the signal handler wakes this loop.
class SignalHandlers final : public LoopService {
 public:
  using Callback = std::function<void()>;

  static constexpr int kLast = 64;

  explicit SignalHandlers(Loop& loop);
  void on_close() noexcept override;

  /// Calls `callback` for the signal, in place of an earlier one. REQUIRES: the main thread, 1 <= signal <= kLast.
  /// Throws std::system_error if the system refuses.
  void add(int signal, Callback callback);
  /// Restores what was there before add(). False if nothing was added.
  bool remove(int signal) noexcept;

  /// From now on the signal handler itself writes to stderr what the loop's thread runs: see dump_tasks_on_signal(). Ends
  /// with remove(), or another add(). REQUIRES: the signal has a callback here.
  void announce(int signal) noexcept { set_announced(signal, true); }

  /// For Runner: calls `callback` for SIGINT if no callback was added, in the tick that finds the signal and not in the
  /// one after. A second signal before that ends the program. False, without an effect, if the program has a handler of
  /// its own or this is not the main thread.
  bool catch_interrupts(Callback callback);
  void release_interrupts() noexcept;

  static bool on_main_thread() noexcept;

  bool announces(int signal) const noexcept { return (announced_ >> (signal - 1) & 1) != 0; }
  /// For the handler itself: a signal has come. Async-signal-safe.
  void note(int signal) noexcept;

 private:
  struct Handler {
    Callback callback;
    Context context;
  };
  void hear_all();
  bool schedule(int signal);
  void interrupt(int signal);
  void set_announced(int signal, bool on) noexcept;
  void listen(int signal);
  void stop_listening(int signal) noexcept;

  Loop& loop_;
  std::map<int, std::shared_ptr<const Handler>> callbacks_;
  Callback interrupt_;

  // The signals that came and were not heard yet, each as often as it came, in order: as the bytes in CPython's pipe to
  // itself. If there are more, those beyond count once each.
  static constexpr unsigned kMost = 256;
  std::array<std::atomic<std::uint8_t>, kMost> noted_ = {};
  std::atomic<unsigned> noted_end_ = 0;       // both count on for ever
  std::atomic<unsigned> noted_begin_ = 0;     // … and run round in noted_
  std::atomic<std::uint64_t> beyond_ = 0;     // bit n - 1: signal n
  std::atomic<std::uint64_t> announced_ = 0;  // the same; see announce()
};

}  // namespace asyncio::detail
