#include "asyncio/address.h"

#include <arpa/inet.h>
#include <asyncio/detail/c_string.h>
#include <asyncio/detail/repr.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace asyncio {
namespace {

const sockaddr_in& v4(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in&>(storage); }
const sockaddr_in6& v6(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in6&>(storage); }

// The part after the % of a link-local address: an interface, by name or number.
std::uint32_t scope_id(const std::string& scope) {
  if (const unsigned index = if_nametoindex(scope.c_str())) return index;
  const bool number = !scope.empty() && scope.size() < 10 && scope.find_first_not_of("0123456789") == scope.npos;
  return number ? static_cast<std::uint32_t>(std::stoul(scope)) : 0;
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t size) noexcept
    : storage_{}, size_(std::min<socklen_t>(size, sizeof storage_)) {
  std::memcpy(&storage_, address, size_);
}

std::optional<Address> Address::numeric(const std::string& host, int port) {
  detail::check_port(port);
  if (host.find('\0') != host.npos) return std::nullopt;  // the C functions would stop there
  sockaddr_in in = {};
  if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(port));
    return Address(reinterpret_cast<const sockaddr*>(&in), sizeof in);
  }
  sockaddr_in6 in6 = {};
  const std::size_t percent = host.find('%');
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &in6.sin6_addr) == 1) {
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (percent != host.npos) {
      in6.sin6_scope_id = scope_id(host.substr(percent + 1));
      if (in6.sin6_scope_id == 0) return std::nullopt;
    }
    return Address(reinterpret_cast<const sockaddr*>(&in6), sizeof in6);
  }
  return std::nullopt;
}

Address Address::unix_path(std::string_view path) {
  sockaddr_un un = {};
  const bool abstract = path.starts_with('\0');
  if (path.empty()) throw std::invalid_argument("AF_UNIX path is empty");
  if (path.size() + !abstract > sizeof un.sun_path) throw std::invalid_argument("AF_UNIX path too long");
  if (!abstract) detail::check_c_string(path);
  un.sun_family = AF_UNIX;
  path.copy(un.sun_path, path.size());
  // A path ends with its zero byte, an abstract name with its length.
  const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size() + !abstract;
  return Address(reinterpret_cast<const sockaddr*>(&un), static_cast<socklen_t>(size));
}

std::string Address::path() const {
  constexpr std::size_t kBegin = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || size_ <= kBegin) return std::string();
  const char* const begin = reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  const std::string_view bytes(begin, size_ - kBegin);
  return std::string(bytes.starts_with('\0') ? bytes : bytes.substr(0, bytes.find('\0')));
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) inet_ntop(AF_INET, &v4(storage_).sin_addr, text, sizeof text);
  if (family() == AF_INET6) inet_ntop(AF_INET6, &v6(storage_).sin6_addr, text, sizeof text);
  return text;
}

int Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(v4(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(v6(storage_).sin6_port);
  return 0;
}

namespace {
std::string repr_of_path(const std::string& path) {
  if (!path.starts_with('\0')) return detail::python_repr(path);
  std::string text = "b'";
  for (const char byte : path) {
    char hex[8];
    const bool as_it_is = byte >= ' ' && byte < 127 && byte != '\\' && byte != '\'';
    std::snprintf(hex, sizeof hex, as_it_is ? "%c" : "\\x%02x", static_cast<unsigned char>(byte));
    text += hex;
  }
  return text + "'";
}
}  // namespace

std::string Address::repr() const {
  if (!is_ip()) return repr_of_path(path());
  std::string text = "('" + host() + "', " + std::to_string(port());
  if (family() == AF_INET6) {
    const sockaddr_in6& in6 = v6(storage_);
    text += ", " + std::to_string(ntohl(in6.sin6_flowinfo)) + ", " + std::to_string(in6.sin6_scope_id);
  }
  return text + ")";
}

bool operator==(const Address& a, const Address& b) noexcept {
  return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
}

void detail::check_port(int port) {
  if (port < 0 || port > 65535) {
    throw std::invalid_argument("port must be 0-65535, not " + std::to_string(port));
  }
}

}  // namespace asyncio
