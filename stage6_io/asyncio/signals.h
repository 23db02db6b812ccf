// add_signal_handler(): a callback for each time a signal comes, as an ordinary callback of the loop.
// Mirrors: Lib/asyncio/unix_events.py: add_signal_handler, remove_signal_handler. Read next: processes.h
#pragma once

#include <asyncio/loop.h>

#include <functional>
#include <utility>

namespace asyncio {

namespace detail {
void add_signal_handler(Loop& loop, int signal, std::function<void()> callback);
}

/// Runs `callback` in the loop whenever the process gets `signal`, in the tick after the one that finds it; several
/// that come before it is found count as one. A signal ends a wait that goes on. The handler behind it does only what a
/// signal handler may. A callback that was there for the same signal is replaced; SIGINT is taken from a Runner until
/// remove_signal_handler(). Only one loop hears a signal: the one that asked last.
/// Throws std::invalid_argument for what is no signal, std::runtime_error off the main thread, for SIGKILL and SIGSTOP
/// ("sig 9 cannot be caught") and for a closed loop.
template <Callback F>
void add_signal_handler(Loop& loop, int signal, F&& callback) {
  detail::check_callable(callback);
  detail::add_signal_handler(loop, signal, std::forward<F>(callback));
}
template <Callback F>
void add_signal_handler(int signal, F&& callback) {
  add_signal_handler(Loop::running(), signal, std::forward<F>(callback));
}

/// False if there was none. What the process did with the signal before add_signal_handler() is restored: for SIGINT
/// in a Runner, its Ctrl-C. A closed loop has none any more. Throws as add_signal_handler() does.
bool remove_signal_handler(Loop& loop, int signal);
inline bool remove_signal_handler(int signal) { return remove_signal_handler(Loop::running(), signal); }

}  // namespace asyncio
