// An echo server and a client that checks an echo, for the scripts in this folder.
//
//   stage6_echo serve tcp | udp            listens on a free port of 127.0.0.1, and prints "port N"
//   stage6_echo serve unix PATH            prints "ready"
//   stage6_echo ask tcp PORT | unix PATH | udp PORT
//
// A server runs until it is killed. `ask` sends a line, then a megabyte without repetition; over UDP, messages of many
// lengths. If the echo is identical, it prints "the same" and exits with 0.
#include "echo.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

// ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> send_and_end(StreamWriter writer, std::string data) {
  writer.write(data);
  co_await writer.drain();
  writer.write_eof();
}

Coro<> ask_stream(Streams streams) {
  auto& [reader, writer] = streams;
  writer.write("hello\n");
  const std::string line = co_await reader.readline();
  expect(line == "hello\n", "the line came back as another");
  const std::string data = pattern(1 << 20);
  auto sending = create_task(send_and_end(writer, data));
  const std::string back = co_await reader.readexactly(1 << 20);
  co_await sending;
  expect(back == data, "the megabyte came back as another");
  writer.close();
}

// ── datagrams ───────────────────────────────────────────────────────────────────────────────────────────────────────

class Echo final : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> transport) override { transport_ = std::move(transport); }
  void datagram_received(std::string_view data, const Address& from) override { transport_->sendto(data, from); }

 private:
  std::shared_ptr<DatagramTransport> transport_;
};

class Inbox final : public DatagramProtocol {
 public:
  void datagram_received(std::string_view data, const Address&) override { messages.put_nowait(std::string(data)); }
  Queue<std::string> messages;
};

Coro<> ask_datagrams(int port) {
  const auto make_inbox = [] { return std::make_shared<Inbox>(); };
  const Address there = *Address::numeric("127.0.0.1", port);
  auto [transport, inbox] = co_await create_datagram_endpoint(make_inbox, {.remote_addr = there});
  for (const std::size_t size : {1, 2, 100, 1000, 1400, 5000}) {
    const std::string message = pattern(size);
    transport->sendto(message);
    const std::string back = co_await wait_for(inbox->messages.get(), 60s);
    expect(back == message, "a message came back as another");
  }
  transport->close();
}

// ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> serve(std::string kind, std::string path) {
  if (kind == "udp") {
    const auto make_echo = [] { return std::make_shared<Echo>(); };
    const Address here = *Address::numeric("127.0.0.1", 0);
    auto [transport, protocol] = co_await create_datagram_endpoint(make_echo, {.local_addr = here});
    std::cout << "port " << transport->sockname().port() << std::endl;
    co_await asyncio::sleep(24h);
  } else if (kind == "unix") {
    Server server = co_await start_unix_server(echo, path);
    std::cout << "ready" << std::endl;
    co_await server.serve_forever();
  } else {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    std::cout << "port " << server.port() << std::endl;
    co_await server.serve_forever();
  }
}

Coro<> ask(std::string kind, std::string where) {
  if (kind == "udp") {
    co_await ask_datagrams(std::stoi(where));
  } else if (kind == "unix") {
    Streams streams = co_await open_unix_connection(where);
    co_await ask_stream(std::move(streams));
  } else {
    Streams streams = co_await open_connection("127.0.0.1", std::stoi(where));
    co_await ask_stream(std::move(streams));
  }
  std::cout << "the same" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "", kind = argc > 2 ? argv[2] : "", where = argc > 3 ? argv[3] : "";
  try {
    asyncio::run(what == "serve" ? serve(kind, where) : ask(kind, where));
  } catch (const std::exception& error) {
    std::cerr << "stage6_echo: " << error.what() << '\n';
    return 1;
  }
}
