// The part of as_completed() that does not depend on types: a queue of the numbers of the futures that are done.
// Mirrors: the queues.Queue inside _AsCompletedIterator (stage 5 has ours). Read next: ../as_completed.h
#pragma once

#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/pooled_vector.h>
#include <asyncio/task.h>

#include <cstddef>
#include <string>

namespace asyncio::detail {

class CompletionQueue;

/// The done-callback of one of the futures. It holds only the queue.
class CompletionCallback final : public DoneCallback {
 public:
  explicit CompletionCallback(CompletionQueue& queue) noexcept : queue_(queue) {}

 private:
  void run(Loop& loop) override;
  void drop() noexcept override;
  void add_awaiters(Awaiters& found) override;
  std::string repr() const override { return "<done-callback of as_completed()>"; }

  CompletionQueue& queue_;
};

class CompletionQueue final : public RefCounted<CompletionQueue>, public Pooled {
 public:
  class Getter;
  static constexpr std::size_t kTimeout = ~std::size_t{0};  // a future was not done in time

  explicit CompletionQueue(std::size_t futures) : todo_(futures) {
    done_.reserve(futures);       // put() cannot fail
    callbacks_.reserve(futures);  // they must stay where they are
  }

  /// Call it for each future, in the order of their numbers.
  void add(FutureBase& future);
  /// Of the future that has this number. Has no effect once that is done.
  void remove_callback(FutureBase& future, std::size_t number) noexcept;
  /// Puts a kTimeout for each future that is not done. Cancels none.
  void on_timeout();
  void set_timer(TimerHandle timer) { timer_ = std::move(timer); }

 private:
  friend CompletionCallback;

  void on_completion(const CompletionCallback& callback);
  bool empty() const noexcept { return taken_ == done_.size(); }
  void put(std::size_t number);
  void wake_up_next();

  std::size_t todo_;                // futures that are not done
  PooledVector<std::size_t> done_;  // numbers, or kTimeout
  std::size_t taken_ = 0;           // how many of done_ were taken
  PooledVector<CompletionCallback> callbacks_;
  IntrusiveList<Getter> getters_;  // those that are to be woken
  TimerHandle timer_;
};

/// The awaiter of the next number. Several tasks may wait: they are served in order of arrival. One that is woken in
/// vain goes to the end of the line, as in CPython.
class CompletionQueue::Getter : public FrameFuture, public ListLink {
 public:
  bool await_ready() const noexcept { return !queue_->empty(); }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    queue_->getters_.push_back(*this);
    suspend_until_satisfied(frame.promise());
  }
  std::size_t await_resume();
  std::string repr() const override { return "<next of as_completed()>"; }

 protected:
  explicit Getter(Ref<CompletionQueue> queue) noexcept : queue_(std::move(queue)) {}
  ~Getter() {
    if (linked()) IntrusiveList<Getter>::remove(*this);
  }

 private:
  friend CompletionQueue;
  friend CompletionCallback;
  bool waits_again() noexcept override;

  Ref<CompletionQueue> queue_;  // alive until this has left its list
};

}  // namespace asyncio::detail
