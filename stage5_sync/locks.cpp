#include "asyncio/event.h"
#include "asyncio/lock.h"
#include "asyncio/semaphore.h"

#include <asyncio/detail/debug_watch.h>

#include <stdexcept>

namespace asyncio {

namespace detail {

std::size_t WaitList::size() const noexcept {
  std::size_t count = 0;
  for ([[maybe_unused]] const WaitNode& node : nodes_) ++count;
  return count;
}

std::size_t WaitList::count_unwoken() const noexcept {
  std::size_t count = 0;
  for (const WaitNode& node : nodes_) count += !node.woken();
  return count;
}

void WaitNode::throw_orphaned() {
  FrameFuture::await_resume();  // throws CancelledError if it was cancelled
  throw std::runtime_error("what this task waited for (a lock, an event, a queue …) was destroyed");
}

void LoopBound::throw_other_loop(const std::string& repr) {
  throw std::runtime_error(repr + " is bound to a different event loop");
}

void report_failed_release() noexcept {
  // If no loop runs, one is being closed. It destroys the frames of its tasks where they are suspended; in
  // Condition::wait() that is without the lock.
  if (Loop* loop = Loop::running_or_null()) {
    try {
      loop->call_exception_handler(
          ErrorContext("Exception in release() at the end of a guard's scope", std::current_exception()));
    } catch (...) {  // KeyboardInterrupt from a user's handler: a destructor cannot throw it
    }
  }
}

}  // namespace detail

namespace {
std::string describe(const char* kind, std::string state, std::size_t waiters) {
  if (waiters > 0) state += ", waiters:" + std::to_string(waiters);
  return "<" + std::string(kind) + " [" + state + "]>";
}
}  // namespace

// ── Lock ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string Lock::repr() const { return describe("Lock", locked() ? "locked" : "unlocked", waiters_.size()); }

// ── Lock, in debug mode ─────────────────────────────────────────────────────────────────────────────────────────────

namespace {
detail::TaskRegistry& registry_of(const detail::TaskBase& task) { return task.loop()->service<detail::TaskRegistry>(); }
}  // namespace

// It comes here when it is new; with waiters for the first time; and each time if it is watched.
bool Lock::acquire_specially(detail::PromiseBase& frame) {
  const detail::TaskBase& task = frame.task();
  if (state_ == kNew) state_ = task.loop()->get_debug() ? kWatched : kFree;
  const bool watched = (state_ & kWatched) != 0;
  if (!locked() && waiters_.all_cancelled()) {
    state_ |= kHeld;
    if (watched) note_acquired(frame);
    return true;
  }
  bind(*this, watched ? registry_of(task).weak_loop_of_debug_mode() : task.loop()->weak_loop());
  return false;
}

void Lock::release_specially() {
  if (!locked()) throw std::runtime_error("Lock is not acquired.");
  state_ = kWatched;
  Loop* const loop = Loop::running_or_null();
  detail::DebugWatch* const watch = loop ? loop->service<detail::TaskRegistry>().debug_watch() : nullptr;
  if (watch) watch->released(this);
  waiters_.wake_head();
}

void Lock::note_acquired(const detail::PromiseBase& frame) const {
  if (detail::DebugWatch* const watch = registry_of(frame.task()).debug_watch()) watch->acquired(this, frame);
}

// Woken, it finds the lock free; and if it is cancelled now, the next one does.
void Lock::Acquire::note_leave() {
  if (woken()) lock_.note_acquired(task()->resumed_frame());
}

detail::Holder Lock::Acquire::held_by() const {
  if (orphaned() || lock_.state_ != (kHeld | kWatched)) return {};
  detail::DebugWatch* const watch = registry_of(*task()).debug_watch();
  return watch ? watch->holder_of(&lock_) : detail::Holder();
}

// ── Event ───────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string Event::repr() const { return describe("Event", is_set_ ? "set" : "unset", waiters_.size()); }

// ── Semaphore ───────────────────────────────────────────────────────────────────────────────────────────────────────

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound) : value_(value), bound_(bound) {
  if (value < 0) throw std::invalid_argument("Semaphore initial value must be >= 0");
}

void Semaphore::throw_released_too_often() { throw std::invalid_argument("BoundedSemaphore released too many times"); }

std::string Semaphore::repr() const {
  const bool bounded = bound_ != std::numeric_limits<std::ptrdiff_t>::max();
  return describe(bounded ? "BoundedSemaphore" : "Semaphore",
                  locked() ? "locked" : "unlocked, value:" + std::to_string(value_), waiters_.size());
}

}  // namespace asyncio
