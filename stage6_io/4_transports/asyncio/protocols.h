// Protocols: the callbacks of a connection. Derive from one of these classes and override what you need.
// Mirrors: Lib/asyncio/protocols.py. Read next: tls.h
#pragma once

#include <asyncio/transports.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

namespace asyncio {

/// All callbacks run on the loop's thread, one at a time, as callbacks of the loop or from within a call of the
/// transport: connection_made, any number of data_received, perhaps eof_received, then connection_lost.
class BaseProtocol {
 public:
  BaseProtocol() = default;
  BaseProtocol(const BaseProtocol&) = delete;
  BaseProtocol& operator=(const BaseProtocol&) = delete;
  virtual ~BaseProtocol() = default;

  /// The connection is lost: null if it was closed or has ended, otherwise the error. The descriptor is closed
  /// afterwards.
  virtual void connection_lost(std::exception_ptr) {}

  /// The transport's buffer has risen above its high-water mark. Called from within write().
  virtual void pause_writing() {}
  /// The transport's buffer has fallen to its low-water mark.
  virtual void resume_writing() {}
};

/// The protocol of a stream. An exception from a callback is reported and ends the connection; one from connection_made
/// is reported only.
class Protocol : public BaseProtocol {
 public:
  /// Store the transport to write to it. Nothing is received before this returns.
  virtual void connection_made(std::shared_ptr<Transport>) {}
  /// At least one byte; how the stream is cut into calls means nothing. The bytes are valid until this returns.
  virtual void data_received(std::string_view) {}
  /// The peer will send no more. True: the connection stays open for writing; false: it is closed.
  virtual bool eof_received() { return false; }
};

/// The protocol of a stream that receives into its own memory, without a copy.
class BufferedProtocol : public BaseProtocol {
 public:
  /// The first call: the connection is there. Keep the transport, to write.
  virtual void connection_made(std::shared_ptr<Transport>) {}
  /// Memory for the next bytes, of any size but 0. `hint` is how many may come.
  virtual std::span<char> get_buffer(std::size_t hint) = 0;
  /// `size` bytes were written to that memory.
  virtual void buffer_updated(std::size_t size) = 0;
  /// The peer sends no more. False: the transport closes itself. [BufferedProtocol.eof_received]
  virtual bool eof_received() { return false; }
};

/// The protocol of a datagram socket. An exception from a callback is reported and ends nothing.
class DatagramProtocol : public BaseProtocol {
 public:
  /// The first call: the socket is there. Keep the transport, to send.
  virtual void connection_made(std::shared_ptr<DatagramTransport>) {}
  /// A datagram has come, from that address. The view is valid during the call.
  virtual void datagram_received(std::string_view, const Address&) {}
  /// An earlier datagram did not arrive (nobody listens there) or could not be sent. The transport stays open.
  virtual void error_received(const std::system_error&) {}
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: bytes and messages are received in the tick that finds the descriptor ready; connection_lost() comes in a
//   later tick than the close() that causes it, or behind the last byte sent.
// Errors: what a callback throws goes to the exception handler; see each class for what else it does.
// Units: sizes are in bytes.
