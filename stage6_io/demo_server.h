// A small httpbin: GET /get?a=1 answers with JSON that describes the request. It also has three pages.
#pragma once

#include "demo_lib.h"

#include <map>
#include <optional>
#include <string>

namespace demo {

class HttpServer {
 public:
  /// Starts serving. Port 0: the system chooses.
  lib::Coro<> start(int port);
  lib::Server& server() { return *server_; }
  /// "http://127.0.0.1:49152"
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  /// Answers the requests 0, 1, 2 … one after the other, each when the client before has read its answer and closed. So
  /// the client prints its lines in the same order on every machine.
  void take_turns(bool on) {
    taking_turns_ = on;
    turns_.clear();
    turns_[0].set();
  }

 private:
  lib::Coro<> serve(lib::StreamReader reader, lib::StreamWriter writer);

  std::optional<lib::Server> server_;
  bool taking_turns_ = false;
  std::map<int, lib::Event> turns_;
};

}  // namespace demo
