#include "asyncio/detail/datagram_transport.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace asyncio::detail {

SocketDatagramTransport::SocketDatagramTransport(Loop& loop, Socket socket, const Address& remote)
    : DescriptorTransport(loop, socket.fd()),
      local_(socket.local_address()),
      peer_(socket.peer_address()),
      remote_(remote) {
  static_cast<void>(socket.release());
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
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  const DescriptorTable::LentBuffer buffer(table_);
  const ssize_t received = sys::recvfrom(fileno(), buffer.data(), DescriptorTable::kReceiveSize, sender, &size);
  if (received >= 0) {
    datagram_protocol_->datagram_received(std::string_view(buffer.data(), static_cast<std::size_t>(received)),
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
  const bool lost = conn_lost_ > 0;
  if (lost && (to_remote || fileno() == -1)) return count_lost_write("socket.send() raised exception.");
  if (queue_.empty()) {
    if (send_now(data, destination) >= 0) return;
    if (const int error = errno; !sys::would_block(error)) return tell_error(error, "sendto", destination);
    if (lost) return;  // it does not wait for room any more
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
  maybe_resume_protocol();  // may send more, or abort
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

}  // namespace asyncio::detail
