// The transport of a stream: it receives when the descriptor is ready, sends at once what the kernel takes, and buffers
// the rest. Sockets and pipes differ in a few system calls and in what the end of the stream means.
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
  void pause_reading() override { paused_ = paused_ || !closing_; }  // stays watched until the next event
  void resume_reading() override;
  bool read_now() override;

  void write(std::string_view data) override { write_pieces(std::span(&data, 1), data.size()); }
  void writelines(std::span<const std::string_view> lines) override;
  void write_eof() override;
  bool can_write_eof() const noexcept override { return true; }
  std::size_t get_write_buffer_size() const noexcept override { return unsent_.size(); }

  // sendfile() waits until the buffer is empty, and blocks all other writes until reset_empty_waiter().
  Future<> make_empty_waiter();
  void reset_empty_waiter() noexcept { empty_waiter_ = Future<>(); }

 protected:
  using DescriptorTransport::DescriptorTransport;

  virtual ssize_t read_some(char* buffer, std::size_t size) noexcept = 0;
  virtual ssize_t write_some(std::span<const std::string_view> pieces) noexcept = 0;
  /// All writing ends here; `size` is the sum of the pieces.
  virtual void write_pieces(std::span<const std::string_view> pieces, std::size_t size);
  virtual void shutdown_write() noexcept = 0;
  virtual void on_eof() = 0;
  /// The failed call, for the error's text: "recv from ('127.0.0.1', 80)".
  virtual std::string describe_call(bool reading) const = 0;
  /// True if the exception handler must hear of the error. A lost peer concerns only the protocol.
  virtual bool is_worth_a_report(int) const noexcept { return false; }
  virtual const char* warning_of_lost_writes() const noexcept = 0;

  void call_connection_made() override;
  void start_reading() override;
  void on_readable() override;
  void on_writable() override;
  void clear_buffer() noexcept override;
  void forget_protocol() noexcept override;

  bool call_eof_received();
  void check_may_write(const char* function) const;
  /// Puts the lines behind what is unsent, and tries to send all of it. REQUIRES: something is unsent.
  void send_behind(std::span<const std::string_view> lines);
  /// The peer has closed its half; writing stays possible.
  void stop_reading_for_good() noexcept;
  virtual void fail(int error, bool reading);

  bool paused_ = false;

 private:
  /// How many bytes one event allows to receive. More than one read's worth, so that a reader with a small buffer need
  /// not wait for an event each time; bounded, so that a fast sender cannot starve the other callbacks.
  static constexpr std::size_t kReadBudget = 4 * DescriptorTable::kReceiveSize;

  /// writelines() joins its lines first if they are no longer than this: for short lines, that is cheaper than one
  /// iovec each. Joining long lines costs more than it saves.
  static constexpr std::size_t kJoined = 4 * 1024;

  bool receive();
  bool receive_for(Protocol& protocol);
  bool receive_for(BufferedProtocol& protocol);
  bool received_nothing(ssize_t result);
  void count_received(std::size_t received, std::size_t room) noexcept;
  void settle_empty_waiter(std::exception_ptr error);

  Protocol* plain_ = nullptr;             // protocol_, if it is a Protocol
  BufferedProtocol* buffered_ = nullptr;  // protocol_, if it is a BufferedProtocol
  ByteBuffer unsent_;
  Future<> empty_waiter_;
  std::size_t read_budget_ = 0;  // bytes that may still be received without waiting for an event
  bool received_eof_ = false;
  bool sent_eof_ = false;
};

/// The transport of a connected stream socket.
class SocketTransport final : public StreamTransport {
 public:
  SocketTransport(Loop& loop, Socket socket, const Address& peer, Ref<TransportServer> server = Ref<TransportServer>());

  Address sockname() const noexcept override { return local_; }
  Address peername() const noexcept override { return peer_; }
  bool can_start_tls() const noexcept override { return true; }
  /// Unlike write(), it tries to send even while something is unsent.
  void writelines(std::span<const std::string_view> lines) override;

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

/// Makes and starts a transport for a connected socket: connection_made() and then `waiter` follow in the next tick.
std::shared_ptr<SocketTransport> make_socket_transport(Loop& loop, Socket socket, const Address& peer,
                                                       std::shared_ptr<BaseProtocol> protocol,
                                                       Future<> waiter = Future<>(),
                                                       Ref<TransportServer> server = Ref<TransportServer>());

}  // namespace asyncio::detail
