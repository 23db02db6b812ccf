// StreamReader: reads bytes from a connection, by count, by line, or up to the end.
// Mirrors: Lib/asyncio/streams.py, StreamReader. Read next: stream_errors.h
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

/// A handle; copies read from the same stream. One task at a time may wait for data; a second gets std::runtime_error.
/// Thread safety: only on the loop's thread.
///
/// The reader buffers up to about twice `limit` bytes (default: 64 KiB). Then it stops reading the connection, and TCP
/// makes the sender wait, until no more than `limit` bytes are left or a read has to wait. readline() and readuntil()
/// search no more than `limit` bytes. All reads throw the error of the connection once there is one.
class StreamReader {
 public:
  static constexpr std::size_t kDefaultLimit = 64 * 1024;  // bytes

  /// A reader that is fed by hand. To read from the network, see open_connection() and start_server().
  /// Throws std::invalid_argument("Limit cannot be <= 0").
  explicit StreamReader(std::size_t limit = kDefaultLimit);

  /// Up to n bytes, as soon as there is one; "" at the end of the stream. n < 0: everything up to the end of the
  /// stream.
  Coro<std::string> read(std::ptrdiff_t n = -1) const;
  /// Reads into the caller's memory, which must outlive the await. Returns the number of bytes; 0 at the end of the
  /// stream or for empty memory. Bytes that are not in the reader yet are received in place, without a copy.
  Coro<std::size_t> read_into(std::span<char> memory) const;
  /// Exactly n bytes. Throws IncompleteReadError if the stream ends before, std::invalid_argument if n < 0.
  Coro<std::string> readexactly(std::ptrdiff_t n) const;
  /// A line with its '\n'. At the end of the stream the last line may lack it; then "". Throws std::invalid_argument if
  /// the line is longer than the limit, and drops it; if its end has not arrived, drops everything in the buffer.
  Coro<std::string> readline() const;
  /// Like readline(), but empty at the end of the stream: `async for line in reader`.
  ///     for (;;) {
  ///       const auto line = co_await reader.next_line();
  ///       if (!line) break;
  Coro<std::optional<std::string>> next_line() const;
  /// Everything up to and including the separator; of several, the one that ends first. Throws IncompleteReadError at
  /// the end of the stream, LimitOverrunError beyond the limit, std::invalid_argument for an empty separator.
  Coro<std::string> readuntil(std::string_view separator = "\n") const;
  Coro<std::string> readuntil(std::vector<std::string> separators) const;
  /// `reader.readuntil("\r\n", "\n")`: no braces, because g++ 12 cannot compile them beside a co_await.
  template <std::convertible_to<std::string_view>... More>
    requires(sizeof...(More) > 0)
  Coro<std::string> readuntil(std::string_view separator, const More&... more) const {
    std::vector<std::string> separators(1, std::string(separator));
    (separators.emplace_back(std::string_view(more)), ...);
    return readuntil(std::move(separators));
  }

  /// True if the stream has ended and everything was read.
  bool at_eof() const noexcept { return state_->eof() && state_->buffer().empty(); }
  /// The connection's error, or null.
  std::exception_ptr exception() const noexcept { return state_->exception(); }
  /// `<StreamReader 4 bytes eof limit=7>`
  std::string repr() const { return state_->repr(); }

  /// For protocols, or to feed the reader by hand. The transport is paused above twice the limit.
  void feed_data(std::string_view data) const { state_->feed_data(data); }
  /// The end of the stream, behind what was fed. [StreamReader.feed_eof]
  void feed_eof() const { state_->feed_eof(); }
  /// Whoever reads gets this error, now and from now on. [StreamReader.set_exception]
  void set_exception(std::exception_ptr error) const { state_->set_exception(std::move(error)); }

  /// The transport that is paused. [StreamReader.set_transport]
  void set_transport(std::shared_ptr<ReadTransport> transport) const { state_->set_transport(std::move(transport)); }

  // ── for the library ──
  StreamReader(detail::Ref<detail::ReaderState> state, detail::Ref<detail::StreamOwner> owner) noexcept
      : state_(std::move(state)), owner_(std::move(owner)) {}
  detail::ReaderState& state() const noexcept { return *state_; }

 private:
  // The coroutines hold a handle of their own, so the caller's handle may be destroyed while they run.
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

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a read does not suspend if enough bytes are there; else the task runs in the tick after the one in which
//   they come.
// Errors: the error of the connection; IncompleteReadError and LimitOverrunError; std::runtime_error if another task
//   reads; std::invalid_argument for sizes that cannot be.
// Units: sizes and limits are in bytes.
