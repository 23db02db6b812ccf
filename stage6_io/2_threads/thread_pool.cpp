#include "asyncio/thread_pool.h"

#include <asyncio/detail/fork_mutex.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

namespace asyncio {

/// Invariants: (1) after closed_ no job and no thread is added. (2) ended_ is done once closed_ is set and the last
/// thread has left work().
struct ThreadPool::State {
  explicit State(std::size_t workers) : max_workers(workers) { ended.set_running_or_notify_cancel(); }
  void work();

  const std::size_t max_workers;
  std::mutex mutex;  // guards the members below but `ended`, and the pool's threads_
  std::condition_variable job_came;
  std::deque<std::shared_ptr<detail::PooledJob>> jobs;
  std::size_t working = 0;  // threads that have not left work()
  std::size_t idle = 0;     // the threads among them that wait for a job
  bool closed = false;
  ConcurrentFuture<> ended;  // running from the start, so that nobody can cancel it
};

void ThreadPool::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    ++idle;
    job_came.wait(lock, [this] { return !jobs.empty() || closed; });
    --idle;
    if (jobs.empty()) break;
    std::shared_ptr<detail::PooledJob> job = std::move(jobs.front());
    jobs.pop_front();
    lock.unlock();
    job->run();
    job.reset();
    lock.lock();
  }
  const bool last = --working == 0;
  lock.unlock();
  if (last) ended.set_result();
}

ThreadPool::ThreadPool(std::size_t max_workers)
    : state_(std::make_shared<State>(max_workers)), forks_(detail::forks()) {
  if (max_workers == 0) throw std::invalid_argument("max_workers must be greater than 0");
}

std::size_t ThreadPool::default_workers() noexcept {
  return std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
}

// The threads are the parent's. The child's copies of them can be neither joined nor waited for, and of what they share
// with the pool the mutex may be locked for ever: all of that is left as it is.
void ThreadPool::begin_anew_in_forked_child() {
  if (forks_ == detail::forks()) [[likely]]
    return;
  static detail::ForkMutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time.get());
  if (forks_ == detail::forks()) return;
  struct Left {
    std::shared_ptr<State> state;
    std::vector<std::thread> threads;
    Left* before = nullptr;
  };
  static Left* all_left = nullptr;
  auto fresh = std::make_shared<State>(state_->max_workers);
  auto left = std::make_unique<Left>();
  fresh->closed = state_->closed;
  if (fresh->closed) fresh->ended.set_result();
  left->state.swap(state_);
  left->threads.swap(threads_);
  left->before = all_left;
  all_left = left.release();
  state_ = std::move(fresh);
  forks_ = detail::forks();
}

void ThreadPool::enqueue(std::shared_ptr<detail::PooledJob> job) {
  begin_anew_in_forked_child();
  const std::lock_guard lock(state_->mutex);
  if (state_->closed) throw std::runtime_error("cannot schedule new futures after shutdown");
  state_->jobs.push_back(std::move(job));
  // A notified thread counts as idle until it has taken its job, so `idle` is compared with all jobs in the queue.
  if (state_->jobs.size() > state_->idle && threads_.size() < state_->max_workers) {
    try {
      threads_.emplace_back();
      threads_.back() = std::thread([state = state_] { state->work(); });
      ++state_->working;
    } catch (...) {
      if (!threads_.empty() && !threads_.back().joinable()) threads_.pop_back();
      if (threads_.empty()) {  // otherwise one of the others will run the job
        state_->jobs.pop_back();
        throw;
      }
    }
  }
  state_->job_came.notify_one();
}

void ThreadPool::shutdown(bool wait) {
  begin_anew_in_forked_child();
  std::vector<std::thread> threads;
  bool ended = false;
  {
    const std::lock_guard lock(state_->mutex);
    ended = !std::exchange(state_->closed, true) && state_->working == 0;
    state_->job_came.notify_all();
    if (wait) threads.swap(threads_);
  }
  if (ended) state_->ended.set_result();
  if (!wait) return;
  for (std::thread& thread : threads) {
    // A job that holds the last reference to its pool destroys it here, and must not wait for itself.
    thread.get_id() == std::this_thread::get_id() ? thread.detach() : thread.join();
  }
}

ThreadPool::~ThreadPool() {
  try {
    begin_anew_in_forked_child();
  } catch (const std::bad_alloc&) {  // the threads' copies are detached below
  }
  bool left_alone = false;
  {
    const std::lock_guard lock(state_->mutex);
    left_alone = state_->closed;
  }
  if (!left_alone) shutdown();
  for (std::thread& thread : threads_) thread.detach();
}

const ConcurrentFuture<>& ThreadPool::ended() const noexcept { return state_->ended; }

std::size_t ThreadPool::max_workers() const noexcept { return state_->max_workers; }

std::size_t ThreadPool::threads() const {
  if (forks_ != detail::forks()) return 0;
  const std::lock_guard lock(state_->mutex);
  return threads_.size();
}

}  // namespace asyncio
