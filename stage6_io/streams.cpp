#include "asyncio/streams.h"

#include "asyncio/detail/system_error.h"
#include "asyncio/getaddrinfo.h"
#include "asyncio/sleep.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace asyncio {
namespace {

using detail::ReaderState;

Streams make_streams(Socket socket, const Address& peer, std::size_t limit) {
  detail::Ref<ReaderState> reader(new ReaderState(limit), detail::adopt);
  detail::Ref<detail::Connection> connection(new detail::Connection(Loop::running(), std::move(socket), peer, reader),
                                             detail::adopt);
  const detail::Ref<detail::ConnectionOwner> owner(new detail::ConnectionOwner(std::move(connection)), detail::adopt);
  return Streams(StreamReader(std::move(reader), owner), StreamWriter(owner));
}

// One error for all: itself if there was one, or if all say the same; otherwise all of them in one sentence.
[[noreturn]] void throw_merged(const std::vector<std::system_error>& errors) {
  const std::string first = errors.front().what();
  const auto same = [&](const std::system_error& error) { return error.what() == first; };
  if (std::all_of(errors.begin(), errors.end(), same)) throw errors.front();
  std::string all;
  for (const std::system_error& error : errors) all += (all.empty() ? "" : ", ") + std::string(error.what());
  throw std::system_error(errors.front().code(), "Multiple exceptions: " + all);
}

// Nothing if the machine has no such address, or does not know the family: then the others will do.
std::optional<Socket> bind_one(const Address& address, const ServerOptions& options) {
  try {
    return Socket::bound(address, options.reuse_port);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::address_not_available) return std::nullopt;
    if (error.code() == std::errc::address_family_not_supported) return std::nullopt;
    throw;
  }
}

}  // namespace

Coro<Streams> open_connection(std::string host, int port, ConnectOptions options) {
  ReaderState::check_limit(options.limit);
  const ResolveOptions resolve{options.family, false};
  const std::vector<Address> addresses = co_await getaddrinfo(std::move(host), port, resolve);
  std::vector<std::system_error> errors;
  for (const Address& address : addresses) {
    try {
      Socket socket = Socket::stream(address.family());
      co_await sock_connect(socket, address);
      co_return make_streams(std::move(socket), address, options.limit);
    } catch (const std::system_error& error) {
      errors.push_back(error);
    }
  }
  if (errors.empty()) throw std::runtime_error("getaddrinfo() returned empty list");
  throw_merged(errors);
}

Coro<Streams> open_connection(Socket connected, ConnectOptions options) {
  ReaderState::check_limit(options.limit);
  if (!connected) detail::throw_system_error(EBADF, "open_connection");
  const Address peer = connected.peer_address();
  co_return make_streams(std::move(connected), peer, options.limit);
}

Coro<Server> detail::start_server(ClientCallback callback, std::string host, int port, ServerOptions options) {
  ReaderState::check_limit(options.limit);
  const ResolveOptions resolve{options.family, true};
  const std::vector<Address> addresses = co_await getaddrinfo(host, port, resolve);
  std::vector<Socket> sockets;
  for (const Address& address : addresses) {
    if (std::optional<Socket> socket = bind_one(address, options)) sockets.push_back(std::move(*socket));
  }
  if (sockets.empty()) throw_system_error(EADDRNOTAVAIL, "could not bind on any address of '" + host + "'");

  Ref<ServerState> state(
      new ServerState(Loop::running(), std::move(sockets), std::move(callback), options.limit, options.backlog), adopt);
  if (options.start_serving) {
    state->start_serving();
    co_await sleep(std::chrono::seconds(0));  // as CPython: the first client is not accepted before the next tick
  }
  co_return Server(std::move(state));
}

}  // namespace asyncio
