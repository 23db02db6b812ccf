// SSLContext: the certificates and TLS settings that many connections share.
// Mirrors: Lib/ssl.py: SSLContext, create_default_context. Read next: errors.h
#pragma once

#include <asyncio/ssl/detail/openssl.h>
#include <asyncio/tls.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::ssl {

namespace detail {
class ContextState;
}

/// Which side of a connection a context is for.
enum class TLSProtocol : std::uint8_t { TLS_CLIENT, TLS_SERVER };
/// The peers that a default context authenticates. A client's context uses SERVER_AUTH; a server's, CLIENT_AUTH.
enum class Purpose : std::uint8_t { SERVER_AUTH, CLIENT_AUTH };
/// Whether the peer's certificate is asked for, and whether it must be valid.
enum class VerifyMode : std::uint8_t { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED };
/// TLS 1.0 and 1.1 are refused (RFC 8996).
enum class TLSVersion : std::uint16_t { TLSv1_2 = 0x0303, TLSv1_3 = 0x0304 };

/// Bits of verify_flags(), with OpenSSL's values.
inline constexpr unsigned long VERIFY_DEFAULT = 0;
inline constexpr unsigned long VERIFY_CRL_CHECK_LEAF = 0x4;  // the peer's certificate is looked up in a revocation list
inline constexpr unsigned long VERIFY_CRL_CHECK_CHAIN = 0xc;         // and so are those that signed it
inline constexpr unsigned long VERIFY_X509_STRICT = 0x20;            // no work-arounds for broken certificates
inline constexpr unsigned long VERIFY_X509_TRUSTED_FIRST = 0x8000;   // a chain is built of trusted certificates first
inline constexpr unsigned long VERIFY_X509_PARTIAL_CHAIN = 0x80000;  // a trusted certificate need not be a root

/// `SSLContext context = create_default_context(); co_await open_connection(host, 443, {.ssl = &context});`
///
/// By default, a client's context verifies the peer and its name; a server's requests no certificate. The minimum
/// version is TLS 1.2, and renegotiation is refused. Changes apply to later connections. A connection may outlive its
/// context: it keeps what it uses.
///
/// Errors: SSLError if OpenSSL refuses a setting; std::system_error if a file cannot be read; std::invalid_argument.
/// Thread safety: loops in several threads may share a context, as long as nobody changes it. A connection belongs to
/// its loop's thread.
class SSLContext final : public TlsContext {
 public:
  /// Trusts nobody until load_default_certs() or load_verify_locations().
  explicit SSLContext(TLSProtocol protocol);

  // ── our certificate ──

  /// PEM files: `certfile` has the certificate and its chain; `keyfile` the private key ("": in `certfile`).
  /// `password` decrypts the key. Throws SSLError if the key does not belong to the certificate.
  void load_cert_chain(const std::string& certfile, const std::string& keyfile = std::string(),
                       const std::string& password = std::string());
  /// As load_cert_chain(), from PEM text.
  void load_cert_chain_pem(const std::string& certificates, const std::string& key);

  // ── trust ──

  /// Trusts the roots in a file, in a folder (files named by hash), or in PEM text. At least one is required.
  void load_verify_locations(const std::string& cafile, const std::string& capath = std::string(),
                             const std::string& cadata = std::string());
  /// Trusts the system's roots, or those that $SSL_CERT_FILE and $SSL_CERT_DIR name. Reads them when needed.
  void set_default_verify_paths();
  /// [load_default_certs]
  void load_default_certs() { set_default_verify_paths(); }

  /// Whether the peer's certificate is checked.
  VerifyMode verify_mode() const noexcept;
  /// Throws std::invalid_argument for CERT_NONE while check_hostname() is on.
  void set_verify_mode(VerifyMode mode);
  /// Whether the peer's certificate must match server_hostname.
  bool check_hostname() const noexcept;
  /// true also changes the mode CERT_NONE to CERT_REQUIRED.
  void set_check_hostname(bool on);
  /// Flags for the check of the certificate: VERIFY_CRL_CHECK_LEAF and so on, combined by `|`.
  /// [SSLContext.verify_flags]
  unsigned long verify_flags() const noexcept;
  /// Flags for the check of the certificate: VERIFY_CRL_CHECK_LEAF and so on, combined by `|`.
  /// [SSLContext.verify_flags]
  void set_verify_flags(unsigned long flags);

  // ── versions, ciphers, protocols ──

  /// The versions of TLS that a connection may agree on. [SSLContext.minimum_version, maximum_version]
  TLSVersion minimum_version() const noexcept;
  TLSVersion maximum_version() const noexcept;
  /// From this version on. [SSLContext.minimum_version]
  void set_minimum_version(TLSVersion version);
  /// Up to this version. [SSLContext.maximum_version]
  void set_maximum_version(TLSVersion version);
  /// TLS 1.2's ciphers as an OpenSSL list: "ECDHE+AESGCM". Throws SSLError("No cipher can be selected.").
  void set_ciphers(const std::string& ciphers);
  /// In order of preference: {"h2", "http/1.1"}. A server selects its first that the client offers.
  void set_alpn_protocols(const std::vector<std::string>& protocols);

  /// For servers: receives the name that the client requests ("" if none), and returns the context whose settings
  /// apply, all of them, or null for this one. If it throws, the handshake fails, and the loop's exception handler gets
  /// the exception. It runs in the loop's thread, and may run twice, for a client that has to send its hello again.
  using ServerNameCallback = std::function<const SSLContext*(std::string_view name)>;
  /// See ServerNameCallback. An empty one: this context is for all names. [SSLContext.sni_callback]
  void set_servername_callback(ServerNameCallback callback);

  // ── sessions ──

  /// For clients: keeps the last session of each of 1,024 hosts, for the next connection to it. Default: off. TLS 1.3's
  /// arrives after the handshake, with the first bytes that are read, and of simultaneous connections only one resumes
  /// it. Changing what is verified, or our certificate, forgets all: clients of a server then cannot resume either.
  void set_reuse_sessions(bool on);
  /// For servers: the number of tickets per TLS 1.3 client. Default: 2. 0: none.
  void set_num_tickets(std::size_t count);

  /// Appends every connection's secrets to that file, for Wireshark; "" stops this.
  void set_keylog_filename(const std::string& path);

  /// OpenSSL's SSL_CTX, for settings without a function here.
  ssl_ctx_st* native_handle() const noexcept;

  // ── for the library ──
  std::shared_ptr<asyncio::detail::TlsEngine> engine() const override;

 private:
  std::shared_ptr<detail::ContextState> state_;
};

/// A context with recommended settings, which may change. SERVER_AUTH verifies the chain strictly, and the name,
/// against the system's roots or the given ones. Secrets are logged to $SSLKEYLOGFILE.
SSLContext create_default_context(Purpose purpose = Purpose::SERVER_AUTH, const std::string& cafile = std::string(),
                                  const std::string& capath = std::string(), const std::string& cadata = std::string());

}  // namespace asyncio::ssl

// For the whole header, unless a name says otherwise:
// Threads: any number of threads may use a context that nobody changes.
// Ticks: none: a context is read when a connection is made.
// Errors: SSLError if OpenSSL refuses a setting; std::system_error if a file cannot be read; std::invalid_argument.
// Units: set_num_tickets() counts tickets.
