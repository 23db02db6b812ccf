#include "asyncio/getaddrinfo.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/executor.h"

#include <asyncio/detail/c_string.h>
#include <asyncio/detail/repr.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

namespace asyncio {
namespace {

class GaiCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int error) const override { return gai_strerror(error); }
};

// REQUIRES: result is not 0. Called on the thread that made the call, because errno is per thread.
std::error_code error_of(int result) {
  return result == EAI_SYSTEM ? std::error_code(errno, std::generic_category())
                              : std::error_code(result, gai_category());
}

// These two block, so they run in a thread of the pool.

std::vector<Address> look_up(const std::string& host, int port, ResolveOptions options) {
  addrinfo hints = {};
  hints.ai_family = options.family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = options.passive ? AI_PASSIVE : 0;
  addrinfo* list = nullptr;
  const int result =
      detail::sys::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (result != 0) {
    throw std::system_error(error_of(result),
                            "getaddrinfo(" + detail::python_repr(host) + ", " + std::to_string(port) + ")");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, &freeaddrinfo);
  std::vector<Address> found;
  for (const addrinfo* info = list; info; info = info->ai_next) {
    const Address address(info->ai_addr, info->ai_addrlen);
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  return found;
}

std::pair<std::string, std::string> look_up_name(const Address& address, int flags) {
  char host[NI_MAXHOST] = "";
  char service[NI_MAXSERV] = "";
  const int result =
      detail::sys::getnameinfo(address.data(), address.size(), host, sizeof host, service, sizeof service, flags);
  if (result != 0) throw std::system_error(error_of(result), "getnameinfo(" + address.repr() + ")");
  return {host, service};
}

}  // namespace

const std::error_category& gai_category() noexcept {
  static const GaiCategory category;
  return category;
}

Coro<std::vector<Address>> getaddrinfo(std::string host, int port, ResolveOptions options) {
  detail::check_c_string(host);
  const std::optional<Address> numeric = Address::numeric(host, port);
  if (numeric && (options.family == AF_UNSPEC || options.family == numeric->family())) {
    co_return std::vector<Address>(1, *numeric);
  }
  Future<std::vector<Address>> found = run_in_executor(look_up, std::move(host), port, options);
  co_return co_await std::move(found);
}

Coro<std::pair<std::string, std::string>> getnameinfo(Address address, int flags) {
  if ((flags & NI_NUMERICHOST) && (flags & NI_NUMERICSERV)) co_return look_up_name(address, flags);
  Future<std::pair<std::string, std::string>> found = run_in_executor(look_up_name, address, flags);
  co_return co_await std::move(found);
}

}  // namespace asyncio
