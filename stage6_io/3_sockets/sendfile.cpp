#include "asyncio/sendfile.h"

#include "asyncio/detail/read_and_send.h"
#include "asyncio/detail/ready_awaiter.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace asyncio {

namespace sys = detail::sys;
using detail::throw_system_error;

namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 30;  // the most that one call is asked to send
constexpr std::size_t kReadBufferSize = 256 * 1024;    // SENDFILE_FALLBACK_READBUFFER_SIZE

void check(const Socket& socket) {
  detail::check_nonblocking(socket);
  const int type = sys::socket_type(socket.fd());
  if (type == -1) throw_system_error(errno, "sendfile");
  if (type != SOCK_STREAM) throw std::invalid_argument("only SOCK_STREAM type sockets are supported");
}

/// Counts the bytes sent, and sets the file's position accordingly, however the sending ends.
class Progress {
 public:
  Progress(int file, const SendfileOptions& options) noexcept : file_(file), options_(options) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (sent_ > 0) sys::set_file_position(file_, position());
  }

  std::size_t sent() const noexcept { return sent_; }
  off_t position() const noexcept { return options_.offset + static_cast<off_t>(sent_); }
  /// The size to ask for next; 0 if all is sent.
  std::size_t next(std::size_t most) const noexcept {
    return options_.count ? std::min(most, static_cast<std::size_t>(*options_.count) - sent_) : most;
  }
  void add(std::size_t count) noexcept { sent_ += count; }

 private:
  int file_;
  SendfileOptions options_;
  std::size_t sent_ = 0;
};

Coro<std::size_t> native(Socket& socket, int file, SendfileOptions options) {
  struct stat status = {};
  if (sys::fstat(file, &status) == -1) throw SendfileNotAvailableError("not a regular file");
  Progress progress(file, options);
  if (status.st_size == 0 && !options.count) co_return 0;
  while (const std::size_t size = progress.next(kAtOnce)) {
    const ssize_t sent = sys::sendfile(socket.fd(), file, progress.position(), size);
    if (sent == 0) break;  // the file's end
    if (sent > 0) {
      progress.add(static_cast<std::size_t>(sent));
    } else if (const int error = errno; sys::would_block(error)) {
      co_await detail::writable(socket.fd());
    } else if (progress.sent() == 0) {  // most likely a file that it cannot send
      throw SendfileNotAvailableError(error == ENOSYS ? "os.sendfile() is not available" : "os.sendfile call failed");
    } else {
      throw_system_error(error, "sendfile");
    }
  }
  co_return progress.sent();
}

}  // namespace

void detail::check_part(const SendfileOptions& options) {
  if (options.count && *options.count <= 0) {
    throw std::invalid_argument("count must be a positive integer (got " + std::to_string(*options.count) + ")");
  }
  if (options.offset < 0) {
    throw std::invalid_argument("offset must be a non-negative integer (got " + std::to_string(options.offset) + ")");
  }
}

Coro<std::size_t> detail::read_and_send(int file, SendfileOptions options, std::size_t most_at_once, Send send) {
  Progress progress(file, options);
  std::string data;
  while (const std::size_t size = progress.next(most_at_once)) {
    data.resize(size);
    const ssize_t read = sys::read_at(file, data.data(), size, progress.position());
    if (read == -1) throw_system_error(errno, "reading the file to send");
    if (read == 0) break;
    data.resize(static_cast<std::size_t>(read));
    co_await send(data);
    progress.add(data.size());
  }
  co_return progress.sent();
}

Coro<std::size_t> sock_sendfile(Socket& socket, int file, SendfileOptions options) {
  check(socket);
  detail::check_part(options);
  try {
    const std::size_t sent = co_await native(socket, file, options);
    co_return sent;
  } catch (const SendfileNotAvailableError&) {
    if (!options.fallback) throw;
  }
  const std::size_t sent = co_await detail::read_and_send(
      file, options, kReadBufferSize, [&socket](const std::string& block) { return sock_sendall(socket, block); });
  co_return sent;
}

}  // namespace asyncio
