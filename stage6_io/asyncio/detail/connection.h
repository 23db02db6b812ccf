// A connected socket with a reader on one side and a write buffer on the other: what StreamReader and StreamWriter
// share. It receives when the descriptor is ready, sends at once what can be sent, and keeps the rest for later.
// Mirrors: Lib/asyncio/selector_events.py, _SelectorSocketTransport; and streams.py, StreamReaderProtocol.
// Read next: ../../connection.cpp
#pragma once

#include <asyncio/address.h>
#include <asyncio/descriptors.h>
#include <asyncio/detail/byte_buffer.h>
#include <asyncio/detail/io_service.h>
#include <asyncio/detail/reader_state.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/socket.h>

#include <exception>
#include <string>
#include <string_view>

namespace asyncio::detail {

class Connection;

/// Who is told when a connection is gone: the server it belongs to.
class ConnectionServer {
 public:
  virtual void detach(Connection& connection) noexcept = 0;
  virtual void add_ref() noexcept = 0;
  virtual void release() noexcept = 0;

 protected:
  ~ConnectionServer() = default;
};

/// Counted. Open → closing → lost; lost is told once to all who wait, in a tick of its own, and then the descriptor is
/// closed.
/// Invariants: (1) the descriptor has a writer exactly while the write buffer is not empty; that writer keeps the
/// connection alive. (2) watching_reads_ says whether it has a reader. (3) A connection that is closing has none.
class Connection final : public ReadSource, public Pooled {
 public:
  static constexpr std::size_t kHighWater = 64 * 1024;      // more in the buffer than that, and drain() waits …
  static constexpr std::size_t kLowWater = kHighWater / 4;  // … until there is no more than this

  Connection(Loop& loop, Socket socket, Address peer, Ref<ReaderState> reader,
             Ref<ConnectionServer> server = Ref<ConnectionServer>());
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // ── the writer's side ──
  /// Throws std::runtime_error after write_eof(). To a connection that is lost, it goes nowhere: drain() tells.
  void write(std::string_view data);
  void write_eof();
  /// Sends what is in the buffer, and then ends the connection.
  void close();
  /// Ends it now, and drops what is in the buffer.
  void abort() { force_close(nullptr); }

  bool is_closing() const noexcept { return closing_; }
  bool is_lost() const noexcept { return lost_; }
  /// The error that ended it, or null.
  const std::exception_ptr& error() const noexcept { return error_; }
  bool writing_paused() const noexcept { return writing_paused_; }
  WaitList& drain_waiters() noexcept { return drain_waiters_; }
  WaitList& close_waiters() noexcept { return close_waiters_; }

  ReaderState& reader() noexcept { return *reader_; }
  const Address& peer() const noexcept { return peer_; }
  const Address& local() const noexcept { return local_; }
  int fd() const noexcept { return socket_.fd(); }
  std::size_t unsent() const noexcept { return unsent_.size(); }

  // ── the reader's side ──
  void pause_reading() override { reading_paused_ = true; }  // its descriptor stays watched until that disturbs
  void resume_reading() override;
  bool read_now() override;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  Loop* open_loop() const noexcept;
  void watch_reads();
  void unwatch_reads() noexcept;
  void on_readable();
  bool receive();
  void on_writable();
  void fail(int error, const char* call);
  void force_close(std::exception_ptr error);
  void lose_soon(std::exception_ptr error);
  void lose(std::exception_ptr error);

  Ref<LoopAnchor> anchor_;
  IoService& io_;  // as long as there is a loop
  Socket socket_;
  Ref<ReaderState> reader_;
  Ref<ConnectionServer> server_;
  Address peer_;
  Address local_;
  ByteBuffer unsent_;
  WaitList drain_waiters_;
  WaitList close_waiters_;
  std::exception_ptr error_;
  std::uint32_t refs_ = 1;
  bool watching_reads_ = false;
  bool reading_paused_ = false;
  bool may_read_now_ = true;  // there may be data that no event has spoken of yet
  bool received_eof_ = false;
  bool writing_paused_ = false;  // the buffer rose above kHighWater, and has not sunk to kLowWater
  bool sent_eof_ = false;
  bool closing_ = false;
  bool losing_ = false;  // CPython's _conn_lost: lose() is under way
  bool lost_ = false;
};

/// What the users' handles hold. The last one gone, nobody can write to the connection any more: it is closed.
class ConnectionOwner : public Pooled {
 public:
  explicit ConnectionOwner(Ref<Connection> connection) noexcept : connection_(std::move(connection)) {}
  ConnectionOwner(const ConnectionOwner&) = delete;
  ConnectionOwner& operator=(const ConnectionOwner&) = delete;
  ~ConnectionOwner();

  Connection& connection() const noexcept { return *connection_; }
  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  Ref<Connection> connection_;
  std::uint32_t refs_ = 1;
};

}  // namespace asyncio::detail
