#include "asyncio/task_group.h"

namespace asyncio {

using detail::FutureBase;
using detail::Ref;
using detail::TaskBase;

// ── the tasks of the group ──────────────────────────────────────────────────────────────────────────────────────────

/// One task of the group: the done-callback, and the link in the group's list, in one. It belongs to the
/// task.
class TaskGroup::Child final : public detail::DoneCallback, public detail::Pooled {
 public:
  Child(TaskGroup& group, TaskBase& task) noexcept : group_(&group), task_(&task) {}

  void on_done(FutureBase& task) noexcept override { done_task_ = Ref<FutureBase>(&task); }
  void run(Loop&) override {
    const std::unique_ptr<Child> self(this);
    if (TaskGroup* group = leave()) group->on_task_done(AnyTask(std::move(done_task_)));
  }
  void drop() noexcept override {
    leave();
    delete this;
  }

 private:
  friend TaskGroup;
  TaskGroup* leave() noexcept {
    if (group_) group_->remove(*this);
    return std::exchange(group_, nullptr);
  }

  TaskGroup* group_;  // null if that is gone: the loop is being closed
  TaskBase* task_;    // alive: until it is done, we are its callback, and then we hold it
  Ref<FutureBase> done_task_;
  Child* previous_ = nullptr;
  Child* next_ = nullptr;
};

void TaskGroup::check_may_create() {
  const char* why = exiting_ && !has_tasks() ? " is finished" : aborting_ ? " is shutting down" : nullptr;
  if (why) throw std::runtime_error("TaskGroup " + repr() + why);
}

void TaskGroup::add(TaskBase& task) {
  auto* child = new Child(*this, task);
  child->previous_ = last_;
  (last_ ? last_->next_ : first_) = child;
  last_ = child;
  ++tasks_;
  task.add_waiter(*child);
  // An eager one may have called cancel() before we knew of it.
  if (aborting_ && !task.done()) task.cancel(CancelledError());
}

void TaskGroup::remove(Child& child) noexcept {
  (child.previous_ ? child.previous_->next_ : first_) = child.next_;
  (child.next_ ? child.next_->previous_ : last_) = child.previous_;
  --tasks_;
}

void TaskGroup::abort() {
  aborting_ = true;
  for (Child* child = first_; child; child = child->next_) {
    if (!child->task_->done()) child->task_->cancel(CancelledError());
  }
}

// ── one of them has ended ───────────────────────────────────────────────────────────────────────────────────────────

void TaskGroup::on_task_done(AnyTask task) {
  if (on_completed_ && !has_tasks() && !on_completed_.done()) on_completed_.set_result();
  if (task.cancelled()) return;
  const std::exception_ptr error = task.exception();
  if (!error) return;

  errors_.push_back(error);
  if (task.holds_fatal_exception() && !base_error_) base_error_ = error;
  if (!aborting_ && !parent_cancel_requested_) {
    abort();
    cancel_parent();
  }
}

// The body is cancelled, or the exit that waits. exit() takes this back: the task itself is not cancelled.
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
  for (Child* child = first_; child; child = child->next_) child->group_ = nullptr;
}

void TaskGroup::body_failed() {
  const std::exception_ptr error = std::current_exception();
  if (detail::current_exception_is_fatal()) base_error_ = error;
  (detail::is_cancelled_error(error) ? cancellation_ : body_error_) = error;
  if (!aborting_) abort();
}

Coro<> TaskGroup::wait_for_tasks() {
  exiting_ = true;
  while (has_tasks()) {
    on_completed_ = create_future();  // a new one each time: the last may have been cancelled
    try {
      co_await on_completed_;
    } catch (const CancelledError&) {
      last_cancellation_ = std::current_exception();
      if (!aborting_) {  // from outside: we are cancelled while the tasks still run
        cancellation_ = last_cancellation_;
        abort();
      }
    }
  }
}

void TaskGroup::exit() {
  exiting_ = true;
  if (base_error_) std::rethrow_exception(base_error_);
  // With no other request left, the CancelledError that we caused ourselves is not to leave the group.
  // One that is left after ours was taken back is somebody else's, and does.
  if (parent_cancel_requested_) cancellation_ = parent_->uncancel() == 0 ? nullptr : cancellation_or_last();
  if (cancellation_ && errors_.empty()) std::rethrow_exception(cancellation_);
  if (body_error_) errors_.push_back(body_error_);
  if (errors_.empty()) return;
  if (parent_->cancelling() > 0) {  // somebody else did: not to be lost, and not counted twice
    parent_->uncancel();
    parent_->cancel(CancelledError());
  }
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

std::exception_ptr TaskGroup::cancellation_or_last() const {
  if (cancellation_) return cancellation_;
  return last_cancellation_ ? last_cancellation_ : std::make_exception_ptr(CancelledError());
}

std::string TaskGroup::repr() const {
  std::string text = "<TaskGroup";
  if (tasks_ > 0) text += " tasks=" + std::to_string(tasks_);
  if (!errors_.empty()) text += " errors=" + std::to_string(errors_.size());
  return text + (aborting_ ? " cancelling>" : " entered>");
}

}  // namespace asyncio
