// create_datagram_endpoint(): a protocol that sends and receives messages (UDP, or Unix datagrams).
// Mirrors: BaseEventLoop.create_datagram_endpoint. Read next: transport_sendfile.h
#pragma once

#include <asyncio/connections.h>

#include <memory>
#include <utility>

namespace asyncio {

/// Trivial members only: see the README on g++ 12. For a name: `(co_await getaddrinfo("example.org", 53)).front()`.
struct DatagramOptions {
  /// Where to receive; port 0: the system chooses. A stale Unix socket there is removed.
  Address local_addr = Address();
  Address remote_addr = Address();  // the only peer to send to and to receive from; same family as local_addr
  int family = AF_UNSPEC;           // used if neither address is given
  bool reuse_port = false;          // several sockets, in several processes, on one port
  bool allow_broadcast = false;     // then it also receives from peers other than remote_addr
};

namespace detail {
Coro<Socket> datagram_socket(DatagramOptions options);
Coro<std::shared_ptr<DatagramTransport>> connect_datagrams(Socket socket, Address remote,
                                                           std::shared_ptr<BaseProtocol> protocol);
void check_datagram_socket(const Socket& socket);
}  // namespace detail

/// `auto [transport, protocol] = co_await create_datagram_endpoint(factory, {.local_addr = address});`
/// Returns when connection_made() has run. Throws std::invalid_argument("unexpected address family") without an address
/// and a family, ("can not get address information") if the families differ; std::system_error from binding and
/// connecting.
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<std::pair<std::shared_ptr<DatagramTransport>, std::shared_ptr<P>>> create_datagram_endpoint(
    F factory, DatagramOptions options) {
  Socket socket = co_await detail::datagram_socket(options);
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<DatagramTransport> transport =
      co_await detail::connect_datagrams(std::move(socket), options.remote_addr, protocol);
  co_return std::pair<std::shared_ptr<DatagramTransport>, std::shared_ptr<P>>(std::move(transport),
                                                                              std::move(protocol));
}

/// Uses a socket of your own. Throws std::invalid_argument("A datagram socket was expected, …").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<std::pair<std::shared_ptr<DatagramTransport>, std::shared_ptr<P>>> create_datagram_endpoint(F factory,
                                                                                                 Socket socket) {
  detail::check_datagram_socket(socket);
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<DatagramTransport> transport =
      co_await detail::connect_datagrams(std::move(socket), Address(), protocol);
  co_return std::pair<std::shared_ptr<DatagramTransport>, std::shared_ptr<P>>(std::move(transport),
                                                                              std::move(protocol));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: connection_made() runs in the tick after the one in which the socket is there. Who awaits goes on a tick
//   later.
// Errors: std::system_error from binding and connecting; std::invalid_argument for options that cannot be; what the
//   factory throws.
// Units: family is AF_INET, AF_INET6 or AF_UNIX.
