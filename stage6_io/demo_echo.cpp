#ifndef BY_HAND  // streams, protocols, datagrams: of the real one only
#include "demo_echo.h"

#include <iostream>
#include <memory>
#include <utility>

using namespace asyncio;

namespace demo {
namespace {

// ── as a coroutine: read, write, and wait for a slow reader in drain() ──

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) co_return;
    writer.write(data);
    co_await writer.drain();
  }
}

// ── as a protocol: the same by callbacks; to wait for a slow reader is to read no more from it ──

class Echo : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override { transport_ = std::move(transport); }
  void data_received(std::string_view data) override { transport_->write(data); }
  void pause_writing() override { transport_->pause_reading(); }
  void resume_writing() override { transport_->resume_reading(); }

 private:
  std::shared_ptr<Transport> transport_;
};

std::shared_ptr<Echo> make_echo() { return std::make_shared<Echo>(); }

// ── for datagrams ──

class EchoDatagrams : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> transport) override { transport_ = std::move(transport); }
  void datagram_received(std::string_view data, const Address& sender) override { transport_->sendto(data, sender); }

 private:
  std::shared_ptr<DatagramTransport> transport_;
};

std::shared_ptr<EchoDatagrams> make_echo_datagrams() { return std::make_shared<EchoDatagrams>(); }

const Address kAnyPort = *Address::numeric("127.0.0.1", 0);

// ── a client for each ──

Coro<std::string> ask(int port, std::string question) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  writer.write(question);
  writer.write_eof();
  const std::string answer = co_await reader.read();
  co_return answer;
}

class Answer : public DatagramProtocol {
 public:
  void datagram_received(std::string_view data, const Address&) override { future_.set_result(std::string(data)); }
  const Future<std::string>& future() const { return future_; }

 private:
  Future<std::string> future_ = create_future<std::string>();
};

Coro<std::string> ask_by_datagram(Address server, std::string question) {
  auto factory = [] { return std::make_shared<Answer>(); };
  auto [transport, answer] = co_await create_datagram_endpoint(factory, {.remote_addr = server});
  transport->sendto(question);
  const Future<std::string> future = answer->future();
  const std::string text = co_await future;
  transport->close();
  co_return text;
}

}  // namespace

Coro<> try_echo_servers() {
  Server streams = co_await start_server(echo, "127.0.0.1", 0);
  const std::string by_streams = co_await ask(streams.port(), "hello, streams");
  std::cout << by_streams << '\n';

  Server protocols = co_await create_server(make_echo, "127.0.0.1", 0);
  const std::string by_protocol = co_await ask(protocols.port(), "hello, protocol");
  std::cout << by_protocol << '\n';

  auto [transport, protocol] = co_await create_datagram_endpoint(make_echo_datagrams, {.local_addr = kAnyPort});
  const std::string by_datagram = co_await ask_by_datagram(transport->sockname(), "hello, datagram");
  std::cout << by_datagram << '\n';

  transport->close();
  streams.close();
  protocols.close();
  co_await streams.wait_closed();
  co_await protocols.wait_closed();
}

Coro<> serve_echo(std::string unix_path) {
  Server streams = co_await start_server(echo, "127.0.0.1", 0);
  Server protocols = co_await create_server(make_echo, "127.0.0.1", 0);
  auto [transport, protocol] = co_await create_datagram_endpoint(make_echo_datagrams, {.local_addr = kAnyPort});
  std::cout << "streams " << streams.port() << "\nprotocol " << protocols.port() << "\nudp "
            << transport->sockname().port() << '\n';
  if (unix_path.empty()) {
    std::cout << std::flush;
    co_await streams.serve_forever();
  }
  Server local = co_await start_unix_server(echo, unix_path);
  std::cout << "unix " << unix_path << std::endl;
  co_await local.serve_forever();
}

}  // namespace demo
#endif
