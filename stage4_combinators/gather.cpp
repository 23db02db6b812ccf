#include "asyncio/detail/gathering.h"

namespace asyncio::detail {

// A future that is given twice gets two callbacks and counts twice, which comes to the same as CPython's
// single one.
void Gathering::add(Ref<FutureBase> child) {
  if (child->done()) {
    done_.push_back(child);
  } else {
    AnyFuture(child).add_done_callback(
        [this, keep_alive = Ref<FutureBase>(&outer())](AnyFuture& future) { on_child_done(future); });
  }
  children_.push_back(std::move(child));
}

void Gathering::give_up() noexcept {
  outer().FutureBase::cancel(CancelledError());  // so that what its children do is no news any more
  done_.clear();
  let_go();
}

void Gathering::start() {
  outer().open_loop().service<GatheringRegistry>().add(*this);
  for (Ref<FutureBase>& child : std::exchange(done_, {})) {
    AnyFuture future(std::move(child));
    on_child_done(future);
  }
  if (children_.empty() && !outer().done()) finish();  // gather() of nothing
}

void Gathering::on_child_done(AnyFuture& child) {
  ++finished_;
  if (outer().done()) {
    if (!child.cancelled()) child.exception();  // the first exception was reported; this one counts as looked at
    let_go();
    return;
  }
  if (!return_exceptions_) {
    std::exception_ptr error = child.cancelled() ? child.state().cancelled_error() : child.exception();
    if (error) {
      outer().set_exception(std::move(error));
      let_go();
      return;
    }
  }
  if (finished_ == children_.size()) {
    child = AnyFuture();  // or its result would seem to be visible to somebody else, and be copied
    finish();
  }
}

// All children are done.
void Gathering::finish() {
  Children children = std::exchange(children_, {});
  let_go();
  if (cancel_requested_) {
    // Whoever asked for the cancellation gets it, even if the children's exceptions were to be results.
    for (const Ref<FutureBase>& child : children) child->mark_retrieved();
    FutureBase& last = *children.back();
    outer().set_exception(last.cancelled() ? last.cancelled_error() : std::make_exception_ptr(CancelledError()));
    return;
  }
  try {
    collect(children);
  } catch (...) {  // a result's copy constructor, or a result that was moved out of its future before
    outer().set_exception(std::current_exception());
  }
}

bool Gathering::cancel_children(const CancelledError& reason) {
  if (outer().done()) return false;
  bool accepted = false;
  for (const Ref<FutureBase>& child : children_) {
    if (child->cancel(reason)) accepted = true;
  }
  if (accepted) cancel_requested_ = true;
  return accepted;
}

// ── who keeps whom alive ────────────────────────────────────────────────────────────────────────────────────────────

void Gathering::let_go() noexcept {
  children_.clear();
  leave_registry();
}

void Gathering::leave_registry() noexcept {
  if (registry_) registry_->remove(*this);
}

void GatheringRegistry::add(Gathering& gathering) noexcept {
  gathering.registry_ = this;
  gathering.next_ = first_;
  if (first_) first_->previous_ = &gathering;
  first_ = &gathering;
}

void GatheringRegistry::remove(Gathering& gathering) noexcept {
  (gathering.previous_ ? gathering.previous_->next_ : first_) = gathering.next_;
  if (gathering.next_) gathering.next_->previous_ = gathering.previous_;
  gathering.previous_ = gathering.next_ = nullptr;
  gathering.registry_ = nullptr;
}

// Without its children a gathering is never completed; neither would it be by a loop that is closed.
void GatheringRegistry::on_close() noexcept {
  while (first_) {
    Gathering& gathering = *first_;
    const Ref<FutureBase> until_it_let_go(&gathering.outer());
    gathering.let_go();
  }
}

}  // namespace asyncio::detail
