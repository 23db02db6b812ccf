#include "asyncio/condition.h"

#include <stdexcept>

namespace asyncio {

// A coroutine, unlike Lock::acquire(), because it may be suspended twice: for the notification and for the lock. Every
// line has its counterpart in CPython's Condition.wait().
Coro<> Condition::wait() {
  if (!locked()) throw std::runtime_error("cannot wait on un-acquired lock");
  bind_to_loop_of(*detail::TaskBase::current(), *this);
  release();

  // The condition may be destroyed before this resumes: copy what is needed then.
  Lock& lock = lock_;
  const bool has_own_lock = own_lock_.has_value();
  std::exception_ptr error;
  detail::ListWait<Condition, &Condition::waiters_> wait(*this);
  try {
    co_await wait;
  } catch (const CancelledError&) {
    error = std::current_exception();
    if (wait.orphaned() && has_own_lock) throw;  // the lock is gone, too
  } catch (...) {                                // notified, but the condition is gone
    if (has_own_lock) throw;
  }
  if (!wait.orphaned()) relocking_.push_back(wait);  // to learn whether the condition is destroyed

  for (bool acquired = false; !acquired;) {  // even if cancelled repeatedly
    try {
      co_await lock.acquire();
      acquired = true;
    } catch (const CancelledError&) {
      error = std::current_exception();
    } catch (...) {
      if (!wait.orphaned()) waiters_.wake(1);
      throw;
    }
  }
  if (!wait.orphaned()) relocking_.remove(wait);
  if (error) {
    // If it had been notified, another task must be woken instead. A needless wake-up does no harm.
    if (!wait.orphaned()) waiters_.wake(1);
    std::rethrow_exception(error);
  }
}

void Condition::notify(std::size_t n) {
  if (!locked()) throw std::runtime_error("cannot notify on un-acquired lock");
  waiters_.wake(n);
}

std::string Condition::repr() const {
  std::string state = locked() ? "locked" : "unlocked";
  if (!waiters_.empty()) state += ", waiters:" + std::to_string(waiters_.size());
  return "<Condition [" + state + "]>";
}

}  // namespace asyncio
