// How most tests of TLS begin: a server, and a client that is connected to it.
#pragma once

#include "stage6/ssl/tls_support.h"

#include <utility>

namespace asyncio::testing {

/// A server over TLS, and a client's streams to it.
struct Secured {
  Server server;
  StreamReader reader;
  StreamWriter writer;
};
/// Both with a context of their own, which goes at once: the connection keeps what it needs.
template <class Handler>
Coro<Secured> secured(Handler handle, ServerOptions serve = {}, ConnectOptions call = {}) {
  const ssl::SSLContext serving = server_context();
  const ssl::SSLContext calling = client_context();
  serve.ssl = &serving;
  call.ssl = &calling;
  Server server = co_await start_server(std::move(handle), "127.0.0.1", 0, serve);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), call);
  Secured both{std::move(server), std::move(reader), std::move(writer)};
  co_return both;
}

}  // namespace asyncio::testing
