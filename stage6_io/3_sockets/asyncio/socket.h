// Socket: owns a descriptor and closes it. The sock_* functions connect, accept, receive and send; all are awaitable.
// Mirrors: Python's socket.socket, and the sock_* of BaseSelectorEventLoop. Read next: sendfile.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/coro.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace asyncio {

/// Owns the descriptor of a socket that does not block and is closed on exec. Every failure is a std::system_error that
/// names the call, and the address if there is one. Any use of a closed socket is EBADF.
class Socket {
 public:
  Socket() = default;
  /// Takes ownership of a descriptor. It must be non-blocking; otherwise its calls block the loop.
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  /// Closes what it held.
  Socket& operator=(Socket&& other) noexcept {
    Socket old(std::move(other));
    std::swap(fd_, old.fd_);
    return *this;
  }
  ~Socket() { close(); }

  /// A new stream socket: AF_INET, AF_INET6 or AF_UNIX.
  static Socket stream(int family);
  /// A new datagram socket. Each message goes to an address, or to the one that the socket is connected to.
  static Socket datagram(int family);
  /// Two sockets that are connected to each other.
  static std::pair<Socket, Socket> pair();
  /// Bound to the address, even if connections of an earlier server still use it. (SO_REUSEADDR)
  static Socket bound(const Address& address, bool reuse_port = false);
  /// Bound to the address and listening; port 0 lets the system choose one. [socket.create_server]
  static Socket listening(const Address& address, int backlog = 100);

  /// The descriptor; -1: it is closed.
  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ != -1; }
  /// Gives up ownership of the descriptor.
  [[nodiscard("a descriptor that is dropped stays open: close() closes it")]] int release() noexcept {
    return std::exchange(fd_, -1);
  }
  /// May be called twice. Cancel the tasks that wait for this socket first.
  void close() noexcept;

  /// As bind(2) and listen(2). Throw std::system_error.
  void bind(const Address& address);
  void listen(int backlog = 100);
  /// Ends the sending direction: the peer reads the end of the stream.
  void shutdown_write();
  /// As setsockopt(2). Throws std::system_error.
  void set_option(int level, int option, int value);

  /// Empty if there is no such address. [getsockname, getpeername]
  Address local_address() const noexcept;
  /// The other end's. Empty if there is none.
  Address peer_address() const noexcept;

 private:
  int fd_ = -1;
};

// Each function tries the system call first and waits for the descriptor only if the call would block. A cancel while
// it waits loses nothing: no byte is read and forgotten, no connection is accepted and dropped, and the socket is no
// longer watched. The socket and the caller's buffer must outlive the await. If two tasks wait to read (or to write) on
// one socket, the later replaces the first, which is never woken. Waiting for a transport's socket: std::runtime_error.
// In debug mode, a socket that blocks is refused: std::invalid_argument("the socket must be non-blocking").

/// Throws std::system_error("Connect call failed ('127.0.0.1', 1): Connection refused").
Coro<> sock_connect(Socket& socket, Address address);

/// Accepts the next connection to a listening socket: {connection, address of the client}.
Coro<std::pair<Socket, Address>> sock_accept(Socket& socket);

/// Receives from 1 to `size` bytes, as many as there are; "" at the end of the stream.
Coro<std::string> sock_recv(Socket& socket, std::size_t size);

/// Receives into the caller's buffer. Returns the number of bytes; 0 at the end of the stream.
Coro<std::size_t> sock_recv_into(Socket& socket, std::span<char> buffer);

/// Receives the next datagram: {its first `size` bytes, address of the sender}.
Coro<std::pair<std::string, Address>> sock_recvfrom(Socket& socket, std::size_t size);
/// Receives a datagram into the first `size` bytes of the caller's buffer (0: all of it). Returns {number of bytes,
/// sender}. Throws std::invalid_argument if the buffer is smaller than `size`.
Coro<std::pair<std::size_t, Address>> sock_recvfrom_into(Socket& socket, std::span<char> buffer, std::size_t size = 0);

/// Sends `data` as one datagram. If `address` is empty, sends to the connected peer. Returns bytes sent. (On a stream
/// socket: as many as it takes now.)
Coro<std::size_t> sock_sendto(Socket& socket, std::string data, Address address);

/// Sends all of `data`. After an error or a cancel an unknown part has been sent. Throws EPIPE or ECONNRESET if the
/// peer is gone, and never raises SIGPIPE.
Coro<> sock_sendall(Socket& socket, std::string data);

namespace detail {
/// In debug mode only, because asking costs a system call.
void check_nonblocking(const Socket& socket);
}  // namespace detail

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: a Socket belongs to one thread at a time; a sock_… function to the thread of its loop.
// Ticks: the task does not suspend if the system call succeeds at once; else it runs in the tick after the one that
//   finds the socket ready.
// Errors: std::system_error that names the call; std::runtime_error for a descriptor of a transport,
//   std::invalid_argument in debug mode for one that blocks.
// Units: sizes are in bytes; backlog counts clients; fd() is the kernel's number.
