#include "asyncio/detail/thread_bridge.h"

namespace asyncio::detail {

ThreadBridge::Number ThreadBridge::expect(std::unique_ptr<Arrival> arrival) {
  expected_.emplace(++last_, std::move(arrival));
  return last_;
}

void ThreadBridge::arrive(Number number) {
  if (auto arrived = expected_.extract(number)) arrived.mapped()->arrive();
}

bool ThreadBridge::Ticket::operator()() const {
  if (mailbox_->is_here()) {
    bridge_->arrive(number_);
    return true;
  }
  return mailbox_->post([bridge = bridge_, number = number_] { bridge->arrive(number); });
}

void ThreadBridge::on_close() noexcept {
  mailbox_->close();
  std::exchange(expected_, {});  // by way of a temporary, as what they hold may come back here when it is destroyed
}

}  // namespace asyncio::detail
