// getaddrinfo(), getnameinfo(): from a name to addresses and back, without blocking the loop.
// Mirrors: BaseEventLoop.getaddrinfo, getnameinfo and _ensure_resolved. Read next: file_descriptor.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/coro.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace asyncio {

/// The category of the errors of getaddrinfo(3); the values are its EAI_… constants. [socket.gaierror]
const std::error_category& gai_category() noexcept;

/// Trivial members only: see the README on g++ 12.
struct ResolveOptions {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6: only addresses of that family
  bool passive = false;    // for listening: host "" means all interfaces, otherwise this machine
};

/// The addresses of `host` for a stream socket, in the order in which to try them. Returns a numeric address at once. A
/// name is looked up in the loop's default executor; if the task is cancelled or the loop is closed meanwhile, the
/// answer is dropped. Throws std::system_error of gai_category(), std::invalid_argument for a bad port.
Coro<std::vector<Address>> getaddrinfo(std::string host, int port, ResolveOptions options = {});

/// The names of host and service behind an address; `flags` are NI_… of netdb.h. With NI_NUMERICHOST and NI_NUMERICSERV
/// there is nothing to look up, and it returns at once.
Coro<std::pair<std::string, std::string>> getnameinfo(Address address, int flags = 0);

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: none for a numeric address. A name is looked up in a thread: the task runs in the tick after the one that
//   finds the answer.
// Errors: std::system_error of gai_category(); std::invalid_argument for a bad port.
// Units: a port is 0 to 65535.
