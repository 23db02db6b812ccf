// A file into a socket, past this process: the kernel hands its pages to the network.
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

/// sendfile(2) cannot do it: not with this file (a pipe, a device), or not on this system. [SendfileNotAvailableError]
class SendfileNotAvailableError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SendfileOptions {
  off_t offset = 0;                 // where in the file it begins
  std::optional<off_t> count = {};  // at most so many bytes; nothing: to the end of the file
  bool fallback = true;             // if sendfile(2) cannot do it, read and send
};

/// Sends an open file (its descriptor) through a connected stream socket, and returns how many bytes went. The file's
/// position, wherever it was, is then right behind the last byte sent; after an error or a cancel as well, so that it
/// tells how many have been; if none has, it is where it was. Reading, in the fallback, is done by the loop's thread:
/// it waits for the disk.
/// Throws std::invalid_argument ("offset must be a non-negative integer (got -1)", "count must be a positive integer
/// (got 0)", "only SOCK_STREAM type sockets are supported"), SendfileNotAvailableError if there is to be no fallback,
/// and the std::system_error of the connection.
Coro<std::size_t> sock_sendfile(Socket& socket, int file, SendfileOptions options = {});

}  // namespace asyncio
