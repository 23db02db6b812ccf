// Exercise 3: several HTTP requests on one connection.
#include <asyncio/run.h>
#include <asyncio/streams.h>

#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

using asyncio::Coro;
using asyncio::StreamReader;
using asyncio::StreamWriter;

/// The value of a header, or "". Reads up to the empty line.
Coro<std::string> find_header(StreamReader reader, std::string name) {
  std::string value;
  for (;;) {
    const std::string line = co_await reader.readline();
    if (line == "\r\n" || line.empty()) co_return value;
    if (line.starts_with(name + ": ")) value = line.substr(name.size() + 2, line.size() - name.size() - 4);
  }
}

Coro<> serve(StreamReader reader, StreamWriter writer) {
  for (int request = 1;; ++request) {  // the loop is new
    const std::string request_line = co_await reader.readline();
    if (request_line.empty()) co_return;  // the client has closed: between two requests that is no error
    const std::string connection = co_await find_header(reader, "Connection");
    const bool last = connection == "close" || request_line.find("HTTP/1.0") != std::string::npos;

    std::string method, target;
    std::istringstream(request_line) >> method >> target;
    const std::string body = target + " is request " + std::to_string(request) + " of this connection\n";
    writer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                 (last ? "\r\nConnection: close" : "") + "\r\n\r\n" + body);
    co_await writer.drain();
    if (last) co_return;
  }
}

class Client {
 public:
  explicit Client(asyncio::Streams streams) : reader_(streams.first), writer_(streams.second) {}

  Coro<std::string> get(std::string target, std::string more_headers = "") {
    writer_.write("GET " + target + " HTTP/1.1\r\nHost: here\r\n" + more_headers + "\r\n");
    co_await writer_.drain();
    const std::string status = co_await reader_.readline();
    if (status.empty()) throw std::runtime_error("the server has closed the connection");
    const std::string length = co_await find_header(reader_, "Content-Length");
    co_return co_await reader_.readexactly(std::stol(length));  // and not to the end: the next answer comes behind it
  }

 private:
  StreamReader reader_;
  StreamWriter writer_;
};

Coro<> main_program() {
  const asyncio::Server server = co_await asyncio::start_server(serve, "127.0.0.1", 0);
  asyncio::Streams streams = co_await asyncio::open_connection("127.0.0.1", server.port());
  Client client(std::move(streams));

  std::string body = co_await client.get("/one");
  std::cout << body;
  body = co_await client.get("/two");
  std::cout << body;
  body = co_await client.get("/three", "Connection: close\r\n");
  std::cout << body;
  try {
    co_await client.get("/four");
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
  }
}

int main() { asyncio::run(main_program()); }
