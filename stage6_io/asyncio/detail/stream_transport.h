// The transport of a stream: it receives when the descriptor is ready, sends at once what can be sent, and keeps the
// rest for later. Sockets and pipes differ in a few system calls, and in what the end of the stream means.
// Mirrors: Lib/asyncio/selector_events.py, _SelectorSocketTransport. Read next: ../../stream_transport.cpp
#pragma once

#include <asyncio/detail/byte_buffer.h>
#include <asyncio/detail/descriptor_transport.h>
#include <asyncio/socket.h>
#include <sys/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Invariant: the descriptor has a writer exactly while the buffer is not empty.
class StreamTransport : public DescriptorTransport, public Transport {
 public:
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override;

  bool is_reading() const noexcept override { return !closing_ && !paused_; }
  void pause_reading() override { paused_ = paused_ || !closing_; }  // it stays watched until that disturbs
  void resume_reading() override;
  bool read_now() override;

  void write(std::string_view data) override { write_pieces(std::span(&data, 1), data.size()); }
  void writelines(std::span<const std::string_view> lines) override;
  void write_eof() override;
  bool can_write_eof() const noexcept override { return true; }
  std::size_t get_write_buffer_size() const noexcept override { return unsent_.size(); }

  // sendfile() waits until the buffer is empty, and then keeps everybody else from writing.
  Future<> make_empty_waiter();
  void reset_empty_waiter() noexcept { empty_waiter_ = Future<>(); }

 protected:
  using DescriptorTransport::DescriptorTransport;

  virtual ssize_t read_some(char* buffer, std::size_t size) noexcept = 0;
  virtual ssize_t write_some(std::span<const std::string_view> pieces) noexcept = 0;
  /// What all writing comes to; `size` is the sum of the pieces.
  virtual void write_pieces(std::span<const std::string_view> pieces, std::size_t size);
  virtual void shutdown_write() noexcept = 0;
  virtual void on_eof() = 0;
  /// "recv from ('127.0.0.1', 80)": what failed.
  virtual std::string describe_call(bool reading) const = 0;
  /// A lost peer is no news to anybody but the protocol; a pipe that cannot be read is.
  virtual bool is_worth_a_report(int) const noexcept { return false; }
  virtual const char* warning_of_lost_writes() const noexcept = 0;

  void call_connection_made() override;
  void start_reading() override;
  void on_readable() override;
  void on_writable() override;
  void clear_buffer() noexcept override;
  void forget_protocol() noexcept override;

  bool call_eof_received();
  /// Half of it is closed; one may still write.
  void stop_reading_for_good() noexcept;
  void fail(int error, bool reading);

  bool paused_ = false;

 private:
  /// More than one event brings, so that a reader with little room need not wait for each of its calls; and not without
  /// end, or a sender that is always faster would keep the loop from everybody else.
  static constexpr std::size_t kReadBudget = 4 * IoService::kReceiveSize;

  /// Up to here writelines() joins its lines first: that costs no more than to tell the kernel of each, and less if there
  /// are many. With 256 KiB in 16 lines it takes half as long again to join them first.
  static constexpr std::size_t kJoined = 4 * 1024;

  bool receive();
  void count_received(std::size_t received, std::size_t room) noexcept;
  void settle_empty_waiter(std::exception_ptr error);

  Protocol* plain_ = nullptr;             // protocol_, if it is one of these …
  BufferedProtocol* buffered_ = nullptr;  // … or of these
  ByteBuffer unsent_;
  Future<> empty_waiter_;
  std::size_t read_budget_ = 0;  // bytes that may still be received without waiting for an event
  bool received_eof_ = false;
  bool sent_eof_ = false;
};

/// Over a connected socket.
class SocketTransport final : public StreamTransport {
 public:
  SocketTransport(Loop& loop, Socket socket, const Address& peer, Ref<TransportServer> server = Ref<TransportServer>());

  Address sockname() const noexcept override { return local_; }
  Address peername() const noexcept override { return peer_; }

 private:
  const char* kind() const noexcept override { return "SocketTransport"; }
  ssize_t read_some(char* buffer, std::size_t size) noexcept override;
  ssize_t write_some(std::span<const std::string_view> pieces) noexcept override;
  void shutdown_write() noexcept override;
  void on_eof() override;
  std::string describe_call(bool reading) const override;
  const char* warning_of_lost_writes() const noexcept override { return "socket.send() raised exception."; }

  Address local_;
  Address peer_;
};

/// A transport for a connected socket, started: its protocol is told in the next tick, and then `waiter`.
std::shared_ptr<SocketTransport> make_socket_transport(Loop& loop, Socket socket, const Address& peer,
                                                       std::shared_ptr<BaseProtocol> protocol,
                                                       Future<> waiter = Future<>(),
                                                       Ref<TransportServer> server = Ref<TransportServer>());

}  // namespace asyncio::detail
