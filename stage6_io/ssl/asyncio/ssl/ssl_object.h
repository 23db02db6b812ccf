// SSLObject describes a TLS connection: the peer's certificate, the cipher, the agreed protocol.
// Mirrors: Lib/ssl.py, SSLObject; transport.get_extra_info('ssl_object'). Read next: ../../demo.cpp
#pragma once

#include <asyncio/ssl/certificate.h>
#include <asyncio/ssl/detail/openssl.h>
#include <asyncio/stream_writer.h>
#include <asyncio/transports.h>

#include <memory>
#include <optional>
#include <string>

namespace asyncio::ssl {

namespace detail {
class ContextState;
}

/// For example "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256.
struct Cipher {
  std::string name;      // as OpenSSL calls it
  std::string protocol;  // "TLSv1.3"
  int secret_bits = 0;   // how long the secret is
};

/// May outlive the connection, and then still answers. Belongs to the loop's thread.
class SSLObject {
 public:
  SSLObject(const SSLObject&) = delete;
  SSLObject& operator=(const SSLObject&) = delete;

  /// nullopt if the peer sent none. [getpeercert]
  std::optional<Certificate> peer_certificate() const;
  /// "TLSv1.3"; "" before the handshake is done.
  std::string version() const;
  /// nullopt before the handshake is done.
  std::optional<Cipher> cipher() const;
  /// "h2"; "" if none was agreed on.
  std::string selected_alpn_protocol() const;
  /// Whether the connection resumed the session of an earlier one.
  bool session_reused() const;
  /// The name that the client requested.
  const std::string& server_hostname() const noexcept { return server_hostname_; }

  /// True once the peer has announced the end of its data. False after the end of the stream: it was cut off, by an
  /// attacker or by a peer that just hung up.
  bool received_close_notify() const noexcept;

  /// OpenSSL's SSL, for queries without a function here. Do not read or write through it.
  ssl_st* native_handle() const noexcept { return ssl_.get(); }

  // ── for the library ──
  SSLObject(std::shared_ptr<detail::ContextState> context, detail::SSLPointer ssl,
            std::string server_hostname) noexcept;

 private:
  std::shared_ptr<detail::ContextState> context_;  // ssl_'s callbacks use it
  detail::SSLPointer ssl_;
  std::string server_hostname_;
};

/// Null without TLS. [get_extra_info('ssl_object')]
std::shared_ptr<const SSLObject> get_ssl_object(const BaseTransport& transport) noexcept;
inline std::shared_ptr<const SSLObject> get_ssl_object(const StreamWriter& writer) noexcept {
  return get_ssl_object(*writer.transport());
}

}  // namespace asyncio::ssl

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: none.
// Errors: none.
// Units: secret_bits is in bits.
