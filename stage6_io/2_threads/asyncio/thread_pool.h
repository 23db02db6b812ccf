// ThreadPool: threads that run functions which would block the loop.
// Mirrors: Lib/concurrent/futures/thread.py, ThreadPoolExecutor. Read next: executor.h
#pragma once

#include <asyncio/concurrent_future.h>
#include <asyncio/detail/scope_exit.h>

#include <atomic>
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

/// A job and the state of its future in one object. The function's captures are destroyed before the future is done.
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
    const auto call_once = [this]() -> T {
      const ScopeExit destroy([this] { function_.reset(); });
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

/// At most `max_workers` threads. A thread is made when a job comes and no thread is idle, so an unused pool has none.
/// These threads block the signals that are blocked where they are made. A forked child has the pool, but none of its
/// threads and jobs.
///
/// Thread safety: all members may be called from any thread.
class ThreadPool {
 public:
  /// Throws std::invalid_argument for 0 workers.
  explicit ThreadPool(std::size_t max_workers = default_workers());
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// Calls shutdown(), unless that was called before; after shutdown(false) it leaves the threads running.
  ~ThreadPool();

  /// Runs `function(args…)` in one of the threads; first in, first out. Function and arguments are copied or moved, and
  /// destroyed in that thread. Throws std::runtime_error after shutdown(), std::system_error if there is no thread and
  /// the system refuses to make one.
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

  /// Takes no more jobs; those in the queue still run. With `wait` it waits for them and joins the threads; without, it
  /// returns at once. May be called several times.
  void shutdown(bool wait = true);
  /// Done when shutdown() was called and all jobs have ended.
  const ConcurrentFuture<>& ended() const noexcept;

  /// How many threads it starts at most.
  std::size_t max_workers() const noexcept;
  /// The number of threads that were made.
  std::size_t threads() const;

  /// The number of processors plus four, at most 32: jobs are expected to wait more than to compute.
  static std::size_t default_workers() noexcept;

 private:
  struct State;
  void enqueue(std::shared_ptr<detail::PooledJob> job);
  void begin_anew_in_forked_child();

  std::shared_ptr<State> state_;  // shared with the threads, which may outlive the pool
  std::vector<std::thread> threads_;
  std::atomic<unsigned> forks_;  // before it was made, or began anew
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread.
// Ticks: none: a pool knows no loop.
// Errors: std::invalid_argument for 0 workers; std::runtime_error after shutdown(); std::system_error if no thread
//   can be made.
// Units: max_workers() and threads() count threads.
