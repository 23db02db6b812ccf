#include "asyncio/detail/gathering.h"

namespace asyncio::detail {

// ── a child ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void GatheredChild::on_done(FutureBase& future) noexcept {
  state_ = State::is_scheduled;
  if (!future_) future_ = Ref(&future);
}

void GatheredChild::run(Loop&) {
  const Ref<FutureBase> outer(&gathering_.outer_, adopt);  // this callback's
  state_ = State::has_run;
  gathering_.on_child_done(*this);
}

void GatheredChild::drop() noexcept { gathering_.outer_.release(); }

void GatheredChild::add_awaiters(Awaiters& found) { found.through.push_back(&gathering_.outer_); }

// A future that is given twice gets two callbacks and counts twice. CPython's single callback has the same effect.
void Gathering::add(Ref<FutureBase> future) {
  GatheredChild& child = children_.emplace_back(*this, std::move(future));
  if (child.future_->done()) {
    child.state_ = State::was_done;
    some_were_done_ = true;
  } else {
    outer_.add_ref();  // the callback's
    child.future_->add_callback(child);
  }
}

void Gathering::give_up() noexcept {
  outer_.FutureBase::cancel(CancelledError());  // after this, the children's results are ignored
  for (GatheredChild& child : children_) {
    if (child.state_ == State::was_done) child.state_ = State::has_run;
  }
  let_go();
}

void Gathering::start() {
  outer_.open_loop().service<GatheringRegistry>().add(*this);
  if (some_were_done_) {
    for (GatheredChild& child : children_) {
      if (child.state_ != State::was_done) continue;
      child.state_ = State::has_run;
      on_child_done(child);
    }
  }
  if (children_.empty() && !outer_.done()) finish();  // gather() without children
}

void Gathering::on_child_done(GatheredChild& child) {
  ++finished_;
  FutureBase& future = *child.future_;
  if (outer_.done()) {
    if (!future.cancelled()) future.exception();  // marks it as retrieved: the first one was reported
    if (linked()) return let_go();                // somebody else has completed it
    const Ref<FutureBase> alive(&outer_);
    if (child.state_ == State::has_run) child.take();  // the others have gone: to look at all again would be quadratic
    return;
  }
  if (!return_exceptions_) {
    std::exception_ptr error = future.cancelled() ? future.cancelled_error() : future.exception();
    if (error) {
      outer_.set_exception(std::move(error));
      return let_go();
    }
  }
  if (finished_ == children_.size()) finish();
}

// Call it when all children are done.
void Gathering::finish() {
  const ScopeExit end([this] { let_go(); });
  if (cancel_requested_) {
    // A requested cancellation takes precedence, even if exceptions are results.
    for (const GatheredChild& child : children_) child.future_->mark_retrieved();
    FutureBase& last = *children_.back().future_;
    outer_.set_exception(last.cancelled() ? last.cancelled_error() : std::make_exception_ptr(CancelledError()));
    return;
  }
  try {
    collect(children_);
  } catch (...) {  // a result's copy constructor, or a result was moved out before
    outer_.set_exception(std::current_exception());
  }
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

Waitable* Gathering::first_to_cancel(Waitable* before) noexcept {
  cancelling_ = true;
  accepted_ = false;
  next_to_cancel_ = 0;
  cancelled_by_ = before;
  return next_to_cancel_after(false);
}

Waitable* Gathering::next_to_cancel_after(bool accepted) noexcept {
  if (accepted) accepted_ = true;
  return next_to_cancel_ < children_.size() ? children_[next_to_cancel_++].future_.get() : nullptr;
}

Waitable* Gathering::all_cancelled() noexcept {
  cancelling_ = false;
  return cancelled_by_;
}

bool Gathering::cancel_accepted() noexcept {
  if (accepted_) cancel_requested_ = true;
  return accepted_;
}

// ── ownership ───────────────────────────────────────────────────────────────────────────────────────────────────────

// The outer future is done, or never will be. Callbacks that are scheduled keep their future, to look at its exception.
void Gathering::let_go() noexcept {
  const Ref<FutureBase> alive(&outer_);  // a child's end may drop the last callback
  if (linked()) leave_registry();
  next_to_cancel_ = children_.size();
  for (GatheredChild& child : children_) {
    if (child.state_ == State::waits || child.state_ == State::has_run) child.take();
  }
}

// A gathering without its children never completes; with them, it would not complete on a closed loop either.
void GatheringRegistry::on_close() noexcept {
  while (!gatherings_.empty()) {
    gatherings_.back().let_go();
  }
}

}  // namespace asyncio::detail
