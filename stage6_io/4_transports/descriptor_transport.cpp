#include "asyncio/detail/descriptor_transport.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/flow_limits.h"
#include "asyncio/detail/scope_exit.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <new>
#include <stdexcept>
#include <system_error>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

// ── the beginning ───────────────────────────────────────────────────────────────────────────────────────────────────

DescriptorTransport::DescriptorTransport(Loop& loop, int fd, Ref<TransportServer> server)
    : table_(loop.service<DescriptorTable>()), weak_loop_(&loop.weak_loop()), server_(std::move(server)), fd_(fd) {
  if (server_) server_->attach(*this);
}

DescriptorTransport::~DescriptorTransport() { finish(); }

void DescriptorTransport::start(Future<> waiter) {
  Loop& loop = *weak_loop_->loop();
  const std::shared_ptr<DescriptorTransport> self = shared_from_this();
  table_.claim(fd_, *this);
  Handle first, second;
  try {
    table_.keep(fd_, self);
    first = loop.call_soon([self] {
      if (self->protocol_) self->call_connection_made();
    });
    second = loop.call_soon([self] {
      try {
        self->start_reading();
      } catch (const std::exception&) {  // without a watch, both sides would wait for ever
        self->fatal_error(std::current_exception(), "Fatal error: the transport's descriptor cannot be watched");
      }
    });
    if (!waiter) return;
    loop.call_soon([waiter = std::move(waiter)] {
      if (!waiter.done()) waiter.set_result();
    });
  } catch (...) {  // no memory: it has not begun
    first.cancel();
    second.cancel();
    begin_closing();
    abandon();
    throw;
  }
}

Loop* DescriptorTransport::open_loop() const noexcept {
  Loop* loop = weak_loop_->loop();
  return loop && !loop->is_closed() ? loop : nullptr;
}

// ── watching ────────────────────────────────────────────────────────────────────────────────────────────────────────

void DescriptorTransport::watch_reads() {
  if (watching_reads_) return;
  watch(
      *weak_loop_->loop(), fd_, Readiness::read, [self = shared_from_this()] { self->on_readable(); },
      std::source_location::current());
  watching_reads_ = true;
}

void DescriptorTransport::unwatch_reads() noexcept {
  if (!std::exchange(watching_reads_, false)) return;
  if (Loop* loop = open_loop()) unwatch(*loop, fd_, Readiness::read);
}

void DescriptorTransport::watch_writes() {
  watch(
      *weak_loop_->loop(), fd_, Readiness::write, [self = shared_from_this()] { self->on_writable(); },
      std::source_location::current());
  watching_writes_ = true;
}

void DescriptorTransport::unwatch_writes() noexcept {
  if (!std::exchange(watching_writes_, false)) return;
  if (Loop* loop = open_loop()) unwatch(*loop, fd_, Readiness::write);
}

// ── flow control ────────────────────────────────────────────────────────────────────────────────────────────────────

void DescriptorTransport::set_write_buffer_limits(WriteBufferLimits limits) {
  const FlowLimits marks = with_defaults(limits, 64 * 1024);
  high_ = marks.high;
  low_ = marks.low;
  maybe_pause_protocol();
}

void DescriptorTransport::maybe_pause_protocol() {
  if (protocol_paused_ || !protocol_ || get_write_buffer_size() <= high_) return;
  protocol_paused_ = true;
  const std::shared_ptr<BaseProtocol> protocol = protocol_;  // pause_writing() may replace it
  try {
    protocol->pause_writing();
  } catch (...) {
    if (current_exception_is_fatal()) throw;
    report(std::current_exception(), "protocol.pause_writing() failed");
  }
}

void DescriptorTransport::maybe_resume_protocol() {
  if (!protocol_paused_ || !protocol_ || get_write_buffer_size() > low_) return;
  protocol_paused_ = false;
  const std::shared_ptr<BaseProtocol> protocol = protocol_;
  try {
    protocol->resume_writing();
  } catch (...) {
    if (current_exception_is_fatal()) throw;
    report(std::current_exception(), "protocol.resume_writing() failed");
  }
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void DescriptorTransport::report(std::exception_ptr error, const char* message) {
  Loop* const loop = weak_loop_->loop();
  if (!loop) return;
  try {
    ErrorContext context(message, std::move(error));
    context.with("transport", repr());
    if (const BaseProtocol* protocol = protocol_.get()) {
      context.with("protocol", "<" + demangle(typeid(*protocol).name()) + ">");
    }
    loop->call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    report_without_memory(message);
  }
}

void DescriptorTransport::fatal_error(std::exception_ptr error, const char* message) {
  if (!is_system_error(error)) report(error, message);  // otherwise the peer is gone: only connection_lost() reports it
  force_close(std::move(error));
}

void DescriptorTransport::count_lost_write(const char* warning, unsigned& count) {
  constexpr unsigned kThreshold = 5;  // [LOG_THRESHOLD_FOR_CONNLOST_WRITES]
  if (count >= kThreshold) {
    if (Loop* loop = weak_loop_->loop()) {
      loop->call_exception_handler(ErrorContext(warning).with("transport", repr()));
    }
  }
  ++count;
}

std::string DescriptorTransport::repr() const {
  std::string text = "<" + std::string(kind());
  if (fd_ == -1) return text + " closed>";
  if (closing_) text += " closing";
  return text + " fd=" + std::to_string(fd_) + (watching_reads_ ? " read=polling" : " read=idle") + " write=<" +
         (watching_writes_ ? "polling" : "idle") + ", bufsize=" + std::to_string(get_write_buffer_size()) + ">>";
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

bool DescriptorTransport::begin_closing() noexcept {
  if (std::exchange(closing_, true)) return false;
  if (open_loop()) table_.release(fd_);
  return true;
}

void DescriptorTransport::close() {
  if (!begin_closing()) return;
  unwatch_reads();
  if (get_write_buffer_size() == 0) lose_soon(nullptr);
}

void DescriptorTransport::force_close(std::exception_ptr error) {
  if (conn_lost_ > 0) return;
  clear_buffer();
  unwatch_writes();
  begin_closing();
  unwatch_reads();
  lose_soon(std::move(error));
}

void DescriptorTransport::lose_soon(std::exception_ptr error) {
  ++conn_lost_;
  unwatch_writes();
  if (Loop* loop = open_loop()) {
    loss_error_ = std::move(error);
    loss_.schedule(*loop, shared_from_this(), &DescriptorTransport::tell_loss);
  } else {
    finish();  // without a loop there is no callback
  }
}

void DescriptorTransport::tell_loss(int) { lose(std::move(loss_error_)); }

void DescriptorTransport::lose(std::exception_ptr error) {
  const ScopeExit finish_at_end([this]() noexcept { finish(); });
  if (const std::shared_ptr<BaseProtocol> protocol = protocol_) protocol->connection_lost(std::move(error));
}

void DescriptorTransport::finish() noexcept {
  if (fd_ == -1) return;
  unwatch_reads();
  unwatch_writes();
  if (open_loop()) table_.forget(fd_);
  sys::close(std::exchange(fd_, -1));
  forget_protocol();
  if (const Ref<TransportServer> server = std::move(server_)) server->detach(*this);
}

void DescriptorTransport::abandon() noexcept {
  closing_ = true;
  if (conn_lost_ == 0) conn_lost_ = 1;
  watching_reads_ = watching_writes_ = false;
  clear_buffer();
  finish();
}

}  // namespace asyncio::detail
