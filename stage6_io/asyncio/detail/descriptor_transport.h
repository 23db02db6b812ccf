// What all transports over a descriptor share: its life from connection_made to connection_lost, and the marks at which
// the protocol is told to pause and to resume.
// Mirrors: Lib/asyncio/selector_events.py, _SelectorTransport; transports.py, _FlowControlMixin.
// Read next: stream_transport.h
#pragma once

#include <asyncio/detail/io_service.h>
#include <asyncio/detail/ref.h>
#include <asyncio/future.h>
#include <asyncio/protocols.h>

#include <exception>
#include <memory>
#include <string>

namespace asyncio::detail {

class DescriptorTransport;

/// Who is told when a connection is there, and when it is gone: the server it belongs to.
class TransportServer {
 public:
  virtual void attach(DescriptorTransport& transport) = 0;
  virtual void detach(DescriptorTransport& transport) noexcept = 0;
  virtual void add_ref() noexcept = 0;
  virtual void release() noexcept = 0;

 protected:
  ~TransportServer() = default;
};

/// Open → closing → lost. The loop keeps it until it is lost, and its watches while they are there.
/// Invariants: (1) conn_lost_ > 0 from the moment on at which connection_lost is certain to come, and nothing else.
/// (2) watching_reads_ and watching_writes_ say whether the descriptor has a reader and a writer of ours. (3) fd_ is
/// open, and there is a protocol, until connection_lost has returned, or the loop is closed.
class DescriptorTransport : public virtual SendTransport,
                            public DescriptorOwner,
                            public std::enable_shared_from_this<DescriptorTransport> {
 public:
  ~DescriptorTransport() override;

  /// The three first callbacks, in one tick: connection_made, then reading begins, then `waiter` is done.
  void start(Future<> waiter = Future<>());

  void close() override;
  void abort() override { force_close(nullptr); }
  bool is_closing() const noexcept override { return closing_; }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }
  int fileno() const noexcept override { return fd_; }
  std::string repr() const override;

  WriteBufferLimits get_write_buffer_limits() const noexcept override { return {high_, low_}; }
  void set_write_buffer_limits(WriteBufferLimits limits = {}) override;

  /// The loop is being closed: lets go of everything, without a word.
  void abandon() noexcept;

 protected:
  /// Takes the descriptor over, which must not block.
  DescriptorTransport(Loop& loop, int fd, Ref<TransportServer> server = Ref<TransportServer>());

  virtual const char* kind() const noexcept = 0;
  virtual void call_connection_made() = 0;
  virtual void start_reading() = 0;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  virtual void clear_buffer() noexcept = 0;
  virtual void forget_protocol() noexcept { protocol_.reset(); }

  Loop* open_loop() const noexcept;  // null if it is destroyed or closed: then there is nothing to schedule
  void watch_reads();
  void unwatch_reads() noexcept;
  void watch_writes();
  void unwatch_writes() noexcept;

  /// Calls the protocol; what it throws is an error of the connection. False if it threw. [_fatal_error]
  template <class Call>
  bool guarded(const char* message, Call call);
  void fatal_error(std::exception_ptr error, const char* message);
  void report(std::exception_ptr error, const char* message);
  void force_close(std::exception_ptr error);
  /// False if it had begun already. From here on others may watch the descriptor.
  bool begin_closing() noexcept;
  void lose_soon(std::exception_ptr error);
  void lose(std::exception_ptr error);
  /// A write to a connection that is lost: the fifth is worth a word.
  void count_lost_write(const char* warning);

  void maybe_pause_protocol();
  void maybe_resume_protocol();

  IoService& io_;  // as long as there is a loop
  std::shared_ptr<BaseProtocol> protocol_;
  unsigned conn_lost_ = 0;
  bool closing_ = false;

 private:
  struct FinishAtEnd;
  void finish() noexcept;

  Ref<LoopAnchor> anchor_;
  Ref<TransportServer> server_;
  int fd_;
  std::size_t high_ = 64 * 1024;
  std::size_t low_ = high_ / 4;
  bool protocol_paused_ = false;
  bool watching_reads_ = false;
  bool watching_writes_ = false;
};

template <class Call>
bool DescriptorTransport::guarded(const char* message, Call call) {
  try {
    call();
    return true;
  } catch (...) {
    if (current_exception_is_fatal()) throw;
    fatal_error(std::current_exception(), message);
    return false;
  }
}

}  // namespace asyncio::detail
