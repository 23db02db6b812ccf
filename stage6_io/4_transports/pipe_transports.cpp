#include "asyncio/detail/pipe_transports.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio::detail {

// ── the reading end ─────────────────────────────────────────────────────────────────────────────────────────────────

ReadPipeTransport::ReadPipeTransport(Loop& loop, FileDescriptor pipe) : StreamTransport(loop, pipe.fd()) {
  static_cast<void>(pipe.release());
}

void ReadPipeTransport::throw_only_reads() { throw std::logic_error("a ReadPipeTransport does not write"); }

ssize_t ReadPipeTransport::read_some(char* buffer, std::size_t size) noexcept {
  return sys::read(fileno(), buffer, size);
}

bool ReadPipeTransport::is_worth_a_report(int error) const noexcept {
  return error != EIO;  // a terminal reports EIO when its other side has closed
}

void ReadPipeTransport::on_eof() {
  begin_closing();
  stop_reading_for_good();
  const auto self = std::static_pointer_cast<ReadPipeTransport>(shared_from_this());
  try {
    open_loop()->call_soon([self] { self->call_eof_received(); });
  } catch (const std::bad_alloc&) {  // connection_lost() tells the same
  }
  lose_soon(nullptr);
}

// ── the writing end ─────────────────────────────────────────────────────────────────────────────────────────────────

WritePipeTransport::WritePipeTransport(Loop& loop, FileDescriptor pipe) : StreamTransport(loop, pipe.fd()) {
  struct stat status = {};
  sys::fstat(pipe.fd(), &status);
  tells_of_its_reader_ = !S_ISCHR(status.st_mode);
  static_cast<void>(pipe.release());
}

ssize_t WritePipeTransport::write_some(std::span<const std::string_view> pieces) noexcept {
  return sys::write_pieces(fileno(), pieces);
}

void WritePipeTransport::write_pieces(std::span<const std::string_view> pieces, std::size_t size) {
  if (closing_ && size > 0) return count_lost_write(warning_of_lost_writes(), lost_writes_);
  StreamTransport::write_pieces(pieces, size);
}

void WritePipeTransport::fail(int error, bool reading) {
  ++lost_writes_;
  StreamTransport::fail(error, reading);
}

void WritePipeTransport::start_reading() {
  if (tells_of_its_reader_ && conn_lost_ == 0 && open_loop()) watch_reads();
}

// The reader has closed its end.
void WritePipeTransport::on_readable() {
  if (conn_lost_ > 0) return;
  const bool unsent = get_write_buffer_size() > 0;
  force_close(unsent ? std::make_exception_ptr(system_error(EPIPE, describe_call(false))) : nullptr);
}

void WritePipeTransport::close() {
  if (!begin_closing() || get_write_buffer_size() > 0) return;
  unwatch_reads();
  lose_soon(nullptr);
}

}  // namespace asyncio::detail
