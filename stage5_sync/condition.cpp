#include "asyncio/condition.h"

#include <stdexcept>

namespace asyncio {

// A coroutine, and not frameless like Lock's acquire(): it may be suspended twice, for the notification and for the
// lock. Every line has its twin in CPython's.
Coro<> Condition::wait() {
  if (!locked()) throw std::runtime_error("cannot wait on un-acquired lock");
  bind_to_loop_of(*detail::TaskBase::current(), *this);
  release();

  std::exception_ptr error;
  detail::Turn turn(waiters_);
  try {
    co_await turn;
  } catch (...) {
    error = std::current_exception();
  }
  if (turn.orphaned()) std::rethrow_exception(error);

  for (bool acquired = false; !acquired;) {  // even if cancelled, and however often
    try {
      co_await lock_.acquire();
      acquired = true;
    } catch (const CancelledError&) {
      error = std::current_exception();
    } catch (...) {
      waiters_.wake(1);
      throw;
    }
  }
  if (error) {
    // Perhaps it had been notified. Then somebody else must be; and one who wakes for nothing does no harm.
    waiters_.wake(1);
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
