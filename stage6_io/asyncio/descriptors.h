// add_reader() and its kin: a callback for each time a descriptor is ready. All of I/O stands on these four.
// Mirrors: BaseSelectorEventLoop.add_reader, remove_reader, add_writer, remove_writer. Read next: socket.h
#pragma once

#include <asyncio/selector_core.h>

#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The loop's selector. A loop that has none yet, and runs on the SleepCore every loop begins with, goes on on a
/// FirstCore from here; nothing under way is lost. Throws std::logic_error if its core is another one that cannot watch
/// descriptors (virtual time and real sockets do not go together), std::runtime_error if the loop is closed.
SelectorCore& selector_of(Loop& loop);

template <Callback F>
Handle watch(Loop& loop, int fd, Readiness way, F&& callback, std::source_location where) {
  check_callable(callback);
  return selector_of(loop).watch(
      fd, way, Ref<WatchState>(new WatchNode<std::decay_t<F>>(std::forward<F>(callback), where), adopt));
}
bool unwatch(Loop& loop, int fd, Readiness way);

/// Throws std::runtime_error("File descriptor 7 is used by transport …") if it belongs to one that is not closing.
void check_unclaimed(Loop& loop, int fd);

}  // namespace detail

/// Runs `callback` in each tick in which reading from `fd` would not block: there are data, or it is at its end, or it
/// has failed. In the tick's order it comes after what was scheduled before, and before timers. A reader that `fd` had
/// is cancelled and replaced. The descriptor stays the caller's: remove the reader before closing it.
/// Throws std::invalid_argument (a negative fd, an empty callback), std::system_error (a closed fd), std::runtime_error
/// (one that belongs to a transport, here as in the next three), and what detail::selector_of() throws.
template <Callback F>
Handle add_reader(Loop& loop, int fd, F&& callback, std::source_location where = std::source_location::current()) {
  detail::check_unclaimed(loop, fd);
  return detail::watch(loop, fd, Readiness::read, std::forward<F>(callback), where);
}
/// The same for writing: there is room for at least one byte, or it has failed.
template <Callback F>
Handle add_writer(Loop& loop, int fd, F&& callback, std::source_location where = std::source_location::current()) {
  detail::check_unclaimed(loop, fd);
  return detail::watch(loop, fd, Readiness::write, std::forward<F>(callback), where);
}

/// False if there was none, or the loop is closed. One that waits for its turn already does not run any more.
inline bool remove_reader(Loop& loop, int fd) {
  detail::check_unclaimed(loop, fd);
  return detail::unwatch(loop, fd, Readiness::read);
}
inline bool remove_writer(Loop& loop, int fd) {
  detail::check_unclaimed(loop, fd);
  return detail::unwatch(loop, fd, Readiness::write);
}

// The same for the running loop; without one: std::runtime_error("no running event loop").
template <Callback F>
Handle add_reader(int fd, F&& callback, std::source_location where = std::source_location::current()) {
  return add_reader(Loop::running(), fd, std::forward<F>(callback), where);
}
template <Callback F>
Handle add_writer(int fd, F&& callback, std::source_location where = std::source_location::current()) {
  return add_writer(Loop::running(), fd, std::forward<F>(callback), where);
}
inline bool remove_reader(int fd) { return remove_reader(Loop::running(), fd); }
inline bool remove_writer(int fd) { return remove_writer(Loop::running(), fd); }

}  // namespace asyncio
