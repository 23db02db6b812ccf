// An echo server and a client over TLS, for the scripts in this folder; peer.py does the same with CPython's asyncio.
//
//   stage6_ssl_peer serve KEY=VALUE…   listens on a free port of 127.0.0.1, prints "port N"; until it is killed
//   stage6_ssl_peer ask KEY=VALUE…     prints a line about each connection, and exits with 0 if all is as it should be
//
// how=streams, protocol, or lines (ask only: the server sends each line back in reverse, as `openssl s_server -rev`);
// cert=, key=: what to show; ca=: whom to trust (a server then demands a certificate); name=: the server's; port=;
// alpn=; max=1.2 or 1.3; times=N: that many connections, each of which resumes the session of the one before.
#include "stage6/foreign/echo.h"

#include <asyncio/asyncio.h>
#include <asyncio/ssl/context.h>
#include <asyncio/ssl/ssl_object.h>

#include <iostream>
#include <map>
#include <optional>
#include <string>

namespace {

using namespace asyncio;

std::map<std::string, std::string> options;
const std::string& option(const std::string& name) { return options[name]; }

ssl::SSLContext make_context(ssl::Purpose purpose) {
  ssl::SSLContext context = ssl::create_default_context(purpose, option("ca"));
  if (!option("cert").empty()) context.load_cert_chain(option("cert"), option("key"));
  if (purpose == ssl::Purpose::CLIENT_AUTH && !option("ca").empty()) {
    context.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
  }
  if (!option("alpn").empty()) context.set_alpn_protocols({option("alpn")});
  if (option("max") == "1.2") context.set_maximum_version(ssl::TLSVersion::TLSv1_2);
  context.set_reuse_sessions(true);
  return context;
}

// ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> send(StreamWriter writer, std::string data) {
  writer.write(data);
  co_await writer.drain();
}

Coro<> ask_streams(ConnectOptions how, int port) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port, how);
  const auto object = ssl::get_ssl_object(writer);
  if (option("how") == "lines") {
    writer.write("hello\n");
    const std::string line = co_await reader.readline();
    expect(line == "olleh\n", "the line came back as another");
  } else {
    const std::string data = pattern(1 << 20);
    auto sending = create_task(send(writer, data));
    const std::string back = co_await reader.readexactly(data.size());
    co_await sending;
    expect(back == data, "the megabyte came back as another");
  }
  std::cout << object->version() << ' ' << (object->session_reused() ? "resumed" : "new") << ' '
            << object->selected_alpn_protocol() << std::endl;
  writer.close();
  co_await writer.wait_closed();
}

// ── protocols ───────────────────────────────────────────────────────────────────────────────────────────────────────

class Echo final : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override { transport_ = std::move(transport); }
  void data_received(std::string_view data) override { transport_->write(data); }
  void pause_writing() override { transport_->pause_reading(); }
  void resume_writing() override { transport_->resume_reading(); }
  void connection_lost(std::exception_ptr) override { transport_ = nullptr; }

 private:
  std::shared_ptr<Transport> transport_;
};

class Asking final : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override { transport->write(data); }
  void data_received(std::string_view some) override {
    back += some;
    if (back.size() >= data.size()) complete.set();
  }
  void connection_lost(std::exception_ptr why) override {
    error = why ? why : std::make_exception_ptr(std::runtime_error("the connection was lost"));
    complete.set();
    lost.set();
  }

  const std::string data = pattern(1 << 20);
  std::string back;
  std::exception_ptr error;
  Event complete;
  Event lost;
};

Coro<> ask_protocol(ConnectOptions how, int port) {
  const auto make_asking = [] { return std::make_shared<Asking>(); };
  auto [transport, protocol] = co_await create_connection(make_asking, "127.0.0.1", port, how);
  const auto object = ssl::get_ssl_object(*transport);
  co_await protocol->complete.wait();
  if (protocol->error) std::rethrow_exception(protocol->error);
  expect(protocol->back == protocol->data, "the megabyte came back as another");
  std::cout << object->version() << ' ' << (object->session_reused() ? "resumed" : "new") << ' '
            << object->selected_alpn_protocol() << std::endl;
  transport->close();
  co_await protocol->lost.wait();
}

// ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> serve() {
  const ssl::SSLContext context = make_context(ssl::Purpose::CLIENT_AUTH);
  const ServerOptions how{.ssl = &context};
  const auto make_echo = [] { return std::make_shared<Echo>(); };
  std::optional<Server> server;
  if (option("how") == "protocol") {
    server = co_await create_server(make_echo, "127.0.0.1", 0, how);
  } else {
    server = co_await start_server(echo, "127.0.0.1", 0, how);
  }
  std::cout << "port " << server->port() << std::endl;
  co_await server->serve_forever();
}

Coro<> ask() {
  const ssl::SSLContext context = make_context(ssl::Purpose::SERVER_AUTH);
  ConnectOptions how{.ssl = &context};
  const std::string name = option("name").empty() ? "localhost" : option("name");
  how.server_hostname = name;
  const int port = std::stoi(option("port"));
  const int times = option("times").empty() ? 1 : std::stoi(option("times"));
  for (int i = 0; i < times; ++i) {
    if (option("how") == "protocol") {
      co_await ask_protocol(how, port);
    } else {
      co_await ask_streams(how, port);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t at = argument.find('=');
    options[argument.substr(0, at)] = argument.substr(at + 1);
  }
  try {
    run(std::string(argc > 1 ? argv[1] : "") == "serve" ? serve() : ask());
  } catch (const std::exception& error) {
    std::cerr << "stage6_ssl_peer: " << error.what() << '\n';
    return 1;
  }
}
