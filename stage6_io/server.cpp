#include "asyncio/server.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/sleep.h"

#include <cerrno>
#include <chrono>
#include <stdexcept>

namespace asyncio {
namespace detail {

// ── accepting ───────────────────────────────────────────────────────────────────────────────────────────────────────

void ServerState::start_serving() {
  if (serving_) return;
  if (closed_) throw std::runtime_error("server is closed");
  for (Socket& socket : sockets_) socket.listen(backlog_);
  for (Socket& socket : sockets_) watch(socket);
  serving_ = true;
}

void ServerState::watch(const Socket& socket) {
  add_reader(*anchor_->loop(), socket.fd(), [self = Ref<ServerState>(this), &socket] { self->accept_from(socket); });
}

// All that wait to be let in, for they came together; but no more than the queue is long, for others wait as well.
void ServerState::accept_from(const Socket& socket) {
  for (int count = 0; count <= backlog_ && !closed_; ++count) {
    sockaddr_storage storage = {};
    socklen_t size = sizeof storage;
    auto* peer = reinterpret_cast<sockaddr*>(&storage);
    Socket connection(sys::accept(socket.fd(), peer, &size));
    if (connection) {
      connect_client(std::move(connection), Address(peer, size));
      continue;
    }
    const int error = errno;
    if (error == ECONNABORTED) continue;  // it has gone away again as it waited
    if (sys::would_block(error)) return;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
      return out_of_resources(socket, error);
    throw_system_error(error, "accept on " + socket.local_address().repr());
  }
}

// The client goes on waiting, and so the socket stays ready: look away for a second, and hope that others leave.
void ServerState::out_of_resources(const Socket& socket, int error) {
  Loop& loop = *anchor_->loop();
  const std::string where = socket.local_address().repr();
  remove_reader(loop, socket.fd());
  loop.call_later(std::chrono::seconds(1), [self = Ref<ServerState>(this), &socket] {
    if (!self->closed_) self->watch(socket);
  });
  ErrorContext context("socket.accept() out of system resource",
                       std::make_exception_ptr(system_error(error, "accept on " + where)));
  loop.call_exception_handler(context.with("socket", where));  // last: it may close the server
}

// In the next tick, where CPython's task for it would take its first step; the transport's callbacks follow one later.
void ServerState::connect_client(Socket socket, const Address& peer) {
  Loop& loop = *anchor_->loop();
  loop.call_soon([self = Ref<ServerState>(this), &loop, socket = std::move(socket), peer]() mutable {
    try {
      std::shared_ptr<BaseProtocol> protocol = self->factory_();
      make_socket_transport(loop, std::move(socket), peer, std::move(protocol), Future<>(), self);
    } catch (...) {
      if (current_exception_is_fatal()) throw;
      ErrorContext context("Error on transport creation for incoming connection", std::current_exception());
      loop.call_exception_handler(context);
    }
  });
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void ServerState::close() {
  if (std::exchange(closed_, true)) return;
  const Ref<ServerState> self(this);  // the watches held it
  serving_ = false;
  Loop* const loop = anchor_->loop();
  if (loop) {
    for (const Socket& socket : sockets_) remove_reader(*loop, socket.fd());
  }
  sockets_.clear();
  if (loop) {
    for (const UnixSocketFile& file : files_) file.remove(*loop);
  }
  if (forever_ && !forever_.done()) forever_.cancel();
  if (clients_.empty()) close_waiters_.wake();
}

void ServerState::detach(DescriptorTransport& transport) noexcept {
  if (clients_.erase(&transport) == 0) return;
  try {
    if (all_gone()) close_waiters_.wake();
  } catch (...) {  // the loop is closed: nobody waits
  }
}

}  // namespace detail

int Server::port() const noexcept { return sockets().empty() ? 0 : sockets().front().local_address().port(); }

// Of a copy: who is told that a connection ends may end others.
void Server::close_clients() const {
  const auto clients = state_->clients();
  for (detail::DescriptorTransport* client : clients) {
    if (state_->clients().contains(client)) client->close();
  }
}

void Server::abort_clients() const {
  const auto clients = state_->clients();
  for (detail::DescriptorTransport* client : clients) {
    if (state_->clients().contains(client)) client->abort();
  }
}

Coro<> Server::start_serving(detail::Ref<detail::ServerState> state) {
  state->start_serving();
  co_await sleep(std::chrono::seconds(0));
}

Coro<> Server::serve_forever(detail::Ref<detail::ServerState> state) {
  if (state->forever()) throw std::runtime_error("server is already being awaited on serve_forever()");
  if (state->closed()) throw std::runtime_error("server is closed");
  state->start_serving();
  state->forever() = create_future();
  CancelledError reason;
  try {
    const Future<> forever = state->forever();
    co_await forever;
  } catch (const CancelledError& error) {  // there is no other way out
    reason = error;
  }
  state->forever() = Future<>();
  state->close();
  try {
    co_await wait_closed(state);
  } catch (const CancelledError&) {  // again: then without waiting for the clients
  }
  throw reason;
}

Coro<> Server::wait_closed(detail::Ref<detail::ServerState> state) {
  if (state->all_gone()) co_return;
  detail::Turn turn(state->close_waiters());
  co_await turn;
}

}  // namespace asyncio
