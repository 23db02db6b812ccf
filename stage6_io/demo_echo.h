// Three echo servers for the demo: a coroutine with streams, a protocol, and one for datagrams.
#pragma once

#include <asyncio/asyncio.h>

#include <string>

namespace demo {

/// Lets each server answer one client, and prints what came back.
asyncio::Coro<> try_echo_servers();

/// Runs all servers until Ctrl-C, on ports that the system chooses and, with a path, at a Unix socket. Prints where.
asyncio::Coro<> serve_echo(std::string unix_path);

}  // namespace demo
