// The seam for TLS: all that a connection knows of it. asyncio::ssl implements it on OpenSSL; this library has none.
// Mirrors: the ssl=, server_hostname= and ssl_*_timeout= parameters of Lib/asyncio/base_events.py.
// Read next: connections.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/future.h>
#include <asyncio/protocols.h>
#include <asyncio/time_limit.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio {

namespace detail {

/// How one connection is to be secured.
struct TlsSetup {
  bool server_side = false;
  std::string server_hostname;  // the name that the peer's certificate must have; "" if none was given
  TimeLimit handshake_timeout;  // nullopt: 60 s
  TimeLimit shutdown_timeout;   // nullopt: 30 s
  Future<> handshake;           // is done when the handshake is; may be empty
  bool call_connection_made = true;
};

/// TLS on one connection: a protocol to the raw transport, and behind it a transport for the protocol above.
class TlsLayer : public BufferedProtocol {
 public:
  /// What the protocol above writes to, and closes.
  virtual std::shared_ptr<Transport> app_transport() const = 0;
  /// Bytes of the peer that were received before the layer was there. REQUIRES: connection_made() has not run.
  virtual void feed(std::string_view received) = 0;
};

/// What a context owns, and every connection made with it keeps.
class TlsEngine {
 public:
  virtual ~TlsEngine() = default;
  /// Throws std::invalid_argument for a host name or a time limit that it cannot use.
  virtual std::shared_ptr<TlsLayer> make_layer(Loop& loop, std::shared_ptr<BaseProtocol> protocol, TlsSetup setup) = 0;
};

}  // namespace detail

/// The base of asyncio::ssl::SSLContext. `{.ssl = &context}` secures a connection; the context may be destroyed while
/// connections made with it go on.
class TlsContext {
 public:
  virtual std::shared_ptr<detail::TlsEngine> engine() const = 0;

 protected:
  ~TlsContext() = default;
};

namespace detail {

/// The TLS options of one call. Copied when the call is made, because the strings and the context that the options
/// point to may be gone when its coroutine runs.
class TlsRequest {
 public:
  TlsRequest() = default;  // no TLS
  /// Options is any struct with the members ssl_handshake_timeout and ssl_shutdown_timeout.
  template <class Options>
  TlsRequest(const TlsContext* context, const Options& options)
      : engine_(context ? context->engine() : nullptr),
        handshake_timeout_(options.ssl_handshake_timeout),
        shutdown_timeout_(options.ssl_shutdown_timeout) {
    if constexpr (requires { options.server_hostname; }) {
      if (options.server_hostname) server_hostname_ = std::string(*options.server_hostname);
    }
  }

  explicit operator bool() const noexcept { return engine_ != nullptr; }

  /// Throws CPython's std::invalid_argument for options that make no sense together.
  void check_server() const;
  /// The name to check is `host` unless one was given. `missing` is the error if there is neither.
  void check_client(const std::string& host, const char* missing);

  /// The layer above which `protocol` stands. REQUIRES: *this.
  std::shared_ptr<TlsLayer> make_layer(Loop& loop, std::shared_ptr<BaseProtocol> protocol, bool server_side,
                                       Future<> handshake, bool call_connection_made = true) const;

 private:
  std::shared_ptr<TlsEngine> engine_;
  std::optional<std::string> server_hostname_;
  TimeLimit handshake_timeout_;
  TimeLimit shutdown_timeout_;
};

/// start_tls(), with what was received before and belongs to the TLS peer already.
Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           TlsRequest request, bool server_side, std::string received = std::string());

}  // namespace detail

/// Trivial members only: see the README on g++ 12.
struct StartTlsOptions {
  bool server_side = false;                              // whether this end is the server
  std::optional<std::string_view> server_hostname = {};  // the name that the server's certificate must have
  TimeLimit ssl_handshake_timeout = {};                  // nullopt: 60 s; Duration::max(): no limit
  TimeLimit ssl_shutdown_timeout = {};                   // nullopt: 30 s; Duration::max(): no limit
};

/// Upgrades a connection to TLS; gives the transport that `protocol` has to use from now on.
/// Throws the error of the handshake; the connection is closed then, also if the await is cancelled.
/// Throws std::invalid_argument for a transport that cannot do it (a pipe's).  [loop.start_tls]
Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           const TlsContext& context, StartTlsOptions options = {});

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the handshake begins in the next tick. Who awaits goes on in the tick after its end.
// Errors: ssl::SSLError and TimeoutError of the handshake; std::invalid_argument for options that cannot be.
// Units: a time-out is any std::chrono duration.
