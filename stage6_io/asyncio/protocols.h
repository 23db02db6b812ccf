// Protocols: what a connection tells its owner, by callbacks. Derive from one, and say what to do.
// Mirrors: Lib/asyncio/protocols.py. Read next: connections.h
#pragma once

#include <asyncio/transports.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

namespace asyncio {

/// All callbacks come from the loop's thread, one at a time, each as a callback of its own or from within a call of the
/// transport: connection_made, any number of data_received, perhaps eof_received, connection_lost.
class BaseProtocol {
 public:
  BaseProtocol() = default;
  BaseProtocol(const BaseProtocol&) = delete;
  BaseProtocol& operator=(const BaseProtocol&) = delete;
  virtual ~BaseProtocol() = default;

  /// The connection is gone: null if it was closed or came to its end, otherwise why. Then the descriptor is closed.
  virtual void connection_lost(std::exception_ptr) {}

  /// The transport's buffer rose above its high-water mark (from within write()) …
  virtual void pause_writing() {}
  /// … and sank to its low-water mark.
  virtual void resume_writing() {}
};

/// A stream's. What a callback throws is reported, and ends the connection; but for connection_made, which goes on.
class Protocol : public BaseProtocol {
 public:
  /// Keep the transport to write. Nothing is received before this returns.
  virtual void connection_made(std::shared_ptr<Transport>) {}
  /// Some bytes, at least one; where one call ends and the next begins means nothing. They are there until it returns.
  virtual void data_received(std::string_view) {}
  /// The peer will send no more. True: the connection stays open for writing; false: it is closed.
  virtual bool eof_received() { return false; }
};

/// A stream's, received into memory of the protocol's own: no byte is copied.
class BufferedProtocol : public BaseProtocol {
 public:
  virtual void connection_made(std::shared_ptr<Transport>) {}
  /// Where the next bytes go: at least one, and any number. `hint`: how many there may be, as far as is known.
  virtual std::span<char> get_buffer(std::size_t hint) = 0;
  /// So many bytes were put there.
  virtual void buffer_updated(std::size_t size) = 0;
  virtual bool eof_received() { return false; }
};

/// A datagram socket's. What its callbacks throw is reported, and does not end anything.
class DatagramProtocol : public BaseProtocol {
 public:
  virtual void connection_made(std::shared_ptr<DatagramTransport>) {}
  virtual void datagram_received(std::string_view, const Address&) {}
  /// Something sent before did not arrive (nobody listens there), or could not be sent. The transport goes on.
  virtual void error_received(const std::system_error&) {}
};

}  // namespace asyncio
