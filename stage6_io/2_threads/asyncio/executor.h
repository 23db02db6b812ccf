// run_in_executor(): runs a function that would block the loop in another thread, and gives its result as a future.
// Mirrors: Lib/asyncio/base_events.py: run_in_executor, set_default_executor, shutdown_default_executor.
// Read next: wrap_future.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/thread_pool.h>
#include <asyncio/time_limit.h>
#include <asyncio/wrap_future.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {

/// The loop's own pool, made when it is first needed. A Runner waits for its jobs before it closes the loop. A loop
/// that is closed without a Runner leaves the jobs running.
class DefaultExecutor final : public LoopService {
 public:
  static constexpr Duration kJoinTimeout = std::chrono::seconds(300);  // [THREAD_JOIN_TIMEOUT]

  explicit DefaultExecutor(Loop& loop) noexcept : loop_(loop) {}
  bool shut_down() override;
  void on_close() noexcept override;

  /// Throws std::runtime_error("Executor shutdown has been called").
  ThreadPool& pool();
  void set_pool(std::shared_ptr<ThreadPool> pool);
  Coro<> shut_down(TimeLimit timeout);

 private:
  Loop& loop_;
  std::shared_ptr<ThreadPool> pool_;
  bool shutdown_called_ = false;
};

}  // namespace detail

/// Calls `function(args…)` in a thread of the pool. Returns a future of the loop that gets what it returns or throws.
/// Function and arguments are copied or moved, and destroyed in that thread. Cancelling the future prevents a job that
/// has not started; a job that has started runs to its end, and its result is dropped. Throws std::runtime_error if the
/// loop is closed or the pool is shut down.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(Loop& loop, ThreadPool& pool, F&& function, Args&&... args) {
  static_assert(!detail::is_coro<detail::job_result_t<F, Args...>>,
                "coroutines cannot be used with run_in_executor() or to_thread(): a thread has no loop to run them");
  loop.check_closed();
  return wrap_future(pool.submit(std::forward<F>(function), std::forward<Args>(args)...), loop);
}
/// Uses the loop's default pool.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(Loop& loop, F&& function, Args&&... args) {
  ThreadPool& pool = loop.service<detail::DefaultExecutor>().pool();
  return run_in_executor(loop, pool, std::forward<F>(function), std::forward<Args>(args)...);
}
/// The same for the running loop. Throws std::runtime_error("no running event loop") if there is none.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(ThreadPool& pool, F&& function, Args&&... args) {
  return run_in_executor(Loop::running(), pool, std::forward<F>(function), std::forward<Args>(args)...);
}
/// The same for the running loop and its default pool.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(F&& function, Args&&... args) {
  return run_in_executor(Loop::running(), std::forward<F>(function), std::forward<Args>(args)...);
}

/// Replaces the loop's default pool. Throws std::invalid_argument if `pool` is null.
void set_default_executor(Loop& loop, std::shared_ptr<ThreadPool> pool);

/// Waits until the jobs and threads of the default pool have ended; costs nothing if the pool was never used. After
/// `timeout` it reports that to the exception handler and leaves them running. The default pool takes no more jobs as
/// soon as this is called.
Coro<> shutdown_default_executor(TimeLimit timeout = {});

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop; the job runs in a thread of the pool.
// Ticks: a job's result reaches the loop in the tick that finds its end. Who awaits it runs in the next one.
// Errors: what the job throws, at the await; std::runtime_error for a closed loop, for a pool that is shut down, and
//   without a running loop; std::invalid_argument for a null pool.
// Units: the timeout is any std::chrono duration, from the await on.
