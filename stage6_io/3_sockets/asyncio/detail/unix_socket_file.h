// The file that exists once a Unix socket is bound to a path, until somebody removes it.
// Mirrors: Lib/asyncio/unix_events.py: create_unix_server, _stop_serving.
// Read next: ../../../4_transports/asyncio/create_server.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/loop.h>

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

namespace asyncio::detail {

/// Remembers the file by its inode number, because another file may have taken its place.
class UnixSocketFile {
 public:
  /// The file of a socket that is bound to `address`; empty if it has none (abstract, or another family).
  static std::optional<UnixSocketFile> of(const Address& address);

  /// Removes the file if it is still the same one. Reports errors to the loop.
  void remove(Loop& loop) const;

 private:
  UnixSocketFile(std::string path, ino_t number) : path_(std::move(path)), number_(number) {}

  std::string path_;
  ino_t number_;
};

/// Called before binding: removes the socket that an earlier server left at `address`. Removes nothing but sockets.
void remove_stale_socket(const Address& address, Loop& loop);

}  // namespace asyncio::detail
