#include "asyncio/datagrams.h"

#include "asyncio/detail/datagram_transport.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/detail/unix_socket_file.h"

#include <cerrno>
#include <stdexcept>

namespace asyncio::detail {

Coro<Socket> datagram_socket(DatagramOptions options) {
  const Address &local = options.local_addr, &remote = options.remote_addr;
  const bool has_local = local.family() != AF_UNSPEC, has_remote = remote.family() != AF_UNSPEC;
  const int family = has_local ? local.family() : has_remote ? remote.family() : options.family;
  if (family == AF_UNSPEC) throw std::invalid_argument("unexpected address family");
  if (has_remote && remote.family() != family) throw std::invalid_argument("can not get address information");

  Socket socket = Socket::datagram(family);
  if (options.reuse_port) socket.set_option(SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.allow_broadcast) socket.set_option(SOL_SOCKET, SO_BROADCAST, 1);
  if (has_local) {
    remove_stale_socket(local, Loop::running());
    socket.bind(local);
  }
  if (has_remote && !options.allow_broadcast) co_await sock_connect(socket, remote);
  co_return socket;
}

void check_datagram_socket(const Socket& socket) {
  const int type = sys::socket_type(socket.fd());
  if (type == -1) throw_system_error(errno, "getsockopt");
  if (type != SOCK_STREAM) return;
  throw std::invalid_argument("A datagram socket was expected, got <socket fd=" + std::to_string(socket.fd()) + ">");
}

Coro<std::shared_ptr<DatagramTransport>> connect_datagrams(Socket socket, Address remote,
                                                           std::shared_ptr<BaseProtocol> protocol) {
  const auto transport = std::make_shared<SocketDatagramTransport>(Loop::running(), std::move(socket), remote);
  transport->set_protocol(std::move(protocol));
  co_await wait_until_made(transport);
  co_return transport;
}

}  // namespace asyncio::detail
