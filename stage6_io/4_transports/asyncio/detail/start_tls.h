// start_tls() for streams, whose writers may be busy meanwhile. Skip on a first reading.
#pragma once

#include <asyncio/tls.h>

#include <functional>
#include <memory>
#include <string>

namespace asyncio::detail {

/// As start_tls() of tls.h. Calls `begun` with the new transport before the handshake: what is written to that one waits
/// for the keys, and what is written to the old one is sent plain.
Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           TlsRequest request, bool server_side, std::string received,
                                           std::function<void(std::shared_ptr<Transport>)> begun);

}  // namespace asyncio::detail
