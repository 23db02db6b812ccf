#include "asyncio/socket.h"

#include "asyncio/detail/ready_awaiter.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <netinet/in.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio {

namespace sys = detail::sys;
using detail::throw_system_error;

// ── Socket ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Socket Socket::stream(int family) {
  Socket socket(sys::socket(family, SOCK_STREAM, 0));
  if (!socket) throw_system_error(errno, "socket");
  return socket;
}

Socket Socket::datagram(int family) {
  Socket socket(sys::socket(family, SOCK_DGRAM, 0));
  if (!socket) throw_system_error(errno, "socket");
  return socket;
}

std::pair<Socket, Socket> Socket::pair() {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM, ends) == -1) throw_system_error(errno, "socketpair");
  return std::pair<Socket, Socket>(Socket(ends[0]), Socket(ends[1]));
}

Socket Socket::bound(const Address& address, bool reuse_port) {
  Socket socket = stream(address.family());
  socket.set_option(SOL_SOCKET, SO_REUSEADDR, 1);
  if (reuse_port) socket.set_option(SOL_SOCKET, SO_REUSEPORT, 1);
  // One socket for each family: without this, a socket for "::" would take the IPv4 port as well.
  if (address.family() == AF_INET6) socket.set_option(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  socket.bind(address);
  return socket;
}

Socket Socket::listening(const Address& address, int backlog) {
  Socket socket = bound(address);
  socket.listen(backlog);
  return socket;
}

void Socket::close() noexcept {
  if (const int fd = release(); fd != -1) sys::close(fd);
}

void Socket::bind(const Address& address) {
  if (sys::bind(fd_, address.data(), address.size()) == -1) {
    throw_system_error(errno, "error while attempting to bind on address " + address.repr());
  }
}

void Socket::listen(int backlog) {
  if (sys::listen(fd_, backlog) == -1) throw_system_error(errno, "listen on " + local_address().repr());
}

void Socket::shutdown_write() {
  if (sys::shutdown(fd_, SHUT_WR) == -1) throw_system_error(errno, "shutdown");
}

void Socket::set_option(int level, int option, int value) {
  if (sys::set_option(fd_, level, option, value) == -1) throw_system_error(errno, "setsockopt");
}

namespace {
Address address_of(int (*call)(int, sockaddr*, socklen_t*) noexcept, int fd) noexcept {
  sockaddr_storage storage = {};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return call(fd, address, &size) == -1 ? Address() : Address(address, size);
}
}  // namespace

Address Socket::local_address() const noexcept { return address_of(sys::local_address, fd_); }
Address Socket::peer_address() const noexcept { return address_of(sys::peer_address, fd_); }

void detail::check_nonblocking(const Socket& socket) {
  if (Loop::running().get_debug() && sys::is_blocking(socket.fd())) {
    throw std::invalid_argument("the socket must be non-blocking");
  }
}

// ── sock_*() ────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> sock_connect(Socket& socket, Address address) {
  detail::check_nonblocking(socket);
  int error = 0;
  if (sys::connect(socket.fd(), address.data(), address.size()) == -1) {
    error = errno;
    // EALREADY: an earlier sock_connect() was cancelled, but the connect it started continues.
    if (error == EINPROGRESS || error == EALREADY || error == EINTR) {
      co_await detail::writable(socket.fd());
      error = sys::pending_error(socket.fd());
      if (error == -1) error = errno;
    }
  }
  if (error != 0) throw_system_error(error, "Connect call failed " + address.repr());
}

Coro<std::pair<Socket, Address>> sock_accept(Socket& socket) {
  detail::check_nonblocking(socket);
  for (;;) {
    sockaddr_storage storage = {};
    socklen_t size = sizeof storage;
    auto* peer = reinterpret_cast<sockaddr*>(&storage);
    if (Socket connection(sys::accept(socket.fd(), peer, &size)); connection) {
      co_return std::pair<Socket, Address>(std::move(connection), Address(peer, size));
    }
    if (const int error = errno; !sys::would_block(error)) {
      throw_system_error(error, "accept on " + socket.local_address().repr());
    }
    co_await detail::readable(socket.fd());
  }
}

Coro<std::string> sock_recv(Socket& socket, std::size_t size) {
  std::string data(size, '\0');
  const std::size_t received = co_await sock_recv_into(socket, data);
  data.resize(received);
  co_return data;
}

Coro<std::size_t> sock_recv_into(Socket& socket, std::span<char> buffer) {
  detail::check_nonblocking(socket);
  if (buffer.empty()) co_return 0;  // the kernel would wait for data
  for (;;) {
    const ssize_t received = sys::recv(socket.fd(), buffer.data(), buffer.size());
    if (received >= 0) co_return static_cast<std::size_t>(received);
    if (const int error = errno; !sys::would_block(error)) throw_system_error(error, "recv");
    co_await detail::readable(socket.fd());
  }
}

Coro<std::pair<std::string, Address>> sock_recvfrom(Socket& socket, std::size_t size) {
  std::string data(size, '\0');
  const auto received = co_await sock_recvfrom_into(socket, data, 0);
  data.resize(received.first);
  co_return std::pair<std::string, Address>(std::move(data), received.second);
}

Coro<std::pair<std::size_t, Address>> sock_recvfrom_into(Socket& socket, std::span<char> buffer, std::size_t size) {
  detail::check_nonblocking(socket);
  if (size > buffer.size()) throw std::invalid_argument("nbytes is greater than the length of the buffer");
  if (size != 0) buffer = buffer.first(size);
  for (;;) {
    sockaddr_storage storage = {};
    socklen_t address_size = sizeof storage;
    auto* sender = reinterpret_cast<sockaddr*>(&storage);
    const ssize_t received = sys::recvfrom(socket.fd(), buffer.data(), buffer.size(), sender, &address_size);
    if (received >= 0) {
      co_return std::pair<std::size_t, Address>(static_cast<std::size_t>(received), Address(sender, address_size));
    }
    if (const int error = errno; !sys::would_block(error)) throw_system_error(error, "recvfrom");
    co_await detail::readable(socket.fd());
  }
}

Coro<std::size_t> sock_sendto(Socket& socket, std::string data, Address address) {
  detail::check_nonblocking(socket);
  const sockaddr* const to = address.size() == 0 ? nullptr : address.data();
  for (;;) {
    const ssize_t sent = sys::sendto(socket.fd(), data.data(), data.size(), to, address.size());
    if (sent >= 0) co_return static_cast<std::size_t>(sent);
    if (const int error = errno; !sys::would_block(error)) throw_system_error(error, "sendto " + address.repr());
    co_await detail::writable(socket.fd());
  }
}

Coro<> sock_sendall(Socket& socket, std::string data) {
  detail::check_nonblocking(socket);
  for (std::size_t sent = 0; sent < data.size();) {
    const ssize_t count = sys::send(socket.fd(), data.data() + sent, data.size() - sent);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (const int error = errno; !sys::would_block(error)) {
      throw_system_error(error, "send");
    } else {
      co_await detail::writable(socket.fd());
    }
  }
}

}  // namespace asyncio
