// How another thread starts a callback on a loop. Futures and tasks are counted without atomics, so another thread may
// not even hold one. It holds a mailbox and a number instead.
// Mirrors: the call_soon_threadsafe() inside Lib/asyncio/futures.py, _chain_future. Read next: ../wrap_future.h
#pragma once

#include <asyncio/detail/fork_mutex.h>
#include <asyncio/loop.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <unordered_map>
#include <utility>

namespace asyncio::detail {

/// The way into a loop for threads that may outlive it. The lock protects the check whether the loop still exists.
class Mailbox {
 public:
  explicit Mailbox(Loop& loop) noexcept : loop_(&loop) {}
  void close() noexcept {
    const std::lock_guard lock(mutex_.get());
    loop_ = nullptr;
  }
  /// Like call_soon_threadsafe(), but returns false if the loop is closed. Needs no memory. The callback's captures may
  /// be destroyed in either thread.
  bool post(std::shared_ptr<ThreadSafeState> callback) {
    const std::lock_guard lock(mutex_.get());
    if (!loop_) return false;
    loop_->inbox().post(std::move(callback));
    return true;
  }
  /// True if the caller runs inside that loop, on its thread.
  bool is_here() {
    const std::lock_guard lock(mutex_.get());
    return loop_ && loop_ == Loop::running_or_null();
  }

 private:
  ForkMutex mutex_;
  Loop* loop_;  // null once it is closed
};

/// What runs on the loop, once, when a thread asks for it.
class BridgeCallback {
 public:
  virtual ~BridgeCallback() = default;
  virtual void run() = 0;
};

/// The callbacks of one loop that other threads can start, each by its number. Closing the loop drops them all.
class ThreadBridge final : public LoopService {
 public:
  using Number = std::uint64_t;

  explicit ThreadBridge(Loop& loop) : mailbox_(std::make_shared<Mailbox>(loop)) {}
  void on_close() noexcept override;

  Number add(std::unique_ptr<BridgeCallback> callback);
  void remove(Number number) noexcept { callbacks_.erase(number); }
  /// Runs and removes the callback. Does nothing if it was removed before.
  void run(Number number);

  /// What a thread holds: it may be called once, on any thread. On the loop's own thread it runs the callback at once,
  /// on any other it schedules it. [3.14: _call_set_state asks for the running loop]
  /// Calling it needs no memory: somebody waits for that call.
  class Notifier {
   public:
    Notifier(ThreadBridge& bridge, Number number);
    /// False if the loop is closed.
    bool operator()() const;

   private:
    std::shared_ptr<Mailbox> mailbox_;
    std::shared_ptr<ThreadSafeState> message_;
    ThreadBridge* bridge_;  // valid while the mailbox is open
    Number number_;
  };

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<Number, std::unique_ptr<BridgeCallback>> callbacks_;
  Number last_ = 0;
};

}  // namespace asyncio::detail
