#include "asyncio/datagrams.h"

#include "asyncio/detail/datagram_transport.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/detail/unix_socket_file.h"

#include <cerrno>
#include <stdexcept>

namespace asyncio::detail {

// ── the transport ───────────────────────────────────────────────────────────────────────────────────────────────────

SocketDatagramTransport::SocketDatagramTransport(Loop& loop, Socket socket, const Address& remote)
    : DescriptorTransport(loop, socket.fd()),
      local_(socket.local_address()),
      peer_(socket.peer_address()),
      remote_(remote) {
  socket.release();
}

void SocketDatagramTransport::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  auto* datagram = dynamic_cast<DatagramProtocol*>(protocol.get());
  if (!datagram) throw std::invalid_argument("a datagram transport's protocol is a DatagramProtocol");
  datagram_protocol_ = datagram;
  protocol_ = std::move(protocol);
}

void SocketDatagramTransport::forget_protocol() noexcept {
  datagram_protocol_ = nullptr;
  protocol_.reset();
}

void SocketDatagramTransport::call_connection_made() {
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  datagram_protocol_->connection_made(std::shared_ptr<DatagramTransport>(shared_from_this(), this));
}

void SocketDatagramTransport::start_reading() {
  if (!closing_ && open_loop()) watch_reads();
}

void SocketDatagramTransport::on_readable() {
  if (conn_lost_ > 0) return;
  sockaddr_storage storage = {};
  socklen_t size = sizeof storage;
  auto* const sender = reinterpret_cast<sockaddr*>(&storage);
  char* const buffer = io_.receive_buffer();
  const ssize_t received = sys::recvfrom(fileno(), buffer, IoService::kReceiveSize, sender, &size);
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  if (received >= 0) {
    datagram_protocol_->datagram_received(std::string_view(buffer, static_cast<std::size_t>(received)),
                                          Address(sender, size));
  } else if (const int error = errno; !sys::would_block(error)) {
    tell_error(error, "recvfrom", peer_);
  }
}

void SocketDatagramTransport::tell_error(int error, const char* call, const Address& address) {
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  const std::string what = address.family() == AF_UNSPEC ? call : call + (" " + address.repr());
  if (datagram_protocol_) datagram_protocol_->error_received(system_error(error, what));
}

ssize_t SocketDatagramTransport::send_now(std::string_view data, const Address& address) noexcept {
  if (peer_.family() != AF_UNSPEC) return sys::send(fileno(), data.data(), data.size());
  return sys::sendto(fileno(), data.data(), data.size(), address.data(), address.size());
}

void SocketDatagramTransport::sendto(std::string_view data, const Address& address) {
  const bool to_remote = remote_.family() != AF_UNSPEC;
  if (to_remote && address.family() != AF_UNSPEC && address != remote_) {
    throw std::invalid_argument("Invalid address: must be None or " + remote_.repr());
  }
  const Address& destination = to_remote ? remote_ : address;
  if (conn_lost_ > 0) return count_lost_write("socket.send() raised exception.");
  if (queue_.empty()) {
    if (send_now(data, destination) >= 0) return;
    if (const int error = errno; !sys::would_block(error)) return tell_error(error, "sendto", destination);
    watch_writes();
  }
  queue_.emplace_back(data, destination);
  queued_bytes_ += data.size() + kHeaderBytes;
  maybe_pause_protocol();
}

void SocketDatagramTransport::on_writable() {
  while (conn_lost_ == 0 && !queue_.empty()) {
    const auto& [data, address] = queue_.front();
    const ssize_t sent = send_now(data, address);
    const int error = sent >= 0 ? 0 : errno;
    if (sys::would_block(error)) break;
    const Address destination = address;
    queued_bytes_ -= data.size() + kHeaderBytes;
    queue_.pop_front();
    if (error != 0) return tell_error(error, "sendto", destination);  // the rest in the next tick
  }
  maybe_resume_protocol();  // which may send more, or abort
  if (!queue_.empty() || conn_lost_ > 0) return;
  unwatch_writes();
  if (!closing_) return;
  ++conn_lost_;
  lose(nullptr);
}

void SocketDatagramTransport::clear_buffer() noexcept {
  queue_.clear();
  queued_bytes_ = 0;
}

// ── making one ──────────────────────────────────────────────────────────────────────────────────────────────────────

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
