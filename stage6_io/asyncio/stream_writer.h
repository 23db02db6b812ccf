// StreamWriter: bytes to a connection. write() never waits; drain() is where a fast writer waits for a slow reader.
// Mirrors: Lib/asyncio/streams.py, StreamWriter. Read next: stream_protocol.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/stream_owner.h>
#include <asyncio/stream_reader.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

class StreamReaderProtocol;

/// A handle: copies write to the same connection. When the last handle to it is gone, the reader's included, the
/// connection is closed as by close(); unlike Python's it does not take a garbage collector, and is no reason to warn.
class StreamWriter {
 public:
  /// Over a transport whose protocol is `protocol`: the writing end of a pipe, for one.
  StreamWriter(std::shared_ptr<WriteTransport> transport, const std::shared_ptr<FlowControlProtocol>& protocol);
  /// … and which feeds `reader`: drain() throws that one's error as well.
  StreamWriter(std::shared_ptr<WriteTransport> transport, const std::shared_ptr<StreamReaderProtocol>& protocol,
               const StreamReader& reader);

  /// Sends at once what the socket takes, and keeps the rest to send it later; does not wait. If there is an error, or
  /// the connection is closed, drain() tells. Throws std::runtime_error after write_eof().
  void write(std::string_view data) const { transport()->write(data); }
  /// All in one piece, from any range of strings.
  template <class Lines>
  void writelines(const Lines& lines) const {
    std::vector<std::string_view> views;
    for (const auto& line : lines) views.push_back(line);
    transport()->writelines(views);
  }
  /// The peer will read an end of stream behind what was written; one can still read.
  void write_eof() const { transport()->write_eof(); }
  bool can_write_eof() const noexcept { return transport()->can_write_eof(); }

  /// `writer.write(data); co_await writer.drain();` Waits, while the transport's buffer is above its high-water mark
  /// (64 KiB), until it is down at its low one (16 KiB). Throws the error of the connection: reset by the peer, broken
  /// … or, once it is closed, std::errc::connection_reset ("Connection lost"). Several tasks may wait at once.
  Coro<> drain() const { return drain(owner_); }

  /// Ends the connection when what was written is sent; may be called twice.
  void close() const { transport()->close(); }
  bool is_closing() const noexcept { return transport()->is_closing(); }
  /// Until it is closed; throws the error that ended it, if there was one.
  Coro<> wait_closed() const { return wait_closed(owner_); }

  /// What it writes to: for its buffer's limits, abort() …
  const std::shared_ptr<WriteTransport>& transport() const noexcept { return owner_->transport(); }
  /// [get_extra_info('peername'), get_extra_info('sockname')]; also when it is closed.
  Address peername() const noexcept { return transport()->peername(); }
  Address sockname() const noexcept { return transport()->sockname(); }

  // ── for the library ──
  explicit StreamWriter(detail::Ref<detail::StreamOwner> owner) noexcept : owner_(std::move(owner)) {}

 private:
  static Coro<> drain(detail::Ref<detail::StreamOwner> owner);
  static Coro<> wait_closed(detail::Ref<detail::StreamOwner> owner);

  detail::Ref<detail::StreamOwner> owner_;
};

}  // namespace asyncio
