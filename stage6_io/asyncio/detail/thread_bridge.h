// How another thread reaches what waits for it on a loop. Futures and tasks belong to the loop's thread and are counted
// without atomics, so a thread may not even hold one; it holds a mailbox and a number.
// Mirrors: the call_soon_threadsafe() inside Lib/asyncio/futures.py, _chain_future. Read next: ../wrap_future.h
#pragma once

#include <asyncio/loop.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace asyncio::detail {

/// The way into a loop, for threads that may outlive it: whether the loop is still there is found out under the lock.
class Mailbox {
 public:
  explicit Mailbox(Loop& loop) noexcept : loop_(&loop) {}
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }
  /// As call_soon_threadsafe(); false if the loop is closed. The callback should hold nothing that cares which thread
  /// destroys it.
  template <Callback F>
  bool post(F callback) {
    const std::lock_guard lock(mutex_);
    if (!loop_) return false;
    loop_->call_soon_threadsafe(std::move(callback));
    return true;
  }
  /// Whether the caller is on that loop's own thread, inside of it.
  bool is_here() {
    const std::lock_guard lock(mutex_);
    return loop_ && loop_ == Loop::running_or_null();
  }

 private:
  std::mutex mutex_;
  Loop* loop_;  // null once it is closed
};

/// What a thread's message sets off on the loop, once.
class Arrival {
 public:
  virtual ~Arrival() = default;
  virtual void arrive() = 0;
};

/// The arrivals that one loop expects. A loop that is closed expects none any more.
class ThreadBridge final : public LoopService {
 public:
  using Number = std::uint64_t;

  explicit ThreadBridge(Loop& loop) : mailbox_(std::make_shared<Mailbox>(loop)) {}
  void on_close() noexcept override;

  Number expect(std::unique_ptr<Arrival> arrival);
  /// It need not come any more.
  void forget(Number number) noexcept { expected_.erase(number); }
  /// It has come; nothing happens if it was forgotten.
  void arrive(Number number);

  /// What a thread holds: to be called once, from anywhere. On the loop's own thread the arrival takes place at once,
  /// otherwise in a callback. [3.14: _call_set_state asks for the running loop]  False if the loop is closed.
  class Ticket {
   public:
    Ticket(ThreadBridge& bridge, Number number) : mailbox_(bridge.mailbox_), bridge_(&bridge), number_(number) {}
    bool operator()() const;

   private:
    std::shared_ptr<Mailbox> mailbox_;
    ThreadBridge* bridge_;  // as long as the mailbox is open
    Number number_;
  };

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<Number, std::unique_ptr<Arrival>> expected_;
  Number last_ = 0;
};

}  // namespace asyncio::detail
