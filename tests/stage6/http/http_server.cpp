#include "stage6/http/http_server.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace asyncio::testing {

Coro<> HttpServer::start(std::shared_ptr<State> state, Handler handler) {
  state->handler = std::move(handler);
  const std::weak_ptr<State> weak = state;  // it holds the server
  const auto serve_client = [weak](StreamReader reader, StreamWriter writer) {
    return serve(weak.lock(), std::move(reader), std::move(writer));
  };
  state->server = co_await start_server(serve_client, "127.0.0.1", 0, {.backlog = 1000});
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
    const std::size_t colon = std::min(line.find(':'), line.size() - 1);
    request.headers.add(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
  }
  const std::string length = request.headers.get("Content-Length", "0");
  request.body = co_await reader.readexactly(std::stol(length));
  co_return true;
}

Coro<> HttpServer::serve(std::shared_ptr<State> state, StreamReader reader, StreamWriter writer) {
  if (!state) co_return;
  ++state->connections;
  ++state->open;
  const struct Leave {
    int& open;
    ~Leave() { --open; }
  } leave{state->open};
  try {
    while (!writer.is_closing()) {
      Request request;
      const bool more = co_await receive(reader, request);
      if (!more) break;
      state->requests.push_back(request);
      co_await state->handler(request, writer);
    }
  } catch (const std::exception&) {  // the client is gone: ignored
  }
  writer.close();
}

}  // namespace asyncio::testing
