#include "asyncio/detail/unix_socket_file.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/stat.h>

#include <cerrno>

namespace asyncio::detail {
namespace {

bool is_file(const Address& address) {
  const std::string path = address.path();
  return !path.empty() && path[0] != '\0';
}

void report(Loop& loop, const std::string& message, int error, const Address& address) {
  const std::string text = message + " " + address.repr();
  loop.call_exception_handler(ErrorContext(text, std::make_exception_ptr(system_error(error, "unlink"))));
}

}  // namespace

std::optional<UnixSocketFile> UnixSocketFile::of(const Address& address) {
  struct stat status;
  if (!is_file(address) || sys::stat(address.path().c_str(), &status) == -1) return std::nullopt;
  return UnixSocketFile(address.path(), status.st_ino);
}

void UnixSocketFile::remove(Loop& loop) const {
  struct stat status;
  if (sys::stat(path_.c_str(), &status) == 0) {
    if (status.st_ino != number_) return;
    if (sys::unlink(path_.c_str()) == 0) return;
  }
  if (errno == ENOENT) return;
  const int error = errno;
  report(loop, "Unable to clean up listening UNIX socket", error, Address::unix_path(path_));
}

void remove_stale_socket(const Address& address, Loop& loop) {
  if (!is_file(address)) return;
  const std::string path = address.path();
  struct stat status;
  if (sys::stat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return;
    if (sys::unlink(path.c_str()) == 0) return;
  }
  if (errno == ENOENT) return;
  const int error = errno;
  report(loop, "Unable to check or remove stale UNIX socket", error, address);
}

}  // namespace asyncio::detail
