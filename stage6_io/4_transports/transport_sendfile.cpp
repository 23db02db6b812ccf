#include "asyncio/transport_sendfile.h"

#include "asyncio/detail/read_and_send.h"
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

constexpr std::size_t kBlock = 16 * 1024;  // what the fallback reads and writes at once

std::exception_ptr closed_by_peer() {
  return std::make_exception_ptr(detail::system_error(ECONNRESET, "Connection is closed by peer"));
}

/// Replaces the protocol during sendfile(), to notice a lost connection. [_SendfileFallbackProtocol]
class DuringSendfile final : public Protocol {
 public:
  explicit DuringSendfile(std::shared_ptr<BaseProtocol> protocol) : protocol_(std::move(protocol)) {}

  void pause_writing() override { protocol_->pause_writing(); }
  void resume_writing() override {
    const Future<> writable = std::exchange(writable_, Future<>());
    if (writable && !writable.done()) writable.set_result();
    protocol_->resume_writing();
  }
  void connection_lost(std::exception_ptr error) override {
    lost_ = true;
    if (sending_) sending_.cancel();
    const Future<> writable = std::exchange(writable_, Future<>());
    if (writable && !writable.done()) writable.set_exception(error ? error : closed_by_peer());
    protocol_->connection_lost(std::move(error));
  }

  /// Is done at the next resume_writing(); throws if the connection is lost before.
  Future<> writable() {
    writable_ = create_future();
    return writable_;
  }

  const std::shared_ptr<BaseProtocol>& protocol() const noexcept { return protocol_; }
  bool lost() const noexcept { return lost_; }
  void set_sending(AnyFuture sending) { sending_ = std::move(sending); }

 private:
  std::shared_ptr<BaseProtocol> protocol_;
  AnyFuture sending_;
  Future<> writable_;
  bool lost_ = false;
};

/// During its lifetime the transport receives nothing, and its protocol is another.
class NothingReceived {
 public:
  explicit NothingReceived(std::shared_ptr<Transport> transport)
      : transport_(std::move(transport)),
        was_reading_(transport_->is_reading()),
        during_(std::make_shared<DuringSendfile>(transport_->get_protocol())) {
    transport_->pause_reading();
    transport_->set_protocol(during_);
  }
  NothingReceived(const NothingReceived&) = delete;
  NothingReceived& operator=(const NothingReceived&) = delete;
  ~NothingReceived() {
    if (during_->lost() || !transport_->get_protocol()) return;
    try {
      transport_->set_protocol(during_->protocol());
      if (was_reading_) transport_->resume_reading();
    } catch (...) {  // no memory to watch the descriptor: the transport receives nothing more
    }
  }

  DuringSendfile& during() noexcept { return *during_; }

 private:
  std::shared_ptr<Transport> transport_;
  bool was_reading_;
  std::shared_ptr<DuringSendfile> during_;
};

/// During its lifetime nobody else writes.
class NothingWritten {
 public:
  explicit NothingWritten(std::shared_ptr<SocketTransport> transport)
      : transport_(std::move(transport)), empty_(transport_->make_empty_waiter()) {}
  NothingWritten(const NothingWritten&) = delete;
  NothingWritten& operator=(const NothingWritten&) = delete;
  ~NothingWritten() { transport_->reset_empty_waiter(); }

  const Future<>& empty() const noexcept { return empty_; }

 private:
  std::shared_ptr<SocketTransport> transport_;
  Future<> empty_;
};

/// Through write(), as the bytes have to be encrypted.
Coro<std::size_t> through_the_transport(std::shared_ptr<Transport> transport, int file, SendfileOptions options) {
  detail::check_part(options);
  NothingReceived use(transport);
  const auto write_and_drain = [&](const std::string& block) -> Coro<> {
    transport->write(block);
    if (transport->is_closing()) std::rethrow_exception(closed_by_peer());
    // More than the high mark is in the buffer: the transport has called pause_writing(), so resume_writing() will come.
    if (transport->get_write_buffer_size() <= *transport->get_write_buffer_limits().high) co_return;
    const Future<> writable = use.during().writable();
    co_await writable;
  };
  const std::size_t sent = co_await detail::read_and_send(file, options, kBlock, write_and_drain);
  co_return sent;
}

}  // namespace

Coro<std::size_t> sendfile(std::shared_ptr<WriteTransport> transport, int file, SendfileOptions options) {
  if (transport->is_closing()) throw std::runtime_error("Transport is closing");
  const auto stream = std::dynamic_pointer_cast<SocketTransport>(transport);
  if (!stream) {
    const auto other = std::dynamic_pointer_cast<Transport>(transport);
    if (!other || !other->can_start_tls()) {  // a pipe's
      throw std::runtime_error("sendfile is not supported for transport " + transport->repr());
    }
    if (!options.fallback) {
      throw std::runtime_error("fallback is disabled and native sendfile is not supported for transport " +
                               transport->repr());
    }
    const std::size_t sent = co_await through_the_transport(other, file, options);
    co_return sent;
  }
  const NothingWritten alone(stream);
  NothingReceived use(stream);
  const Future<> empty = alone.empty();
  co_await empty;

  // Over a duplicate: if the transport is closed meanwhile, the number of its descriptor may go to another file.
  Socket socket(detail::sys::dup(stream->fileno()));
  if (!socket) detail::throw_system_error(errno, "dup");
  const auto sending = create_task(sock_sendfile(socket, file, options));
  use.during().set_sending(sending);
  try {
    const std::size_t sent = co_await sending;
    co_return sent;
  } catch (const CancelledError&) {
    if (!use.during().lost()) throw;
  }
  std::rethrow_exception(closed_by_peer());
}

}  // namespace asyncio
