// The transport of a datagram socket: it sends or queues each message as a whole.
// Mirrors: Lib/asyncio/selector_events.py, _SelectorDatagramTransport. Read next: ../../datagram_transport.cpp
#pragma once

#include <asyncio/detail/descriptor_transport.h>
#include <asyncio/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Invariant: the descriptor has a writer exactly while the queue is not empty.
class SocketDatagramTransport final : public DescriptorTransport, public DatagramTransport {
 public:
  /// Sends everything to `remote`, unless that is empty.
  SocketDatagramTransport(Loop& loop, Socket socket, const Address& remote);

  void sendto(std::string_view data, const Address& address = Address()) override;
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override;
  std::size_t get_write_buffer_size() const noexcept override { return queued_bytes_; }
  Address sockname() const noexcept override { return local_; }
  Address peername() const noexcept override { return peer_; }

 private:
  static constexpr std::size_t kHeaderBytes = 8;  // added to each datagram's size: an empty one is not free

  const char* kind() const noexcept override { return "DatagramTransport"; }
  void call_connection_made() override;
  void start_reading() override;
  void on_readable() override;
  void on_writable() override;
  void clear_buffer() noexcept override;
  void forget_protocol() noexcept override;

  ssize_t send_now(std::string_view data, const Address& address) noexcept;
  void tell_error(int error, const char* call, const Address& address);

  DatagramProtocol* datagram_protocol_ = nullptr;  // protocol_
  Address local_;
  Address peer_;    // the peer of a connected socket
  Address remote_;  // the remote_addr option; equals peer_, unless broadcast is allowed
  std::deque<std::pair<std::string, Address>> queue_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace asyncio::detail
