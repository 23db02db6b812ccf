#include "asyncio/event.h"
#include "asyncio/lock.h"
#include "asyncio/semaphore.h"

#include <stdexcept>

namespace asyncio {

namespace detail {

std::size_t WaitList::size() const noexcept {
  std::size_t count = 0;
  for (const WaitNode* node = first_; node; node = node->next_) ++count;
  return count;
}

std::size_t WaitList::count_unwoken() const noexcept {
  std::size_t count = 0;
  for (const WaitNode* node = first_; node; node = node->next_) count += !node->woken();
  return count;
}

void WaitNode::throw_orphaned() {
  Waiter::await_resume();  // a CancelledError comes first
  throw std::runtime_error("what this task waited for (a lock, an event, a queue …) was destroyed");
}

void LoopBound::throw_other_loop(const std::string& repr) {
  throw std::runtime_error(repr + " is bound to a different event loop");
}

void report_failed_release() noexcept {
  // If no loop runs, one is being closed, and the frames of its tasks are destroyed where they were suspended: for one
  // in Condition::wait() that is without the lock.
  if (Loop* loop = Loop::running_or_null()) {
    try {
      loop->call_exception_handler(
          ErrorContext("Exception in release() at the end of a guard's scope", std::current_exception()));
    } catch (...) {  // KeyboardInterrupt out of a user's handler: there is nowhere to throw it to
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

void Lock::throw_not_acquired() { throw std::runtime_error("Lock is not acquired."); }

std::string Lock::repr() const { return describe("Lock", locked_ ? "locked" : "unlocked", waiters_.size()); }

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
