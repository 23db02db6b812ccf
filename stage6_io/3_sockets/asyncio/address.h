// Address: one end of a socket, as an IPv4 or IPv6 address with a port, or as a path.
// Mirrors: the addresses of Python's socket module, ('127.0.0.1', 80) and '/tmp/socket'. Read next: socket.h
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace asyncio {

/// A sockaddr of any family, by value. Trivially copyable.
class Address {
 public:
  /// No address.
  Address() noexcept : storage_{}, size_(0) {}
  /// A copy of what the system gave: `size` bytes.
  Address(const sockaddr* address, socklen_t size) noexcept;

  /// From a numeric address: "127.0.0.1", "::1", "fe80::1%eth0". Empty if `host` is not numeric; never looks up a name.
  /// Throws std::invalid_argument("port must be 0-65535 …").
  static std::optional<Address> numeric(const std::string& host, int port);

  /// Of a Unix socket: a path or, if it starts with '\0', a name in Linux's abstract namespace.
  /// Throws std::invalid_argument if it is empty or longer than about 100 bytes ("AF_UNIX path too long"), or if a path
  /// contains a '\0'.
  static Address unix_path(std::string_view path);

  /// AF_INET, AF_INET6, AF_UNIX …; AF_UNSPEC: there is none.
  int family() const noexcept { return size_ == 0 ? AF_UNSPEC : storage_.ss_family; }
  /// Whether it is one of IPv4 or IPv6: it has a host and a port.
  bool is_ip() const noexcept { return family() == AF_INET || family() == AF_INET6; }
  /// "127.0.0.1"; "" if this is no IP address.
  std::string host() const;
  /// 0 if this is no IP address.
  int port() const noexcept;
  /// The argument of unix_path(); "" if this is no Unix address or has no name.
  std::string path() const;
  /// As Python prints it: ('127.0.0.1', 80), ('::1', 80, 0, 0), '/tmp/socket', or an abstract name's bytes; '' without a name.
  std::string repr() const;

  /// What bind(2) and connect(2) take.
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  /// In bytes.
  socklen_t size() const noexcept { return size_; }

  friend bool operator==(const Address& a, const Address& b) noexcept;

 private:
  sockaddr_storage storage_;
  socklen_t size_;
};

namespace detail {
/// Throws std::invalid_argument unless 0 <= port <= 65535.
void check_port(int port);
}  // namespace detail

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: std::invalid_argument.
// Units: a port is 0 to 65535, in the order of this machine's bytes; size() is in bytes.
