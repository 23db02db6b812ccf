// Transports: the sending side of a connection, as its protocol sees it. What is here are the interfaces; a transport
// of one's own (for a test, or over something that is no descriptor) derives from them as well.
// Mirrors: Lib/asyncio/transports.py. Read next: protocols.h
#pragma once

#include <asyncio/address.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asyncio {

class BaseProtocol;

/// Each transport has one protocol, and tells it of what happens. The loop keeps a transport, and the transport its
/// protocol, until connection_lost(); a protocol may keep its transport in turn.
class BaseTransport {
 public:
  BaseTransport() = default;
  BaseTransport(const BaseTransport&) = delete;
  BaseTransport& operator=(const BaseTransport&) = delete;
  virtual ~BaseTransport() = default;

  /// Receives nothing more, sends what is in the buffer, and then ends: connection_lost(nullptr) comes by call_soon, or
  /// right behind the last byte. May be called twice.
  virtual void close() = 0;
  virtual bool is_closing() const noexcept = 0;

  /// Throws std::invalid_argument if it is not of the kind that this transport needs.
  virtual void set_protocol(std::shared_ptr<BaseProtocol> protocol) = 0;
  virtual std::shared_ptr<BaseProtocol> get_protocol() const = 0;  // null once the connection is lost

  // get_extra_info("sockname"), ("peername"), and the descriptor of its "socket" or "pipe". The addresses stay known
  // when the connection is lost; empty if there is none.
  virtual Address sockname() const noexcept { return Address(); }
  virtual Address peername() const noexcept { return Address(); }
  virtual int fileno() const noexcept { return -1; }

  /// `<SocketTransport closing fd=7>`
  virtual std::string repr() const { return "<transport>"; }
};

/// Bytes in the buffer: above `high` the protocol is told to pause_writing(), at `low` or below to resume_writing().
struct WriteBufferLimits {
  std::optional<std::size_t> high = {};  // 64 KiB; if only low is given: 4 * low
  std::optional<std::size_t> low = {};   // a quarter of high
};

/// What a transport has that keeps what it cannot send at once.
class SendTransport : public virtual BaseTransport {
 public:
  /// Ends at once, and drops what is in the buffer; connection_lost(nullptr) comes by call_soon.
  virtual void abort() = 0;

  virtual std::size_t get_write_buffer_size() const noexcept = 0;
  virtual WriteBufferLimits get_write_buffer_limits() const noexcept = 0;
  /// May pause the protocol at once. Throws std::invalid_argument if high < low.
  virtual void set_write_buffer_limits(WriteBufferLimits limits = {}) = 0;
};

class ReadTransport : public virtual BaseTransport {
 public:
  virtual bool is_reading() const noexcept = 0;
  /// No more data_received() until resume_reading(). Both may be called twice, and do nothing once it is closing.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // ── for the library ──
  /// Hands the protocol what is there without waiting, if it is worth a try. True if that changed anything.
  virtual bool read_now() { return false; }
};

class WriteTransport : public virtual SendTransport {
 public:
  /// Sends at once what the kernel takes, and keeps the rest to send it later; does not wait. To a connection that is
  /// lost, it goes nowhere; the fifth time the loop's exception handler is told.
  /// Throws std::runtime_error after write_eof().
  virtual void write(std::string_view data) = 0;
  /// All as one: `write()` of them joined.
  virtual void writelines(std::span<const std::string_view> lines) {
    std::size_t size = 0;
    for (const std::string_view line : lines) size += line.size();
    std::string all;
    all.reserve(size);
    for (const std::string_view line : lines) all += line;
    write(all);
  }
  /// The peer will read the end of the stream behind what was written; one can still receive.
  virtual void write_eof() = 0;
  virtual bool can_write_eof() const noexcept = 0;
};

/// Both ways. Of a pipe's transport only one half does anything; the other throws std::logic_error.
class Transport : public ReadTransport, public WriteTransport {};

/// Messages instead of a stream: each arrives whole, or not at all.
class DatagramTransport : public virtual SendTransport {
 public:
  /// To `address`, or, of a transport with a remote address, to that. An empty datagram is sent, too.
  /// Throws std::invalid_argument if the transport has a remote address, and it is another one.
  virtual void sendto(std::string_view data, const Address& address = Address()) = 0;
};

}  // namespace asyncio
