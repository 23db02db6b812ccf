// Our echo server, as the lesson of stage 6 writes it. Prints its port.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace asyncio;

namespace {

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) co_return;
    writer.write(data);
    co_await writer.drain();
  }
}

Coro<> serve() {
  ServerOptions options;
  options.backlog = 1024;
  const Server server = co_await start_server(echo, "127.0.0.1", 0, options);
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  co_await server.serve_forever();
}

}  // namespace

int main() { asyncio::run(serve); }
