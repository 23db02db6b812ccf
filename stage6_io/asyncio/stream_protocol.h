// StreamReaderProtocol: the protocol whose other side is a StreamReader. Streams are nothing but this, between a
// transport and a task.
// Mirrors: Lib/asyncio/streams.py, StreamReaderProtocol. Read next: server.h
#pragma once

#include <asyncio/flow_control.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>

namespace asyncio {

/// What start_server() calls for each client. Empty (no coroutine) if it was a plain function, which has run then.
using ClientCallback = std::function<Coro<>(StreamReader, StreamWriter)>;

/// It receives as a BufferedProtocol does, so that read_into() need not copy.
/// `co_await connect_read_pipe([&] { return std::make_shared<StreamReaderProtocol>(reader); }, std::move(pipe));`
class StreamReaderProtocol final : public detail::FlowControl<BufferedProtocol> {
 public:
  /// With a callback: it is called as soon as the connection is made, and what it returns runs in a task of its own.
  explicit StreamReaderProtocol(const StreamReader& reader, ClientCallback client_connected = nullptr);

  void connection_made(std::shared_ptr<Transport> transport) override;
  /// The memory of a task that waits in read_into(), or what all connections of the loop receive into.
  std::span<char> get_buffer(std::size_t hint) override;
  void buffer_updated(std::size_t size) override;
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;

 private:
  void call_client(const std::shared_ptr<Transport>& transport);

  detail::Ref<detail::ReaderState> reader_;
  ClientCallback client_connected_;
  std::span<char> offered_;  // by get_buffer()
};

}  // namespace asyncio
