// StreamWriter: bytes to a connection. write() never waits; drain() is where a fast writer waits for a slow reader.
// Mirrors: Lib/asyncio/streams.py, StreamWriter. Read next: server.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/connection.h>

#include <string>
#include <string_view>

namespace asyncio {

/// A handle: copies write to the same connection. When the last handle to it is gone, the reader's included, the
/// connection is closed as by close(); unlike Python's it does not take a garbage collector, and is no reason to warn.
class StreamWriter {
 public:
  /// Sends at once what the socket takes, and keeps the rest to send it later; does not wait. If there is an error, or
  /// the connection is closed, drain() tells. Throws std::runtime_error after write_eof().
  void write(std::string_view data) const { connection().write(data); }
  /// All in one piece, from any range of strings.
  template <class Lines>
  void writelines(const Lines& lines) const {
    std::string all;
    for (const auto& line : lines) all += line;
    write(all);
  }
  /// The peer will read an end of stream behind what was written; one can still read.
  void write_eof() const { connection().write_eof(); }

  /// `writer.write(data); co_await writer.drain();` Waits, while more than 64 KiB are unsent, until no more than 16 are.
  /// Throws the error of the connection: reset by the peer, broken … or, once it is closed, std::errc::connection_reset
  /// ("Connection lost"). Several tasks may wait at once.
  Coro<> drain() const { return drain(owner_); }

  /// Ends the connection when what was written is sent; may be called twice.
  void close() const { connection().close(); }
  bool is_closing() const noexcept { return connection().is_closing(); }
  /// Until it is closed; throws the error that ended it, if there was one.
  Coro<> wait_closed() const { return wait_closed(owner_); }

  /// [get_extra_info('peername'), get_extra_info('sockname')]; also when it is closed.
  Address peername() const noexcept { return connection().peer(); }
  Address sockname() const noexcept { return connection().local(); }

  // ── for the library ──
  explicit StreamWriter(detail::Ref<detail::ConnectionOwner> owner) noexcept : owner_(std::move(owner)) {}
  detail::Connection& connection() const noexcept { return owner_->connection(); }

 private:
  static Coro<> drain(detail::Ref<detail::ConnectionOwner> owner);
  static Coro<> wait_closed(detail::Ref<detail::ConnectionOwner> owner);

  detail::Ref<detail::ConnectionOwner> owner_;
};

}  // namespace asyncio
