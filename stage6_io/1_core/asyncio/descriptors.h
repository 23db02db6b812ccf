// add_reader(), add_writer(), remove_reader(), remove_writer(): a callback for each time a descriptor is ready. All I/O
// stands on these four.
// Mirrors: BaseSelectorEventLoop.add_reader, remove_reader, add_writer, remove_writer. Read next: signals.h
#pragma once

#include <asyncio/selector_core.h>

#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The loop's selector. A loop that still runs on its first core, a SleepCore, moves to an AutoCore here and loses
/// nothing. Throws std::logic_error if the loop runs on another core that cannot watch descriptors (virtual time and
/// real sockets do not go together), std::runtime_error if the loop is closed.
SelectorCore& selector_of(Loop& loop);

template <Callback F>
Handle watch(Loop& loop, int fd, Readiness way, F&& callback, std::source_location where) {
  static_assert(!returns_coro<F>,
                "coroutines cannot be used with add_reader() or add_writer(): call create_task() in the callback");
  check_callable(callback);
  return selector_of(loop).watch(
      fd, way, Ref<WatchState>(new WatchNode<std::decay_t<F>>(std::forward<F>(callback), where), adopt));
}
bool unwatch(Loop& loop, int fd, Readiness way);

/// Throws std::invalid_argument for a negative fd, and std::runtime_error("File descriptor 7 is used by transport …") if
/// a transport owns it and is not closing.
void check_unclaimed(Loop& loop, int fd);

}  // namespace detail

/// Runs `callback` in each tick in which reading from `fd` would not block: it has data, is at its end, or has failed.
/// Within the tick the callback runs after those that were scheduled before, and before timers. It replaces and cancels
/// the reader that `fd` had. The caller keeps the descriptor and removes the reader before closing it.
/// Throws std::invalid_argument (negative fd, empty callback), std::system_error (closed fd), std::runtime_error (fd
/// belongs to a transport), and what detail::selector_of() throws. All four functions refuse a negative fd, and one of a
/// transport.
template <Callback F>
Handle add_reader(Loop& loop, int fd, F&& callback, std::source_location where = std::source_location::current()) {
  detail::check_unclaimed(loop, fd);
  return detail::watch(loop, fd, Readiness::read, std::forward<F>(callback), where);
}
/// Like add_reader(), for writing: there is room for at least one byte, or the descriptor has failed.
template <Callback F>
Handle add_writer(Loop& loop, int fd, F&& callback, std::source_location where = std::source_location::current()) {
  detail::check_unclaimed(loop, fd);
  return detail::watch(loop, fd, Readiness::write, std::forward<F>(callback), where);
}

/// False if `fd` had no reader, or the loop is closed. A reader that is already in the ready queue does not run.
inline bool remove_reader(Loop& loop, int fd) {
  detail::check_unclaimed(loop, fd);
  return detail::unwatch(loop, fd, Readiness::read);
}
/// False if `fd` had no writer, or the loop is closed. [remove_writer]
inline bool remove_writer(Loop& loop, int fd) {
  detail::check_unclaimed(loop, fd);
  return detail::unwatch(loop, fd, Readiness::write);
}

/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
template <Callback F>
Handle add_reader(int fd, F&& callback, std::source_location where = std::source_location::current()) {
  return add_reader(Loop::running(), fd, std::forward<F>(callback), where);
}
/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
template <Callback F>
Handle add_writer(int fd, F&& callback, std::source_location where = std::source_location::current()) {
  return add_writer(Loop::running(), fd, std::forward<F>(callback), where);
}
/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
inline bool remove_reader(int fd) { return remove_reader(Loop::running(), fd); }
/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
inline bool remove_writer(int fd) { return remove_writer(Loop::running(), fd); }

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a descriptor's callback runs in the tick that finds it ready, behind what was ready before, and before
//   timers. A busy loop looks at intervals: see selector_core.h.
// Errors: std::invalid_argument for a negative descriptor and an empty callback, std::system_error for a closed
//   descriptor, std::runtime_error for a transport's, for a closed loop and without a running one, std::logic_error
//   if the core cannot watch.
// Units: `fd` is the kernel's number.
