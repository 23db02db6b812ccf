// Our echo server over TLS, through streams. Prints its port.
#include "performance/tls/certificate.h"

#include <asyncio/asyncio.h>
#include <asyncio/ssl/context.h>

#include <cstdio>

namespace {

using namespace asyncio;

Coro<> echo(StreamReader reader, StreamWriter writer) {
  try {
    for (;;) {
      const std::string data = co_await reader.read(65536);
      if (data.empty()) break;
      writer.write(data);
      co_await writer.drain();
    }
  } catch (const std::system_error&) {  // the peer has hung up
  }
  writer.close();
}

Coro<> serve() {
  Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
  const tls::Identity identity;
  ssl::SSLContext context = ssl::create_default_context(ssl::Purpose::CLIENT_AUTH);
  context.load_cert_chain_pem(identity.certificate_pem(), identity.key_pem());
  Server server = co_await start_server(echo, "127.0.0.1", 0, {.backlog = 1024, .ssl = &context});
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  co_await server.serve_forever();
}

}  // namespace

int main() { run(serve()); }
