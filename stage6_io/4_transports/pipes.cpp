#include "asyncio/pipes.h"

#include "asyncio/detail/pipe_transports.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio::detail {
namespace {

/// Checks the kind of file and makes it non-blocking.
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

Coro<std::shared_ptr<ReadTransport>> connect_read_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol) {
  prepare(pipe, "Pipe transport is for pipes/sockets only.");
  std::shared_ptr<ReadTransport> transport =
      co_await connect_pipe<ReadPipeTransport>(std::move(pipe), std::move(protocol));
  co_return transport;
}

Coro<std::shared_ptr<WriteTransport>> connect_write_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol) {
  prepare(pipe, "Pipe transport is only for pipes, sockets and character devices");
  std::shared_ptr<WriteTransport> transport =
      co_await connect_pipe<WritePipeTransport>(std::move(pipe), std::move(protocol));
  co_return transport;
}

}  // namespace asyncio::detail
