// TLS: a client chats with a server; serves a page over https; fetches a page.
//
//   stage6_ssl_demo                       the chat, in one process
//   stage6_ssl_demo listen [PORT [FILE]]  the chat's server, until Ctrl-C; writes its certificate to FILE
//   stage6_ssl_demo talk PORT FILE        its client: sends the lines that it reads, and trusts that certificate only
//   stage6_ssl_demo serve [PORT [FILE]]   https until Ctrl-C; writes the certificate to FILE, for `curl --cacert FILE`
//   stage6_ssl_demo fetch HOST [PORT]     GET / from a server that the system trusts
//
// `serve --tls` does the same as `serve`.
#include "demo_certificate.h"

#include <asyncio/asyncio.h>
#include <asyncio/ssl/context.h>
#include <asyncio/ssl/errors.h>
#include <asyncio/ssl/ssl_object.h>

#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;

namespace {

ssl::SSLContext server_context(const demo::Identity& identity) {
  ssl::SSLContext context = ssl::create_default_context(ssl::Purpose::CLIENT_AUTH);
  context.load_cert_chain_pem(identity.certificate, identity.key);
  return context;
}

// ── the chat ────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> answer(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string line = co_await reader.readline();
    if (line.empty()) break;
    std::cout << "the server hears: " << line << std::flush;
    writer.write("you said " + line);
    co_await writer.drain();
  }
  std::cout << "the server hears the end" << std::endl;
  writer.close();
}

Coro<> chat() {
  const demo::Identity identity = demo::self_signed();
  const ssl::SSLContext serving = server_context(identity);
  // The client trusts only this certificate.
  const ssl::SSLContext calling = ssl::create_default_context(ssl::Purpose::SERVER_AUTH, "", "", identity.certificate);

  Server server = co_await start_server(answer, "127.0.0.1", 0, {.ssl = &serving});
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
  const auto object = ssl::get_ssl_object(writer);
  std::cout << object->version() << " with " << object->peer_certificate()->common_name() << '\n';
  for (const char* line : {"hello\n", "is this private?\n"}) {
    writer.write(line);
    const std::string reply = co_await reader.readline();
    std::cout << "the client hears: " << reply;
  }
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
}

Coro<> mistrust() {
  const ssl::SSLContext serving = server_context(demo::self_signed());
  const ssl::SSLContext calling = ssl::create_default_context();
  Server server = co_await start_server(answer, "127.0.0.1", 0, {.ssl = &serving});
  try {
    co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
  } catch (const ssl::SSLCertVerificationError& error) {
    std::cout << error.what() << '\n';
  }
  server.close();
  co_await server.wait_closed();
}

// ── the chat of two programs ────────────────────────────────────────────────────────────────────────────────────────

std::optional<std::string> next_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

Coro<> talk(int port, std::string file) {
  const ssl::SSLContext context = ssl::create_default_context(ssl::Purpose::SERVER_AUTH, file);
  auto [reader, writer] = co_await open_connection("localhost", port, {.ssl = &context});
  for (;;) {
    const auto line = co_await to_thread(next_line);  // the loop goes on while somebody types
    if (!line) break;
    writer.write(*line + "\n");
    const std::string reply = co_await reader.readline();
    std::cout << reply << std::flush;
  }
  writer.close();
  co_await writer.wait_closed();
}

// ── https ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> serve_page(StreamReader reader, StreamWriter writer) {
  for (;;) {  // the head of the request
    const std::string line = co_await reader.readline();
    if (line.empty() || line == "\r\n") break;
  }
  const std::string page = "<!doctype html><title>https</title><p>It works, and nobody listens in.\n";
  writer.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: " +
               std::to_string(page.size()) + "\r\n\r\n" + page);
  co_await writer.drain();
  writer.close();
}

enum class What { chat, page };

Coro<> serve(What what, int port, std::string file) {
  const demo::Identity identity = demo::self_signed();
  if (!file.empty()) std::ofstream(file) << identity.certificate;
  const ssl::SSLContext context = server_context(identity);
  const ServerOptions options{.ssl = &context};
  Server server = co_await start_server(what == What::chat ? answer : serve_page, "127.0.0.1", port, options);
  std::cout << (what == What::chat ? "Listening on localhost:" : "Serving on https://localhost:") << server.port()
            << (what == What::chat ? "" : "/") << " until Ctrl-C" << std::endl;
  co_await server.serve_forever();
}

Coro<> fetch(std::string host, int port) {
  const ssl::SSLContext context = ssl::create_default_context();
  auto [reader, writer] = co_await open_connection(host, port, {.ssl = &context});
  writer.write("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  const std::string page = co_await reader.read();
  std::cout << page;
  writer.close();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::erase(arguments, "--tls");
  const auto argument = [&](std::size_t i, const char* otherwise) {
    return i < arguments.size() ? arguments[i] : std::string(otherwise);
  };
  try {
    if (argument(0, "") == "serve") {
      run(serve(What::page, std::stoi(argument(1, "0")), argument(2, "")));
    } else if (argument(0, "") == "listen") {
      run(serve(What::chat, std::stoi(argument(1, "0")), argument(2, "")));
    } else if (argument(0, "") == "talk") {
      run(talk(std::stoi(argument(1, "0")), argument(2, "cert.pem")));
    } else if (argument(0, "") == "fetch") {
      run(fetch(argument(1, "localhost"), std::stoi(argument(2, "443"))));
    } else {
      run(chat());
      run(mistrust());
    }
  } catch (const KeyboardInterrupt&) {
    std::cout << "stopped\n";
  } catch (const std::exception& error) {
    std::cerr << "stage6_ssl_demo: " << error.what() << '\n';
    return 1;
  }
}
