// A small httpbin: GET /get?a=1 answers with JSON that tells what was asked; and there are three pages.
#pragma once

#include <asyncio/event.h>
#include <asyncio/streams.h>

#include <map>
#include <optional>
#include <string>

namespace demo {

class HttpServer {
 public:
  /// Begins to serve; port 0 lets the system choose.
  asyncio::Coro<> start(int port);
  asyncio::Server& server() { return *server_; }
  /// "http://127.0.0.1:49152"
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  /// Makes the requests 0, 1, 2 … answered one after the other, each when the client of the one before has taken its
  /// answer and closed. However fast the machine, and however busy: the client's lines come in the same order.
  void take_turns(bool on) {
    taking_turns_ = on;
    turns_.clear();
    turns_[0].set();
  }

 private:
  asyncio::Coro<> serve(asyncio::StreamReader reader, asyncio::StreamWriter writer);

  std::optional<asyncio::Server> server_;
  bool taking_turns_ = false;
  std::map<int, asyncio::Event> turns_;
};

}  // namespace demo
