#include "asyncio/pipes.h"

#include "asyncio/detail/pipe_transports.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio {

std::pair<FileDescriptor, FileDescriptor> FileDescriptor::pipe() {
  int ends[2];
  if (detail::sys::pipe(ends) == -1) detail::throw_system_error(errno, "pipe");
  return std::pair<FileDescriptor, FileDescriptor>(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

void FileDescriptor::close() noexcept {
  if (const int fd = release(); fd != -1) detail::sys::close(fd);
}

namespace detail {
namespace {

/// What kind of file it is; it does not block any more.
mode_t prepare(const FileDescriptor& pipe, const char* refusal) {
  struct stat status;
  if (sys::fstat(pipe.fd(), &status) == -1) throw_system_error(errno, "fstat");
  const mode_t mode = status.st_mode;
  if (!S_ISFIFO(mode) && !S_ISSOCK(mode) && !S_ISCHR(mode)) throw std::invalid_argument(refusal);
  if (sys::set_nonblocking(pipe.fd()) == -1) throw_system_error(errno, "fcntl");
  return mode;
}

template <class T>
Coro<std::shared_ptr<T>> connect_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol) {
  const auto transport = std::make_shared<T>(Loop::running(), std::move(pipe));
  transport->set_protocol(std::move(protocol));
  co_await wait_until_made(transport);
  co_return transport;
}

}  // namespace

// ── the reading end ─────────────────────────────────────────────────────────────────────────────────────────────────

ReadPipeTransport::ReadPipeTransport(Loop& loop, FileDescriptor pipe) : StreamTransport(loop, pipe.fd()) {
  pipe.release();
}

void ReadPipeTransport::throw_only_reads() { throw std::logic_error("a ReadPipeTransport does not write"); }

ssize_t ReadPipeTransport::read_some(char* buffer, std::size_t size) noexcept {
  return sys::read(fileno(), buffer, size);
}

bool ReadPipeTransport::is_worth_a_report(int error) const noexcept {
  return error != EIO;  // which is how a terminal says that its other side has gone
}

void ReadPipeTransport::on_eof() {
  begin_closing();
  stop_reading_for_good();
  const auto self = std::static_pointer_cast<ReadPipeTransport>(shared_from_this());
  open_loop()->call_soon([self] { self->call_eof_received(); });
  lose_soon(nullptr);
}

Coro<std::shared_ptr<ReadTransport>> connect_read_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol) {
  prepare(pipe, "Pipe transport is for pipes/sockets only.");
  std::shared_ptr<ReadTransport> transport =
      co_await connect_pipe<ReadPipeTransport>(std::move(pipe), std::move(protocol));
  co_return transport;
}

// ── the writing end ─────────────────────────────────────────────────────────────────────────────────────────────────

WritePipeTransport::WritePipeTransport(Loop& loop, FileDescriptor pipe) : StreamTransport(loop, pipe.fd()) {
  struct stat status = {};
  sys::fstat(pipe.fd(), &status);
  tells_of_its_reader_ = !S_ISCHR(status.st_mode);
  pipe.release();
}

ssize_t WritePipeTransport::write_some(std::span<const std::string_view> pieces) noexcept {
  return sys::write_pieces(fileno(), pieces);
}

void WritePipeTransport::write_pieces(std::span<const std::string_view> pieces, std::size_t size) {
  if (closing_ && conn_lost_ == 0) return;  // closed, and still sending the rest
  StreamTransport::write_pieces(pieces, size);
}

void WritePipeTransport::start_reading() {
  if (tells_of_its_reader_ && conn_lost_ == 0 && open_loop()) watch_reads();
}

// The reader has gone.
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

Coro<std::shared_ptr<WriteTransport>> connect_write_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol) {
  prepare(pipe, "Pipe transport is only for pipes, sockets and character devices");
  std::shared_ptr<WriteTransport> transport =
      co_await connect_pipe<WritePipeTransport>(std::move(pipe), std::move(protocol));
  co_return transport;
}

}  // namespace detail
}  // namespace asyncio
