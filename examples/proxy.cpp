// A proxy: passes each connection on to another server. If one side reads slowly, the proxy reads slowly from the
// other, so its memory does not grow; and if one side has finished, the other may still speak.
//
//   proxy PORT HOST TARGET_PORT                proxy 8080 127.0.0.1 80        (port 0: the system chooses one)
#include <asyncio/asyncio.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;

struct Target {
  std::string host;
  int port;
};

/// Passes on what one side says, until that has finished.
Coro<> pump(StreamReader from, StreamWriter to) {
  for (;;) {
    const std::string data = co_await from.read(65536);
    if (data.empty()) break;
    to.write(data);
    co_await to.drain();  // the back-pressure: nothing is read while much is unsent
  }
  to.write_eof();
}

/// Both directions at once. If one fails, the group cancels the other.
Coro<> connect(StreamReader client_reads, StreamWriter client_writes, Target target) {
  auto dial = open_connection(target.host, target.port);
  auto [target_reads, target_writes] = co_await wait_for(std::move(dial), 5s);
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(pump(client_reads, target_writes));
    group.create_task(pump(target_reads, client_writes));
    co_return;
  });
}

Coro<> serve_client(StreamReader reader, StreamWriter writer, Target target) {
  try {
    co_await connect(reader, writer, target);
  } catch (const ExceptionGroup& errors) {
    std::cout << errors.to_string() << std::endl;
  } catch (const std::exception& error) {
    std::cout << target.host << ':' << target.port << ": " << error.what() << std::endl;
  }
}

Coro<> serve_until_signal(int port, Target target) {
  Event stop;
  for (const int signal : {SIGTERM, SIGINT}) add_signal_handler(signal, [&stop] { stop.set(); });

  const auto handler = [target](StreamReader reader, StreamWriter writer) {
    return serve_client(reader, writer, target);
  };
  const Server server = co_await start_server(handler, "127.0.0.1", port);
  std::cout << "port " << server.port() << std::endl;
  co_await stop.wait();
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: proxy PORT HOST TARGET_PORT\n";
    return 2;
  }
  try {
    run(serve_until_signal(std::stoi(argv[1]), Target{argv[2], std::stoi(argv[3])}));
  } catch (const std::exception& error) {
    std::cerr << "proxy: " << error.what() << '\n';
    return 1;
  }
}
