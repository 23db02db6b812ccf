#include "asyncio/transport_sendfile.h"

#include "asyncio/detail/stream_transport.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/task.h"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {
namespace {

using detail::SocketTransport;

/// Stands in for the protocol meanwhile, to hear that the connection is lost. [_SendfileFallbackProtocol]
class DuringSendfile final : public Protocol {
 public:
  explicit DuringSendfile(std::shared_ptr<BaseProtocol> protocol) : protocol_(std::move(protocol)) {}

  void pause_writing() override { protocol_->pause_writing(); }
  void resume_writing() override { protocol_->resume_writing(); }
  void connection_lost(std::exception_ptr error) override {
    lost_ = true;
    if (sending_) sending_.cancel();
    protocol_->connection_lost(std::move(error));
  }

  const std::shared_ptr<BaseProtocol>& protocol() const noexcept { return protocol_; }
  bool lost() const noexcept { return lost_; }
  void set_sending(AnyFuture sending) { sending_ = std::move(sending); }

 private:
  std::shared_ptr<BaseProtocol> protocol_;
  AnyFuture sending_;
  bool lost_ = false;
};

/// While it lives the transport is ours: nobody else writes, nothing is received.
class Occupation {
 public:
  explicit Occupation(std::shared_ptr<SocketTransport> transport)
      : transport_(std::move(transport)),
        was_reading_(transport_->is_reading()),
        during_(std::make_shared<DuringSendfile>(transport_->get_protocol())),
        empty_(transport_->make_empty_waiter()) {
    transport_->pause_reading();
    transport_->set_protocol(during_);
  }
  Occupation(const Occupation&) = delete;
  Occupation& operator=(const Occupation&) = delete;
  ~Occupation() {
    transport_->reset_empty_waiter();
    if (during_->lost() || !transport_->get_protocol()) return;
    try {
      transport_->set_protocol(during_->protocol());
      if (was_reading_) transport_->resume_reading();
    } catch (...) {  // no memory to watch the descriptor: it receives nothing more
    }
  }

  DuringSendfile& during() noexcept { return *during_; }
  const Future<>& empty() const noexcept { return empty_; }

 private:
  std::shared_ptr<SocketTransport> transport_;
  bool was_reading_;
  std::shared_ptr<DuringSendfile> during_;
  Future<> empty_;
};

}  // namespace

Coro<std::size_t> sendfile(std::shared_ptr<WriteTransport> transport, int file, SendfileOptions options) {
  if (transport->is_closing()) throw std::runtime_error("Transport is closing");
  const auto stream = std::dynamic_pointer_cast<SocketTransport>(transport);
  if (!stream) throw std::runtime_error("sendfile is not supported for transport " + transport->repr());
  Occupation occupation(stream);
  const Future<> empty = occupation.empty();
  co_await empty;

  // Over a descriptor of its own: if the transport is closed in the meantime, nobody can get the number in between.
  Socket socket(detail::sys::dup(stream->fileno()));
  if (!socket) detail::throw_system_error(errno, "dup");
  const auto sending = create_task(sock_sendfile(socket, file, options));
  occupation.during().set_sending(sending);
  try {
    const std::size_t sent = co_await sending;
    co_return sent;
  } catch (const CancelledError&) {
    if (!occupation.during().lost()) throw;
  }
  throw detail::system_error(ECONNRESET, "Connection is closed by peer");
}

}  // namespace asyncio
