#include "stage6/faults/faults.h"

#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::testing {
namespace {

thread_local Faults* current = nullptr;

bool any_of(const std::vector<std::string_view>& calls, std::string_view call) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

// Whether the call may go on; -1 and errno otherwise.
bool admitted(const char* call) {
  const Fault fault = Faults::next(call);
  if (fault.error != 0) errno = fault.error;
  return fault.error == 0;
}

template <class Call>
ssize_t in_parts(const char* name, std::size_t size, Call call) {
  const Fault fault = Faults::next(name);
  if (fault.error != 0) {
    errno = fault.error;
    return -1;
  }
  return call(std::min(size, fault.at_most));
}

}  // namespace

Faults::Faults(Decide decide) : decide_(std::move(decide)) { current = this; }
Faults::~Faults() { current = nullptr; }

Fault Faults::next(std::string_view call) {
  Faults* const faults = std::exchange(current, nullptr);  // what a test's own code does is left alone
  if (!faults) return {};
  const Fault fault = faults->decide_(call);
  faults->injected_ += fault.error != 0 || fault.at_most != SIZE_MAX;
  current = faults;
  return fault;
}

Faults::Decide at_every(int k, std::vector<std::string_view> calls, Fault fault) {
  return [=, count = 0](std::string_view call) mutable {
    return any_of(calls, call) && ++count % k == 0 ? fault : Fault();
  };
}

Faults::Decide at_call(int k, std::vector<std::string_view> calls, Fault fault) {
  return
      [=, count = 0](std::string_view call) mutable { return any_of(calls, call) && ++count == k ? fault : Fault(); };
}

}  // namespace asyncio::testing

// ── the calls, by the names that the linker gives them ──────────────────────────────────────────────────────────────

using asyncio::testing::admitted;
using asyncio::testing::in_parts;

#define WHOLE(name, parameters, arguments) \
  extern "C" int __real_##name parameters; \
  extern "C" int __wrap_##name parameters; \
  extern "C" int __wrap_##name parameters { return admitted(#name) ? __real_##name arguments : -1; }

WHOLE(accept4, (int fd, sockaddr* peer, socklen_t* size, int flags), (fd, peer, size, flags))
WHOLE(bind, (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
WHOLE(connect, (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
WHOLE(epoll_create1, (int flags), (flags))
WHOLE(epoll_ctl, (int epoll, int operation, int fd, epoll_event* event), (epoll, operation, fd, event))
WHOLE(epoll_wait, (int epoll, epoll_event* events, int size, int timeout), (epoll, events, size, timeout))
WHOLE(eventfd, (unsigned value, int flags), (value, flags))
WHOLE(listen, (int fd, int backlog), (fd, backlog))
WHOLE(poll, (pollfd * descriptors, nfds_t count, int timeout), (descriptors, count, timeout))
WHOLE(shutdown, (int fd, int how), (fd, how))
WHOLE(socket, (int family, int type, int protocol), (family, type, protocol))
WHOLE(socketpair, (int family, int type, int protocol, int* ends), (family, type, protocol, ends))

#define IN_PARTS(name, parameters, size, arguments)                                          \
  extern "C" ssize_t __real_##name parameters;                                               \
  extern "C" ssize_t __wrap_##name parameters;                                               \
  extern "C" ssize_t __wrap_##name parameters {                                              \
    return in_parts(#name, size, [&](std::size_t part) { return __real_##name arguments; }); \
  }

IN_PARTS(recv, (int fd, void* data, std::size_t size, int flags), size, (fd, data, part, flags))
IN_PARTS(send, (int fd, const void* data, std::size_t size, int flags), size, (fd, data, part, flags))
IN_PARTS(sendfile, (int socket, int file, off_t* offset, std::size_t size), size, (socket, file, offset, part))
IN_PARTS(pread, (int fd, void* data, std::size_t size, off_t offset), size, (fd, data, part, offset))
IN_PARTS(recvfrom, (int fd, void* data, std::size_t size, int flags, sockaddr* sender, socklen_t* address_size), size,
         (fd, data, part, flags, sender, address_size))
IN_PARTS(sendto,
         (int fd, const void* data, std::size_t size, int flags, const sockaddr* address, socklen_t address_size), size,
         (fd, data, part, flags, address, address_size))
