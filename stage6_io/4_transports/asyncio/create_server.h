// create_server() and create_unix_server(): listen, and attach a protocol of your own to each client.
// Mirrors: BaseEventLoop.create_server; unix_events.py, create_unix_server. Read next: pipes.h
#pragma once

#include <asyncio/connections.h>
#include <asyncio/server.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// Trivial members only: see the README on g++ 12.
struct ServerOptions {
  std::size_t limit = 64 * 1024;         // start_server() only: the readers' limit, in bytes
  int backlog = 100;                     // how many clients may wait to be accepted
  int family = AF_UNSPEC;                // AF_INET or AF_INET6: only addresses of that family
  bool reuse_port = false;               // several servers, in several processes, on one port
  bool keep_alive = false;               // detect, after hours, that an idle client is gone
  bool start_serving = true;             // false: Server::start_serving() does it
  const TlsContext* ssl = nullptr;       // secures each connection
  TimeLimit ssl_handshake_timeout = {};  // nullopt: 60 s; Duration::max(): no limit
  TimeLimit ssl_shutdown_timeout = {};   // nullopt: 30 s; Duration::max(): no limit
};

/// Trivial members only: see the README on g++ 12.
struct UnixServerOptions {
  std::size_t limit = 64 * 1024;         // start_unix_server() only: the readers' limit, in bytes
  int backlog = 100;                     // how many clients may wait to be accepted
  bool start_serving = true;             // false: Server::start_serving() does it
  bool cleanup_socket = true;            // close() removes the file, if it is still the server's own
  std::optional<unsigned> mode = {};     // who may connect: the file's permissions, such as 0600; else the umask's
  const TlsContext* ssl = nullptr;       // secures each connection
  TimeLimit ssl_handshake_timeout = {};  // nullopt: 60 s; Duration::max(): no limit
  TimeLimit ssl_shutdown_timeout = {};   // nullopt: 30 s; Duration::max(): no limit
};

namespace detail {
Coro<Server> create_server(AnyProtocolFactory factory, std::vector<std::string> hosts, int port, ServerOptions options,
                           TlsRequest tls);
Coro<Server> create_server(AnyProtocolFactory factory, Socket socket, ServerOptions options, TlsRequest tls);
Coro<Server> create_unix_server(AnyProtocolFactory factory, std::string path, UnixServerOptions options,
                                TlsRequest tls);
Coro<Server> create_unix_server(AnyProtocolFactory factory, Socket socket, UnixServerOptions options, TlsRequest tls);

template <ProtocolFactory F>
AnyProtocolFactory to_any_factory(F&& factory) {
  check_callable(factory);
  // Shared, because a std::function must be copyable and the factory need not be.
  auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(factory));
  return [shared] { return std::shared_ptr<BaseProtocol>(make_protocol(*shared)); };
}
}  // namespace detail

/// Listens at `host` ("": every interface) and `port` (0: the system chooses), and calls factory() for each client. An
/// address that several hosts share is bound once. Throws std::invalid_argument (bad port, empty factory),
/// std::system_error ("error while attempting to bind on address …", or from the look-up).
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, std::string host, int port, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)), std::vector<std::string>(1, host),
                               port, options, detail::TlsRequest(options.ssl, options));
}
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, std::vector<std::string> hosts, int port, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)), std::move(hosts), port, options,
                               detail::TlsRequest(options.ssl, options));
}
/// Uses a socket that is already bound. Throws std::invalid_argument("A Stream Socket was expected, …").
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, Socket bound, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)), std::move(bound), options,
                               detail::TlsRequest(options.ssl, options));
}

/// Listens at a path (if it starts with '\0': in the abstract namespace). Removes the socket that an earlier server
/// left there, but no other file: std::errc::address_in_use ("Address '/tmp/s' is already in use"). The file gets its
/// `mode` before anybody can connect. Throws std::invalid_argument for a mode where there is no file to be made.
template <ProtocolFactory F>
Coro<Server> create_unix_server(F&& factory, std::string path, UnixServerOptions options = {}) {
  return detail::create_unix_server(detail::to_any_factory(std::forward<F>(factory)), std::move(path), options,
                                    detail::TlsRequest(options.ssl, options));
}
/// Throws std::invalid_argument("A UNIX Domain Stream Socket was expected, …").
template <ProtocolFactory F>
Coro<Server> create_unix_server(F&& factory, Socket bound, UnixServerOptions options = {}) {
  return detail::create_unix_server(detail::to_any_factory(std::forward<F>(factory)), std::move(bound), options,
                                    detail::TlsRequest(options.ssl, options));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the factory runs in the tick after the one that finds a client, connection_made() in the next one; with
//   TLS, after the handshake.
// Errors: std::system_error from the look-up and from binding; std::invalid_argument for options that cannot be.
//   What the factory throws goes to the exception handler.
// Units: limit is in bytes, backlog counts clients, a time-out is any std::chrono duration, a port 0 to 65535, mode
//   an octal number as chmod(2) takes it.
