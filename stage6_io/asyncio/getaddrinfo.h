// getaddrinfo(), getnameinfo(): from a name to addresses and back, without making the loop wait.
// Mirrors: BaseEventLoop.getaddrinfo, getnameinfo and _ensure_resolved. Read next: streams.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/coro.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace asyncio {

/// The category of what getaddrinfo(3) reports; the values are its EAI_… [socket.gaierror]
const std::error_category& gai_category() noexcept;

/// Trivial members only: see the README on g++ 12.
struct ResolveOptions {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6: only those
  bool passive = false;    // for listening: host "" then means all interfaces, otherwise this machine
};

/// The addresses of `host` for a stream socket, in the order in which they are to be tried. A numeric address is given
/// back at once; a name is looked up in the loop's default executor, and if the task is cancelled in the meantime, or
/// the loop closed, the answer is dropped. Throws std::system_error of gai_category(), std::invalid_argument for a bad
/// port.
Coro<std::vector<Address>> getaddrinfo(std::string host, int port, ResolveOptions options = {});

/// The name of the host, and of the service, behind an address; `flags` are NI_… of netdb.h. With NI_NUMERICHOST and
/// NI_NUMERICSERV there is nothing to look up, and it is given back at once.
Coro<std::pair<std::string, std::string>> getnameinfo(Address address, int flags = 0);

}  // namespace asyncio
