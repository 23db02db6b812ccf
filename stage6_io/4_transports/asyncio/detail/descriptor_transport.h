// What all transports over a descriptor share: the life from connection_made to connection_lost, and the water marks at
// which the protocol must pause and resume.
// Mirrors: Lib/asyncio/selector_events.py, _SelectorTransport; transports.py, _FlowControlMixin.
// Read next: stream_transport.h
#pragma once

#include <asyncio/detail/descriptor_table.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/reserved_call.h>
#include <asyncio/future.h>
#include <asyncio/protocols.h>

#include <exception>
#include <memory>
#include <string>

namespace asyncio::detail {

class DescriptorTransport;

/// The server of a connection, which tracks its transports.
class TransportServer {
 public:
  virtual void attach(DescriptorTransport& transport) = 0;
  virtual void detach(DescriptorTransport& transport) noexcept = 0;
  virtual void add_ref() noexcept = 0;
  virtual void release() noexcept = 0;

 protected:
  ~TransportServer() = default;
};

/// Open → closing → lost. The loop keeps a transport until it is lost, and so does each of its watches.
/// Invariants: (1) Once conn_lost_ > 0, connection_lost is the only callback to come. (2) watching_reads_ and
/// watching_writes_ are true exactly while the descriptor has our reader and our writer. (3) fd_ is open and there is a
/// protocol until connection_lost has returned or the loop is closed.
class DescriptorTransport : public virtual SendTransport,
                            public DescriptorOwner,
                            public std::enable_shared_from_this<DescriptorTransport> {
 public:
  ~DescriptorTransport() override;

  /// Schedules three callbacks for one tick: connection_made(), then the start of reading, then `waiter`'s result.
  void start(Future<> waiter = Future<>());

  void close() override;
  void abort() override { force_close(nullptr); }
  bool is_closing() const noexcept override { return closing_; }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }
  int fileno() const noexcept override { return fd_; }
  std::string repr() const override;

  WriteBufferLimits get_write_buffer_limits() const noexcept override { return {high_, low_}; }
  void set_write_buffer_limits(WriteBufferLimits limits = {}) override;

  void abandon() noexcept override;

 protected:
  /// Takes ownership of the descriptor, which must be non-blocking.
  DescriptorTransport(Loop& loop, int fd, Ref<TransportServer> server = Ref<TransportServer>());

  virtual const char* kind() const noexcept = 0;
  virtual void call_connection_made() = 0;
  virtual void start_reading() = 0;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  virtual void clear_buffer() noexcept = 0;
  virtual void forget_protocol() noexcept { protocol_.reset(); }

  Loop* open_loop() const noexcept;  // null if the loop is destroyed or closed
  void watch_reads();
  void unwatch_reads() noexcept;
  void watch_writes();
  void unwatch_writes() noexcept;

  /// Calls the protocol. False if it threw; the exception then ends the connection. [_fatal_error]
  /// If survives_its_protocol(), the exception passes: the callback has failed, and the connection stays open.
  template <class Call>
  bool guarded(const char* message, Call call);
  virtual bool survives_its_protocol() const noexcept { return false; }
  void fatal_error(std::exception_ptr error, const char* message);
  void report(std::exception_ptr error, const char* message);
  void force_close(std::exception_ptr error);
  /// From here on others may watch the descriptor. False if it was closing already.
  bool begin_closing() noexcept;
  void lose_soon(std::exception_ptr error);
  void lose(std::exception_ptr error);
  /// Counts writes to a lost connection, and reports them to the exception handler once there are many.
  void count_lost_write(const char* warning, unsigned& count);
  void count_lost_write(const char* warning) { count_lost_write(warning, conn_lost_); }

  void maybe_pause_protocol();
  void maybe_resume_protocol();

  DescriptorTable& table_;  // valid while the loop exists
  std::shared_ptr<BaseProtocol> protocol_;
  unsigned conn_lost_ = 0;
  bool closing_ = false;

 private:
  void tell_loss(int);
  void finish() noexcept;

  Ref<WeakLoop> weak_loop_;
  Ref<TransportServer> server_;
  int fd_;
  std::size_t high_ = 64 * 1024;
  std::size_t low_ = high_ / 4;
  bool protocol_paused_ = false;
  bool watching_reads_ = false;
  bool watching_writes_ = false;
  ReservedCall<DescriptorTransport> loss_;  // for connection_lost()
  std::exception_ptr loss_error_;
};

template <class Call>
bool DescriptorTransport::guarded(const char* message, Call call) {
  try {
    call();
    return true;
  } catch (...) {
    if (current_exception_is_fatal() || survives_its_protocol()) throw;
    fatal_error(std::current_exception(), message);
    return false;
  }
}

}  // namespace asyncio::detail
