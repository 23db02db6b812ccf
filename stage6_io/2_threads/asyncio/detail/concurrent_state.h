// The state behind the handles of a ConcurrentFuture, which several threads share under a mutex.
// Mirrors: Lib/concurrent/futures/_base.py, Future. Read next: ../concurrent_future.h
#pragma once

#include <asyncio/detail/fork_mutex.h>
#include <asyncio/time_limit.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Pending → running → finished, or pending → cancelled.
/// Invariants: (1) callbacks_ is empty once the state is done. (2) A callback runs once, without the lock, in the
/// thread that completes the state; if it is added afterwards, in the thread that adds it.
class ConcurrentState : public std::enable_shared_from_this<ConcurrentState> {
 public:
  class Callback {
   public:
    virtual ~Callback() = default;
    virtual void call(const std::shared_ptr<ConcurrentState>& done) = 0;
  };
  template <class F>
  class PlainCallback final : public Callback {
   public:
    explicit PlainCallback(F callback) : callback_(std::move(callback)) {}
    void call(const std::shared_ptr<ConcurrentState>&) override { callback_(); }

   private:
    F callback_;
  };

  ConcurrentState() = default;
  ConcurrentState(const ConcurrentState&) = delete;
  ConcurrentState& operator=(const ConcurrentState&) = delete;
  virtual ~ConcurrentState() = default;

  bool cancelled() const { return state() == State::cancelled; }
  bool running() const { return state() == State::running; }
  bool done() const { return state() > State::running; }

  bool cancel();
  bool set_running_or_notify_cancel();
  void set_exception(std::exception_ptr error);
  void add_done_callback(std::unique_ptr<Callback> callback);

  /// Waits until it is done. Throws TimeoutError.
  void wait(TimeLimit limit) const;
  /// REQUIRES: done(). Throws CancelledError if it was cancelled.
  const std::exception_ptr& exception() const;
  /// Moves the exception out. Later calls get InvalidStateError.
  std::exception_ptr take_exception();

  // The number of user handles: the last one may move the result out. Release and acquire make sure that all reads
  // through other handles have happened before the last handle sees that it is the last.
  void add_handle() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop_handle() noexcept { handles_.fetch_sub(1, std::memory_order_release); }
  bool has_one_handle() const noexcept { return handles_.load(std::memory_order_acquire) == 1; }

 protected:
  enum class State : std::uint8_t { pending, running, cancelled, finished };

  State state() const {
    const std::lock_guard lock(mutex_.get());
    return state_;
  }
  /// Calls `store` under the lock. Throws InvalidStateError if the state is done.
  template <class Store>
  void finish(Store store) {
    std::vector<std::unique_ptr<Callback>> callbacks;
    {
      const std::lock_guard lock(mutex_.get());
      check_not_done();
      store();
      callbacks = settle(State::finished);
    }
    call(callbacks);
  }

 private:
  void check_not_done() const;
  std::vector<std::unique_ptr<Callback>> settle(State state) noexcept;
  void call(std::vector<std::unique_ptr<Callback>>& callbacks);

  mutable ForkMutex mutex_;  // guards the next four
  mutable std::condition_variable done_;
  State state_ = State::pending;
  std::exception_ptr exception_;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  std::atomic<std::uint32_t> handles_ = 0;
};

/// A state with room for a result.
template <class T>
class ConcurrentStateOf : public ConcurrentState {
 public:
  template <class U>
  void set_result(U&& value) {
    finish([&] { value_.emplace(std::forward<U>(value)); });
  }
  /// REQUIRES: done(), neither cancelled nor failed. Empty after the result was moved out.
  std::optional<T>& value() noexcept { return value_; }

 private:
  std::optional<T> value_;  // written under the lock; read only after done()
};

template <>
class ConcurrentStateOf<void> : public ConcurrentState {
 public:
  void set_result() {
    finish([] {});
  }
};

}  // namespace asyncio::detail
