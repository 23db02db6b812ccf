// Several attempts at one thing, each started a little after the one before: the first that succeeds wins.
// Mirrors: Lib/asyncio/staggered.py, staggered_race. Read next: ../../connections.cpp
#pragma once

#include <asyncio/event.h>
#include <asyncio/task.h>
#include <asyncio/time_limit.h>
#include <asyncio/wait_for.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// What came of it: at most one winner, and, for each that was started, its exception; null for the winner.
template <class T>
struct RaceResult {
  RaceResult() = default;
  std::optional<T> winner;
  std::size_t index = 0;
  std::vector<std::exception_ptr> exceptions;
};

/// Invariant: tasks_[i + 1] is made by tasks_[i], as that takes the i-th attempt; one more is there than was started.
template <class T>
class StaggeredRace {
 public:
  using Attempt = std::function<Coro<T>()>;
  StaggeredRace(std::vector<Attempt> attempts, TimeLimit delay) : attempts_(std::move(attempts)), delay_(delay) {}
  StaggeredRace(const StaggeredRace&) = delete;
  StaggeredRace& operator=(const StaggeredRace&) = delete;

  /// Until all attempts have ended. Cancelled, it cancels them all, and waits for them to end.
  Coro<RaceResult<T>> run() {
    start_next(nullptr);
    std::optional<CancelledError> cancelled;
    for (std::size_t i = 0; i < tasks_.size();) {  // they become more as it goes
      if (tasks_[i].done()) {
        ++i;
        continue;
      }
      const Future<> ended = create_future();
      tasks_[i].add_done_callback([ended](const Task<>&) {
        if (!ended.done()) ended.set_result();
      });
      try {
        co_await ended;
      } catch (const CancelledError& error) {
        cancelled = error;
        cancel_all_but(tasks_.size(), error.message());
      }
    }
    if (cancelled) throw *cancelled;
    for (const Task<>& task : tasks_) {
      if (!task.cancelled() && task.exception()) std::rethrow_exception(task.exception());  // a defect, or Ctrl-C
    }
    co_return std::move(result_);
  }

 private:
  void start_next(std::shared_ptr<Event> previous_failed) {
    tasks_.push_back(create_task(run_one(std::move(previous_failed))));
  }

  Coro<> run_one(std::shared_ptr<Event> previous_failed) {
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
};

/// `delay`: how long an attempt has the field to itself; no limit: until it fails.
template <class T>
Coro<RaceResult<T>> staggered_race(std::vector<std::function<Coro<T>()>> attempts, TimeLimit delay) {
  StaggeredRace<T> race(std::move(attempts), delay);
  RaceResult<T> result = co_await race.run();
  co_return result;
}

}  // namespace asyncio::detail
