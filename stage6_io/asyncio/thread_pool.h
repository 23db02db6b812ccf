// ThreadPool: threads that run what would block the loop.
// Mirrors: Lib/concurrent/futures/thread.py, ThreadPoolExecutor. Read next: executor.h
#pragma once

#include <asyncio/concurrent_future.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

template <class F, class... Args>
using job_result_t = std::decay_t<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;

template <class F, class... Args>
concept Job = std::invocable<std::decay_t<F>, std::decay_t<Args>...>;

/// The function and its arguments, copied or moved, to be called once: std::move(job)().
template <class F, class... Args>
auto bind_job(F&& function, Args&&... args) {
  check_callable(function);
  return std::bind_front(std::forward<F>(function), std::forward<Args>(args)...);
}

class PooledJob {
 public:
  virtual ~PooledJob() = default;
  virtual void run() noexcept = 0;
};

/// A job is its own future's state. What the function captured is destroyed before the future is done.
template <class T, class F>
class JobOf final : public PooledJob, public ConcurrentStateOf<T> {
 public:
  explicit JobOf(F&& function) : function_(std::move(function)) {}

  void run() noexcept override {
    if (!this->set_running_or_notify_cancel()) return function_.reset();
    std::exception_ptr error;
    try {
      call();
    } catch (...) {
      error = std::current_exception();
    }
    if (error) this->set_exception(std::move(error));
  }

 private:
  void call() {
    struct DestroyAtEnd {
      std::optional<F>& function;
      ~DestroyAtEnd() { function.reset(); }
    };
    const auto call_once = [this]() -> T {
      const DestroyAtEnd destroy{function_};
      return std::invoke(std::move(*function_));
    };
    if constexpr (std::is_void_v<T>) {
      call_once();
      this->set_result();
    } else {
      this->set_result(call_once());
    }
  }

  std::optional<F> function_;
};

}  // namespace detail

/// At most `max_workers` threads. One is made when a job comes and no thread is idle; a pool that gets no job has none.
/// The threads hear no signals.
///
/// Thread safety: submit(), shutdown() and the observers from any thread.
class ThreadPool {
 public:
  /// Throws std::invalid_argument for 0 workers.
  explicit ThreadPool(std::size_t max_workers = default_workers());
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// shutdown(), unless that was called; after shutdown(false) the threads are left alone.
  ~ThreadPool();

  /// Runs `function(args…)`, which it copies or moves, in one of the threads; first in, first out. What the function
  /// holds is destroyed there. Throws std::runtime_error after shutdown(), std::system_error if there is no thread and
  /// none is to be had.
  template <class F, class... Args>
    requires detail::Job<F, Args...>
  auto submit(F&& function, Args&&... args) {
    auto bound = detail::bind_job(std::forward<F>(function), std::forward<Args>(args)...);
    using T = detail::job_result_t<F, Args...>;
    auto job = std::make_shared<detail::JobOf<T, decltype(bound)>>(std::move(bound));
    ConcurrentFuture<T> future(std::static_pointer_cast<detail::ConcurrentStateOf<T>>(job));
    enqueue(std::move(job));
    return future;
  }

  /// Takes no more jobs; those it has will run. Waits for them to end and joins the threads, or with `wait` false
  /// leaves both to themselves. May be called several times.
  void shutdown(bool wait = true);
  /// Done when shutdown() was called and all jobs have run.
  const ConcurrentFuture<>& ended() const noexcept;

  std::size_t max_workers() const noexcept;
  /// How many threads were made.
  std::size_t threads() const;

  /// One for each processor and four more, as they are expected to wait more than to compute; at most 32.
  static std::size_t default_workers() noexcept;

 private:
  struct State;
  void enqueue(std::shared_ptr<detail::PooledJob> job);

  std::shared_ptr<State> state_;  // shared with the threads, which may outlive the pool
  std::vector<std::thread> threads_;
};

}  // namespace asyncio
