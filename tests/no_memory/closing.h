// A server in a scenario without memory.
#pragma once

#include <asyncio/streams.h>

#include <utility>

namespace asyncio::testing {

/// Closes the server however the scenario ends: what was made must not outlive it.
class Closing {
 public:
  explicit Closing(Server server) : server_(std::move(server)) {}
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  ~Closing() { server_.close(); }
  Server& operator*() { return server_; }
  Server* operator->() { return &server_; }
  const Server* operator->() const { return &server_; }

 private:
  Server server_;
};

}  // namespace asyncio::testing
