// Server: listening sockets, and a protocol for each client that comes.
// Mirrors: Lib/asyncio/base_events.py, Server; and BaseSelectorEventLoop._accept_connection. Read next: create_server.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/server_state.h>

#include <vector>

namespace asyncio {

/// What create_server() and start_server() give: a handle; copies speak of the same server. It serves until close(), or
/// until the loop is closed, whether or not a handle is kept.
class Server {
 public:
  /// The listening sockets; none once it is closed.
  const std::vector<Socket>& sockets() const noexcept { return state_->sockets(); }
  /// The port of the first of them (the one to connect to if it was started with port 0); 0 once it is closed.
  int port() const noexcept;
  bool is_serving() const noexcept { return state_->serving(); }

  /// Begins to accept, if it was started with start_serving = false. Throws std::runtime_error once closed.
  Coro<> start_serving() const { return start_serving(state_); }
  /// Accepts until the task is cancelled (the server is then closed, and the clients waited for), or close() is
  /// called; both end it with CancelledError. Throws std::runtime_error once closed, or if a task does this already.
  Coro<> serve_forever() const { return serve_forever(state_); }

  /// Stops listening. Connections there are go on. May be called twice.
  void close() const { state_->close(); }
  /// Waits until it is closed and all connections have ended, in either order.
  Coro<> wait_closed() const { return wait_closed(state_); }
  /// Ends the connections of all its clients: as StreamWriter::close() does, or at once, dropping what is unsent.
  void close_clients() const;
  void abort_clients() const;

  // ── for the library ──
  explicit Server(detail::Ref<detail::ServerState> state) noexcept : state_(std::move(state)) {}

 private:
  static Coro<> start_serving(detail::Ref<detail::ServerState> state);
  static Coro<> serve_forever(detail::Ref<detail::ServerState> state);
  static Coro<> wait_closed(detail::Ref<detail::ServerState> state);

  detail::Ref<detail::ServerState> state_;
};

}  // namespace asyncio
