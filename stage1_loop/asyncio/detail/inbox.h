// What reaches a loop from outside its thread: callbacks of other threads, and signals.
// Mirrors: the self-pipe of Lib/asyncio/selector_events.py. Skip on a first reading. Read next: ../threadsafe_handle.h
#pragma once

#include <asyncio/core.h>
#include <asyncio/detail/fork_mutex.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/threadsafe_handle.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace asyncio::detail {

/// Thread safety: post() may be called from any thread, notify_signal() from a signal handler on the loop's thread; the
/// rest by the loop only. Both wake the core.
class Inbox {
 public:
  explicit Inbox(Core* core) noexcept : core_(core) {}

  /// Throws std::runtime_error("Event loop is closed"). Needs no memory.
  void post(std::shared_ptr<ThreadSafeState> callback);
  /// Async-signal-safe. 1 <= signal < 64.
  void notify_signal(int signal) noexcept;
  /// Called for each signal noted, in the tick that finds it: behind the callbacks that are ready then.
  void set_signal_callback(std::function<void(int)> callback) { signal_callback_ = std::move(callback); }

  /// Whether there is anything. A busy loop asks every tick.
  bool pending() const noexcept { return pending_.load(std::memory_order_acquire) != 0; }
  bool has_callbacks() const noexcept { return (pending_.load(std::memory_order_acquire) & kCallbacks) != 0; }
  /// Moves the callbacks to the end of `ready`, in the order in which they were posted.
  void take_callbacks(ReadyQueue& ready) noexcept;
  /// Schedules the signal callback for each signal.
  void take_signals(Loop& loop);

  void set_core(Core& core);
  /// From now on post() throws.
  void close();

 private:
  static constexpr std::uint64_t kCallbacks = 1;

  // A forked child may find the queue half changed. What is in it is for its parent's loop.
  static void forget_callbacks(void* inbox) noexcept;

  std::atomic<std::uint64_t> pending_ = 0;   // bit 0: there are callbacks; bit n: signal n came
  ForkMutex mutex_{forget_callbacks, this};  // guards the next three
  IntrusiveQueue<ThreadSafeState, Wakeup> callbacks_;
  bool closed_ = false;
  Core* core_;
  std::function<void(int)> signal_callback_;
};

}  // namespace asyncio::detail
