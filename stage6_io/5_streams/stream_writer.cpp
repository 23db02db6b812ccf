#include "asyncio/stream_writer.h"

#include "asyncio/detail/start_tls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/sleep.h"
#include "asyncio/stream_protocol.h"

#include <cerrno>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {
namespace {

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

StreamWriter::StreamWriter(std::shared_ptr<WriteTransport> transport,
                           const std::shared_ptr<FlowControlProtocol>& protocol)
    : owner_(new detail::StreamOwner(std::move(transport), detail::flow_of(protocol), {}), detail::adopt) {}
StreamWriter::StreamWriter(std::shared_ptr<WriteTransport> transport,
                           const std::shared_ptr<StreamReaderProtocol>& protocol, const StreamReader& reader)
    : owner_(new detail::StreamOwner(std::move(transport), detail::flow_of<BufferedProtocol>(protocol),
                                     detail::Ref<detail::ReaderState>(&reader.state())),
             detail::adopt) {}

Coro<> StreamWriter::drain(detail::Ref<detail::StreamOwner> owner) {
  if (const detail::ReaderState* reader = owner->reader()) reader->throw_if_failed();
  if (owner->transport()->is_closing()) {
    // One tick for connection_lost(); otherwise a task that writes and drains in a loop would never learn of the loss.
    co_await sleep(std::chrono::seconds(0));
  }
  detail::FlowState& flow = owner->flow();
  if (flow.is_lost()) detail::throw_system_error(ECONNRESET, "Connection lost");
  if (!flow.is_paused()) co_return;
  const unsigned resumes = flow.resumes();
  detail::ListWait<detail::FlowState, &detail::FlowState::drain_waiters> wait(flow);
  co_await wait;
  if (flow.resumes() == resumes) rethrow(flow.error());  // otherwise it was room that woke it, whatever has come since
}

Coro<> StreamWriter::start_tls(const TlsContext& context, StartTlsOptions options) const {
  return start_tls(owner_, detail::TlsRequest(&context, options));
}

Coro<> StreamWriter::start_tls(detail::Ref<detail::StreamOwner> owner, detail::TlsRequest request) {
  const auto plain = std::dynamic_pointer_cast<Transport>(owner->transport());
  const auto protocol = std::dynamic_pointer_cast<StreamReaderProtocol>(plain ? plain->get_protocol() : nullptr);
  if (!protocol) throw std::invalid_argument("this writer's connection is not supported by start_tls()");
  const bool server_side = protocol->serves_a_client();
  if (!server_side) request.check_client(std::string(), "You must set server_hostname when using ssl without a host");
  co_await drain(owner);
  detail::ReaderState* const reader = owner->reader();
  if (reader &&
      reader->eof()) {  // the end was received before, and will not come again: the handshake would wait for it
    plain->abort();
    detail::throw_system_error(ECONNRESET, "SSL handshake: the peer closed the connection");
  }
  std::string received;
  if (reader) received = reader->buffer().view();
  // Another task may write during the handshake, and nothing more goes out plain. If that does not begin, the reader
  // keeps what it has.
  std::function<void(std::shared_ptr<Transport>)> begun = [owner, reader](std::shared_ptr<Transport> secured) {
    if (reader) reader->buffer().clear();
    owner->set_transport(std::move(secured));
  };
  const std::shared_ptr<Transport> secured = co_await detail::start_tls(
      plain, protocol, std::move(request), server_side, std::move(received), std::move(begun));
  protocol->replace_transport(secured);
}

Coro<> StreamWriter::wait_closed(detail::Ref<detail::StreamOwner> owner) {
  detail::FlowState& flow = owner->flow();
  if (!flow.is_lost()) {
    detail::ListWait<detail::FlowState, &detail::FlowState::close_waiters> wait(flow);
    co_await wait;
  }
  rethrow(flow.error());
}

}  // namespace asyncio
