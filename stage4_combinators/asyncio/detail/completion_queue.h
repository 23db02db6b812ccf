// The part of as_completed() that does not depend on types: a queue of futures that are done, by their
// numbers. Mirrors: the queues.Queue inside _AsCompletedIterator (which for us is a stage too high). Read
// next: ../as_completed.h
#pragma once

#include <asyncio/task.h>

#include <deque>

namespace asyncio::detail {

class CompletionQueue final : public Pooled {
 public:
  static constexpr std::size_t kTimeout = ~std::size_t{0};  // in place of a number: not done in time

  explicit CompletionQueue(std::size_t futures) noexcept : todo_(futures) {}

  void on_completion(std::size_t number);
  /// One kTimeout for each future that is not done; nothing is cancelled.
  void on_timeout();
  void set_timer(TimerHandle timer) { timer_ = std::move(timer); }

  /// Waits for the next number. Several tasks may wait: they are served in the order in which they came.
  Coro<std::size_t> get();

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  void put(std::size_t number);
  void wake_up_next();

  std::size_t todo_;  // futures that are not done
  std::deque<std::size_t> done_;
  std::deque<Future<>> getters_;
  TimerHandle timer_;
  std::uint32_t refs_ = 1;
};

}  // namespace asyncio::detail
