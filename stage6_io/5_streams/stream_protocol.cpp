#include "asyncio/stream_protocol.h"

#include "asyncio/detail/descriptor_table.h"
#include "asyncio/task.h"

#include <utility>

namespace asyncio {
namespace {

// Holds the callback: the captures of a lambda live as long as its coroutines.
Coro<> serve_client(ClientCallback, Coro<> client) { co_await std::move(client); }

void report(Loop& loop, const Transport& transport, std::exception_ptr error) {
  ErrorContext context("Unhandled exception in client_connected_cb", std::move(error));
  loop.call_exception_handler(context.with("transport", transport.repr()));
}

}  // namespace

StreamReaderProtocol::StreamReaderProtocol(const StreamReader& reader, ClientCallback client_connected)
    : reader_(&reader.state()), client_connected_(std::move(client_connected)) {}

void StreamReaderProtocol::connection_made(std::shared_ptr<Transport> transport) {
  replace_transport(transport);
  if (!client_connected_) return;
  try {
    call_client(transport);
  } catch (const std::bad_alloc&) {  // the client would wait for somebody who does not know of it
    transport->close();
    throw;
  }
}

void StreamReaderProtocol::replace_transport(const std::shared_ptr<Transport>& transport) {
  reader_->set_transport(transport);
  half_closes_ = transport->can_write_eof();
}

void StreamReaderProtocol::call_client(const std::shared_ptr<Transport>& transport) {
  const std::shared_ptr<detail::FlowState> flow_state(transport->get_protocol(), &flow());
  const detail::Ref<detail::StreamOwner> owner(new detail::StreamOwner(transport, flow_state, reader_), detail::adopt);
  Coro<> client = client_connected_(StreamReader(reader_, owner), StreamWriter(owner));
  if (!client) return;
  Loop& loop = Loop::running();
  auto task = create_task(serve_client(client_connected_, std::move(client)));
  task.add_done_callback([&loop, transport](const Task<>& done) {
    if (!done.cancelled() && done.exception()) report(loop, *transport, done.exception());
    if (done.cancelled() || done.exception()) transport->close();
  });
}

std::span<char> StreamReaderProtocol::get_buffer(std::size_t) {
  offered_ = reader_->destination();
  if (offered_.empty()) {
    offered_ = std::span(Loop::running().service<detail::DescriptorTable>().receive_buffer(),
                         detail::DescriptorTable::kReceiveSize);
  }
  return offered_;
}

void StreamReaderProtocol::buffer_updated(std::size_t size) {
  if (offered_.data() == reader_->destination().data()) {
    reader_->feed_destination(size);
  } else {
    reader_->feed_data(std::string_view(offered_.data(), size));
  }
}

bool StreamReaderProtocol::eof_received() {
  reader_->feed_eof();
  return half_closes_;
}

void StreamReaderProtocol::connection_lost(std::exception_ptr error) {
  error ? reader_->set_exception(error) : reader_->feed_eof();
  reader_->set_transport(nullptr);
  FlowControl::connection_lost(std::move(error));
}

}  // namespace asyncio
