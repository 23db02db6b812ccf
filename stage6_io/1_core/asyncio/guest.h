// start_guest_run(): our loop as a guest in somebody else's, such as GLib's. Only the host waits. Linux only.
// Mirrors: trio.lowlevel.start_guest_run; asyncio has none.
// Read next: ../../2_threads/asyncio/concurrent_future.h
#pragma once

#ifdef __linux__

#include <asyncio/run.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace asyncio {

/// A loop and its main task, without a run_forever(): a host, which has a loop of its own, runs it tick by tick. In
/// each of its turns the host
///   1. asks timeout() how long it may wait, and waits at most so long, and until descriptor() is readable at most,
///   2. calls tick(), until that returns false.
/// To ask too often, or to call tick() for nothing, does no harm. So one loop waits, the host's, and each wakes the
/// other: what our loop waits for makes the descriptor readable or the time-out end; and what the host's callbacks do
/// with our loop (call_soon(), cancel(), set_result() …) makes the next timeout() zero.
///
/// Belongs to one thread, which is the host's. No signal is caught unless add_signal_handler() is called. A descriptor
/// that is closed while it is watched is not noticed.
class Guest {
 public:
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  /// If the host quits early, cancels all tasks, and runs the loop until they have ended: here the host has to wait.
  virtual ~Guest();

  /// How long the host may wait: zero or less if there is something to do, nullopt for as long as it likes. Runs
  /// nothing. During a tick, as when a coroutine runs a host's loop inside: nullopt.
  std::optional<Duration> timeout();
  /// To be watched for reading. Ask again after each tick: another one may have taken its place.
  int descriptor() const noexcept;
  /// Runs what is ready, and never waits. Returns false once the main task, and all that it has left behind, has ended.
  /// Throws KeyboardInterrupt and SystemExit of a callback. Inside of a tick it does nothing.
  bool tick();

  /// The main task has ended. (Its result is to be had.)
  bool done() const noexcept { return done_; }
  /// Asks the main task to end, as Task::cancel() does.
  bool cancel(std::string_view message = {}) { return main_.cancel(message); }
  /// The guest's loop, for call_soon() and the like. It must not be run otherwise.
  Loop& loop() noexcept { return *loop_; }

 protected:
  Guest();
  void start(AnyTask main) { main_ = std::move(main); }

 private:
  class HostedCore;
  class Changes;

  HostedCore* core_;  // the loop's
  Runner runner_;
  Loop* loop_;
  std::shared_ptr<Changes> changes_;
  AnyTask main_;
  bool done_ = false;
};

namespace detail {

/// Cancels all other tasks of the loop, and waits for their ends, as run() does behind its main task.
Coro<> end_other_tasks();

/// What run() would do, as one coroutine: then the host does not wait for it.
template <class T>
Coro<T> run_and_clean_up(Coro<T> main) {
  auto task = create_task(std::move(main));
  try {
    if constexpr (std::is_void_v<T>) {
      co_await task;
    } else {
      static_cast<void>(co_await task);
    }
  } catch (...) {  // result() throws it below
  }
  co_await end_other_tasks();
  co_return std::move(task).result();
}

}  // namespace detail

/// What start_guest_run() returns. Neither copied nor moved.
template <class T>
class GuestRun final : public Guest {
 public:
  /// The main task's result, or its exception. Throws InvalidStateError if it has not ended.
  T result() { return std::move(task_).result(); }

  // ── for the library ──
  explicit GuestRun(Coro<T> main) : task_(create_task(detail::run_and_clean_up(std::move(main)), {.loop = &loop()})) {
    start(task_);
  }

 private:
  Task<T> task_;
};

/// `auto guest = start_guest_run(serve());` Makes a loop and the main task. Nothing runs before the first tick().
/// Takes what run() takes. Throws std::system_error if there are no descriptors left.
template <class A>
[[nodiscard("without a name the guest is cancelled at once")]] auto start_guest_run(A&& main) {
  using T = typename decltype(detail::to_coro(std::forward<A>(main)))::value_type;
  return GuestRun<T>(detail::to_coro(std::forward<A>(main)));
}

}  // namespace asyncio

#endif

// For the whole header, unless a name says otherwise:
// Threads: the thread of the host.
// Ticks: tick() runs one, the destructor as many as the clean-up needs, the others none.
// Errors: std::system_error from start_guest_run(); what the main task throws from result(); KeyboardInterrupt and
//   SystemExit of a callback from tick().
// Units: timeout() is in nanoseconds; descriptor() is the kernel's number.
