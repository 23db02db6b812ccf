#include "asyncio/detail/connection.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio::detail {

Connection::Connection(Loop& loop, Socket socket, Address peer, Ref<ReaderState> reader, Ref<ConnectionServer> server)
    : anchor_(&loop.anchor()),
      io_(loop.service<IoService>()),
      socket_(std::move(socket)),
      reader_(std::move(reader)),
      server_(std::move(server)),
      peer_(peer),
      local_(socket_.local_address()) {
  // Small messages go out at once, without waiting for the acknowledgement of the last.
  if (local_.is_ip()) sys::set_option(socket_.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
  watch_reads();
  reader_->set_source(this);
}

Connection::~Connection() {
  unwatch_reads();
  reader_->set_source(nullptr);
  if (server_) server_->detach(*this);
}

// Null if it is destroyed or closed: then there is nothing to schedule, and nothing is watched any more.
Loop* Connection::open_loop() const noexcept {
  Loop* loop = anchor_->loop();
  return loop && !loop->is_closed() ? loop : nullptr;
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Connection::watch_reads() {
  add_reader(*anchor_->loop(), socket_.fd(), [this] { on_readable(); });
  watching_reads_ = true;
}

void Connection::unwatch_reads() noexcept {
  if (!std::exchange(watching_reads_, false)) return;
  if (Loop* loop = open_loop()) remove_reader(*loop, socket_.fd());
}

void Connection::on_readable() {
  if (reading_paused_) {
    unwatch_reads();  // the unwanted event: from here on the descriptor is left alone
  } else {
    receive();
  }
}

void Connection::resume_reading() {
  reading_paused_ = false;
  if (!watching_reads_ && !closing_ && !received_eof_ && open_loop()) watch_reads();
}

// A read finds its buffer empty. Asking the socket before the loop does saves a wait if the data are there; but one
// call only for each event, or a sender that is always faster would keep the loop from everybody else.
bool Connection::read_now() {
  return std::exchange(may_read_now_, false) && !closing_ && !received_eof_ && open_loop() && receive();
}

bool Connection::receive() {
  char* const buffer = io_.receive_buffer();
  const ssize_t received = sys::recv(socket_.fd(), buffer, IoService::kReceiveSize);
  if (received > 0) {
    const std::size_t size = static_cast<std::size_t>(received);
    may_read_now_ = size == IoService::kReceiveSize;  // as much as it takes: there will be more
    reader_->feed_data(std::string_view(buffer, size));
    return true;
  }
  if (received == 0) {
    received_eof_ = true;  // half of it is closed; one may still write
    unwatch_reads();
    reader_->feed_eof();
    return true;
  }
  if (const int error = errno; !sys::would_block(error)) fail(error, "recv from ");
  return false;
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Connection::write(std::string_view data) {
  if (sent_eof_) throw std::runtime_error("Cannot call write() after write_eof()");
  if (data.empty() || losing_) return;
  if (unsent_.empty()) {
    const ssize_t sent = sys::send(socket_.fd(), data.data(), data.size());
    if (sent >= 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
    } else if (const int error = errno; !sys::would_block(error)) {
      return fail(error, "send to ");
    }
    if (data.empty()) return;
    Loop* const loop = open_loop();
    if (!loop) throw std::runtime_error("Event loop is closed");
    add_writer(*loop, socket_.fd(), [self = Ref<Connection>(this)] { self->on_writable(); });
  }
  unsent_.append(data);
  if (unsent_.size() > kHighWater) writing_paused_ = true;
}

void Connection::on_writable() {
  if (losing_) return;
  const ssize_t sent = sys::send(socket_.fd(), unsent_.view().data(), unsent_.size());
  if (sent < 0) {
    if (const int error = errno; !sys::would_block(error)) fail(error, "send to ");
    return;
  }
  unsent_.drop(static_cast<std::size_t>(sent));
  if (writing_paused_ && unsent_.size() <= kLowWater) {
    writing_paused_ = false;
    drain_waiters_.wake();
  }
  if (!unsent_.empty()) return;
  remove_writer(*open_loop(), socket_.fd());
  if (closing_) {
    losing_ = true;
    lose(nullptr);
  } else if (sent_eof_) {
    sys::shutdown(socket_.fd(), SHUT_WR);
  }
}

void Connection::write_eof() {
  if (closing_ || sent_eof_) return;
  sent_eof_ = true;
  if (unsent_.empty()) sys::shutdown(socket_.fd(), SHUT_WR);
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Connection::close() {
  if (std::exchange(closing_, true)) return;
  unwatch_reads();
  if (unsent_.empty()) lose_soon(nullptr);
}

// A peer that is gone is no news for the exception handler: whoever reads or drains will hear of it.
void Connection::fail(int error, const char* call) {
  force_close(std::make_exception_ptr(system_error(error, call + peer_.repr())));
}

void Connection::force_close(std::exception_ptr error) {
  if (losing_) return;
  if (!unsent_.empty()) {
    unsent_.clear();
    if (Loop* loop = open_loop()) remove_writer(*loop, socket_.fd());
  }
  closing_ = true;
  unwatch_reads();
  lose_soon(std::move(error));
}

void Connection::lose_soon(std::exception_ptr error) {
  losing_ = true;
  if (Loop* loop = open_loop()) {
    loop->call_soon([self = Ref<Connection>(this), error = std::move(error)] { self->lose(error); });
  } else {
    socket_.close();  // nobody waits any more
  }
}

void Connection::lose(std::exception_ptr error) {
  lost_ = true;
  error_ = std::move(error);
  if (error_) {
    reader_->set_exception(error_);
  } else {
    reader_->feed_eof();
  }
  close_waiters_.wake();
  if (writing_paused_) drain_waiters_.wake();
  socket_.close();
  if (const Ref<ConnectionServer> server = std::move(server_)) server->detach(*this);
}

ConnectionOwner::~ConnectionOwner() {
  try {
    connection_->close();
  } catch (...) {  // no memory to schedule its end: the descriptor is closed all the same, with the last reference
  }
}

}  // namespace asyncio::detail
