// Socket: a descriptor that is closed when its owner goes. And what one does with it, awaitable.
// Mirrors: Python's socket.socket, and the sock_* of BaseSelectorEventLoop.
// Read next: sendfile.h, getaddrinfo.h, then streams.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/coro.h>

#include <cstddef>
#include <span>
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
  /// The same for datagrams: each message by itself, to an address or to the one it is connected to.
  static Socket datagram(int family);
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

// Each of these tries the system call first, and where that would block, waits until the descriptor is ready. A task
// that is cancelled as it waits loses nothing: the socket is as it was, and not watched any more; no byte has been read
// and forgotten, no connection accepted and dropped. The socket, and a buffer of the caller's, must outlive the await.
// Two that wait for the same way of one socket: the later takes the place of the first, which is not woken any more. A
// socket that belongs to a transport cannot be waited for: std::runtime_error.

/// Throws std::system_error("Connect call failed ('127.0.0.1', 1): Connection refused").
Coro<> sock_connect(Socket& socket, Address address);

/// The next connection to a listening socket, and whose it is.
Coro<std::pair<Socket, Address>> sock_accept(Socket& socket);

/// From 1 to `size` bytes, as many as there are; "" at the end of the stream.
Coro<std::string> sock_recv(Socket& socket, std::size_t size);

/// The same into the caller's buffer: how many bytes; 0 at the end of the stream.
Coro<std::size_t> sock_recv_into(Socket& socket, std::span<char> buffer);

/// The next datagram, its first `size` bytes, and whose it is.
Coro<std::pair<std::string, Address>> sock_recvfrom(Socket& socket, std::size_t size);
/// The same into the caller's buffer, its first `size` bytes (0: all of it). Throws std::invalid_argument if it has not
/// so many.
Coro<std::pair<std::size_t, Address>> sock_recvfrom_into(Socket& socket, std::span<char> buffer, std::size_t size = 0);

/// Sends `data` as one datagram, to `address`, or if that is empty where the socket is connected to: how many bytes went. (On a stream: as many as it takes now.)
Coro<std::size_t> sock_sendto(Socket& socket, std::string data, Address address);

/// All of `data`. Cancelled or failed, it may have sent a part; which, nobody can know. To a peer that is gone:
/// EPIPE or ECONNRESET, and never SIGPIPE.
Coro<> sock_sendall(Socket& socket, std::string data);

}  // namespace asyncio
