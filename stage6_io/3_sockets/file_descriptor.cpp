#include "asyncio/file_descriptor.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <cerrno>

namespace asyncio {

std::pair<FileDescriptor, FileDescriptor> FileDescriptor::pipe() {
  int ends[2];
  if (detail::sys::pipe(ends) == -1) detail::throw_system_error(errno, "pipe");
  return std::pair<FileDescriptor, FileDescriptor>(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

void FileDescriptor::close() noexcept {
  if (const int fd = release(); fd != -1) detail::sys::close(fd);
}

}  // namespace asyncio
