#include "asyncio/stream_protocol.h"

#include "asyncio/task.h"

#include <utility>

namespace asyncio {
namespace {

// It holds the callback: if that is a lambda, its captures live as long as its coroutines.
Coro<> serve_client(ClientCallback, Coro<> client) { co_await std::move(client); }

void report(Loop& loop, const Transport& transport, std::exception_ptr error) {
  ErrorContext context("Unhandled exception in client_connected_cb", std::move(error));
  loop.call_exception_handler(context.with("transport", transport.repr()));
}

}  // namespace

StreamReaderProtocol::StreamReaderProtocol(const StreamReader& reader, ClientCallback client_connected)
    : reader_(&reader.state()), client_connected_(std::move(client_connected)) {}

void StreamReaderProtocol::connection_made(std::shared_ptr<Transport> transport) {
  reader_->set_transport(transport);
  if (client_connected_) call_client(transport);
}

void StreamReaderProtocol::call_client(const std::shared_ptr<Transport>& transport) {
  const auto self = std::static_pointer_cast<FlowControlProtocol>(transport->get_protocol());
  const detail::Ref<detail::StreamOwner> owner(new detail::StreamOwner(transport, self, reader_), detail::adopt);
  Coro<> client = client_connected_(StreamReader(reader_, owner), StreamWriter(owner));
  if (!client) return;
  Loop& loop = Loop::running();
  auto task = create_task(serve_client(client_connected_, std::move(client)));
  task.add_done_callback([&loop, transport](const Task<>& done) {
    if (!done.cancelled() && done.exception()) report(loop, *transport, done.exception());
    if (done.cancelled() || done.exception()) transport->close();
  });
}

bool StreamReaderProtocol::eof_received() {
  reader_->feed_eof();
  return true;  // half of it is closed; one may still write
}

void StreamReaderProtocol::connection_lost(std::exception_ptr error) {
  error ? reader_->set_exception(error) : reader_->feed_eof();
  reader_->set_transport(nullptr);
  FlowControlProtocol::connection_lost(std::move(error));
}

}  // namespace asyncio
