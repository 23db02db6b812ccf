// FileDescriptor: owns a descriptor and closes it: the end of a pipe, a terminal.
// Mirrors: fileno() and close() of Python's file objects. Read next: ../../4_transports/asyncio/transports.h
#pragma once

#include <utility>

namespace asyncio {

/// Owns a descriptor, and closes it in the end. It can be moved.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  /// Takes ownership.
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  /// Closes what it held.
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    FileDescriptor old(std::move(other));
    std::swap(fd_, old.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  /// A new pipe: {the end to read from, the end to write to}. Both block and are closed on exec. [os.pipe]
  /// Throws std::system_error.
  static std::pair<FileDescriptor, FileDescriptor> pipe();

  /// The descriptor; -1: there is none.
  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ != -1; }
  /// Gives up ownership.
  [[nodiscard("a descriptor that is dropped stays open: close() closes it")]] int release() noexcept {
    return std::exchange(fd_, -1);
  }
  /// May be called twice.
  void close() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: std::system_error from pipe().
// Units: none; fd() is the kernel's number.
