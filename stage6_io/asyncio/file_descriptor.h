// FileDescriptor: a descriptor that is closed when its owner goes: the end of a pipe, a terminal.
// Mirrors: Python's file objects, as far as fileno() and close() go. Read next: pipes.h
#pragma once

#include <utility>

namespace asyncio {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  /// Takes it over.
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  /// The two ends of a new pipe, to read from and to write to; both block, and are closed on exec. [os.pipe]
  /// Throws std::system_error.
  static std::pair<FileDescriptor, FileDescriptor> pipe();

  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ != -1; }
  /// Gives it away.
  int release() noexcept { return std::exchange(fd_, -1); }
  /// May be called twice.
  void close() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace asyncio
