// Address: where a socket is, or where it is to go: an IPv4 or IPv6 address with a port, or a path.
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
  Address() noexcept : storage_{}, size_(0) {}
  Address(const sockaddr* address, socklen_t size) noexcept;

  /// From a number, without looking anything up: "127.0.0.1", "::1", "fe80::1%eth0". Nothing if it is not one.
  /// Throws std::invalid_argument("port must be 0-65535 …").
  static std::optional<Address> numeric(const std::string& host, int port);

  /// Of a Unix socket: a path, or, beginning with '\0', a name in Linux's abstract name space.
  /// Throws std::invalid_argument("AF_UNIX path too long") beyond about 100 bytes, and for an empty one.
  static Address unix_path(std::string_view path);

  int family() const noexcept { return size_ == 0 ? AF_UNSPEC : storage_.ss_family; }
  bool is_ip() const noexcept { return family() == AF_INET || family() == AF_INET6; }
  /// "127.0.0.1"; "" if it is no IP address.
  std::string host() const;
  /// 0 if it is no IP address.
  int port() const noexcept;
  /// What unix_path() was given; "" if it is no Unix address, or has no name.
  std::string path() const;
  /// As Python prints it: ('127.0.0.1', 80), ('::1', 80, 0, 0), '/tmp/socket', b'\x00abstract'; '' for the nameless.
  std::string repr() const;

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
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
