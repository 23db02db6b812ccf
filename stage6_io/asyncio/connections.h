// create_connection() and its kin: a protocol of one's own at the end of a connection.
// Mirrors: BaseEventLoop.create_connection, connect_accepted_socket; unix_events.py, create_unix_connection.
// Read next: ../demo.cpp, or stream_reader.h for a way without callbacks
#pragma once

#include <asyncio/coro.h>
#include <asyncio/protocols.h>
#include <asyncio/socket.h>
#include <asyncio/task.h>
#include <asyncio/time_limit.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// What is called for each connection, to make its protocol: it returns a std::shared_ptr or a std::unique_ptr to one.
template <class F>
concept ProtocolFactory = requires(std::decay_t<F>& factory) {
  { factory() } -> std::convertible_to<std::shared_ptr<BaseProtocol>>;
};

/// The type of the protocols that it makes.
template <ProtocolFactory F>
using protocol_of = typename std::invoke_result_t<std::decay_t<F>&>::element_type;

static_assert(ProtocolFactory<std::shared_ptr<Protocol> (*)()> && !ProtocolFactory<Protocol* (*)()>);

/// A transport, and the protocol that the factory made for it: `auto [transport, protocol] = co_await …`
template <class P>
using Connected = std::pair<std::shared_ptr<Transport>, std::shared_ptr<P>>;

/// Trivial members only: see the README on g++ 12.
struct ConnectOptions {
  std::size_t limit = 64 * 1024;   // open_connection() only: the reader's
  int family = AF_UNSPEC;          // AF_INET or AF_INET6: only to addresses of that kind
  Address local_addr = Address();  // to connect from; port 0: any
  /// So long an address is tried alone before the next is tried beside it; RFC 8305 advises 250ms.
  TimeLimit happy_eyeballs_delay = {};
  /// So many addresses of the first family come first, then one of each family in turn; 0: as they are. 1 if it is
  /// left out and there is a delay.
  std::optional<int> interleave = {};
  bool all_errors = false;  // all errors as an ExceptionGroup, in place of one that sums them up
};

namespace detail {

/// Connects to the first address of `host` that answers.
Coro<Socket> connect_to(std::string host, int port, ConnectOptions options);
/// The first of these; REQUIRES: there is one.
Coro<Socket> connect_to_any(std::vector<Address> addresses, ConnectOptions options);
/// The order in which they are tried. [_interleave_addrinfos] REQUIRES: there is one, and first >= 1.
std::vector<Address> interleave(const std::vector<Address>& addresses, std::size_t first);
Coro<Socket> connect_to_path(std::string path);
/// Throws std::invalid_argument unless it is a stream's; of the family, if one is given.
void check_stream_socket(const Socket& socket, int family = AF_UNSPEC);
/// A transport for it; when the protocol has heard of it.
Coro<std::shared_ptr<Transport>> connect_transport(Socket socket, std::shared_ptr<BaseProtocol> protocol);

/// Starts a transport, and waits until its protocol has heard of it.
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

}  // namespace detail

/// Connects to `host`, a name or a number, and `port`; then calls factory(), and returns when connection_made() has
/// run. The addresses of a name are tried one after the other, or staggered (happy_eyeballs_delay). Throws
/// std::invalid_argument (port), std::system_error: of the look-up, of binding to local_addr, or of connecting; if
/// several addresses failed in different ways its text tells of all ("Multiple exceptions: …"), and its code is the
/// first one's.
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, std::string host, int port, ConnectOptions options = {}) {
  Socket socket = co_await detail::connect_to(std::move(host), port, options);
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<Transport> transport = co_await detail::connect_transport(std::move(socket), protocol);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}

/// The same over a socket that is connected already, of any family: one's own, or one that accept() gave
/// [connect_accepted_socket]. Throws std::invalid_argument("A Stream Socket was expected, …").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_connection(F factory, Socket connected) {
  detail::check_stream_socket(connected);
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<Transport> transport = co_await detail::connect_transport(std::move(connected), protocol);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> connect_accepted_socket(F factory, Socket accepted) {
  return create_connection(std::move(factory), std::move(accepted));
}

/// Connects to the Unix socket at `path` (beginning with '\0': in the abstract name space).
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_unix_connection(F factory, std::string path) {
  Socket socket = co_await detail::connect_to_path(std::move(path));
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<Transport> transport = co_await detail::connect_transport(std::move(socket), protocol);
  co_return Connected<P>(std::move(transport), std::move(protocol));
}
/// Throws std::invalid_argument("A UNIX Domain Stream Socket was expected, …").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<Connected<P>> create_unix_connection(F factory, Socket connected) {
  detail::check_stream_socket(connected, AF_UNIX);
  Connected<P> connection = co_await create_connection(std::move(factory), std::move(connected));
  co_return connection;
}

}  // namespace asyncio
