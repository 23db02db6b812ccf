// A blocking call in a thread of its own, awaited by a task: for getaddrinfo, which the kernel cannot do for us.
// Mirrors: BaseEventLoop.run_in_executor, as far as a single job goes. Read next: ../getaddrinfo.h
#pragma once

#include <asyncio/detail/waiter.h>
#include <asyncio/loop.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace asyncio::detail {

/// The jobs under way for one loop. A thread knows nothing of the loop but a mailbox, which it shares: whether the
/// loop, or the task that waited, is still there when the job is done is found out under the mailbox's lock.
class HelperThreads final : public LoopService {
 public:
  explicit HelperThreads(Loop& loop) : mailbox_(std::make_shared<Mailbox>()) { mailbox_->loop = &loop; }
  void on_close() noexcept override {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->loop = nullptr;
  }

  /// Starts a thread that calls `job` and then wakes `waiter`. What the job leaves behind has to be in memory that it
  /// shares with whoever waits. Throws std::system_error if no thread is to be had.
  std::uint64_t start(std::function<void()> job, Waiter& waiter);
  /// Nobody waits for that job any more; its thread runs to its end all the same.
  void forget(std::uint64_t job) noexcept { waiters_.erase(job); }

 private:
  struct Mailbox {
    std::mutex mutex;
    Loop* loop = nullptr;  // null once it is closed
  };
  void done(std::uint64_t job);

  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<std::uint64_t, Waiter*> waiters_;
  std::uint64_t last_job_ = 0;
};

class JobAwaiter final : public Waiter {
 public:
  explicit JobAwaiter(std::function<void()> job) noexcept : job_(std::move(job)) {}
  ~JobAwaiter() {
    if (threads_) threads_->forget(number_);
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    HelperThreads& threads = Loop::running().service<HelperThreads>();
    number_ = threads.start(std::move(job_), *this);
    threads_ = &threads;
    suspend(frame.promise());
  }

 private:
  std::function<void()> job_;
  HelperThreads* threads_ = nullptr;
  std::uint64_t number_ = 0;
};

/// `co_await HelperThread(job);` suspends the task until `job` has run in another thread.
class [[nodiscard("co_await it")]] HelperThread {
 public:
  explicit HelperThread(std::function<void()> job) noexcept : job_(std::move(job)) {}
  JobAwaiter operator co_await() && noexcept { return JobAwaiter(std::move(job_)); }

 private:
  std::function<void()> job_;
};

}  // namespace asyncio::detail
