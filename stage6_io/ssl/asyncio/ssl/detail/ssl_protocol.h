// TLS on one connection: the raw transport's protocol. It decrypts bytes for the protocol above, and encrypts what that
// writes.
// Mirrors: Lib/asyncio/sslproto.py, SSLProtocol. Read next: ../../../ssl_protocol.cpp
#pragma once

#include <asyncio/detail/byte_buffer.h>
#include <asyncio/detail/reserved_call.h>
#include <asyncio/loop.h>
#include <asyncio/ssl/detail/context_state.h>
#include <asyncio/ssl/detail/ssl_transport.h>
#include <asyncio/ssl/detail/wire.h>
#include <asyncio/tls.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace asyncio::ssl::detail {

/// handshake → wrapped → flushing (the protocol above has closed; its data goes out) → shutdown (close_notify is sent,
/// the peer's is awaited) → unwrapped. An error, abort() or a lost raw transport leads straight to unwrapped.
///
/// Invariants: (1) OpenSSL's error queue is emptied before each call of OpenSSL. After each call, outgoing bytes go to
/// the raw transport, even after a success: it may have queued a ticket. (2) While the raw transport asks to pause,
/// nothing is encrypted; data written then waits in backlog_. (3) After close() the protocol above only gets
/// connection_lost().
/// (4) Without memory, the connection is lost: the protocol above hears of it, and nobody waits for ever. What that takes
/// has its memory here.
class SSLProtocol final : public asyncio::detail::TlsLayer, public std::enable_shared_from_this<SSLProtocol> {
 public:
  static std::shared_ptr<SSLProtocol> make(Loop& loop, std::shared_ptr<BaseProtocol> above,
                                           std::shared_ptr<ContextState> context, asyncio::detail::TlsSetup setup);
  ~SSLProtocol() override;

  // ── the layer ──
  std::shared_ptr<Transport> app_transport() const override { return app_transport_; }
  void feed(std::string_view received) override { wire_.incoming.append(received); }

  // ── the protocol of the raw transport ──
  void connection_made(std::shared_ptr<Transport> transport) override;
  std::span<char> get_buffer(std::size_t hint) override;
  void buffer_updated(std::size_t size) override;
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;
  void pause_writing() override { raw_paused_ = true; }
  void resume_writing() override;

  // ── for the app's transport ──
  void close();
  void abort() { force_close(nullptr); }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol);
  const std::shared_ptr<BaseProtocol>& protocol() const noexcept { return above_; }
  Transport* raw() const noexcept { return raw_.get(); }
  bool is_reading() const noexcept { return !app_paused_; }
  void pause_reading() noexcept { app_paused_ = true; }
  void resume_reading();
  void write(std::string_view data);
  std::size_t unsent() const noexcept { return backlog_.size() + wire_.outgoing.size(); }
  WriteBufferLimits limits() const noexcept { return {high_, low_}; }
  void set_limits(WriteBufferLimits limits);

  // ── for OpenSSL's callbacks ──
  static SSLProtocol& of(const ssl_st* ssl) noexcept;
  const std::string& server_hostname() const noexcept { return object_->server_hostname(); }
  /// Of the context's sessions, when this connection began.
  std::uint64_t session_generation() const noexcept { return session_generation_; }
  void set_certificate_at_fault(std::string subject) { certificate_at_fault_ = std::move(subject); }
  /// Keeps the other context that the handshake continues with.
  void keep(std::shared_ptr<asyncio::detail::TlsEngine> context) { other_context_ = std::move(context); }
  /// Keeps the exception of a user's callback.
  void keep(std::exception_ptr thrown) { thrown_ = std::move(thrown); }

 private:
  enum class State : std::uint8_t { unwrapped, handshake, wrapped, flushing, shutdown };
  enum class App : std::uint8_t { init, made, eof, lost };  // the last callback of the protocol above

  SSLProtocol(Loop& loop, std::shared_ptr<BaseProtocol> above, std::shared_ptr<ContextState> context,
              asyncio::detail::TlsSetup setup);
  void configure_hostname(const ContextState& context);
  ssl_st* ssl() const noexcept { return object_->native_handle(); }

  void advance();
  void do_handshake();
  void handshake_done();
  void handshake_timed_out();
  void handshake_failed(std::exception_ptr error, const char* message);
  void settle_handshake(std::exception_ptr error);

  void do_read();
  void read_for_protocol();
  void read_for_buffered_protocol();
  int read_some(char* buffer, std::size_t size, std::size_t& count);
  std::exception_ptr error_of(int reason);
  void discard_incoming();
  void on_close_notify();
  void end_of_stream();
  void call_eof_received();
  void control_raw_reading();
  void read_on(int);

  void do_write();
  std::size_t encrypt(std::string_view data);
  void push_outgoing();
  void send_outgoing();
  void control_app_writing();

  void start_shutdown();
  void do_flush();
  void do_shutdown();
  void shutdown_done(std::exception_ptr error);
  void close_raw(int);
  void arm_shutdown_timer();
  void look_at_shutdown();
  void tell_loss(int);

  void force_close(std::exception_ptr error);
  void fatal_error(std::exception_ptr error, const char* message);
  void report(std::exception_ptr error, const char* message);
  /// Without memory for `action`, aborts the connection.
  template <class Action>
  void or_lose(Action action);
  template <class Call>
  bool guarded(const char* message, Call call);

  Loop& loop_;
  std::shared_ptr<BaseProtocol> above_;
  asyncio::Protocol* plain_ = nullptr;    // above_ if it is a Protocol, else null
  BufferedProtocol* buffered_ = nullptr;  // above_ if it is a BufferedProtocol, else null
  std::shared_ptr<SSLObject> object_;
  std::shared_ptr<asyncio::detail::TlsEngine> other_context_;
  std::shared_ptr<Transport> raw_;  // null before connection_made() and after connection_lost()
  std::shared_ptr<SSLTransport> app_transport_;
  Wire wire_;
  asyncio::detail::ByteBuffer backlog_;  // written, not yet encrypted
  std::size_t retry_ = 0;                // OpenSSL wants this many bytes again
  std::size_t high_;
  std::size_t low_;
  Duration handshake_timeout_;
  Duration shutdown_timeout_;
  TimerHandle timer_;  // for the handshake, then the shutdown
  std::size_t unsent_at_timer_ = 0;
  Future<> handshake_;
  std::exception_ptr error_;  // why we aborted the raw transport
  std::exception_ptr thrown_;
  asyncio::detail::ReservedCall<SSLProtocol> read_on_, close_, loss_;
  std::shared_ptr<BaseProtocol> lost_above_;  // from connection_lost() until it is told
  std::exception_ptr loss_error_;             // what it is told
  std::string certificate_at_fault_;
  unsigned lost_writes_ = 0;
  State state_ = State::unwrapped;
  App app_ = App::init;
  std::uint64_t session_generation_;
  bool server_side_;
  bool app_paused_ = false;          // the protocol above has paused reading
  bool app_writing_paused_ = false;  // we have called its pause_writing()
  bool raw_paused_ = false;          // the raw transport has called our pause_writing()
  bool raw_reading_paused_ = false;  // we have paused the raw transport's reading
  bool raw_eof_ = false;
  bool reading_on_ = false;  // read_on_ is scheduled
  bool closing_ = false;     // close() was called: received data is dropped
};

}  // namespace asyncio::ssl::detail
