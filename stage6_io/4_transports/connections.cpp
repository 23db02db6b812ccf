#include "asyncio/connections.h"

#include "asyncio/detail/staggered.h"
#include "asyncio/detail/stream_transport.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/exception_group.h"
#include "asyncio/getaddrinfo.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace asyncio::detail {
namespace {

using Errors = std::vector<std::system_error>;

// ── one address ─────────────────────────────────────────────────────────────────────────────────────────────────────

void bind_to_local(Socket& socket, const Address& local, int family) {
  if (local.family() == AF_UNSPEC) return;
  if (local.family() != family) {
    throw system_error(EADDRNOTAVAIL, "no matching local address with family=" + std::to_string(family) + " found");
  }
  socket.bind(local);
}

// Also stores each error: the race drops the errors of those that lost. [_connect_sock]
Coro<Socket> connect_one(std::shared_ptr<Errors> errors, Address address, Address local) {
  try {
    Socket socket = Socket::stream(address.family());
    bind_to_local(socket, local, address.family());
    co_await sock_connect(socket, address);
    co_return socket;
  } catch (const std::system_error& error) {
    errors->push_back(error);
    throw;
  }
}

// ── all of them ─────────────────────────────────────────────────────────────────────────────────────────────────────

}  // namespace

// First `first` addresses of the first family, then one of each family in turn.
std::vector<Address> interleave(const std::vector<Address>& addresses, std::size_t first) {
  std::vector<std::vector<Address>> families;
  for (const Address& address : addresses) {
    const auto same = [&](const auto& family) { return family.front().family() == address.family(); };
    const auto found = std::find_if(families.begin(), families.end(), same);
    found == families.end() ? families.push_back({address}) : found->push_back(address);
  }
  std::vector<Address> mixed;
  std::vector<Address>& head = families.front();
  const std::size_t ahead = std::min(first - 1, head.size() - 1);
  mixed.assign(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(ahead));
  head.erase(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(ahead));
  for (std::size_t i = 0; mixed.size() < addresses.size(); ++i) {
    for (const auto& family : families) {
      if (i < family.size()) mixed.push_back(family[i]);
    }
  }
  return mixed;
}

namespace {

Coro<std::optional<Socket>> connect_in_turn(std::vector<Address> addresses, std::shared_ptr<Errors> errors,
                                            Address local) {
  for (const Address& address : addresses) {
    try {
      Socket socket = co_await connect_one(errors, address, local);
      co_return std::optional<Socket>(std::move(socket));
    } catch (const std::system_error&) {
    }
  }
  co_return std::nullopt;
}

Coro<std::optional<Socket>> connect_staggered(std::vector<Address> addresses, std::shared_ptr<Errors> errors,
                                              Address local, TimeLimit delay) {
  std::vector<std::function<Coro<Socket>()>> attempts;
  for (const Address& address : addresses) {
    attempts.emplace_back([errors, address, local] { return connect_one(errors, address, local); });
  }
  RaceResult<Socket> result = co_await staggered_race(std::move(attempts), delay);
  co_return std::move(result.winner);
}

// Throws one error for all: the first if all have the same text, otherwise one whose text lists them.
[[noreturn]] void throw_merged(const Errors& errors, bool all_errors) {
  if (errors.empty()) throw TimeoutError("create_connection failed");
  if (all_errors) {
    std::vector<std::exception_ptr> exceptions;
    for (const std::system_error& error : errors) exceptions.push_back(std::make_exception_ptr(error));
    throw ExceptionGroup("create_connection failed", std::move(exceptions));
  }
  const std::string first = errors.front().what();
  const auto same = [&](const std::system_error& error) { return error.what() == first; };
  if (std::all_of(errors.begin(), errors.end(), same)) throw errors.front();
  std::string all;
  for (const std::system_error& error : errors) all += (all.empty() ? "" : ", ") + std::string(error.what());
  throw std::system_error(errors.front().code(), "Multiple exceptions: " + all);
}

}  // namespace

Coro<Socket> connect_to(std::string host, int port, ConnectOptions options) {
  const ResolveOptions resolve{options.family, false};
  std::vector<Address> addresses = co_await getaddrinfo(std::move(host), port, resolve);
  if (addresses.empty()) throw system_error(EADDRNOTAVAIL, "getaddrinfo() returned empty list");
  Socket socket = co_await connect_to_any(std::move(addresses), options);
  co_return socket;
}

Coro<Socket> connect_to_any(std::vector<Address> addresses, ConnectOptions options) {
  const bool staggered = options.happy_eyeballs_delay.has_value();
  const int mixed = options.interleave.value_or(staggered ? 1 : 0);
  if (mixed < 0) throw std::invalid_argument("interleave must be >= 0");
  if (mixed > 0) addresses = interleave(addresses, static_cast<std::size_t>(mixed));

  const auto errors = std::make_shared<Errors>();
  std::optional<Socket> socket;
  if (staggered) {
    socket = co_await connect_staggered(std::move(addresses), errors, options.local_addr, options.happy_eyeballs_delay);
  } else {
    socket = co_await connect_in_turn(std::move(addresses), errors, options.local_addr);
  }
  if (!socket) throw_merged(*errors, options.all_errors);
  co_return std::move(*socket);
}

Coro<Socket> connect_to_path(std::string path) {
  const Address address = Address::unix_path(path);
  Socket socket = Socket::stream(AF_UNIX);
  co_await sock_connect(socket, address);
  co_return socket;
}

void check_stream_socket(const Socket& socket, int family) {
  if (!socket) throw_system_error(EBADF, "a socket");
  const Address address = socket.local_address();
  const int type = sys::socket_type(socket.fd());
  if (type == -1) throw_system_error(errno, "getsockopt");
  if (type == SOCK_STREAM && (family == AF_UNSPEC || family == address.family())) return;
  const std::string wanted = family == AF_UNIX ? "A UNIX Domain Stream Socket" : "A Stream Socket";
  throw std::invalid_argument(wanted + " was expected, got <socket fd=" + std::to_string(socket.fd()) +
                              ", family=" + std::to_string(address.family()) + ", type=" + std::to_string(type) + ">");
}

Coro<std::shared_ptr<Transport>> connect_transport(Socket socket, std::shared_ptr<BaseProtocol> protocol,
                                                   TlsRequest tls, bool server_side) {
  Loop& loop = Loop::running();
  const Address peer = socket.peer_address();
  const auto raw = std::make_shared<SocketTransport>(loop, std::move(socket), peer);
  if (!tls) {
    raw->set_protocol(std::move(protocol));
    co_await wait_until_made(raw);
    co_return raw;
  }
  const Future<> handshake(loop);
  const std::shared_ptr<TlsLayer> layer = tls.make_layer(loop, std::move(protocol), server_side, handshake);
  raw->set_protocol(layer);
  raw->start();
  std::shared_ptr<Transport> transport = layer->app_transport();
  try {
    co_await handshake;
  } catch (...) {  // it failed, or was cancelled
    transport->close();
    throw;
  }
  co_return transport;
}

}  // namespace asyncio::detail
