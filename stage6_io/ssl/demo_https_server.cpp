// An https server of ten lines. It needs cert.pem and key.pem where it runs: see README.md.
#include <asyncio/asyncio.h>
#include <asyncio/ssl/context.h>

#include <cstdlib>

using namespace asyncio;

Coro<> answer(StreamReader reader, StreamWriter writer) {
  co_await reader.readuntil("\r\n\r\n");
  writer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nIt works, and nobody listens in.\n");
}
Coro<> serve(int port) {
  ssl::SSLContext context = ssl::create_default_context(ssl::Purpose::CLIENT_AUTH);
  context.load_cert_chain("cert.pem", "key.pem");
  Server server = co_await start_server(answer, "127.0.0.1", port, {.ssl = &context});
  co_await server.serve_forever();
}

int main(int argc, char** argv) { run(serve(argc > 1 ? std::atoi(argv[1]) : 8443)); }
