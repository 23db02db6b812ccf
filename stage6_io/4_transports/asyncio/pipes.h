// connect_read_pipe() and connect_write_pipe(): attach a protocol to one end of a pipe.
// Mirrors: BaseEventLoop.connect_read_pipe, connect_write_pipe. Read next: datagrams.h
#pragma once

#include <asyncio/connections.h>
#include <asyncio/file_descriptor.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {
Coro<std::shared_ptr<ReadTransport>> connect_read_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol);
Coro<std::shared_ptr<WriteTransport>> connect_write_pipe(FileDescriptor pipe, std::shared_ptr<BaseProtocol> protocol);
}  // namespace detail

/// Receives from a pipe, a socket, or a character device such as a terminal. Makes it non-blocking, and closes it in
/// the end. At the end of the stream it calls eof_received(), ignores what that returns, and calls
/// connection_lost(nullptr).
/// Throws std::invalid_argument("Pipe transport is for pipes/sockets only.").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<std::pair<std::shared_ptr<ReadTransport>, std::shared_ptr<P>>> connect_read_pipe(F factory, FileDescriptor pipe) {
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<ReadTransport> transport = co_await detail::connect_read_pipe(std::move(pipe), protocol);
  co_return std::pair<std::shared_ptr<ReadTransport>, std::shared_ptr<P>>(std::move(transport), std::move(protocol));
}

/// Sends to a pipe, a socket, or a character device. When the reader closes its end, it calls connection_lost(), with
/// std::errc::broken_pipe if bytes were unsent. write_eof() is close().
/// Throws std::invalid_argument("Pipe transport is only for pipes, sockets and character devices").
template <ProtocolFactory F, class P = protocol_of<F>>
Coro<std::pair<std::shared_ptr<WriteTransport>, std::shared_ptr<P>>> connect_write_pipe(F factory,
                                                                                        FileDescriptor pipe) {
  std::shared_ptr<P> protocol = detail::make_protocol(factory);
  std::shared_ptr<WriteTransport> transport = co_await detail::connect_write_pipe(std::move(pipe), protocol);
  co_return std::pair<std::shared_ptr<WriteTransport>, std::shared_ptr<P>>(std::move(transport), std::move(protocol));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: connection_made() runs in the next tick. Who awaits goes on a tick later.
// Errors: std::invalid_argument for a descriptor that is none of these, std::system_error if it cannot be made
//   non-blocking; what the factory throws.
// Units: none.
