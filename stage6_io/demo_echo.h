// Echo servers, for the demo: the same thing as a coroutine with streams, as a protocol, and for datagrams.
#pragma once

#include <asyncio/asyncio.h>

#include <string>

namespace demo {

/// Each of them in turn answers one client; prints what came back.
asyncio::Coro<> try_echo_servers();

/// All of them until Ctrl-C, on ports of the system's choice and, with a path, at a Unix socket; prints where.
asyncio::Coro<> serve_echo(std::string unix_path);

}  // namespace demo
