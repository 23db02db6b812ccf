// create_connection(), create_unix_connection(): connect, and attach a protocol of your own to the connection.
// Mirrors: BaseEventLoop.create_connection, connect_accepted_socket; unix_events.py, create_unix_connection.
// Read next: server.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/protocols.h>
#include <asyncio/socket.h>
#include <asyncio/task.h>
#include <asyncio/time_limit.h>
#include <asyncio/tls.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// Makes the protocol of each connection: a callable that returns a std::shared_ptr or std::unique_ptr to one.
template <class F>
concept ProtocolFactory = requires(std::decay_t<F>& factory) {
  { factory() } -> std::convertible_to<std::shared_ptr<BaseProtocol>>;
};

/// The type of the protocols that F makes.
template <ProtocolFactory F>
using protocol_of = typename std::invoke_result_t<std::decay_t<F>&>::element_type;

static_assert(ProtocolFactory<std::shared_ptr<Protocol> (*)()> && !ProtocolFactory<Protocol* (*)()>);

/// A transport and the protocol that the factory made for it: `auto [transport, protocol] = co_await …`
template <class P>
using Connected = std::pair<std::shared_ptr<Transport>, std::shared_ptr<P>>;

/// Trivial members only: see the README on g++ 12.
struct ConnectOptions {
  std::size_t limit = 64 * 1024;   // open_connection() only: the reader's limit, in bytes
  int family = AF_UNSPEC;          // AF_INET or AF_INET6: only addresses of that family
  Address local_addr = Address();  // to connect from; port 0: any
  /// How long to try one address before the next is tried beside it. RFC 8305 advises 250ms.
  TimeLimit happy_eyeballs_delay = {};
  /// How many addresses of the first family to try first; after them one of each family in turn. 0 keeps the order.
  /// Default: 1 with a happy_eyeballs_delay, otherwise 0.
  std::optional<int> interleave = {};
  bool all_errors = false;          // throw all errors as an ExceptionGroup, not one error that sums them up
  const TlsContext* ssl = nullptr;  // secures the connection
  /// The name that the peer's certificate must have; the host if it is left out.
  std::optional<std::string_view> server_hostname = {};
  TimeLimit ssl_handshake_timeout = {};  // nullopt: 60 s; Duration::max(): no limit
  /// How long close() waits for the peer while nothing moves. nullopt: 30 s; Duration::max(): no limit.
  TimeLimit ssl_shutdown_timeout = {};
};

/// Trivial members only: see the README on g++ 12.
struct UnixConnectOptions {
  std::size_t limit = 64 * 1024;                         // open_unix_connection() only: the reader's limit, in bytes
  const TlsContext* ssl = nullptr;                       // secures the connection
  std::optional<std::string_view> server_hostname = {};  // the name that the peer's certificate must have
  TimeLimit ssl_handshake_timeout = {};                  // nullopt: 60 s; Duration::max(): no limit
  TimeLimit ssl_shutdown_timeout = {};                   // nullopt: 30 s; Duration::max(): no limit
};

/// Trivial members only: see the README on g++ 12.
struct AcceptOptions {
  const TlsContext* ssl = nullptr;       // secures the connection
  TimeLimit ssl_handshake_timeout = {};  // nullopt: 60 s; Duration::max(): no limit
  TimeLimit ssl_shutdown_timeout = {};   // nullopt: 30 s; Duration::max(): no limit
};

namespace detail {

/// Connects to the first address of `host` that answers.
Coro<Socket> connect_to(std::string host, int port, ConnectOptions options);
/// Connects to the first of the addresses that answers. REQUIRES: there is at least one.
Coro<Socket> connect_to_any(std::vector<Address> addresses, ConnectOptions options);
/// The order in which to try the addresses. [_interleave_addrinfos] REQUIRES: there is at least one, and first >= 1.
std::vector<Address> interleave(const std::vector<Address>& addresses, std::size_t first);
Coro<Socket> connect_to_path(std::string path);
/// Throws std::invalid_argument unless this is a stream socket, of that family if one is given.
void check_stream_socket(const Socket& socket, int family = AF_UNSPEC);
/// Makes a transport for the socket, and returns it after the protocol's connection_made().
Coro<std::shared_ptr<Transport>> connect_transport(Socket socket, std::shared_ptr<BaseProtocol> protocol,
                                                   TlsRequest tls, bool server_side);

/// Starts a transport, and waits until its protocol's connection_made() has run.
template <class T>
Coro<> wait_until_made(std::shared_ptr<T> transport) {
  const Future<> made = create_future();
  transport->start(made);
  try {
    co_await made;
  } catch (...) {  // cancelled
    transport->close();
    throw;
  }
}

template <ProtocolFactory F>
std::shared_ptr<protocol_of<F>> make_protocol(F& factory) {
  std::shared_ptr<protocol_of<F>> protocol = factory();
  if (!protocol) throw std::invalid_argument("the protocol factory returned no protocol");
  return protocol;
}

template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, std::string host, int port, ConnectOptions options, TlsRequest tls) {
  tls.check_client(host, "You must set server_hostname when using ssl without a host");
  Socket socket = co_await connect_to(std::move(host), port, options);
  std::shared_ptr<P> protocol = make_protocol(factory);
  std::shared_ptr<Transport> transport = co_await connect_transport(std::move(socket), protocol, std::move(tls), false);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, Socket connected, int family, TlsRequest tls, bool server_side) {
  if (server_side) {
    tls.check_server();
  } else {
    tls.check_client(std::string(), family == AF_UNIX ? "you have to pass server_hostname when using ssl"
                                                      : "You must set server_hostname when using ssl without a host");
  }
  check_stream_socket(connected, family);
  std::shared_ptr<P> protocol = make_protocol(factory);
  std::shared_ptr<Transport> transport =
      co_await connect_transport(std::move(connected), protocol, std::move(tls), server_side);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_unix_connection(F factory, std::string path, TlsRequest tls) {
  tls.check_client(std::string(), "you have to pass server_hostname when using ssl");
  Socket socket = co_await connect_to_path(std::move(path));
  std::shared_ptr<P> protocol = make_protocol(factory);
  std::shared_ptr<Transport> transport = co_await connect_transport(std::move(socket), protocol, std::move(tls), false);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}

}  // namespace detail

/// Connects to `host`, a name or a numeric address, and `port`; then calls factory() and returns when connection_made()
/// has run. Tries the addresses of a name one after the other, or staggered (happy_eyeballs_delay). Throws
/// std::invalid_argument for a bad port, and std::system_error from the look-up, from binding to local_addr, or from
/// connecting. If several addresses fail in different ways, the text lists all errors ("Multiple exceptions: …") and
/// the code is the first one.
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, std::string host, int port, ConnectOptions options = {}) {
  return detail::create_connection(std::move(factory), std::move(host), port, options,
                                   detail::TlsRequest(options.ssl, options));
}

/// Uses a socket of any family that is already connected: your own, or one from accept() [connect_accepted_socket].
/// Throws std::invalid_argument("A Stream Socket was expected, …").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, Socket connected, ConnectOptions options = {}) {
  return detail::create_connection(std::move(factory), std::move(connected), AF_UNSPEC,
                                   detail::TlsRequest(options.ssl, options), false);
}
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> connect_accepted_socket(F factory, Socket accepted, AcceptOptions options = {}) {
  return detail::create_connection(std::move(factory), std::move(accepted), AF_UNSPEC,
                                   detail::TlsRequest(options.ssl, options), true);
}

/// Connects to the Unix socket at `path` (if it starts with '\0': in the abstract namespace).
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_unix_connection(F factory, std::string path, UnixConnectOptions options = {}) {
  return detail::create_unix_connection(std::move(factory), std::move(path), detail::TlsRequest(options.ssl, options));
}
/// Throws std::invalid_argument("A UNIX Domain Stream Socket was expected, …").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_unix_connection(F factory, Socket connected, UnixConnectOptions options = {}) {
  return detail::create_connection(std::move(factory), std::move(connected), AF_UNIX,
                                   detail::TlsRequest(options.ssl, options), false);
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: connection_made() runs in the tick after the one in which the connection is there, or TLS has agreed. Who
//   awaits goes on in a later tick.
// Errors: std::system_error from the look-up and from connecting; std::invalid_argument for options that cannot be;
//   ssl::SSLError and TimeoutError of a handshake; what the factory throws.
// Units: limit is in bytes, a delay and a time-out any std::chrono duration, a port 0 to 65535.
