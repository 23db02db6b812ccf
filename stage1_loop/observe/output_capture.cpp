#include "output_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <system_error>

namespace asyncio::detail {

namespace {

int checked(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "watch: standard output");
  return descriptor;
}

int temporary_file() {
  char name[] = "/tmp/asyncio-watch-XXXXXX";
  const int file = checked(mkstemp(name));
  unlink(name);
  fcntl(file, F_SETFL, O_APPEND);
  fcntl(file, F_SETFD, FD_CLOEXEC);
  return file;
}

void flush_all() {
  std::cout.flush();
  std::fflush(stdout);
}

void write_all(int descriptor, const std::string& text) {
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) written += static_cast<std::size_t>(count);
  }
}

}  // namespace

OutputCapture::OutputCapture() : real_(-1), file_(-1) {
  static const std::ios_base::Init streams;  // this may run before main(), and before std::cout is there
  flush_all();
  real_ = checked(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  file_ = temporary_file();
  checked(dup2(file_, STDOUT_FILENO));
}

OutputCapture::~OutputCapture() {
  if (!forgotten_) {
    take();
    dup2(real_, STDOUT_FILENO);
  }
  close(real_);
  close(file_);
}

std::string OutputCapture::take() {
  flush_all();
  const off_t end = lseek(file_, 0, SEEK_END);
  if (end <= seen_) return {};
  std::string printed(static_cast<std::size_t>(end - seen_), '\0');
  const ssize_t count = pread(file_, printed.data(), printed.size(), seen_);
  printed.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  seen_ += static_cast<off_t>(printed.size());
  write_all(real_, printed);
  return printed;
}

}  // namespace asyncio::detail
