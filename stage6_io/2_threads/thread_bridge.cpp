#include "asyncio/detail/thread_bridge.h"

namespace asyncio::detail {

ThreadBridge::Number ThreadBridge::add(std::unique_ptr<BridgeCallback> callback) {
  callbacks_.emplace(++last_, std::move(callback));
  return last_;
}

void ThreadBridge::run(Number number) {
  if (auto found = callbacks_.extract(number)) found.mapped()->run();
}

ThreadBridge::Notifier::Notifier(ThreadBridge& bridge, Number number)
    : mailbox_(bridge.mailbox_), bridge_(&bridge), number_(number) {
  auto run = [&bridge, number] { bridge.run(number); };
  using Message = ThreadSafeNode<decltype(run)>;
  message_ = std::make_shared<Message>(run, std::source_location::current(), OptionalContext());
}

bool ThreadBridge::Notifier::operator()() const {
  if (mailbox_->is_here()) {
    bridge_->run(number_);
    return true;
  }
  return mailbox_->post(message_);
}

void ThreadBridge::on_close() noexcept {
  mailbox_->close();
  std::exchange(callbacks_, {});  // through a temporary: destroying a callback may call remove()
}

}  // namespace asyncio::detail
