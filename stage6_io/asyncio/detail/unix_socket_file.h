// The file that binding a Unix socket to a path makes, and that nothing but somebody's remove takes away again.
// Mirrors: Lib/asyncio/unix_events.py: create_unix_server, _stop_serving. Read next: ../create_server.h
#pragma once

#include <asyncio/address.h>
#include <asyncio/loop.h>

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

namespace asyncio::detail {

/// Remembers which file it was: by its number, as somebody else may have put another one into its place.
class UnixSocketFile {
 public:
  /// The file of a socket that is bound to `address`; nothing if that is none (abstract, or of another family).
  static std::optional<UnixSocketFile> of(const Address& address);

  /// Removes it, if it is still the same. What goes wrong is reported to the loop.
  void remove(Loop& loop) const;

 private:
  UnixSocketFile(std::string path, ino_t number) : path_(std::move(path)), number_(number) {}

  std::string path_;
  ino_t number_;
};

/// Before binding: removes the socket that a server which has ended left at `address`. Anything but a socket stays.
void remove_stale_socket(const Address& address, Loop& loop);

}  // namespace asyncio::detail
