// staggered_race(): several attempts, each started some time after the one before; the first to succeed wins.
// Mirrors: Lib/asyncio/staggered.py, staggered_race. Read next: ../../connections.cpp
#pragma once

#include <asyncio/event.h>
#include <asyncio/sleep.h>
#include <asyncio/task.h>
#include <asyncio/time_limit.h>
#include <asyncio/wait_for.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// At most one winner, and the exception of each attempt that was started; null for the winner.
template <class T>
struct RaceResult {
  RaceResult() = default;
  std::optional<T> winner;
  std::size_t index = 0;
  std::vector<std::exception_ptr> exceptions;
};

/// Invariants: (1) tasks_[i] makes tasks_[i + 1] when it starts the i-th attempt, so there is one task more than
/// attempts. (2) A task waits until it is in tasks_: an eager one begins before.
template <class T>
class StaggeredRace {
 public:
  using Attempt = std::function<Coro<T>()>;
  StaggeredRace(std::vector<Attempt> attempts, TimeLimit delay) : attempts_(std::move(attempts)), delay_(delay) {
    tasks_.reserve(attempts_.size() + 1);  // a task that is not in it would outlive this
  }
  StaggeredRace(const StaggeredRace&) = delete;
  StaggeredRace& operator=(const StaggeredRace&) = delete;

  /// Returns when all attempts have ended. If it is cancelled, it cancels them all and waits for them.
  Coro<RaceResult<T>> run() {
    start_next(nullptr);
    std::optional<CancelledError> cancelled;
    for (std::size_t i = 0; i < tasks_.size();) {  // tasks_ grows meanwhile
      if (tasks_[i].done()) {
        ++i;
        continue;
      }
      const Future<> ended = end_of(tasks_[i]);
      try {
        if (ended) {
          co_await ended;
        } else {
          co_await sleep(std::chrono::seconds(0));
        }
      } catch (const CancelledError& error) {
        cancelled = error;
        cancel_all_but(tasks_.size(), error.message());
      }
    }
    if (cancelled) throw *cancelled;
    if (no_memory_) std::rethrow_exception(no_memory_);
    for (const Task<>& task : tasks_) {
      if (!task.cancelled() && task.exception()) std::rethrow_exception(task.exception());  // a bug, or Ctrl-C
    }
    co_return std::move(result_);
  }

 private:
  /// Empty if there is no memory to wait: then cancels all, which use this object, and run() looks in each tick.
  Future<> end_of(const Task<>& task) {
    try {
      Future<> ended = create_future();
      task.add_done_callback([ended](const Task<>&) {
        if (!ended.done()) ended.set_result();
      });
      return ended;
    } catch (const std::bad_alloc&) {
      no_memory_ = std::current_exception();
      cancel_all_but(tasks_.size(), {});
      return Future<>();
    }
  }

  void start_next(std::shared_ptr<Event> previous_failed) {
    const auto ok_to_start = std::make_shared<Event>();
    tasks_.push_back(create_task(run_one(ok_to_start, std::move(previous_failed))));
    ok_to_start->set();
  }

  Coro<> run_one(std::shared_ptr<Event> ok_to_start, std::shared_ptr<Event> previous_failed) {
    co_await ok_to_start->wait();
    if (previous_failed) {
      try {
        co_await wait_for(previous_failed->wait(), delay_);
      } catch (const TimeoutError&) {
      }
    }
    const std::size_t index = result_.exceptions.size();
    if (index == attempts_.size()) co_return;
    const auto failed = std::make_shared<Event>();
    start_next(failed);
    result_.exceptions.emplace_back();
    try {
      T value = co_await attempts_[index]();
      result_.winner = std::move(value);
      result_.index = index;
      cancel_all_but(index, {});
      co_return;
    } catch (...) {
      if (current_exception_is_fatal()) throw;
      result_.exceptions[index] = std::current_exception();
    }
    failed->set();
  }

  void cancel_all_but(std::size_t winner, std::string_view message) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (i != winner) tasks_[i].cancel(message);
    }
  }

  std::vector<Attempt> attempts_;
  TimeLimit delay_;
  std::vector<Task<>> tasks_;
  RaceResult<T> result_;
  std::exception_ptr no_memory_;
};

/// `delay`: how long an attempt runs before the next one starts beside it; no limit: until it fails.
template <class T>
Coro<RaceResult<T>> staggered_race(std::vector<std::function<Coro<T>()>> attempts, TimeLimit delay) {
  StaggeredRace<T> race(std::move(attempts), delay);
  RaceResult<T> result = co_await race.run();
  co_return result;
}

}  // namespace asyncio::detail
