// Which callback of a loop hears which signal. Stage 3 needs it for Ctrl-C; stage 6 offers it to everybody.
// Mirrors: Lib/asyncio/unix_events.py, _UnixSelectorEventLoop._signal_handlers and _handle_signal.
// Read next: ../../signals.cpp
#pragma once

#include <asyncio/loop.h>

#include <functional>
#include <map>
#include <memory>

namespace asyncio::detail {

/// A signal's way: the handler, which may do next to nothing, notes it in the loop and wakes that up (notify_signal);
/// the loop calls us in its next tick; and we schedule the callback for the tick after.
/// Invariant: while a signal has a callback here, or SIGINT an interrupt, and no other loop has taken it over, this
/// loop is the one that the handler wakes.
class SignalHandlers final : public LoopService {
 public:
  using Callback = std::function<void()>;

  explicit SignalHandlers(Loop& loop);
  void on_close() noexcept override;

  /// From now on `callback` hears of it, in place of one that did. REQUIRES: the main thread, 1 <= signal < 64.
  /// Throws std::system_error if the system refuses.
  void add(int signal, Callback callback);
  /// What was there before add() is restored; false if nothing was added.
  bool remove(int signal) noexcept;

  /// Runner's own: hears SIGINT where no callback was added, in the tick that finds it and not in the one after. A
  /// second signal before that ends the program. False, and nothing happens, if the program has a handler of its own,
  /// or this is not the main thread.
  bool catch_interrupts(Callback callback);
  void release_interrupts() noexcept;

  static bool on_main_thread() noexcept;

 private:
  struct Handler {  // what it calls, and in which context
    Callback callback;
    Context context;
  };
  void on_signal(int signal);
  void listen(int signal);
  void stop_listening(int signal) noexcept;

  Loop& loop_;
  std::map<int, std::shared_ptr<const Handler>> callbacks_;
  Callback interrupt_;
};

}  // namespace asyncio::detail
