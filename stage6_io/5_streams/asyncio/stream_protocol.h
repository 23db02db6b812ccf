// StreamReaderProtocol: a protocol that feeds a StreamReader. It is all that stands between a transport and the
// streams.
// Mirrors: Lib/asyncio/streams.py, StreamReaderProtocol. Read next: streams.h
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

/// What start_server() calls for each client. The result is empty if the handler is a plain function, which has then
/// run.
using ClientCallback = std::function<Coro<>(StreamReader, StreamWriter)>;

/// A BufferedProtocol, so that read_into() need not copy.
/// `co_await connect_read_pipe([&] { return std::make_shared<StreamReaderProtocol>(reader); }, std::move(pipe));`
class StreamReaderProtocol final : public detail::FlowControl<BufferedProtocol> {
 public:
  /// The callback, if any, is called when the connection is made; the coroutine that it returns runs as a task.
  explicit StreamReaderProtocol(const StreamReader& reader, ClientCallback client_connected = nullptr);

  void connection_made(std::shared_ptr<Transport> transport) override;
  /// The memory of a task that waits in read_into(), otherwise the loop's shared receive buffer.
  std::span<char> get_buffer(std::size_t hint) override;
  void buffer_updated(std::size_t size) override;
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;

  // ── for the library ──
  /// The connection goes on over another transport.  [_replace_transport]
  void replace_transport(const std::shared_ptr<Transport>& transport);
  /// A server's: it has called, or will call, the handler of a client.
  bool serves_a_client() const noexcept { return client_connected_ != nullptr; }

 private:
  void call_client(const std::shared_ptr<Transport>& transport);

  detail::Ref<detail::ReaderState> reader_;
  ClientCallback client_connected_;
  bool half_closes_ = true;  // after the peer's end one may still write: not over TLS
  std::span<char> offered_;  // by get_buffer()
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the handler of a client is called in the tick of connection_made(), and its coroutine begins in the next
//   one. A task that reads runs in the tick after the bytes.
// Errors: what a handler throws goes to the exception handler.
// Units: sizes are in bytes.
