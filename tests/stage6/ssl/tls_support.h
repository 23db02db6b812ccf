// Shared by the tests of asyncio::ssl: a root, contexts that trust it, and an echo server.
#pragma once

#include "stage6/ssl/certificates.h"
#include "support/io.h"

#include <asyncio/ssl/context.h>
#include <asyncio/ssl/errors.h>
#include <asyncio/ssl/ssl_object.h>
#include <asyncio/streams.h>

#include <string>

namespace asyncio::testing {

inline const Identity& authority() {
  static const Identity root = make_authority();
  return root;
}
/// For localhost and 127.0.0.1, signed by authority().
inline const Identity& localhost() {
  static const Identity identity = make_certificate({}, &authority());
  return identity;
}

inline ssl::SSLContext server_context(const Identity& identity = localhost()) {
  ssl::SSLContext context = ssl::create_default_context(ssl::Purpose::CLIENT_AUTH);
  context.load_cert_chain_pem(identity.certificate, identity.key);
  return context;
}
inline ssl::SSLContext client_context(const Identity& root = authority()) {
  return ssl::create_default_context(ssl::Purpose::SERVER_AUTH, "", "", root.certificate);
}

/// Echoes until the end.
inline Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
}

/// The error of a client's connection with that context; "" if it succeeds.
template <class E = ssl::SSLError>
Coro<std::string> failure_of(int port, ConnectOptions options, std::string host = "127.0.0.1") {
  try {
    auto [reader, writer] = co_await open_connection(std::move(host), port, options);
    writer.close();
  } catch (const E& error) {
    co_return error.what();
  }
  co_return std::string();
}

}  // namespace asyncio::testing
