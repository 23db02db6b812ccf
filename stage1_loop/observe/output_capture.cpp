#include "output_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <system_error>

namespace asyncio::detail {

namespace {

int checked(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "watch: standard output");
  return descriptor;
}

int temporary_file() {
  char name[] = "/tmp/asyncio-watch-XXXXXX";
#ifdef __linux__
  const int file = checked(mkostemp(name, O_APPEND | O_CLOEXEC));  // another thread may start a child meanwhile
#else
  const int file = checked(mkstemp(name));
  fcntl(file, F_SETFL, O_APPEND);
  fcntl(file, F_SETFD, FD_CLOEXEC);
#endif
  unlink(name);
  return file;
}

void flush_all() {
  std::cout.flush();
  std::fflush(stdout);
}

void write_all(int descriptor, std::string_view text) {
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
  try {
    real_ = checked(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    file_ = temporary_file();
    checked(dup2(file_, STDOUT_FILENO));
  } catch (...) {
    close_all();
    throw;
  }
}

OutputCapture::~OutputCapture() {
  if (!forgotten_) {
    pass_on([](std::string_view) {});
    dup2(real_, STDOUT_FILENO);
  }
  close_all();
}

void OutputCapture::close_all() noexcept {
  if (real_ >= 0) close(real_);
  if (file_ >= 0) close(file_);
}

std::string OutputCapture::take() {
  std::string printed;
  pass_on([&](std::string_view piece) { printed += piece; });
  return printed;
}

// By pieces, and without memory of its own: what was printed reaches the real output in any case.
template <class Keep>
void OutputCapture::pass_on(Keep keep) {
  flush_all();
  char bytes[4096];
  for (ssize_t count; (count = pread(file_, bytes, sizeof bytes, seen_)) > 0;) {
    const std::string_view piece(bytes, static_cast<std::size_t>(count));
    keep(piece);
    seen_ += static_cast<off_t>(piece.size());
    write_all(real_, piece);
  }
}

}  // namespace asyncio::detail
