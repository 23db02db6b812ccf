#include "asyncio/detail/stream_transport.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <utility>

namespace asyncio::detail {

void StreamTransport::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  auto* plain = dynamic_cast<Protocol*>(protocol.get());
  auto* buffered = dynamic_cast<BufferedProtocol*>(protocol.get());
  if (!plain && !buffered) throw std::invalid_argument("a stream's protocol is a Protocol or a BufferedProtocol");
  plain_ = plain;
  buffered_ = buffered;
  protocol_ = std::move(protocol);
}

void StreamTransport::forget_protocol() noexcept {
  plain_ = nullptr;
  buffered_ = nullptr;
  protocol_.reset();
  if (!empty_waiter_ || empty_waiter_.done()) return;
  try {
    settle_empty_waiter(std::make_exception_ptr(system_error(ECONNABORTED, "Connection is closed by peer")));
  } catch (...) {  // the loop is closed, so nobody waits
  }
}

void StreamTransport::call_connection_made() {
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  std::shared_ptr<Transport> self(shared_from_this(), this);
  plain_ ? plain_->connection_made(std::move(self)) : buffered_->connection_made(std::move(self));
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void StreamTransport::start_reading() {
  if (is_reading() && open_loop()) watch_reads();
}

void StreamTransport::on_readable() {
  if (conn_lost_ > 0) return;
  if (paused_) {
    unwatch_reads();  // an unwanted event; from here on the descriptor is not watched
  } else {
    read_budget_ = kReadBudget;
    receive();
  }
}

void StreamTransport::resume_reading() {
  if (closing_ || !paused_) return;
  if (!received_eof_ && open_loop()) watch_reads();
  paused_ = false;  // now: without memory for the watch it may be tried again
}

// A reader has found its buffer empty. If the last receive filled a small buffer (of read_into), there will be more,
// and reading right here saves a wait for each piece. Every other reader waits for the loop, as in CPython, whether or
// not the kernel has data: a read from an empty buffer gives other tasks a turn.
bool StreamTransport::read_now() {
  return read_budget_ > 0 && is_reading() && !received_eof_ && open_loop() && receive();
}

// If a small room was filled, there may be more data.
void StreamTransport::count_received(std::size_t received, std::size_t room) noexcept {
  const bool more = received == room && room < DescriptorTable::kReceiveSize && received < read_budget_;
  read_budget_ = more ? read_budget_ - received : 0;
}

bool StreamTransport::receive() {
  const std::shared_ptr<BaseProtocol> alive = protocol_;  // its callback may replace it
  return plain_ ? receive_for(*plain_) : receive_for(*buffered_);
}

bool StreamTransport::receive_for(Protocol& protocol) {
  const DescriptorTable::LentBuffer buffer(table_);
  const ssize_t received = read_some(buffer.data(), DescriptorTable::kReceiveSize);
  if (received <= 0) return received_nothing(received);
  const std::size_t size = static_cast<std::size_t>(received);
  read_budget_ = 0;
  guarded("Fatal error: protocol.data_received() call failed.",
          [&] { protocol.data_received(std::string_view(buffer.data(), size)); });
  return true;
}

bool StreamTransport::receive_for(BufferedProtocol& protocol) {
  std::span<char> room;
  if (!guarded("Fatal error: protocol.get_buffer() call failed.", [&] {
        room = protocol.get_buffer(DescriptorTable::kReceiveSize);
        if (room.empty()) throw std::runtime_error("get_buffer() returned an empty buffer");
      })) {
    return true;
  }
  const ssize_t received = read_some(room.data(), room.size());
  if (received <= 0) return received_nothing(received);
  const std::size_t size = static_cast<std::size_t>(received);
  count_received(size, room.size());
  guarded("Fatal error: protocol.buffer_updated() call failed.", [&] { protocol.buffer_updated(size); });
  return true;
}

// The end of the stream, an error, or no data yet (false).
bool StreamTransport::received_nothing(ssize_t result) {
  const int error = errno;
  if (result == 0) return on_eof(), true;
  read_budget_ = 0;
  if (!sys::would_block(error)) fail(error, true);
  return false;
}

bool StreamTransport::call_eof_received() {
  const std::shared_ptr<BaseProtocol> alive = protocol_;
  return plain_ ? plain_->eof_received() : buffered_ && buffered_->eof_received();
}

void StreamTransport::stop_reading_for_good() noexcept {
  received_eof_ = true;
  unwatch_reads();
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void StreamTransport::write_pieces(std::span<const std::string_view> pieces, std::size_t size) {
  check_may_write("write");
  if (size == 0) return;
  if (conn_lost_ > 0) return count_lost_write(warning_of_lost_writes());
  const bool nothing_waits = unsent_.empty();
  std::size_t sent = 0;
  if (nothing_waits) {
    const ssize_t result = write_some(pieces);
    if (result >= 0) {
      sent = static_cast<std::size_t>(result);
    } else if (const int error = errno; !sys::would_block(error)) {
      return fail(error, false);
    }
    if (sent == size) return;
  }
  const std::size_t unsent_before = unsent_.size();
  try {
    std::size_t skip = sent;
    for (const std::string_view piece : pieces) {
      const std::size_t gone = std::min(skip, piece.size());
      unsent_.append(piece.substr(gone));
      skip -= gone;
    }
    if (nothing_waits) watch_writes();
  } catch (...) {  // all of it or nothing: what has a hole is of no use to the peer
    unsent_.truncate(unsent_before);
    if (sent > 0) force_close(std::current_exception());
    throw;
  }
  maybe_pause_protocol();
}

void StreamTransport::check_may_write(const char* function) const {
  if (!sent_eof_ && !empty_waiter_) return;
  const std::string name = function;
  throw std::runtime_error(sent_eof_ ? "Cannot call " + name + "() after write_eof()"
                                     : "unable to " + name + "; sendfile is in progress");
}

void StreamTransport::writelines(std::span<const std::string_view> lines) {
  check_may_write("writelines");
  std::size_t size = 0;
  for (const std::string_view line : lines) size += line.size();
  size <= kJoined ? Transport::writelines(lines) : write_pieces(lines, size);
}

void StreamTransport::send_behind(std::span<const std::string_view> lines) {
  for (const std::string_view line : lines) unsent_.append(line);
  on_writable();
  if (!unsent_.empty()) maybe_pause_protocol();
}

void StreamTransport::on_writable() {
  if (conn_lost_ > 0) return;
  const std::string_view unsent = unsent_.view();
  const ssize_t sent = write_some(std::span(&unsent, 1));
  if (sent < 0) {
    const int error = errno;
    if (sys::would_block(error)) return;
    fail(error, false);
    return settle_empty_waiter(std::make_exception_ptr(system_error(error, describe_call(false))));
  }
  unsent_.drop(static_cast<std::size_t>(sent));
  maybe_resume_protocol();  // may write more, or abort
  if (!unsent_.empty() || conn_lost_ > 0) return;
  unwatch_writes();
  settle_empty_waiter(nullptr);
  if (closing_) {
    ++conn_lost_;
    unwatch_reads();
    lose(nullptr);
  } else if (sent_eof_) {
    shutdown_write();
  }
}

void StreamTransport::write_eof() {
  if (closing_ || std::exchange(sent_eof_, true)) return;
  if (unsent_.empty()) shutdown_write();
}

void StreamTransport::clear_buffer() noexcept { unsent_.clear(); }

void StreamTransport::fail(int error, bool reading) {
  std::exception_ptr exception;
  try {
    exception = std::make_exception_ptr(system_error(error, describe_call(reading)));
  } catch (const std::bad_alloc&) {
    exception = std::current_exception();
  }
  if (is_worth_a_report(error)) {
    report(exception, reading ? "Fatal read error on pipe transport" : "Fatal write error on pipe transport");
  }
  force_close(exception);
}

Future<> StreamTransport::make_empty_waiter() {
  if (empty_waiter_) throw std::runtime_error("Empty waiter is already set");
  empty_waiter_ = create_future();
  if (unsent_.empty()) empty_waiter_.set_result();
  return empty_waiter_;
}

void StreamTransport::settle_empty_waiter(std::exception_ptr error) {
  if (!empty_waiter_ || empty_waiter_.done()) return;
  error ? empty_waiter_.set_exception(std::move(error)) : empty_waiter_.set_result();
}

// ── over a socket ───────────────────────────────────────────────────────────────────────────────────────────────────

SocketTransport::SocketTransport(Loop& loop, Socket socket, const Address& peer, Ref<TransportServer> server)
    : StreamTransport(loop, socket.fd(), std::move(server)), local_(socket.local_address()), peer_(peer) {
  static_cast<void>(socket.release());
  // Send small messages at once, without waiting for the acknowledgement of the last.
  if (local_.is_ip()) sys::set_option(fileno(), IPPROTO_TCP, TCP_NODELAY, 1);
}

ssize_t SocketTransport::read_some(char* buffer, std::size_t size) noexcept {
  return sys::recv(fileno(), buffer, size);
}

ssize_t SocketTransport::write_some(std::span<const std::string_view> pieces) noexcept {
  return sys::send_pieces(fileno(), pieces);
}

void SocketTransport::writelines(std::span<const std::string_view> lines) {
  const bool empty = std::all_of(lines.begin(), lines.end(), [](std::string_view line) { return line.empty(); });
  if (empty || get_write_buffer_size() == 0) return StreamTransport::writelines(lines);
  check_may_write("writelines");
  send_behind(lines);
}

void SocketTransport::shutdown_write() noexcept { sys::shutdown(fileno(), SHUT_WR); }

void SocketTransport::on_eof() {
  bool keep_open = false;
  const bool heard =
      guarded("Fatal error: protocol.eof_received() call failed.", [&] { keep_open = call_eof_received(); });
  if (!heard) return;
  keep_open ? stop_reading_for_good() : close();
}

std::string SocketTransport::describe_call(bool reading) const {
  return (reading ? "recv from " : "send to ") + peer_.repr();
}

std::shared_ptr<SocketTransport> make_socket_transport(Loop& loop, Socket socket, const Address& peer,
                                                       std::shared_ptr<BaseProtocol> protocol, Future<> waiter,
                                                       Ref<TransportServer> server) {
  auto transport = std::make_shared<SocketTransport>(loop, std::move(socket), peer, std::move(server));
  transport->set_protocol(std::move(protocol));
  transport->start(std::move(waiter));
  return transport;
}

}  // namespace asyncio::detail
