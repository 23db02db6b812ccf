// add_signal_handler(): an ordinary callback of the loop for each signal that arrives. dump_tasks_on_signal(): one that
// tells why a program hangs.
// Mirrors: Lib/asyncio/unix_events.py: add_signal_handler, remove_signal_handler.
// Read next: guest.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/loop.h>

#include <concepts>
#include <csignal>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {
void add_signal_handler(Loop& loop, int signal, std::function<void()> callback);
}

/// Runs `callback` on the loop whenever the process gets `signal`. A signal ends the loop's wait; the callback runs in
/// the tick after the one that finds it. It runs once for each arrival; of more
/// than 256 signals that arrive before that, those of one number count as one. In a forked child, signals do what they
/// did before add_signal_handler(). The system's
/// handler does only what is async-signal-safe. The callback replaces the previous one of that signal; SIGINT is taken
/// from a Runner until remove_signal_handler(). Only one loop receives a signal: the last that asked for it.
/// Throws std::invalid_argument for a bad number, std::runtime_error off the main thread, for SIGKILL and SIGSTOP ("sig
/// 9 cannot be caught"), and for a closed loop.
template <Callback F>
void add_signal_handler(Loop& loop, int signal, F&& callback) {
  static_assert(!detail::returns_coro<F>,
                "coroutines cannot be used with add_signal_handler(): call create_task() in the callback");
  detail::check_callable(callback);
  if constexpr (std::copy_constructible<std::decay_t<F>>) {
    detail::add_signal_handler(loop, signal, std::forward<F>(callback));
  } else {
    const auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(callback));
    detail::add_signal_handler(loop, signal, [shared] { (*shared)(); });
  }
}
template <Callback F>
void add_signal_handler(int signal, F&& callback) {
  add_signal_handler(Loop::running(), signal, std::forward<F>(callback));
}

/// Restores what the process did with the signal before add_signal_handler(); for SIGINT in a Runner, that is Ctrl-C.
/// False if there was no callback; a closed loop has none. Throws what add_signal_handler() throws.
bool remove_signal_handler(Loop& loop, int signal);
inline bool remove_signal_handler(int signal) { return remove_signal_handler(Loop::running(), signal); }

/// Prints format_task_table() and format_task_tree() of the loop to stderr.
void dump_tasks(Loop& loop);
inline void dump_tasks() { dump_tasks(Loop::running()); }

/// For a program that hangs: `kill -USR1 PID` makes it tell why. The signal handler writes to stderr at once which task
/// makes a step, or where the callback that runs was scheduled: also while that blocks the loop. A tick later follows
/// dump_tasks(). remove_signal_handler() ends it. The loop pays for it with a few instructions for each callback.
/// Throws what add_signal_handler() throws.
void dump_tasks_on_signal(Loop& loop, int signal = SIGUSR1);
inline void dump_tasks_on_signal(int signal = SIGUSR1) { dump_tasks_on_signal(Loop::running(), signal); }

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the main thread; dump_tasks() the thread of its loop.
// Ticks: the callback runs in the tick after the one that finds the signal.
// Errors: std::invalid_argument for a number that is no signal's; std::runtime_error in another thread, for a signal
//   that cannot be caught, and for a closed loop.
// Units: `signal` is a number of <csignal>: SIGTERM.
