#include "asyncio/executor.h"

#include "asyncio/wait_for.h"

#include <cstdio>
#include <stdexcept>
#include <string>

namespace asyncio {
namespace detail {

ThreadPool& DefaultExecutor::pool() {
  if (shutdown_called_) throw std::runtime_error("Executor shutdown has been called");
  if (!pool_) pool_ = std::make_shared<ThreadPool>();
  return *pool_;
}

void DefaultExecutor::set_pool(std::shared_ptr<ThreadPool> pool) {
  if (!pool) throw std::invalid_argument("executor must be a ThreadPool, not null");
  pool_.swap(pool);
  // If nobody else holds the old pool: its jobs run on, and nobody waits for them.
  if (pool && pool.use_count() == 1) pool->shutdown(false);
}

Coro<> DefaultExecutor::shut_down(TimeLimit timeout) {
  shutdown_called_ = true;
  if (!pool_) co_return;
  const std::shared_ptr<ThreadPool> pool = pool_;
  pool->shutdown(false);
  bool in_time = true;
  try {
    Future<> ended = wrap_future(pool->ended(), loop_);
    co_await wait_for(std::move(ended), timeout);
  } catch (const TimeoutError&) {
    in_time = false;
  }
  if (in_time) {
    pool->shutdown(true);  // all jobs are done: this only joins the threads
  } else {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", std::chrono::duration<double>(timeout.duration()).count());
    loop_.call_exception_handler(  // in CPython's own words
        ErrorContext(std::string("The executor did not finishing joining its threads within ") + seconds +
                     " seconds."));
  }
}

bool DefaultExecutor::shut_down() {
  if (!pool_) return false;
  loop_.run_until_complete(shut_down(kJoinTimeout));
  return true;
}

void DefaultExecutor::on_close() noexcept {
  shutdown_called_ = true;
  if (pool_) pool_->shutdown(false);
}

}  // namespace detail

void set_default_executor(Loop& loop, std::shared_ptr<ThreadPool> pool) {
  loop.service<detail::DefaultExecutor>().set_pool(std::move(pool));
}

Coro<> shutdown_default_executor(TimeLimit timeout) {
  co_await Loop::running().service<detail::DefaultExecutor>().shut_down(timeout);
}

}  // namespace asyncio
