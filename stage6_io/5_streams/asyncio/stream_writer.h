// StreamWriter: writes bytes to a connection. write() never waits; in drain() a fast writer waits for a slow reader.
// Mirrors: Lib/asyncio/streams.py, StreamWriter. Read next: flow_control.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/stream_owner.h>
#include <asyncio/stream_reader.h>
#include <asyncio/tls.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

class StreamReaderProtocol;

/// A handle; copies write to the same connection. When the last handle of reader and writer is destroyed, the
/// connection is closed as by close(). Python leaves that to the garbage collector and warns.
/// Thread safety: only on the loop's thread.
class StreamWriter {
 public:
  /// Over a transport whose protocol is `protocol`, such as the writing end of a pipe.
  StreamWriter(std::shared_ptr<WriteTransport> transport, const std::shared_ptr<FlowControlProtocol>& protocol);
  /// Over a transport that also feeds `reader`, whose error drain() then throws too.
  StreamWriter(std::shared_ptr<WriteTransport> transport, const std::shared_ptr<StreamReaderProtocol>& protocol,
               const StreamReader& reader);

  /// Sends at once what the socket takes and buffers the rest; never waits. drain() reports an error or a closed
  /// connection. Throws std::runtime_error after write_eof().
  void write(std::string_view data) const { transport()->write(data); }
  /// Writes a range of strings as one piece.
  template <class Lines>
  void writelines(const Lines& lines) const {
    std::vector<std::string_view> views;
    for (const auto& line : lines) views.push_back(line);
    transport()->writelines(views);
  }
  /// The peer reads the end of the stream after what was written. This side can still read.
  void write_eof() const { transport()->write_eof(); }
  /// Whether write_eof() is possible: not over TLS. [StreamWriter.can_write_eof]
  bool can_write_eof() const noexcept { return transport()->can_write_eof(); }

  /// `writer.write(data); co_await writer.drain();` If the transport's buffer is above its high-water mark (64 KiB),
  /// waits until it falls to its low-water mark (16 KiB). Throws the error of the connection, or, after it was closed,
  /// std::errc::connection_reset ("Connection lost"). Several tasks may wait at once.
  Coro<> drain() const { return drain(owner_); }

  /// Closes the connection when everything written was sent. May be called twice.
  void close() const { transport()->close(); }
  /// Whether close() was called, or the connection is lost. [StreamWriter.is_closing]
  bool is_closing() const noexcept { return transport()->is_closing(); }
  /// Waits until the connection is closed. Throws the error that ended it, if there was one.
  Coro<> wait_closed() const { return wait_closed(owner_); }

  /// The transport, for abort() or the limits of its buffer.
  const std::shared_ptr<WriteTransport>& transport() const noexcept { return owner_->transport(); }
  /// Stay valid after the connection is closed. [get_extra_info('peername'), get_extra_info('sockname')]
  Address peername() const noexcept { return transport()->peername(); }
  Address sockname() const noexcept { return transport()->sockname(); }

  /// Upgrades the connection to TLS, in the middle of a conversation: both sides agree on it in plain text, then each
  /// awaits this. The side of a server is the server. What the reader has received and not handed out belongs to TLS.
  /// Throws the error of the handshake (the connection is closed then), and what drain() throws.
  Coro<> start_tls(const TlsContext& context, StartTlsOptions options = {}) const;

  // ── for the library ──
  explicit StreamWriter(detail::Ref<detail::StreamOwner> owner) noexcept : owner_(std::move(owner)) {}

 private:
  static Coro<> drain(detail::Ref<detail::StreamOwner> owner);
  static Coro<> start_tls(detail::Ref<detail::StreamOwner> owner, detail::TlsRequest request);
  static Coro<> wait_closed(detail::Ref<detail::StreamOwner> owner);

  detail::Ref<detail::StreamOwner> owner_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: write() sends in the same tick what the socket takes. drain() does not suspend below the high-water mark;
//   else the task runs in the tick after the one that makes room.
// Errors: the error of the connection, from drain() and wait_closed(); std::runtime_error from write() after
//   write_eof().
// Units: sizes and marks are in bytes.
