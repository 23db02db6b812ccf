#include "asyncio/getaddrinfo.h"

#include "asyncio/detail/helper_thread.h"
#include "asyncio/detail/syscalls.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace asyncio {
namespace {

class GaiCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int error) const override { return gai_strerror(error); }
};

/// What the thread and the task share; the thread may outlive everything else.
struct Lookup {
  std::string host;
  int port;
  ResolveOptions options;
  std::error_code error;
  std::vector<Address> found;

  void operator()() noexcept;
};

void Lookup::operator()() noexcept {
  addrinfo hints = {};
  hints.ai_family = options.family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = options.passive ? AI_PASSIVE : 0;
  addrinfo* list = nullptr;
  const int result =
      detail::sys::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (result == EAI_SYSTEM) {
    error = std::error_code(errno, std::generic_category());
  } else if (result != 0) {
    error = std::error_code(result, gai_category());
  }
  for (const addrinfo* info = list; info; info = info->ai_next) {
    const Address address(info->ai_addr, info->ai_addrlen);
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  if (list) freeaddrinfo(list);
}

}  // namespace

const std::error_category& gai_category() noexcept {
  static const GaiCategory category;
  return category;
}

Coro<std::vector<Address>> getaddrinfo(std::string host, int port, ResolveOptions options) {
  const std::optional<Address> numeric = Address::numeric(host, port);
  if (numeric && (options.family == AF_UNSPEC || options.family == numeric->family())) {
    co_return std::vector<Address>(1, *numeric);
  }
  const auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  lookup->port = port;
  lookup->options = options;
  std::function<void()> job = [lookup] { (*lookup)(); };
  co_await detail::HelperThread(std::move(job));

  if (lookup->error)
    throw std::system_error(lookup->error, "getaddrinfo('" + host + "', " + std::to_string(port) + ")");
  co_return std::move(lookup->found);
}

}  // namespace asyncio
