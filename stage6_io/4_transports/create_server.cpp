#include "asyncio/create_server.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/getaddrinfo.h"
#include "asyncio/sleep.h"

#include <asyncio/detail/repr.h>
#include <asyncio/gather.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace asyncio::detail {
namespace {

// [_create_server_getaddrinfo]
Coro<std::vector<Address>> look_up(std::string host, int port, int family) {
  std::vector<Address> found = co_await getaddrinfo(host, port, ResolveOptions{family, true});
  if (found.empty()) throw_system_error(EADDRNOTAVAIL, "getaddrinfo(" + python_repr(host) + ") returned empty list");
  co_return found;
}

// Empty if the machine has no such address or does not support the family: the other addresses may do.
std::optional<Socket> bind_one(const Address& address, const ServerOptions& options) {
  try {
    Socket socket = Socket::bound(address, options.reuse_port);
    if (options.keep_alive) socket.set_option(SOL_SOCKET, SO_KEEPALIVE, 1);  // its connections inherit it
    return socket;
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::address_not_available) return std::nullopt;
    if (error.code() == std::errc::address_family_not_supported) return std::nullopt;
    throw;
  }
}

Coro<Server> serve(Ref<ServerState> state, bool start) {
  if (start) {
    state->start_serving();
    co_await sleep(std::chrono::seconds(0));  // as in CPython, the first client is accepted in the next tick
  }
  co_return Server(std::move(state));
}

Ref<ServerState> make_state(std::vector<Socket> sockets, AnyProtocolFactory factory, int backlog, TlsRequest tls) {
  return Ref<ServerState>(
      new ServerState(Loop::running(), std::move(sockets), std::move(factory), backlog, std::move(tls)), adopt);
}

std::vector<Socket> only(Socket socket) {
  std::vector<Socket> sockets;
  sockets.push_back(std::move(socket));
  return sockets;
}

Coro<Server> serve_unix(Socket socket, AnyProtocolFactory factory, UnixServerOptions options, TlsRequest tls) {
  std::optional<UnixSocketFile> file;
  if (options.cleanup_socket) file = UnixSocketFile::of(socket.local_address());
  Ref<ServerState> state = make_state(only(std::move(socket)), std::move(factory), options.backlog, std::move(tls));
  if (file) state->add_file(std::move(*file));
  return serve(std::move(state), options.start_serving);
}

}  // namespace

Coro<Server> create_server(AnyProtocolFactory factory, std::vector<std::string> hosts, int port, ServerOptions options,
                           TlsRequest tls) {
  tls.check_server();
  std::vector<Coro<std::vector<Address>>> lookups;
  for (std::string& host : hosts) lookups.push_back(look_up(std::move(host), port, options.family));
  const std::vector<std::vector<Address>> found = co_await gather(std::move(lookups));
  std::vector<Address> addresses;
  for (const std::vector<Address>& some : found) {
    for (const Address& address : some) {
      if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    }
  }
  std::vector<Socket> sockets;
  std::string all;
  for (const Address& address : addresses) {
    if (std::optional<Socket> socket = bind_one(address, options)) sockets.push_back(std::move(*socket));
    all += (all.empty() ? "" : ", ") + address.repr();
  }
  if (sockets.empty()) throw_system_error(EADDRNOTAVAIL, "could not bind on any address out of [" + all + "]");
  Server server = co_await serve(make_state(std::move(sockets), std::move(factory), options.backlog, std::move(tls)),
                                 options.start_serving);
  co_return server;
}

Coro<Server> create_server(AnyProtocolFactory factory, Socket socket, ServerOptions options, TlsRequest tls) {
  tls.check_server();
  check_stream_socket(socket);
  if (options.keep_alive) socket.set_option(SOL_SOCKET, SO_KEEPALIVE, 1);
  Server server = co_await serve(
      make_state(only(std::move(socket)), std::move(factory), options.backlog, std::move(tls)), options.start_serving);
  co_return server;
}

Coro<Server> create_unix_server(AnyProtocolFactory factory, std::string path, UnixServerOptions options,
                                TlsRequest tls) {
  tls.check_server();
  const Address address = Address::unix_path(path);
  const bool abstract = path.starts_with('\0');
  if (options.mode && abstract) throw std::invalid_argument("mode is for a path in the file system");
  Socket socket = Socket::stream(AF_UNIX);
  remove_stale_socket(address, Loop::running());
  try {
    socket.bind(address);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::address_in_use) throw;
    throw_system_error(EADDRINUSE, "Address " + address.repr() + " is already in use");
  }
  if (options.mode && sys::chmod(path.c_str(), *options.mode) == -1) {  // before listen(): nobody can have connected
    const int error = errno;
    sys::unlink(path.c_str());
    throw_system_error(error, "chmod of " + address.repr());
  }
  Server server = co_await serve_unix(std::move(socket), std::move(factory), options, std::move(tls));
  co_return server;
}

Coro<Server> create_unix_server(AnyProtocolFactory factory, Socket socket, UnixServerOptions options, TlsRequest tls) {
  tls.check_server();
  check_stream_socket(socket, AF_UNIX);
  if (options.mode) throw std::invalid_argument("mode is for a path, not for a socket that is bound");
  Server server = co_await serve_unix(std::move(socket), std::move(factory), options, std::move(tls));
  co_return server;
}

}  // namespace asyncio::detail
