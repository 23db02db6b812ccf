// run_in_executor(): what would block the loop, in another thread, and its result as a future.
// Mirrors: Lib/asyncio/base_events.py: run_in_executor, set_default_executor, shutdown_default_executor.
// Read next: threads.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/thread_pool.h>
#include <asyncio/time_limit.h>
#include <asyncio/wrap_future.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {

/// A loop's own pool: made when it is first needed. A Runner waits for its jobs before it closes the loop; a loop that
/// is closed without one leaves them to themselves.
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

/// Calls `function(args…)` in a thread of the pool: a future of the loop, which gets what it returns or throws.
/// Function and arguments are copied or moved, and destroyed over there. Cancelling the future keeps a job from running
/// that has not begun; one that has runs to its end, and its result is dropped. Throws std::runtime_error if the loop
/// is closed or the pool shut down.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(Loop& loop, ThreadPool& pool, F&& function, Args&&... args) {
  loop.check_closed();
  return wrap_future(pool.submit(std::forward<F>(function), std::forward<Args>(args)...), loop);
}
/// … in the loop's default pool.
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(Loop& loop, F&& function, Args&&... args) {
  ThreadPool& pool = loop.service<detail::DefaultExecutor>().pool();
  return run_in_executor(loop, pool, std::forward<F>(function), std::forward<Args>(args)...);
}
// The same for the running loop; without one: std::runtime_error("no running event loop").
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(ThreadPool& pool, F&& function, Args&&... args) {
  return run_in_executor(Loop::running(), pool, std::forward<F>(function), std::forward<Args>(args)...);
}
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto run_in_executor(F&& function, Args&&... args) {
  return run_in_executor(Loop::running(), std::forward<F>(function), std::forward<Args>(args)...);
}

/// From now on this is the loop's default pool. Throws std::invalid_argument if it is null.
void set_default_executor(Loop& loop, std::shared_ptr<ThreadPool> pool);

/// Waits until the jobs of the default pool have ended, and its threads with them; a pool that was never used costs
/// nothing. When the time is over, says so through the exception handler and leaves them to themselves. From the call
/// on the default pool takes no more jobs.
Coro<> shutdown_default_executor(TimeLimit timeout = {});

}  // namespace asyncio
