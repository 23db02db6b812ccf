#include "stage6/http/http_server.h"

#include <sstream>
#include <utility>

namespace asyncio::testing {

Coro<> HttpServer::start(Handler handler) {
  handler_ = std::move(handler);
  const auto serve_client = [this](StreamReader reader, StreamWriter writer) { return serve(reader, writer); };
  server_ = co_await start_server(serve_client, "127.0.0.1", 0, {.backlog = 1000});
}

Coro<> HttpServer::start(std::string fixed) {
  Handler handler = [fixed](Request, StreamWriter writer) -> Coro<> {
    writer.write(fixed);
    co_await writer.drain();
  };
  return start(std::move(handler));
}

Coro<bool> HttpServer::receive(StreamReader reader, Request& request) {
  const std::string request_line = co_await reader.readline();
  std::istringstream words(request_line);
  words >> request.method >> request.target;
  if (request.target.empty()) co_return false;
  for (;;) {
    std::string line = co_await reader.readline();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    request.headers.add(line.substr(0, colon), colon == line.npos ? "" : line.substr(colon + 2));
  }
  const std::string length = request.headers.get("Content-Length", "0");
  request.body = co_await reader.readexactly(std::stol(length));
  co_return true;
}

Coro<> HttpServer::serve(StreamReader reader, StreamWriter writer) {
  ++connections_;
  ++open_;
  const struct Leave {
    int& open;
    ~Leave() { --open; }
  } leave{open_};
  try {
    while (!writer.is_closing()) {
      Request request;
      const bool more = co_await receive(reader, request);
      if (!more) break;
      requests_.push_back(request);
      co_await handler_(request, writer);
    }
  } catch (const std::exception&) {  // the client is gone: what of it?
  }
  writer.close();
}

}  // namespace asyncio::testing
