// What debug mode looks for in tasks: one that never lets the loop wait, and tasks that wait for each other in a circle.
// Mirrors: nothing; asyncio's debug mode does not look. Skip on a first reading.
#pragma once

#include <asyncio/detail/task_base.h>

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace asyncio::detail {

/// Belongs to a TaskRegistry, and exists in debug mode only. It hears of each step, and gives what is to be reported.
///
/// A circle is closed by a step: by that of the task which began to wait last. So only of tasks that have made a step is
/// asked for whom they wait, for whom that one waits, and so on: look_down(). For whom the future of a gather() waits,
/// only its children know; from there the search goes the other way, and asks who waits for this task: look_up().
///
/// Invariant: the tasks that it points to are pending. One that ends has made a step, and is forgotten at its end.
class DebugWatch {
 public:
  using Reports = std::vector<ErrorContext>;

  Reports note_step(TaskBase& task);
  void step_begins(TaskBase& task) { running_.emplace_back(&task); }
  void step_ended() noexcept;
  Reports about_to_wait();

  /// A task has acquired the lock, in the current await of this frame; or somebody has released it.
  void acquired(const void* lock, const PromiseBase& frame);
  void released(const void* lock) noexcept { holders_.erase(lock); }
  /// Of no task if it is not known.
  Holder holder_of(const void* lock) const noexcept;

 private:
  using Circle = std::vector<TaskBase*>;  // each waits for the next, and the last for the first

  void look_for_circles(Reports& reports);
  void look_down(TaskBase& task, std::size_t walk, Reports& reports);
  void look_up(Reports& reports);
  void report_circle(const Circle& circle, Reports& reports);
  void report_once(ErrorContext report, Reports& reports);

  std::vector<Ref<TaskBase>> running_;                // several: an eager task's first step is within another's step
  std::unordered_map<TaskBase*, std::size_t> steps_;  // since the loop waited last
  std::size_t all_steps_ = 0;                         // their sum
  std::size_t next_look_ = kBusy;                     // at which sum to look for circles, if the loop does not wait
  std::unordered_set<TaskBase*> told_busy_;
  std::unordered_map<TaskBase*, std::size_t> seen_by_;  // in which walk of look_down()
  std::unordered_set<TaskBase*> look_up_from_;
  std::unordered_set<TaskBase*> at_locks_;           // they wait for a lock, and its holder is known
  std::size_t credit_ = kMostCredit;                 // how many tasks look_up() may look at
  std::size_t credit_needed_ = 0;                    // by the next search, as far as the last one can tell
  std::unordered_map<const void*, Holder> holders_;  // by lock
  std::set<std::string> told_;

  static constexpr std::size_t kBusy = 1000;         // steps
  static constexpr std::size_t kMostReports = 16;    // of a loop: a fault that thousands of tasks have is clear by then
  static constexpr std::size_t kCreditOfAStep = 64;  // so that a search costs a constant share of the program's time
  static constexpr std::size_t kMostCredit = 100'000;
};

}  // namespace asyncio::detail
