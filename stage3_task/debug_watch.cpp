#include "asyncio/detail/debug_watch.h"

#include "asyncio/detail/awaiters.h"

#include <asyncio/detail/repr.h>

#include <algorithm>

namespace asyncio::detail {

// ── each step ───────────────────────────────────────────────────────────────────────────────────────────────────────

static std::string busy_message(const TaskBase& task, std::size_t steps) {
  return task.repr() + " has made " + std::to_string(steps) + " steps, and the loop has not waited since";
}

static std::string describe_frame(const FrameCallGraphEntry& frame) {
  return frame.function() + " " + frame.file() + ":" + std::to_string(frame.line);
}

DebugWatch::Reports DebugWatch::note_step(TaskBase& task) {
  look_up_from_.erase(&task);
  at_locks_.erase(&task);
  credit_ = std::min(credit_ + kCreditOfAStep, std::max(kMostCredit, credit_needed_));
  Reports reports;
  if (++steps_[&task] == kBusy && told_busy_.insert(&task).second) {
    std::string stack;
    for (const FrameCallGraphEntry& frame : frames_from(task.known_frame())) stack += "\n  " + describe_frame(frame);
    report_once(ErrorContext(busy_message(task, kBusy)).with("stack", stack), reports);
  }
  if (++all_steps_ >= next_look_) {
    next_look_ *= 2;
    look_for_circles(reports);
  }
  return reports;
}

void DebugWatch::step_ended() noexcept {
  if (running_.empty()) return;  // debug mode was switched on in this step
  const Ref<TaskBase> task = std::move(running_.back());
  running_.pop_back();
  if (!task->done()) return;
  steps_.erase(task.get());
  told_busy_.erase(task.get());
  look_up_from_.erase(task.get());
  at_locks_.erase(task.get());
  std::erase_if(holders_, [&](const auto& held) { return held.second.task == task.get(); });
}

DebugWatch::Reports DebugWatch::about_to_wait() {
  Reports reports;
  look_for_circles(reports);
  const bool roomy = steps_.bucket_count() > 64 + 8 * steps_.size();  // clear() walks through the buckets
  if (roomy) steps_ = {};
  steps_.clear();
  all_steps_ = 0;
  next_look_ = kBusy;
  return reports;
}

// ── locks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void DebugWatch::acquired(const void* lock, const PromiseBase& frame) {
  holders_[lock] = {&frame.task(), frame.where(), frame.line()};
}

Holder DebugWatch::holder_of(const void* lock) const noexcept {
  const auto found = holders_.find(lock);
  return found == holders_.end() ? Holder() : found->second;
}

// ── circles ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void DebugWatch::look_for_circles(Reports& reports) {
  std::size_t walk = 0;
  for (const auto& [task, steps] : steps_) look_down(*task, ++walk, reports);
  seen_by_ = {};
  look_up(reports);
}

static TaskBase* task_behind(const Waitable& waits_for) {
  if (FutureBase* const holder = waits_for.held_by().task) return static_cast<TaskBase*>(holder);
  if (waits_for.kind() != Waitable::Kind::task) return nullptr;
  return const_cast<TaskBase*>(static_cast<const TaskBase*>(&waits_for));
}

// No task is passed twice, however many lead to it.
void DebugWatch::look_down(TaskBase& task, std::size_t walk, Reports& reports) {
  Circle way;
  for (TaskBase* at = &task;;) {
    const auto [seen, is_new] = seen_by_.emplace(at, walk);
    if (!is_new) {
      if (seen->second == walk) report_circle({std::find(way.begin(), way.end(), at), way.end()}, reports);
      return;
    }
    way.push_back(at);
    const Waitable* const waits_for = at->waits_for();
    if (!waits_for) return;  // it runs, or will run
    TaskBase* const next = task_behind(*waits_for);
    if (waits_for->held_by().task) at_locks_.insert(at);
    if (!next) {
      if (waits_for->waits_for_tasks()) look_up_from_.insert(at);
      return;
    }
    at = next;
  }
}

void DebugWatch::look_up(Reports& reports) {
  if (look_up_from_.empty() || credit_ < credit_needed_) return;
  const std::size_t credit_before = credit_;
  std::unordered_multimap<const FutureBase*, TaskBase*> at_locks_of;
  for (TaskBase* task : at_locks_) at_locks_of.emplace(task->waits_for()->held_by().task, task);

  bool may_go_on = true;
  const auto awaiters = [&](TaskBase* task) {
    Circle all;
    if (credit_ == 0) may_go_on = false;
    if (!may_go_on) return all;
    --credit_;
    for (FutureBase* awaiter : AwaitersOf(*task).all) {
      if (awaiter->is_task()) all.push_back(static_cast<TaskBase*>(awaiter));
    }
    const auto [first, last] = at_locks_of.equal_range(task);
    for (auto at = first; at != last; ++at) all.push_back(at->second);
    return all;
  };
  const Circle roots(look_up_from_.begin(), look_up_from_.end());
  find_circles(roots, awaiters, [&](const Circle& way) { report_circle({way.rbegin(), way.rend()}, reports); });
  credit_needed_ = credit_before - credit_;
  if (may_go_on) {
    look_up_from_.clear();
  } else {
    credit_needed_ *= 2;  // then it begins anew
  }
}

// ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────

static std::string describe_wait(const TaskBase& task, const TaskBase& next) {
  const std::vector<FrameCallGraphEntry> frames = frames_from(task.known_frame());
  std::string text = "\n  " + on_one_line(task.name()) + " waits in " + describe_frame(frames.front()) + " for ";
  const Holder holder = task.waits_for()->held_by();
  if (holder.task != &next) return text + on_one_line(next.name());
  text += task.waits_for()->repr() + ", which " + on_one_line(next.name());
  const FrameCallGraphEntry acquired{holder.function, holder.line};
  return text + " acquired in " + describe_frame(acquired);
}

void DebugWatch::report_circle(const Circle& circle, Reports& reports) {
  constexpr std::size_t kMostTasks = 16;
  // It begins with the same task, wherever the search did.
  Circle tasks = circle;
  const auto by_name = [](const TaskBase* one, const TaskBase* other) { return one->name() < other->name(); };
  std::rotate(tasks.begin(), std::min_element(tasks.begin(), tasks.end(), by_name), tasks.end());
  std::string names, waits;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i == kMostTasks) {
      names += "… → ";
      waits += "\n  … and " + std::to_string(tasks.size() - i) + " more";
      break;
    }
    names += on_one_line(tasks[i]->name()) + " → ";
    waits += describe_wait(*tasks[i], *tasks[(i + 1) % tasks.size()]);
  }
  ErrorContext error("Tasks wait for each other in a circle: " + names + on_one_line(tasks.front()->name()));
  report_once(std::move(error.with("tasks", waits)), reports);
}

void DebugWatch::report_once(ErrorContext report, Reports& reports) {
  if (told_.size() >= kMostReports || !told_.insert(report.to_string()).second) return;
  reports.push_back(std::move(report));
}

}  // namespace asyncio::detail
