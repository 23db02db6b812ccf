// Transports: the interfaces through which a protocol acts on its connection. A transport of your own (for a test, or
// over something that is no descriptor) derives from them too.
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

/// Each transport has one protocol, whose callbacks it calls. The loop keeps the transport, and the transport keeps its
/// protocol, until connection_lost(). The protocol may keep its transport in turn.
class BaseTransport {
 public:
  BaseTransport() = default;
  BaseTransport(const BaseTransport&) = delete;
  BaseTransport& operator=(const BaseTransport&) = delete;
  virtual ~BaseTransport() = default;

  /// Stops receiving, sends what is in the buffer, and then ends: connection_lost(nullptr) is scheduled by call_soon,
  /// or runs right after the last byte is sent. May be called twice.
  virtual void close() = 0;
  /// Whether close() or abort() was called, or the connection is lost. [is_closing]
  virtual bool is_closing() const noexcept = 0;

  /// Throws std::invalid_argument if this transport needs another kind of protocol.
  virtual void set_protocol(std::shared_ptr<BaseProtocol> protocol) = 0;
  virtual std::shared_ptr<BaseProtocol> get_protocol() const = 0;  // null after connection_lost()

  /// get_extra_info("sockname"), ("peername"), and the descriptor of its "socket" or "pipe". The addresses stay valid
  /// after the connection is lost; empty if there is none.
  virtual Address sockname() const noexcept { return Address(); }
  virtual Address peername() const noexcept { return Address(); }
  /// The descriptor; -1: there is none.
  virtual int fileno() const noexcept { return -1; }

  /// `<SocketTransport closing fd=7>`
  virtual std::string repr() const { return "<transport>"; }
};

/// In bytes. When the buffer rises above `high`, the protocol gets pause_writing(); at `low` or below,
/// resume_writing().
struct WriteBufferLimits {
  std::optional<std::size_t> high = {};  // default: 64 KiB; 4 * low if only low is given
  std::optional<std::size_t> low = {};   // default: a quarter of high
};

/// A transport with a buffer for what it cannot send at once.
class SendTransport : public virtual BaseTransport {
 public:
  /// Ends at once and drops what is in the buffer; connection_lost(nullptr) is scheduled by call_soon.
  virtual void abort() = 0;

  virtual std::size_t get_write_buffer_size() const noexcept = 0;  // in bytes
  /// The marks in force, in bytes. [get_write_buffer_limits]
  virtual WriteBufferLimits get_write_buffer_limits() const noexcept = 0;
  /// May pause the protocol at once. Throws std::invalid_argument if high < low.
  virtual void set_write_buffer_limits(WriteBufferLimits limits = {}) = 0;
};

/// What a protocol can do with what comes in.
class ReadTransport : public virtual BaseTransport {
 public:
  /// Whether data is delivered: false after pause_reading(), and once it is closed. [is_reading]
  virtual bool is_reading() const noexcept = 0;
  /// No data_received() until resume_reading(). Both may be called twice, and do nothing on a closing transport.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // ── for the library ──
  /// Reads without waiting, if data may be there. True if the protocol was called.
  virtual bool read_now() { return false; }
};

/// What a protocol can do with what goes out.
class WriteTransport : public virtual SendTransport {
 public:
  /// Sends at once what the kernel takes and buffers the rest; never waits. Drops the data if the connection is lost;
  /// from the fifth time on it also calls the loop's exception handler. Throws std::runtime_error after write_eof().
  virtual void write(std::string_view data) = 0;
  /// Writes the lines as if they were one.
  virtual void writelines(std::span<const std::string_view> lines) {
    std::size_t size = 0;
    for (const std::string_view line : lines) size += line.size();
    std::string all;
    all.reserve(size);
    for (const std::string_view line : lines) all += line;
    write(all);
  }
  /// The peer reads the end of the stream after what was written. This side can still receive.
  virtual void write_eof() = 0;
  /// Whether write_eof() is possible: not over TLS. [can_write_eof]
  virtual bool can_write_eof() const noexcept = 0;
};

/// Reads and writes. A pipe's transport implements one half; the other throws std::logic_error or does nothing.
class Transport : public ReadTransport, public WriteTransport {
 public:
  // ── for the library ──
  /// Whether start_tls() can put TLS on it.
  virtual bool can_start_tls() const noexcept { return false; }
};

/// Sends messages instead of a stream: each arrives whole or not at all.
class DatagramTransport : public virtual SendTransport {
 public:
  /// Sends to `address`, or to the transport's remote address if it has one. `data` may be empty.
  /// Throws std::invalid_argument if the transport has a remote address and `address` is a different one.
  virtual void sendto(std::string_view data, const Address& address = Address()) = 0;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: write() sends in the same tick what the kernel takes, and the rest in ticks that find room. close() and
//   abort() call connection_lost() in a later tick.
// Errors: std::invalid_argument and std::runtime_error for what makes no sense. An error of the connection goes to
//   connection_lost().
// Units: sizes are in bytes; fileno() is the kernel's number.
