// A small HTTP server for tests: a function answers each request, with nonsense if it likes.
#pragma once

#include "support/io.h"

#include <asyncio/http/client_session.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::testing {

struct Request {
  std::string method;
  std::string target;
  http::Headers headers;
  std::string body;
};

/// An answer with a length, which keeps the connection open.
inline std::string answer(std::string_view body, std::string_view status = "200 OK", std::string_view headers = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

/// A handle. The server lives until its connections or the loop end.
class HttpServer {
 public:
  using Handler = std::function<Coro<>(Request, StreamWriter)>;

  Coro<> start(Handler handler) { return start(state_, std::move(handler)); }
  /// Answers each request with `fixed`.
  Coro<> start(std::string fixed);
  void stop() { state_->server->close(); }
  std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(state_->server->port()) + std::string(target);
  }
  int connections() const noexcept { return state_->connections; }
  int open_connections() const noexcept { return state_->open; }
  const std::vector<Request>& requests() const noexcept { return state_->requests; }

 private:
  struct State {
    Handler handler;
    std::optional<Server> server;
    std::vector<Request> requests;
    int connections = 0;
    int open = 0;
  };
  static Coro<> start(std::shared_ptr<State> state, Handler handler);
  static Coro<> serve(std::shared_ptr<State> state, StreamReader reader, StreamWriter writer);
  static Coro<bool> receive(StreamReader reader, Request& request);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Waits until `condition`, a few seconds at most.
template <class F>
Coro<> until(F condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) co_await sleep(1ms);
  EXPECT_TRUE(condition());
}

}  // namespace asyncio::testing
