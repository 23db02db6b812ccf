// sendfile(): sends a file over a transport, after everything that was written before.
// Mirrors: BaseEventLoop.sendfile. Read next: ../../5_streams/asyncio/stream_reader.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/sendfile.h>
#include <asyncio/transports.h>

#include <cstddef>
#include <memory>

namespace asyncio {

/// Sends an open file (its descriptor) as sock_sendfile() does, once the transport's buffer is empty. Returns the
/// number of bytes sent. Until it returns, the transport receives nothing, and write() throws
/// std::runtime_error("unable to write; sendfile is in progress"). Throws std::runtime_error ("Transport is closing",
/// "sendfile is not supported for transport …"), std::errc::connection_reset if the connection is lost, and what
/// sock_sendfile() throws.
///
/// With TLS the bytes have to be encrypted here: it reads the file, and writes it to the transport, which others can
/// still write to. Without `options.fallback` it throws std::runtime_error("fallback is disabled and …").
Coro<std::size_t> sendfile(std::shared_ptr<WriteTransport> transport, int file, SendfileOptions options = {});

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the task does not suspend while nothing is unsent and the kernel takes the bytes; else it runs in a tick
//   after the one that finds room.
// Errors: std::runtime_error, std::system_error of the connection, and what sock_sendfile() throws.
// Units: offset, count and the result are in bytes.
