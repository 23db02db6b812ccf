// StreamReader: bytes from a connection, by count, by line, or until the end.
// Mirrors: Lib/asyncio/streams.py, StreamReader. Read next: stream_writer.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/stream_owner.h>
#include <asyncio/stream_errors.h>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

/// A handle: copies read from the same stream. One task at a time may wait for data (std::runtime_error for a second).
///
/// Data are received as they come, up to twice `limit` (64 KiB unless told otherwise); then the connection is not read
/// until no more than `limit` is left, or a read has to wait, and TCP makes the sender wait. The limit also bounds what
/// readline() and readuntil() look through. Every member throws the error of the connection, once it has one.
class StreamReader {
 public:
  static constexpr std::size_t kDefaultLimit = 64 * 1024;

  /// One that is fed by hand. (For one that reads from the network: open_connection(), start_server().)
  /// Throws std::invalid_argument("Limit cannot be <= 0").
  explicit StreamReader(std::size_t limit = kDefaultLimit);

  /// Up to n bytes, as soon as there is one; "" at the end of the stream. n < 0: all until the end of the stream.
  Coro<std::string> read(std::ptrdiff_t n = -1) const;
  /// The same into memory of the caller's, which has to outlive the await: how many bytes; 0 at the end of the stream,
  /// or if there is no room. What is not in the reader already is received right there, and not copied.
  Coro<std::size_t> read_into(std::span<char> memory) const;
  /// Exactly n. Throws IncompleteReadError if the stream ends before, std::invalid_argument if n < 0.
  Coro<std::string> readexactly(std::ptrdiff_t n) const;
  /// A line with its '\n'; at the end of the stream without, or "". Throws std::invalid_argument if it is longer than
  /// the limit: the line is dropped, or, if its end was not seen yet, all that is there.
  Coro<std::string> readline() const;
  /// The same, and nothing at the end of the stream: `async for line in reader`.
  ///     for (;;) {
  ///       const auto line = co_await reader.next_line();
  ///       if (!line) break;
  Coro<std::optional<std::string>> next_line() const;
  /// Until the separator, and with it; of several, until the one that ends first. Throws IncompleteReadError at the
  /// end of the stream, LimitOverrunError beyond the limit, std::invalid_argument for an empty separator.
  Coro<std::string> readuntil(std::string_view separator = "\n") const;
  Coro<std::string> readuntil(std::vector<std::string> separators) const;
  /// `reader.readuntil("\r\n", "\n")`: a list in braces beside a co_await is more than g++ 12 can compile.
  template <std::convertible_to<std::string_view>... More>
    requires(sizeof...(More) > 0)
  Coro<std::string> readuntil(std::string_view separator, const More&... more) const {
    std::vector<std::string> separators(1, std::string(separator));
    (separators.emplace_back(std::string_view(more)), ...);
    return readuntil(std::move(separators));
  }

  /// The stream has ended, and all has been read.
  bool at_eof() const noexcept { return state_->eof() && state_->buffer().empty(); }
  /// The connection's error, or null.
  std::exception_ptr exception() const noexcept { return state_->exception(); }

  // What a protocol does, or whoever feeds it by hand. The transport is told to pause above twice the limit.
  void feed_data(std::string_view data) const { state_->feed_data(data); }
  void feed_eof() const { state_->feed_eof(); }
  void set_exception(std::exception_ptr error) const { state_->set_exception(std::move(error)); }

  void set_transport(std::shared_ptr<ReadTransport> transport) const { state_->set_transport(std::move(transport)); }

  // ── for the library ──
  StreamReader(detail::Ref<detail::ReaderState> state, detail::Ref<detail::StreamOwner> owner) noexcept
      : state_(std::move(state)), owner_(std::move(owner)) {}
  detail::ReaderState& state() const noexcept { return *state_; }

 private:
  // The coroutines proper: they hold a handle, so that one may let go of one's own as they run.
  static Coro<std::string> read(StreamReader self, std::ptrdiff_t n);
  static Coro<std::size_t> read_into(StreamReader self, std::span<char> memory);
  static Coro<std::string> readexactly(StreamReader self, std::ptrdiff_t n);
  static Coro<std::string> readline(StreamReader self);
  static Coro<std::optional<std::string>> next_line(StreamReader self);
  static Coro<std::string> readuntil(StreamReader self, std::vector<std::string> separators);

  detail::Ref<detail::ReaderState> state_;
  detail::Ref<detail::StreamOwner> owner_;  // null if fed by hand
};

}  // namespace asyncio
