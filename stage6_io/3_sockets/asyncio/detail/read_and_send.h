// Sends a file where the kernel cannot: reads a block, sends it, reads the next. Shared by sock_sendfile() and sendfile().
// Mirrors: BaseEventLoop._sock_sendfile_fallback, _sendfile_fallback.
// Read next: ../../../4_transports/asyncio/transport_sendfile.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/sendfile.h>

#include <cstddef>
#include <functional>
#include <string>

namespace asyncio::detail {

/// Throws std::invalid_argument for a count or an offset that is no part of a file.
void check_part(const SendfileOptions& options);

/// Awaits `send` for each block. However it ends, the file's position is then after the last block that was sent.
using Send = std::function<Coro<>(const std::string& block)>;
Coro<std::size_t> read_and_send(int file, SendfileOptions options, std::size_t most_at_once, Send send);

}  // namespace asyncio::detail
