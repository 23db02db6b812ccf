#include "asyncio/stream_writer.h"

#include "asyncio/detail/system_error.h"
#include "asyncio/sleep.h"
#include "asyncio/stream_protocol.h"

#include <cerrno>
#include <chrono>

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
    // One tick, in which the loss comes through; or a task that writes and drains in a circle would never hear of it.
    co_await sleep(std::chrono::seconds(0));
  }
  detail::FlowState& flow = owner->flow();
  if (flow.is_lost()) detail::throw_system_error(ECONNRESET, "Connection lost");
  if (!flow.is_paused()) co_return;
  detail::Turn turn(flow.drain_waiters());
  co_await turn;
  rethrow(flow.error());
}

Coro<> StreamWriter::wait_closed(detail::Ref<detail::StreamOwner> owner) {
  detail::FlowState& flow = owner->flow();
  if (!flow.is_lost()) {
    detail::Turn turn(flow.close_waiters());
    co_await turn;
  }
  rethrow(flow.error());
}

}  // namespace asyncio
