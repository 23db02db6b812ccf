// A file into a connection: sendfile() over a transport, behind what was written before, and before what comes after.
// Mirrors: BaseEventLoop.sendfile. Read next: datagrams.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/sendfile.h>
#include <asyncio/transports.h>

#include <cstddef>
#include <memory>

namespace asyncio {

/// Sends an open file (its descriptor) as sock_sendfile() does, once the transport's buffer is empty; returns how many
/// bytes went. Until then the transport receives nothing, and write() throws std::runtime_error("unable to write;
/// sendfile is in progress"). Throws std::runtime_error ("Transport is closing", "sendfile is not supported for
/// transport …"), std::errc::connection_reset if the connection is lost, and what sock_sendfile() throws.
Coro<std::size_t> sendfile(std::shared_ptr<WriteTransport> transport, int file, SendfileOptions options = {});

}  // namespace asyncio
