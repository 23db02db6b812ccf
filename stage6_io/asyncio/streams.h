// open_connection() and start_server(): the two doors to the network; and the same two for Unix sockets.
// Mirrors: Lib/asyncio/streams.py: open_connection, start_server, open_unix_connection, start_unix_server.
// Read next: ../demo.cpp
#pragma once

#include <asyncio/create_server.h>
#include <asyncio/stream_protocol.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

using Streams = std::pair<StreamReader, StreamWriter>;

/// `auto [reader, writer] = co_await open_connection("127.0.0.1", 80);`
/// Connects as create_connection() does, and throws what that throws; and std::invalid_argument for a limit of 0.
Coro<Streams> open_connection(std::string host, int port, ConnectOptions options = {});
/// Streams on a socket that is connected already.
Coro<Streams> open_connection(Socket connected, ConnectOptions options = {});
/// To the Unix socket at `path` (beginning with '\0': in the abstract name space).
Coro<Streams> open_unix_connection(std::string path, ConnectOptions options = {});

/// What is called for each client: a coroutine function, which gets a task of its own, or a plain function.
template <class F>
concept ClientHandler = std::invocable<std::decay_t<F>&, StreamReader, StreamWriter> &&
                        (std::same_as<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>, Coro<>> ||
                         std::is_void_v<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>>);

static_assert(ClientHandler<Coro<> (*)(StreamReader, StreamWriter)> && !ClientHandler<Coro<> (*)(StreamReader)>);

namespace detail {

template <class F>
ClientCallback to_client_callback(F&& handler) {
  check_callable(handler);
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

/// Makes the StreamReaderProtocol of each client. Throws std::invalid_argument for a limit of 0.
AnyProtocolFactory stream_factory(ClientCallback callback, std::size_t limit);

}  // namespace detail

/// Listens as create_server() does, and calls `handler(reader, writer)` for each client. What a client's coroutine
/// throws goes to the loop's exception handler ("Unhandled exception in client_connected_cb"), and its connection is
/// closed. The server keeps the handler as long as one of its coroutines runs: a lambda may capture. Throws what
/// create_server() throws; and std::invalid_argument for a limit of 0, or an empty handler.
template <ClientHandler F>
Coro<Server> start_server(F&& handler, std::string host, int port, ServerOptions options = {}) {
  auto factory = detail::stream_factory(detail::to_client_callback(std::forward<F>(handler)), options.limit);
  return create_server(std::move(factory), std::move(host), port, options);
}
template <ClientHandler F>
Coro<Server> start_server(F&& handler, Socket bound, ServerOptions options = {}) {
  auto factory = detail::stream_factory(detail::to_client_callback(std::forward<F>(handler)), options.limit);
  return create_server(std::move(factory), std::move(bound), options);
}
/// The same at a path, as create_unix_server() does.
template <ClientHandler F>
Coro<Server> start_unix_server(F&& handler, std::string path, UnixServerOptions options = {}) {
  auto factory = detail::stream_factory(detail::to_client_callback(std::forward<F>(handler)), options.limit);
  return create_unix_server(std::move(factory), std::move(path), options);
}

}  // namespace asyncio
