// open_connection() and start_server(): the two doors to the network.
// Mirrors: Lib/asyncio/streams.py: open_connection, start_server. Read next: ../demo.cpp
#pragma once

#include <asyncio/server.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

/// Trivial members only: see the README on g++ 12.
struct ConnectOptions {
  std::size_t limit = StreamReader::kDefaultLimit;
  int family = AF_UNSPEC;  // AF_INET or AF_INET6: only to addresses of that kind
};

using Streams = std::pair<StreamReader, StreamWriter>;

/// `auto [reader, writer] = co_await open_connection("127.0.0.1", 80);`
/// The addresses of `host` are tried in turn, and the first that answers is taken. Throws std::invalid_argument (port,
/// limit), and std::system_error: of the look-up, or of connecting. If several addresses failed in different ways the
/// message tells of all, and the code is the first one's.
Coro<Streams> open_connection(std::string host, int port, ConnectOptions options = {});

/// Streams on a socket that is connected already.
Coro<Streams> open_connection(Socket connected, ConnectOptions options = {});

/// What is called for each client: a coroutine function, which gets a task of its own, or a plain function.
template <class F>
concept ClientHandler = std::invocable<std::decay_t<F>&, StreamReader, StreamWriter> &&
                        (std::same_as<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>, Coro<>> ||
                         std::is_void_v<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>>);

static_assert(ClientHandler<Coro<> (*)(StreamReader, StreamWriter)> && !ClientHandler<Coro<> (*)(StreamReader)>);

/// Trivial members only: see the README on g++ 12.
struct ServerOptions {
  std::size_t limit = StreamReader::kDefaultLimit;
  int backlog = 100;
  int family = AF_UNSPEC;
  bool reuse_port = false;  // several servers, in several processes, on one port
  bool start_serving = true;
};

namespace detail {
Coro<Server> start_server(ClientCallback callback, std::string host, int port, ServerOptions options);

template <class F>
ClientCallback to_client_callback(F&& handler) {
  // Shared, as a std::function has to be copied and the handler need not be.
  auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(handler));
  return [shared](StreamReader reader, StreamWriter writer) -> Coro<> {
    if constexpr (std::is_void_v<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>>) {
      (*shared)(std::move(reader), std::move(writer));
      return Coro<>();
    } else {
      return (*shared)(std::move(reader), std::move(writer));
    }
  };
}
}  // namespace detail

/// Listens at `host` ("" is every interface) and `port` (0 lets the system choose), and calls `handler(reader, writer)`
/// for each client. What a client's coroutine throws goes to the loop's exception handler ("Unhandled exception in
/// client_connected_cb"), and its connection is closed. The server keeps the handler as long as one of its coroutines
/// runs: a lambda may capture. Throws std::invalid_argument (port, limit, an empty handler), std::system_error
/// ("error while attempting to bind on address …", the look-up).
template <ClientHandler F>
Coro<Server> start_server(F&& handler, std::string host, int port, ServerOptions options = {}) {
  detail::check_callable(handler);
  return detail::start_server(detail::to_client_callback(std::forward<F>(handler)), std::move(host), port, options);
}

}  // namespace asyncio
