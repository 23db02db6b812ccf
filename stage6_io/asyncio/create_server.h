// create_server() and create_unix_server(): a protocol of one's own for each client.
// Mirrors: BaseEventLoop.create_server; unix_events.py, create_unix_server. Read next: pipes.h
#pragma once

#include <asyncio/connections.h>
#include <asyncio/server.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// Trivial members only: see the README on g++ 12.
struct ServerOptions {
  std::size_t limit = 64 * 1024;  // start_server() only: the readers'
  int backlog = 100;              // so many clients may wait to be let in
  int family = AF_UNSPEC;
  bool reuse_port = false;  // several servers, in several processes, on one port
  bool keep_alive = false;  // notice, after hours, that an idle client has gone
  bool start_serving = true;
};

/// Trivial members only: see the README on g++ 12.
struct UnixServerOptions {
  std::size_t limit = 64 * 1024;  // start_unix_server() only: the readers'
  int backlog = 100;
  bool start_serving = true;
  bool cleanup_socket = true;  // close() removes the file, if it is still the one that was made
};

namespace detail {
Coro<Server> create_server(AnyProtocolFactory factory, std::vector<std::string> hosts, int port, ServerOptions options);
Coro<Server> create_server(AnyProtocolFactory factory, Socket socket, ServerOptions options);
Coro<Server> create_unix_server(AnyProtocolFactory factory, std::string path, UnixServerOptions options);
Coro<Server> create_unix_server(AnyProtocolFactory factory, Socket socket, UnixServerOptions options);

template <ProtocolFactory F>
AnyProtocolFactory to_any_factory(F&& factory) {
  check_callable(factory);
  // Shared, as a std::function has to be copied and the factory need not be.
  auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(factory));
  return [shared] { return std::shared_ptr<BaseProtocol>(make_protocol(*shared)); };
}
}  // namespace detail

/// Listens at `host` ("" is every interface) and `port` (0 lets the system choose), and calls factory() for each client
/// that comes. Of several hosts, an address that comes up twice is bound once. Throws std::invalid_argument (port, an
/// empty factory), std::system_error ("error while attempting to bind on address …", the look-up).
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, std::string host, int port, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)),
                               std::vector<std::string>(1, std::move(host)), port, options);
}
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, std::vector<std::string> hosts, int port, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)), std::move(hosts), port, options);
}
/// The same on a socket that is bound already. Throws std::invalid_argument("A Stream Socket was expected, …").
template <ProtocolFactory F>
Coro<Server> create_server(F&& factory, Socket bound, ServerOptions options = {}) {
  return detail::create_server(detail::to_any_factory(std::forward<F>(factory)), std::move(bound), options);
}

/// Listens at a path (beginning with '\0': in the abstract name space). A socket that a server which has ended left
/// there is removed before; any other file is not: std::errc::address_in_use ("Address '/tmp/s' is already in use").
template <ProtocolFactory F>
Coro<Server> create_unix_server(F&& factory, std::string path, UnixServerOptions options = {}) {
  return detail::create_unix_server(detail::to_any_factory(std::forward<F>(factory)), std::move(path), options);
}
/// Throws std::invalid_argument("A UNIX Domain Stream Socket was expected, …").
template <ProtocolFactory F>
Coro<Server> create_unix_server(F&& factory, Socket bound, UnixServerOptions options = {}) {
  return detail::create_unix_server(detail::to_any_factory(std::forward<F>(factory)), std::move(bound), options);
}

}  // namespace asyncio
