// Socket: a descriptor that is closed when its owner goes. And the four things one does with it, awaitable.
// Mirrors: Python's socket.socket, and BaseSelectorEventLoop.sock_connect, sock_accept, sock_recv, sock_sendall.
// Read next: getaddrinfo.h, then streams.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/coro.h>

#include <cstddef>
#include <string>
#include <utility>

namespace asyncio {

/// Owns the descriptor of a socket, which never blocks, and is closed on exec. Every failure is a std::system_error
/// that names the call, and the address where there is one. Any use of a closed socket is EBADF.
class Socket {
 public:
  Socket() = default;
  /// Takes over a descriptor; it has to be non-blocking, or the loop will stand still with it.
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }

  /// A new one: AF_INET, AF_INET6 or AF_UNIX.
  static Socket stream(int family);
  /// Two that are connected to each other.
  static std::pair<Socket, Socket> pair();
  /// Bound to the address, which may be in use by connections of a server that has ended. (SO_REUSEADDR)
  static Socket bound(const Address& address, bool reuse_port = false);
  /// Bound to the address and listening; port 0 lets the system choose one. [socket.create_server]
  static Socket listening(const Address& address, int backlog = 100);

  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ != -1; }
  /// Gives the descriptor away.
  int release() noexcept { return std::exchange(fd_, -1); }
  /// May be called twice. Who waits for this socket is to be cancelled first.
  void close() noexcept;

  void bind(const Address& address);
  void listen(int backlog = 100);
  /// The end of what will be sent: the other side reads an end of stream.
  void shutdown_write();
  void set_option(int level, int option, int value);

  /// Empty if there is none. [getsockname, getpeername]
  Address local_address() const noexcept;
  Address peer_address() const noexcept;

 private:
  int fd_ = -1;
};

// Each of the four tries the system call first, and where that would block, waits until the descriptor is ready. A
// task that is cancelled as it waits loses nothing: the socket is as it was, and not watched any more; no byte has been
// read and forgotten, no connection accepted and dropped. The socket must outlive the await.

/// Throws std::system_error("Connect call failed ('127.0.0.1', 1): Connection refused").
Coro<> sock_connect(Socket& socket, Address address);

/// The next connection to a listening socket, and whose it is.
Coro<std::pair<Socket, Address>> sock_accept(Socket& socket);

/// From 1 to `size` bytes, as many as there are; "" at the end of the stream.
Coro<std::string> sock_recv(Socket& socket, std::size_t size);

/// All of `data`. Cancelled or failed, it may have sent a part; which, nobody can know. To a peer that is gone:
/// EPIPE or ECONNRESET, and never SIGPIPE.
Coro<> sock_sendall(Socket& socket, std::string data);

}  // namespace asyncio
