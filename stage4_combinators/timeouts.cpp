#include "asyncio/timeouts.h"

#include <cmath>

namespace asyncio {

void Timeout::enter() {
  if (state_ != State::created) throw std::runtime_error("Timeout has already been entered");
  task_ = detail::TaskBase::current();
  if (!task_) throw std::runtime_error("Timeout should be used inside a task");
  state_ = State::active;
  cancelling_ = task_->cancelling();
  reschedule(when_);
}

void Timeout::reschedule(std::optional<TimePoint> when) {
  if (state_ == State::created) throw std::runtime_error("Timeout has not been entered");
  if (state_ != State::active) {
    throw std::runtime_error(std::string("Cannot change state of ") + name_of(state_) + " Timeout");
  }
  when_ = when;
  handler_.cancel();
  handler_ = Handle();
  if (!when) return;
  Loop& loop = Loop::running();
  if (*when <= loop.time()) {
    handler_ = loop.call_soon([this] { on_timeout(); });
  } else {
    handler_ = loop.call_at(*when, [this] { on_timeout(); });
  }
}

void Timeout::on_timeout() {
  task_->cancel(CancelledError());
  state_ = State::expiring;
}

bool Timeout::exit() noexcept {
  handler_.cancel();
  if (state_ == State::expiring) {
    state_ = State::expired;
    return task_->uncancel() <= cancelling_;  // otherwise there is another cancel request, which is kept
  }
  if (state_ == State::active) state_ = State::finished;
  return false;
}

const char* Timeout::name_of(State state) noexcept {
  static constexpr const char* names[] = {"created", "active", "expiring", "expired", "finished"};
  return names[static_cast<int>(state)];
}

std::string Timeout::repr() const {
  std::string text = std::string("<Timeout [") + name_of(state_) + "]";
  if (state_ == State::active) {
    text += " when=";
    // CPython rounds to milliseconds: round(when, 3).
    text += when_ ? detail::repr_value(
                        std::round(std::chrono::duration<double, std::milli>(when_->time_since_epoch()).count()) / 1000)
                  : "None";
  }
  return text + ">";
}

}  // namespace asyncio
