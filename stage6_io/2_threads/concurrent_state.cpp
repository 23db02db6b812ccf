#include "asyncio/detail/concurrent_state.h"

#include "asyncio/exceptions.h"
#include "asyncio/loop.h"
#include "asyncio/timeouts.h"

#include <new>
#include <stdexcept>

namespace asyncio::detail {

bool ConcurrentState::cancel() {
  std::vector<std::unique_ptr<Callback>> callbacks;
  {
    const std::lock_guard lock(mutex_.get());
    if (state_ == State::cancelled) return true;
    if (state_ != State::pending) return false;
    callbacks = settle(State::cancelled);
  }
  call(callbacks);
  return true;
}

bool ConcurrentState::set_running_or_notify_cancel() {
  const std::lock_guard lock(mutex_.get());
  if (state_ == State::cancelled) return false;
  if (state_ != State::pending) throw InvalidStateError("Future in unexpected state: it runs already, or is done");
  state_ = State::running;
  return true;
}

void ConcurrentState::set_exception(std::exception_ptr error) {
  if (!error) throw std::invalid_argument("set_exception() needs an exception; got a null exception_ptr");
  finish([&] { exception_ = std::move(error); });
}

void ConcurrentState::check_not_done() const {
  if (state_ == State::cancelled) throw InvalidStateError("CANCELLED: the future was cancelled before");
  if (state_ == State::finished) throw InvalidStateError("FINISHED: the future is done already");
}

std::vector<std::unique_ptr<ConcurrentState::Callback>> ConcurrentState::settle(State state) noexcept {
  state_ = state;
  done_.notify_all();
  return std::exchange(callbacks_, {});
}

void ConcurrentState::add_done_callback(std::unique_ptr<Callback> callback) {
  std::vector<std::unique_ptr<Callback>> too_late;
  {
    const std::lock_guard lock(mutex_.get());
    (state_ > State::running ? too_late : callbacks_).push_back(std::move(callback));
  }
  call(too_late);
}

static void report_failed_callback(const std::exception_ptr& error) noexcept {
  try {
    Loop::default_exception_handler(ErrorContext("exception calling callback", error));
  } catch (const std::bad_alloc&) {
    report_without_memory("exception calling callback");
  }
}

void ConcurrentState::call(std::vector<std::unique_ptr<Callback>>& callbacks) {
  for (const std::unique_ptr<Callback>& callback : callbacks) {
    try {
      callback->call(shared_from_this());
    } catch (...) {
      report_failed_callback(std::current_exception());
    }
  }
}

void ConcurrentState::wait(TimeLimit limit) const {
  const auto is_done = [this] { return state_ > State::running; };
  std::unique_lock lock(mutex_.get());
  if (!limit.has_value()) {
    done_.wait(lock, is_done);
  } else if (!done_.wait_until(lock, deadline_after(Clock::now(), limit.duration()), is_done)) {
    throw TimeoutError();
  }
}

const std::exception_ptr& ConcurrentState::exception() const {
  const std::lock_guard lock(mutex_.get());
  if (state_ == State::cancelled) throw CancelledError();
  return exception_;
}

std::exception_ptr ConcurrentState::take_exception() {
  const std::lock_guard lock(mutex_.get());
  if (state_ == State::cancelled) throw CancelledError();
  if (!exception_) return nullptr;
  try {
    auto taken =
        std::make_exception_ptr(InvalidStateError("Exception was moved out already, by exception() of an rvalue."));
    return std::exchange(exception_, std::move(taken));
  } catch (const std::bad_alloc&) {
    return exception_;
  }
}

}  // namespace asyncio::detail
