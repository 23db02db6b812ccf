// open_connection() and start_server(), the two ways into the network, and their versions for Unix sockets.
// Mirrors: Lib/asyncio/streams.py: open_connection, start_server, open_unix_connection, start_unix_server.
// Read next: ../../6_processes/asyncio/processes.h
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

/// What a connection consists of.
using Streams = std::pair<StreamReader, StreamWriter>;

/// `auto [reader, writer] = co_await open_connection("127.0.0.1", 80);`
/// Connects as create_connection() does, and throws what that throws. Throws std::invalid_argument for a limit of 0.
Coro<Streams> open_connection(std::string host, int port, ConnectOptions options = {});
/// Streams on a socket that is already connected.
Coro<Streams> open_connection(Socket connected, ConnectOptions options = {});
/// Connects to the Unix socket at `path` (if it starts with '\0': in the abstract namespace).
Coro<Streams> open_unix_connection(std::string path, UnixConnectOptions options = {});

/// The callable for each client: a coroutine function, which runs as a task, or a plain function.
template <class F>
concept ClientHandler = std::invocable<std::decay_t<F>&, StreamReader, StreamWriter> &&
                        (std::same_as<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>, Coro<>> ||
                         std::is_void_v<std::invoke_result_t<std::decay_t<F>&, StreamReader, StreamWriter>>);

static_assert(ClientHandler<Coro<> (*)(StreamReader, StreamWriter)> && !ClientHandler<Coro<> (*)(StreamReader)>);

namespace detail {

template <class F>
ClientCallback to_client_callback(F&& handler) {
  check_callable(handler);
  // Shared, because a std::function must be copyable and the handler need not be.
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

/// Listens as create_server() does, and calls `handler(reader, writer)` for each client. An exception of a client's
/// coroutine goes to the loop's exception handler ("Unhandled exception in client_connected_cb"), and the connection is
/// closed. The handler lives as long as one of its coroutines runs, so a lambda may capture. Throws what
/// create_server() throws, and std::invalid_argument for a limit of 0 or an empty handler.
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
/// Refuses any other handler, with a sentence.
template <class F, class... Rest>
  requires(!ClientHandler<F>)
ASYNCIO_CORO_WRAPPER Coro<Server> start_server(F&&, Rest&&...) {
  static_assert(ClientHandler<F>,
                "the handler of clients takes (StreamReader, StreamWriter), by value, and returns Coro<> or nothing");
  return {};
}
/// Listens at a path, as create_unix_server() does.
template <ClientHandler F>
Coro<Server> start_unix_server(F&& handler, std::string path, UnixServerOptions options = {}) {
  auto factory = detail::stream_factory(detail::to_client_callback(std::forward<F>(handler)), options.limit);
  return create_unix_server(std::move(factory), std::move(path), options);
}
template <ClientHandler F>
Coro<Server> start_unix_server(F&& handler, Socket bound, UnixServerOptions options = {}) {
  auto factory = detail::stream_factory(detail::to_client_callback(std::forward<F>(handler)), options.limit);
  return create_unix_server(std::move(factory), std::move(bound), options);
}
/// Refuses any other handler, with a sentence.
template <class F, class... Rest>
  requires(!ClientHandler<F>)
ASYNCIO_CORO_WRAPPER Coro<Server> start_unix_server(F&&, Rest&&...) {
  static_assert(ClientHandler<F>,
                "the handler of clients takes (StreamReader, StreamWriter), by value, and returns Coro<> or nothing");
  return {};
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: who awaits a connection goes on two ticks after it is there, with TLS later; a client's handler is called
//   two ticks after the one that finds the client, and its coroutine begins in the next one.
// Errors: what create_connection() and create_server() throw; std::invalid_argument for a limit of 0.
// Units: limits are in bytes, a port is 0 to 65535.
