// A small HTTP server for tests: it hands each request to a function, which writes whatever it likes, nonsense included.
#pragma once

#include "stage6/support.h"

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

/// An answer with a length, after which the connection goes on.
inline std::string answer(std::string_view body, std::string_view status = "200 OK", std::string_view headers = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

/// A handle; what it serves lives on until its connections have ended, or the loop.
class HttpServer {
 public:
  using Handler = std::function<Coro<>(Request, StreamWriter)>;

  Coro<> start(Handler handler) { return start(state_, std::move(handler)); }
  /// One that answers each request with the same.
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

/// What a coroutine throws of type E, as text; a remark if it throws nothing. Any other exception passes.
template <class E, class A>
Coro<std::string> thrown_by(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const E& error) {
    co_return error.what();
  }
  co_return "(nothing was thrown)";
}

/// Lets other tasks work until `condition`; a few seconds at most.
template <class F>
Coro<> until(F condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) co_await sleep(1ms);
  EXPECT_TRUE(condition());
}

}  // namespace asyncio::testing
