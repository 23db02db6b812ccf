#include "asyncio/detail/descriptor_transport.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/syscalls.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

// ── the loop's table ────────────────────────────────────────────────────────────────────────────────────────────────

void IoService::keep(int fd, std::shared_ptr<DescriptorTransport> transport) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= transports_.size()) transports_.resize(std::max(index + 1, 2 * transports_.size()));
  transports_[index] = std::move(transport);
}

void IoService::let_go(int fd) noexcept {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index < transports_.size()) std::exchange(transports_[index], nullptr);
}

void IoService::on_close() noexcept {
  if (auto* selector = dynamic_cast<SelectorCore*>(&loop_.core())) selector->unwatch_all();
  const auto transports = std::exchange(transports_, {});
  for (const auto& transport : transports) {
    if (transport) transport->abandon();
  }
}

// ── the beginning ───────────────────────────────────────────────────────────────────────────────────────────────────

DescriptorTransport::DescriptorTransport(Loop& loop, int fd, Ref<TransportServer> server)
    : io_(loop.service<IoService>()), anchor_(&loop.anchor()), server_(std::move(server)), fd_(fd) {
  if (server_) server_->attach(*this);
}

DescriptorTransport::~DescriptorTransport() { finish(); }

void DescriptorTransport::start(Future<> waiter) {
  Loop& loop = *anchor_->loop();
  const std::shared_ptr<DescriptorTransport> self = shared_from_this();
  io_.keep(fd_, self);
  io_.claim(fd_, *this);
  loop.call_soon([self] {
    if (self->protocol_) self->call_connection_made();
  });
  loop.call_soon([self] {
    try {
      self->start_reading();
    } catch (const std::system_error&) {  // no memory to watch it: both sides would wait for ever
      self->fatal_error(std::current_exception(), "Fatal error: the transport's descriptor cannot be watched");
    }
  });
  if (!waiter) return;
  loop.call_soon([waiter = std::move(waiter)] {
    if (!waiter.done()) waiter.set_result();
  });
}

Loop* DescriptorTransport::open_loop() const noexcept {
  Loop* loop = anchor_->loop();
  return loop && !loop->is_closed() ? loop : nullptr;
}

// ── watching ────────────────────────────────────────────────────────────────────────────────────────────────────────

void DescriptorTransport::watch_reads() {
  if (watching_reads_) return;
  watch(
      *anchor_->loop(), fd_, Readiness::read, [self = shared_from_this()] { self->on_readable(); },
      std::source_location::current());
  watching_reads_ = true;
}

void DescriptorTransport::unwatch_reads() noexcept {
  if (!std::exchange(watching_reads_, false)) return;
  if (Loop* loop = open_loop()) unwatch(*loop, fd_, Readiness::read);
}

void DescriptorTransport::watch_writes() {
  watch(
      *anchor_->loop(), fd_, Readiness::write, [self = shared_from_this()] { self->on_writable(); },
      std::source_location::current());
  watching_writes_ = true;
}

void DescriptorTransport::unwatch_writes() noexcept {
  if (!std::exchange(watching_writes_, false)) return;
  if (Loop* loop = open_loop()) unwatch(*loop, fd_, Readiness::write);
}

// ── flow control ────────────────────────────────────────────────────────────────────────────────────────────────────

void DescriptorTransport::set_write_buffer_limits(WriteBufferLimits limits) {
  const std::size_t high = limits.high ? *limits.high : limits.low ? 4 * *limits.low : 64 * 1024;
  const std::size_t low = limits.low.value_or(high / 4);
  if (high < low) {
    throw std::invalid_argument("high (" + std::to_string(high) + ") must be >= low (" + std::to_string(low) +
                                ") must be >= 0");
  }
  high_ = high;
  low_ = low;
  maybe_pause_protocol();
}

void DescriptorTransport::maybe_pause_protocol() {
  if (protocol_paused_ || !protocol_ || get_write_buffer_size() <= high_) return;
  protocol_paused_ = true;
  const std::shared_ptr<BaseProtocol> protocol = protocol_;  // it may be replaced by what it does
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
  Loop* const loop = anchor_->loop();
  if (!loop) return;
  ErrorContext context(message, std::move(error));
  context.with("transport", repr());
  if (const BaseProtocol* protocol = protocol_.get()) {
    context.with("protocol", "<" + demangle(typeid(*protocol).name()) + ">");
  }
  loop->call_exception_handler(context);
}

void DescriptorTransport::fatal_error(std::exception_ptr error, const char* message) {
  const bool system_error = [&] {
    try {
      std::rethrow_exception(error);
    } catch (const std::system_error&) {
      return true;  // a peer that is gone is no news: the protocol will hear of it
    } catch (...) {
      return false;
    }
  }();
  if (!system_error) report(error, message);
  force_close(std::move(error));
}

void DescriptorTransport::count_lost_write(const char* warning) {
  constexpr unsigned kThreshold = 5;
  if (conn_lost_ >= kThreshold) {
    if (Loop* loop = anchor_->loop()) {
      loop->call_exception_handler(ErrorContext(warning).with("transport", repr()));
    }
  }
  ++conn_lost_;
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
  if (open_loop()) io_.release(fd_);
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
    loop->call_soon([self = shared_from_this(), error = std::move(error)] { self->lose(error); });
  } else {
    finish();  // nobody waits any more
  }
}

struct DescriptorTransport::FinishAtEnd {
  DescriptorTransport& transport;
  ~FinishAtEnd() { transport.finish(); }
};

void DescriptorTransport::lose(std::exception_ptr error) {
  const FinishAtEnd finish_at_end{*this};
  if (const std::shared_ptr<BaseProtocol> protocol = protocol_) protocol->connection_lost(std::move(error));
}

void DescriptorTransport::finish() noexcept {
  if (fd_ == -1) return;
  unwatch_reads();
  unwatch_writes();
  if (open_loop()) io_.let_go(fd_);
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
