// Server: listening sockets, and a protocol for each client.
// Mirrors: Lib/asyncio/base_events.py, Server; and BaseSelectorEventLoop._accept_connection. Read next: create_server.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/detail/server_state.h>

#include <string>
#include <vector>

namespace asyncio {

/// The result of create_server() and start_server(). A handle; copies refer to the same server. The server runs until
/// close(), or until the loop is closed, even if no handle is left.
class Server {
 public:
  /// The listening sockets; none after close().
  const std::vector<Socket>& sockets() const noexcept { return state_->sockets(); }
  /// The port of the first socket, also if the server was started with port 0. 0 after close().
  int port() const noexcept;
  /// Throws std::runtime_error once the loop is destroyed.
  Loop& get_loop() const;
  /// "<Server sockets=(<asyncio.TransportSocket fd=6, …>,)>"
  std::string repr() const;
  /// Whether it accepts connections. [Server.is_serving]
  bool is_serving() const noexcept { return state_->serving(); }

  /// Starts accepting, if the server was made with start_serving = false. Throws std::runtime_error after close().
  Coro<> start_serving() const { return start_serving(state_); }
  /// Accepts until close() is called, or until the task is cancelled; then it closes the server and waits for the
  /// clients, including idle ones; a second cancel ends that wait. Always ends with CancelledError. Throws
  /// std::runtime_error after close(), or if another task is here.
  Coro<> serve_forever() const { return serve_forever(state_); }

  /// Stops listening. Existing connections stay open. May be called twice.
  void close() const { state_->close(); }
  /// Waits until the server is closed and all its connections have ended.
  Coro<> wait_closed() const { return wait_closed(state_); }
  /// Closes all connections, in the order in which they came, after sending what is buffered. [Server.close_clients]
  void close_clients() const;
  /// Closes all connections at once; what is buffered is lost. [Server.abort_clients]
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

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a client is accepted in the tick that finds it. close() counts at once; who waits for the end of the
//   clients runs in the tick after the last.
// Errors: std::runtime_error once it is closed, or once the loop is gone.
// Units: a port is 0 to 65535.
