#include "asyncio/ssl/detail/ssl_protocol.h"

#include "asyncio/detail/descriptor_table.h"
#include "asyncio/detail/flow_limits.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/exceptions.h"
#include "asyncio/ssl/errors.h"
#include "asyncio/timeouts.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace asyncio::ssl::detail {

using asyncio::detail::DescriptorTable;
using asyncio::detail::system_error;
using asyncio::detail::TlsSetup;

namespace {

constexpr std::size_t kHighWaterRead = 256 * 1024;   // encrypted bytes to hold while nobody takes them
constexpr std::size_t kHighWaterWrite = 512 * 1024;  // [FLOW_CONTROL_HIGH_WATER_SSL_WRITE]
constexpr std::size_t kRecord = 16 * 1024;           // the largest payload of a record
constexpr std::size_t kSendAt = 4 * kRecord;         // encrypted bytes to collect before sending
constexpr std::size_t kOverhead = 64;                // no record is longer than its payload and this
constexpr std::size_t kKeptRoom = 1024;              // to send so many encrypted bytes again needs no new memory

constexpr const char* kPeerHasClosed = "SSL handshake: the peer closed the connection";

std::string in_seconds(Duration duration) {
  std::string text = std::to_string(std::chrono::duration<double>(duration).count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

Duration limit_or(TimeLimit limit, Duration otherwise, const char* name) {
  if (!limit.has_value()) return otherwise;
  if (!limit.is_over()) return limit.duration();
  throw std::invalid_argument(std::string(name) + " should be a positive number, got " + in_seconds(limit.duration()));
}

// As ERR_clear_error(), which takes 840 instructions even if there is no error: a twentieth of a small message's.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/// system_error(), or without memory for its text std::bad_alloc.
std::exception_ptr error_with(int code, const char* text) noexcept {
  try {
    return std::make_exception_ptr(system_error(code, text));
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  }
}

int index_of_this() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

// ── the beginning ───────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<SSLProtocol> SSLProtocol::make(Loop& loop, std::shared_ptr<BaseProtocol> above,
                                               std::shared_ptr<ContextState> context, TlsSetup setup) {
  return std::shared_ptr<SSLProtocol>(new SSLProtocol(loop, std::move(above), std::move(context), std::move(setup)));
}

SSLProtocol::SSLProtocol(Loop& loop, std::shared_ptr<BaseProtocol> above, std::shared_ptr<ContextState> context,
                         TlsSetup setup)
    : loop_(loop),
      high_(kHighWaterWrite),
      low_(kHighWaterWrite / 4),
      handshake_timeout_(limit_or(setup.handshake_timeout, std::chrono::seconds(60), "ssl_handshake_timeout")),
      shutdown_timeout_(limit_or(setup.shutdown_timeout, std::chrono::seconds(30), "ssl_shutdown_timeout")),
      handshake_(std::move(setup.handshake)),
      app_(setup.call_connection_made ? App::init : App::made),
      session_generation_(context->generation()),
      server_side_(setup.server_side) {
  set_protocol(std::move(above));
  SSLPointer ssl = context->make_ssl();
  if (SSL_set_ex_data(ssl.get(), index_of_this(), this) != 1) throw_error();
  server_side_ ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  if (ERR_peek_error() != 0) throw_error();  // since OpenSSL 3.2 these need memory, and return nothing
  wire_.attach(ssl.get());
  object_ = std::make_shared<SSLObject>(context, std::move(ssl), std::move(setup.server_hostname));
  if (!server_side_) configure_hostname(*context);
  app_transport_ = std::make_shared<SSLTransport>(*this, object_);
}

SSLProtocol::~SSLProtocol() {
  if (app_transport_) {
    app_transport_->layer_ = nullptr;
    app_transport_->closed_ = true;
  }
  timer_.cancel();
}

SSLProtocol& SSLProtocol::of(const ssl_st* ssl) noexcept {
  return *static_cast<SSLProtocol*>(SSL_get_ex_data(ssl, index_of_this()));
}

// An IP address is verified as an address, but not sent: the server name extension carries only names (RFC 6066).
void SSLProtocol::configure_hostname(const ContextState& context) {
  const std::string& host = server_hostname();
  if (host.empty()) {
    if (context.check_hostname) throw std::invalid_argument("check_hostname requires server_hostname");
    return;
  }
  if (host.front() == '.' || host.find('\0') != host.npos) {
    throw std::invalid_argument(
        "server_hostname cannot be an empty string, begin with a dot, or hold a null character");
  }
  ASN1_OCTET_STRING* number = a2i_IPADDRESS(host.c_str());
  const bool is_number = number != nullptr;
  ASN1_OCTET_STRING_free(number);
  ERR_clear_error();
  if (!is_number && SSL_set_tlsext_host_name(ssl(), host.c_str()) != 1) throw_error();
  if (context.check_hostname) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl());
    const int ok = is_number ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str())
                             : X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size());
    if (ok != 1) throw_error();
  }
  if (const SessionPointer session = context.session_of(host)) SSL_set_session(ssl(), session.get());
}

void SSLProtocol::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  auto* plain = dynamic_cast<asyncio::Protocol*>(protocol.get());
  auto* buffered = dynamic_cast<BufferedProtocol*>(protocol.get());
  if (!plain && !buffered) throw std::invalid_argument("a stream's protocol is a Protocol or a BufferedProtocol");
  plain_ = plain;
  buffered_ = buffered;
  above_ = std::move(protocol);
}

void SSLProtocol::connection_made(std::shared_ptr<Transport> transport) {
  raw_ = std::move(transport);
  state_ = State::handshake;
  or_lose([this] {
    app_transport_->sockname_ = raw_->sockname();
    app_transport_->peername_ = raw_->peername();
    timer_ = loop_.call_later(handshake_timeout_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->or_lose([&] { self->handshake_timed_out(); });
    });
    do_handshake();
  });
}

// ── callbacks of the raw transport ──────────────────────────────────────────────────────────────────────────────────

std::span<char> SSLProtocol::get_buffer(std::size_t) {
  return std::span(loop_.service<DescriptorTable>().receive_buffer(), DescriptorTable::kReceiveSize);
}

void SSLProtocol::buffer_updated(std::size_t size) {
  wire_.incoming.append(std::string_view(loop_.service<DescriptorTable>().receive_buffer(), size));
  advance();
}

void SSLProtocol::advance() {
  switch (state_) {
    case State::handshake:
      return do_handshake();
    case State::wrapped:
      return do_read();
    case State::flushing:
      return do_flush();
    case State::shutdown:
      return do_shutdown();
    case State::unwrapped:
      return;
  }
}

// The peer hung up without close_notify. As in CPython, the protocol above gets the received data, then the end. The peer
// may have closed only its half: it still gets what was written.
bool SSLProtocol::eof_received() {
  raw_eof_ = true;
  switch (state_) {
    case State::handshake:
      handshake_failed(error_with(ECONNRESET, kPeerHasClosed), "SSL handshake failed");
      return false;
    case State::wrapped:
      if (!app_paused_) end_of_stream();  // else resume_reading() delivers the data first
      return true;
    case State::flushing:
      do_flush();
      return true;
    case State::shutdown:
    case State::unwrapped:
      return false;
  }
  return false;
}

void SSLProtocol::end_of_stream() {
  do_read();
  if (state_ != State::wrapped || app_paused_) return;
  call_eof_received();
  start_shutdown();
}

void SSLProtocol::connection_lost(std::exception_ptr error) {
  const std::shared_ptr<SSLProtocol> alive = shared_from_this();
  if (!error) error = error_;
  state_ = State::unwrapped;
  timer_.cancel();
  backlog_.clear();
  wire_.outgoing.clear();
  app_transport_->closed_ = true;
  app_transport_->layer_ = nullptr;
  if (app_ == App::made || app_ == App::eof) {
    app_ = App::lost;
    lost_above_ = above_;
    loss_error_ = error;
    loss_.schedule(loop_, alive, &SSLProtocol::tell_loss);
  }
  if (!error && handshake_) error = error_with(ECONNABORTED, "SSL handshake: the connection was closed");
  settle_handshake(error);
  plain_ = nullptr;
  buffered_ = nullptr;
  above_.reset();
  raw_.reset();
}

void SSLProtocol::tell_loss(int) {
  const std::shared_ptr<BaseProtocol> above = std::exchange(lost_above_, nullptr);
  above->connection_lost(std::exchange(loss_error_, nullptr));
}

// ── the handshake ───────────────────────────────────────────────────────────────────────────────────────────────────

void SSLProtocol::do_handshake() {
  clear_errors();
  const int result = SSL_do_handshake(ssl());
  const int reason = SSL_get_error(ssl(), result);
  if (result == 1) return handshake_done();
  if (reason == SSL_ERROR_WANT_READ) return send_outgoing();
  std::exception_ptr error = error_of(reason);
  if (!error) error = error_with(ECONNRESET, kPeerHasClosed);
  send_outgoing();  // the alert that tells the peer why
  if (thrown_) report(std::exchange(thrown_, nullptr), "SSL server name callback failed");
  handshake_failed(error, "SSL handshake failed");
}

void SSLProtocol::handshake_done() {
  timer_.cancel();
  state_ = State::wrapped;
  send_outgoing();
  if (app_ == App::init) {
    app_ = App::made;
    const std::shared_ptr<BaseProtocol> alive = above_;
    const bool ok = guarded("Fatal error: protocol.connection_made() call failed.", [&] {
      plain_ ? plain_->connection_made(app_transport_) : buffered_->connection_made(app_transport_);
    });
    if (!ok) return settle_handshake(error_);
  }
  settle_handshake(nullptr);
  do_read();
}

void SSLProtocol::handshake_timed_out() {
  if (state_ != State::handshake) return;
  const std::string text =
      "SSL handshake is taking longer than " + in_seconds(handshake_timeout_) + " seconds: aborting the connection";
  handshake_failed(error_with(ECONNABORTED, text.c_str()), "SSL handshake failed");
}

void SSLProtocol::handshake_failed(std::exception_ptr error, const char* message) {
  timer_.cancel();
  state_ = State::unwrapped;
  fatal_error(error, message);
  settle_handshake(error);
}

void SSLProtocol::settle_handshake(std::exception_ptr error) {
  const Future<> handshake = std::exchange(handshake_, Future<>());
  if (!handshake || handshake.done()) return;
  error ? handshake.set_exception(std::move(error)) : handshake.set_result();
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void SSLProtocol::do_read() {
  if (state_ != State::wrapped) return;
  if (!app_paused_) {
    plain_ ? read_for_protocol() : read_for_buffered_protocol();
    if (state_ == State::unwrapped) return;
    do_write();  // also sends OpenSSL's own messages, such as a key update
  }
  control_raw_reading();
}

// Decrypts up to `size` bytes; `count` is how many. Gives why it stopped: SSL_ERROR_NONE if the buffer is full,
// SSL_ERROR_WANT_READ if there are no more now; else the caller delivers those, then acts on the reason.
int SSLProtocol::read_some(char* buffer, std::size_t size, std::size_t& count) {
  count = 0;
  while (count < size) {
    clear_errors();
    std::size_t got = 0;
    if (SSL_read_ex(ssl(), buffer + count, size - count, &got) != 1) return SSL_get_error(ssl(), 0);
    count += got;
    // Saves a call that would find nothing, and for it allocate the buffer of a record.
    if (wire_.incoming.empty() && SSL_has_pending(ssl()) == 0) return SSL_ERROR_WANT_READ;
  }
  return SSL_ERROR_NONE;
}

// Why OpenSSL's last call failed. Null if it may be tried again, or if the peer has ended its half.
std::exception_ptr SSLProtocol::error_of(int reason) {
  if (reason != SSL_ERROR_SSL && reason != SSL_ERROR_SYSCALL) return nullptr;
  if (reason == SSL_ERROR_SYSCALL && wire_.failure) return wire_.failure;
  return take_error(ssl(), server_hostname(), certificate_at_fault_);
}

void SSLProtocol::read_for_protocol() {
  for (int reason = SSL_ERROR_NONE; reason == SSL_ERROR_NONE && state_ == State::wrapped && plain_ && !app_paused_;) {
    const DescriptorTable::LentBuffer buffer(loop_.service<DescriptorTable>());
    std::size_t count = 0;
    reason = read_some(buffer.data(), DescriptorTable::kReceiveSize, count);
    const std::exception_ptr error = error_of(reason);
    if (count > 0) {
      const std::shared_ptr<BaseProtocol> alive = above_;
      if (!guarded("Fatal error: protocol.data_received() call failed.",
                   [&] { plain_->data_received(std::string_view(buffer.data(), count)); })) {
        return;
      }
    }
    if (error) return fatal_error(error, "Fatal error on SSL protocol");
    if (reason == SSL_ERROR_ZERO_RETURN) return on_close_notify();
  }
}

void SSLProtocol::read_for_buffered_protocol() {
  for (int reason = SSL_ERROR_NONE;
       reason == SSL_ERROR_NONE && state_ == State::wrapped && buffered_ && !app_paused_;) {
    const std::shared_ptr<BaseProtocol> alive = above_;
    std::span<char> room;
    if (!guarded("Fatal error: protocol.get_buffer() call failed.", [&] {
          room = buffered_->get_buffer(wire_.incoming.size());
          if (room.empty()) throw std::runtime_error("get_buffer() returned an empty buffer");
        })) {
      return;
    }
    std::size_t count = 0;
    reason = read_some(room.data(), room.size(), count);
    const std::exception_ptr error = error_of(reason);
    if (count > 0 &&
        !guarded("Fatal error: protocol.buffer_updated() call failed.", [&] { buffered_->buffer_updated(count); })) {
      return;
    }
    if (error) return fatal_error(error, "Fatal error on SSL protocol");
    if (reason == SSL_ERROR_ZERO_RETURN) return on_close_notify();
  }
}

void SSLProtocol::on_close_notify() {
  if (state_ != State::wrapped) return;
  call_eof_received();
  start_shutdown();
}

void SSLProtocol::call_eof_received() {
  if (app_ != App::made || closing_) return;
  app_ = App::eof;
  const std::shared_ptr<BaseProtocol> alive = above_;
  bool keep_open = false;
  guarded("Error calling eof_received()",
          [&] { keep_open = plain_ ? plain_->eof_received() : buffered_->eof_received(); });
  if (keep_open) report(nullptr, "returning true from eof_received() has no effect when using ssl");
}

void SSLProtocol::resume_reading() {
  if (!std::exchange(app_paused_, false) || std::exchange(reading_on_, true)) return;
  read_on_.schedule(loop_, shared_from_this(), &SSLProtocol::read_on);
}

void SSLProtocol::read_on(int) {
  reading_on_ = false;
  or_lose([this] {
    advance();
    if (raw_eof_ && !app_paused_) end_of_stream();
  });
}

// Reads no more while the protocol above does not take it, or while the peer does not take OpenSSL's answers: there is
// one to each request for a renegotiation or for new keys.
void SSLProtocol::control_raw_reading() {
  if (!raw_) return;
  const std::size_t size = std::max(wire_.incoming.size(), raw_paused_ ? wire_.outgoing.size() : 0);
  if (size >= kHighWaterRead && !raw_reading_paused_) {
    raw_reading_paused_ = true;
    raw_->pause_reading();
  } else if (size <= kHighWaterRead / 4 && raw_reading_paused_) {
    raw_reading_paused_ = false;
    raw_->resume_reading();
  }
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void SSLProtocol::write(std::string_view data) {
  if (state_ != State::wrapped && state_ != State::handshake) {
    if (lost_writes_++ >= 5) report(nullptr, "SSL connection is closed");
    return;
  }
  try {
    if (state_ == State::wrapped && backlog_.empty() && !raw_paused_) data.remove_prefix(encrypt(data));
    if (state_ == State::unwrapped) return;  // encrypt() failed
    backlog_.append(data);
    do_write();
  } catch (const std::bad_alloc&) {  // a part of it may be on its way, and the rest is not kept
    force_close(std::current_exception());
    throw;
  }
}

void SSLProtocol::do_write() {
  if (state_ == State::wrapped || state_ == State::flushing) {
    if (!backlog_.empty()) {
      const std::size_t done = encrypt(backlog_.view());
      if (state_ == State::unwrapped) return;  // encrypt() failed
      backlog_.drop(done);
    }
  }
  send_outgoing();
}

// Encrypts one record at a time, until the raw transport asks to pause. Returns the bytes encrypted.
std::size_t SSLProtocol::encrypt(std::string_view data) {
  std::size_t done = 0;
  while (done < data.size() && !raw_paused_ && raw_) {
    const std::size_t size = std::max(retry_, std::min(kRecord, data.size() - done));
    std::size_t written = 0;
    const std::size_t left = std::min(data.size() - done, kSendAt);
    if (left > kRecord) wire_.expected = left + (kSendAt / kRecord) * kOverhead;
    clear_errors();
    if (SSL_write_ex(ssl(), data.data() + done, size, &written) != 1) {
      if (const std::exception_ptr error = error_of(SSL_get_error(ssl(), 0))) {
        fatal_error(error, "Fatal error on SSL protocol");
      } else {
        retry_ = size;
      }
      break;
    }
    retry_ = 0;
    done += written;
    if (wire_.outgoing.size() >= kSendAt) push_outgoing();
  }
  return done;
}

void SSLProtocol::push_outgoing() {
  if (raw_paused_ || !raw_ || wire_.outgoing.empty()) return;
  asyncio::detail::ByteBuffer sending = std::exchange(wire_.outgoing, {});  // write() may call code that adds to it
  try {
    raw_->write(sending.view());
  } catch (const std::bad_alloc&) {  // what has a hole is of no use to the peer
    force_close(std::current_exception());
    throw;
  }
  if (sending.size() > kKeptRoom || !wire_.outgoing.empty()) return;
  sending.clear();
  wire_.outgoing = std::move(sending);
}

// pause_writing() of the protocol above may write. Therefore its earlier data goes first.
void SSLProtocol::send_outgoing() {
  push_outgoing();
  control_app_writing();
}

void SSLProtocol::resume_writing() {
  raw_paused_ = false;
  or_lose([this] {
    do_write();
    if (state_ == State::flushing) do_flush();
    control_raw_reading();
  });
}

void SSLProtocol::control_app_writing() {
  if (!above_) return;
  const std::size_t size = unsent();
  const bool pause = size >= high_ && size > 0 && !app_writing_paused_;
  const bool resume = size <= low_ && app_writing_paused_;
  if (!pause && !resume) return;
  app_writing_paused_ = pause;
  const std::shared_ptr<BaseProtocol> above = above_;
  try {
    pause ? above->pause_writing() : above->resume_writing();
  } catch (...) {
    if (asyncio::detail::current_exception_is_fatal()) throw;
    report(std::current_exception(), pause ? "protocol.pause_writing() failed" : "protocol.resume_writing() failed");
  }
}

void SSLProtocol::set_limits(WriteBufferLimits limits) {
  const asyncio::detail::FlowLimits marks = asyncio::detail::with_defaults(limits, kHighWaterWrite);
  high_ = marks.high;
  low_ = marks.low;
  control_app_writing();
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void SSLProtocol::close() {
  closing_ = true;
  app_transport_->closed_ = true;
  or_lose([this] { start_shutdown(); });
}

void SSLProtocol::start_shutdown() {
  if (state_ == State::handshake) return force_close(nullptr);
  if (state_ != State::wrapped) return;
  app_transport_->closed_ = true;
  state_ = State::flushing;
  unsent_at_timer_ = unsent() + (raw_ ? raw_->get_write_buffer_size() : 0);
  arm_shutdown_timer();
  if (raw_reading_paused_ && raw_) {  // the peer's close_notify follows data that nobody reads
    raw_reading_paused_ = false;
    raw_->resume_reading();
  }
  do_flush();
}

// The time limit only runs while no data moves. CPython's counts from close(), which cuts off a slow reader.
void SSLProtocol::arm_shutdown_timer() {
  timer_ = loop_.call_later(shutdown_timeout_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->or_lose([&] { self->look_at_shutdown(); });
  });
}

void SSLProtocol::look_at_shutdown() {
  if (state_ != State::flushing && state_ != State::shutdown) return;
  const std::size_t size = unsent() + (raw_ ? raw_->get_write_buffer_size() : 0);
  if (size < unsent_at_timer_) {
    unsent_at_timer_ = size;
    return arm_shutdown_timer();
  }
  force_close(std::make_exception_ptr(TimeoutError("SSL shutdown timed out")));
}

void SSLProtocol::do_flush() {
  discard_incoming();
  if (state_ != State::flushing) return;
  do_write();
  if (state_ != State::flushing || unsent() > 0) return;
  state_ = State::shutdown;
  do_shutdown();
}

// Reads the data, so that the peer can send its close_notify after it.
void SSLProtocol::discard_incoming() {
  char* buffer = loop_.service<DescriptorTable>().receive_buffer();
  int reason = SSL_ERROR_NONE;
  for (std::size_t count = 0; reason == SSL_ERROR_NONE;) {
    reason = read_some(buffer, DescriptorTable::kReceiveSize, count);
  }
  if (const std::exception_ptr error = error_of(reason)) return shutdown_done(error);
  control_raw_reading();
}

// SSL_shutdown() is called once, to send our close_notify: a second call fails if data of the peer comes first.
void SSLProtocol::do_shutdown() {
  if (raw_eof_) return shutdown_done(nullptr);
  if ((SSL_get_shutdown(ssl()) & SSL_SENT_SHUTDOWN) == 0) {
    clear_errors();
    const int result = SSL_shutdown(ssl());
    const int reason = SSL_get_error(ssl(), result);
    const std::exception_ptr error = result < 0 ? error_of(reason) : nullptr;
    send_outgoing();
    if (error) return shutdown_done(error);
  }
  if (state_ == State::shutdown) discard_incoming();
  if (state_ == State::shutdown && object_->received_close_notify()) shutdown_done(nullptr);
}

void SSLProtocol::shutdown_done(std::exception_ptr error) {
  timer_.cancel();
  if (error) return fatal_error(std::move(error), "Fatal error on SSL protocol");
  state_ = State::unwrapped;
  if (raw_) close_.schedule(loop_, shared_from_this(), &SSLProtocol::close_raw);
}

void SSLProtocol::close_raw(int) {
  if (raw_) raw_->close();
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void SSLProtocol::force_close(std::exception_ptr error) {
  state_ = State::unwrapped;
  app_transport_->closed_ = true;
  if (!error_) error_ = std::move(error);
  if (raw_) raw_->abort();
}

void SSLProtocol::fatal_error(std::exception_ptr error, const char* message) {
  // An error of the connection goes to connection_lost() or to the handshake's future.
  if (!asyncio::detail::is_system_error(error)) report(error, message);
  force_close(std::move(error));
}

void SSLProtocol::report(std::exception_ptr error, const char* message) {
  try {
    ErrorContext context(message, std::move(error));
    context.with("transport", app_transport_->repr());
    if (const BaseProtocol* above = above_.get()) {
      context.with("protocol", "<" + asyncio::detail::demangle(typeid(*above).name()) + ">");
    }
    loop_.call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    asyncio::detail::report_without_memory(message);
  }
}

template <class Action>
void SSLProtocol::or_lose(Action action) {
  const std::shared_ptr<SSLProtocol> alive = shared_from_this();
  try {
    action();
  } catch (const std::bad_alloc&) {
    const std::exception_ptr error = std::current_exception();
    timer_.cancel();
    force_close(error);
    settle_handshake(error);
  }
}

template <class Call>
bool SSLProtocol::guarded(const char* message, Call call) {
  try {
    call();
    return true;
  } catch (...) {
    if (asyncio::detail::current_exception_is_fatal()) throw;
    fatal_error(std::current_exception(), message);
    return false;
  }
}

}  // namespace asyncio::ssl::detail
