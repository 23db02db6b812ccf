// sock_sendfile(): the kernel sends a file through a socket, without a copy in this process.
// Mirrors: BaseEventLoop.sock_sendfile, and SelectorEventLoop's native one (Lib/asyncio/unix_events.py).
// Read next: getaddrinfo.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/socket.h>

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <stdexcept>

namespace asyncio {

/// sendfile(2) cannot send this file (a pipe, a device), or this system lacks it. [SendfileNotAvailableError]
class SendfileNotAvailableError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Which part of a file is sent, and how.
struct SendfileOptions {
  off_t offset = 0;                 // in bytes, from the beginning of the file
  std::optional<off_t> count = {};  // at most this many bytes; empty: to the end of the file
  bool fallback = true;             // read and send if sendfile(2) cannot send this file
};

/// Sends an open file (its descriptor) through a connected stream socket. Returns the number of bytes sent. Afterwards
/// the file's position is right behind the last byte sent, also after an error or a cancel; it does not move if no byte
/// was sent. The fallback reads on the loop's thread, which waits for the disk.
/// Throws std::invalid_argument ("offset must be a non-negative integer (got -1)", "count must be a positive integer
/// (got 0)", "only SOCK_STREAM type sockets are supported"), SendfileNotAvailableError without the fallback, and the
/// std::system_error of the connection.
Coro<std::size_t> sock_sendfile(Socket& socket, int file, SendfileOptions options = {});

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the task does not suspend if the system call succeeds at once; else it runs in the tick after the one that
//   finds the socket ready.
// Errors: std::invalid_argument, SendfileNotAvailableError, and the std::system_error of the connection.
// Units: offset, count and the result are in bytes.
