// A TLS peer that is not ours: OpenSSL on two memory BIOs and a plain socket. A test sees each byte on the wire, and may
// hold back, cut, change or add any.
#pragma once

#include "stage6/ssl/certificates.h"

#include <asyncio/coro.h>
#include <asyncio/socket.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace asyncio::testing {

struct FreeSSL {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

class BarePeer {
 public:
  enum class Side { client, server };

  /// Verifies nothing, and shows this certificate, however weak its key is. The certificate may be followed by its chain.
  BarePeer(Socket socket, Side side, const Identity* identity = nullptr, int version = TLS1_3_VERSION);
  /// A client of our server on that port.
  static Coro<BarePeer> connect(int port, int version = TLS1_3_VERSION);

  Coro<> handshake();
  /// Decrypts up to `size` bytes; "" after close_notify or the end of the stream.
  Coro<std::string> read(std::size_t size = 16384);
  Coro<std::string> read_all();
  Coro<> write(std::string data);
  /// Sends close_notify.
  Coro<> shutdown();
  bool received_close_notify() const { return (SSL_get_shutdown(ssl()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  SSL* ssl() const noexcept { return ssl_.get(); }
  Socket& socket() noexcept { return socket_; }

  /// What OpenSSL wants to send.
  std::string take_outgoing();
  Coro<> send_outgoing();
  /// Receives once. False at the end of the stream.
  Coro<bool> receive();
  /// Encrypts, for take_outgoing().
  void encrypt(std::string_view data);

  std::size_t piece = SIZE_MAX;  // the most bytes to send at once; after each the loop takes a turn

 private:
  std::unique_ptr<SSL_CTX, FreeSSL> context_;
  std::unique_ptr<SSL, FreeSSL> ssl_;
  Socket socket_;
};

}  // namespace asyncio::testing
