#include "asyncio/task_group.h"

namespace asyncio {

using detail::FutureBase;
using detail::Ref;
using detail::TaskBase;

// ── the tasks of the group ──────────────────────────────────────────────────────────────────────────────────────────

/// One task of the group: its done-callback, and its link in the group's list. It belongs to the task.
class TaskGroup::Child final : public detail::DoneCallback, public detail::ListLink, public detail::Pooled {
 public:
  explicit Child(TaskGroup& group) noexcept : group_(&group) {}

  void on_done(FutureBase& task) noexcept override { done_task_ = Ref<FutureBase>(&task); }
  void run(Loop& loop) override {
    const detail::ScopeExit destroy([this] {
      if (!linked()) delete this;  // otherwise it is in failed_
    });
    TaskGroup* const group = leave();
    if (!group) return;
    try {
      group->on_task_done(*this);
    } catch (...) {  // from cancelling tasks that await each other in a cycle
      detail::report_callback_exception(loop, std::source_location::current(), nullptr);
    }
  }
  void drop() noexcept override {
    leave();
    delete this;
  }
  // Also before the body has ended: then the parent will wait. [future_add_to_awaited_by, in TaskGroup.create_task]
  void add_awaiters(detail::Awaiters& found) override {
    if (!group_) return;
    found.tasks.push_back(group_->parent_);
    if (group_->waiting_) found.waits.push_back(group_->waiting_);
  }

 private:
  friend TaskGroup;
  TaskGroup* leave() noexcept {
    if (group_) group_->remove(*this);
    return std::exchange(group_, nullptr);
  }

  TaskGroup* group_;          // null if the group is gone: the loop is being closed
  TaskBase* task_ = nullptr;  // alive: it holds this callback until it is done; then done_task_ holds it
  Ref<FutureBase> done_task_;
};

void TaskGroup::check_may_create() {
  const char* why = exiting_ && !has_tasks() ? " is finished" : aborting_ ? " is shutting down" : nullptr;
  if (why) throw std::runtime_error("TaskGroup " + repr() + why);
}

void TaskGroup::FreeChild::operator()(Child* child) const noexcept { delete child; }

TaskGroup::NewChild TaskGroup::new_child() { return NewChild(new Child(*this)); }

// From now on the child belongs to the task.
void TaskGroup::add(Child& child, TaskBase& task) {
  child.task_ = &task;
  children_.push_back(child);
  ++tasks_;
  task.add_callback(child);
  // An eager task may have called cancel() before it was added.
  if (aborting_ && !task.done()) task.cancel(CancelledError());
}

void TaskGroup::remove(Child& child) noexcept {
  children_.remove(child);
  --tasks_;
}

void TaskGroup::abort() {
  aborting_ = true;
  for (Child& child : children_) {
    if (!child.task_->done()) child.task_->cancel(CancelledError());
  }
}

// ── a task has ended ────────────────────────────────────────────────────────────────────────────────────────────────

void TaskGroup::on_task_done(Child& child) {
  if (waiting_ && !has_tasks()) waiting_->wake();
  FutureBase& task = *child.done_task_;
  if (task.cancelled()) return;
  const std::exception_ptr error = task.exception();
  if (!error) return;

  failed_.push_back(child);
  ++errors_;
  if (task.holds_fatal_exception() && !base_error_) base_error_ = error;
  if (!aborting_ && !parent_cancel_requested_) {
    abort();
    cancel_parent();
  }
}

// Cancels the body, or the all_done() that waits. exit() uncancels: the task itself is not cancelled.
void TaskGroup::cancel_parent() {
  parent_cancel_requested_ = true;
  parent_->cancel(CancelledError());
}

void TaskGroup::cancel() {
  if (aborting_ || (exiting_ && !has_tasks())) return;
  abort();
  cancel_parent();
}

// ── the end of the block ────────────────────────────────────────────────────────────────────────────────────────────

TaskGroup::TaskGroup() : parent_(TaskBase::current()) {
  if (!parent_) throw std::runtime_error("TaskGroup cannot determine the parent task");
}

TaskGroup::~TaskGroup() {
  for (Child& child : children_) child.group_ = nullptr;
  while (!failed_.empty()) {
    const NewChild child(&failed_.front());
    failed_.remove(*child);
  }
}

void TaskGroup::body_failed() {
  const std::exception_ptr error = std::current_exception();
  if (detail::current_exception_is_fatal()) base_error_ = error;
  (detail::is_cancelled_error(error) ? cancellation_ : body_error_) = error;
  if (!aborting_) abort();
}

void TaskGroup::cancelled_at_exit() {
  last_cancellation_ = std::current_exception();
  if (aborting_) return;
  cancellation_ = last_cancellation_;  // a cancel from outside, while the tasks still run
  abort();
}

void TaskGroup::exit() {
  exiting_ = true;
  if (base_error_) std::rethrow_exception(base_error_);
  // The CancelledError that the group itself caused must not leave it. If another cancel request is left after
  // uncancel(), CancelledError leaves the group.
  if (parent_cancel_requested_) cancellation_ = parent_->uncancel() == 0 ? nullptr : cancellation_or_last();
  if (cancellation_ && errors_ == 0) std::rethrow_exception(cancellation_);
  if (errors_ == 0 && !body_error_) return;
  if (parent_->cancelling() > 0) {  // another cancel request: it is kept, and counted once
    parent_->uncancel();
    parent_->cancel(CancelledError());
  }
  std::vector<std::exception_ptr> errors;
  errors.reserve(errors_ + 1);
  for (Child& child : failed_) errors.push_back(child.done_task_->exception());
  if (body_error_) errors.push_back(body_error_);
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors));
}

std::exception_ptr TaskGroup::cancellation_or_last() const {
  if (cancellation_) return cancellation_;
  return last_cancellation_ ? last_cancellation_ : std::make_exception_ptr(CancelledError());
}

std::string TaskGroup::repr() const {
  std::string text = "<TaskGroup";
  if (tasks_ > 0) text += " tasks=" + std::to_string(tasks_);
  if (errors_ > 0) text += " errors=" + std::to_string(errors_);
  return text + (aborting_ ? " cancelling>" : " entered>");
}

}  // namespace asyncio
