#include "asyncio/server.h"

#include "asyncio/sleep.h"

#include <chrono>
#include <stdexcept>

namespace asyncio {

Loop& Server::get_loop() const {
  Loop* const loop = state_->loop();
  if (!loop) throw std::runtime_error("Event loop is closed");
  return *loop;
}

std::string Server::repr() const { return state_->repr(); }

int Server::port() const noexcept { return sockets().empty() ? 0 : sockets().front().local_address().port(); }

// Works on a copy: a protocol that loses its connection may end others.
void Server::close_clients() const {
  const auto clients = state_->clients();
  for (detail::DescriptorTransport* client : clients) {
    if (state_->has_client(client)) client->close();
  }
}

void Server::abort_clients() const {
  const auto clients = state_->clients();
  for (detail::DescriptorTransport* client : clients) {
    if (state_->has_client(client)) client->abort();
  }
}

Coro<> Server::start_serving(detail::Ref<detail::ServerState> state) {
  state->start_serving();
  co_await sleep(std::chrono::seconds(0));
}

Coro<> Server::serve_forever(detail::Ref<detail::ServerState> state) {
  if (state->forever()) {
    throw std::runtime_error("server " + state->repr() + " is already being awaited on serve_forever()");
  }
  if (state->closed()) throw std::runtime_error("server " + state->repr() + " is closed");
  state->start_serving();
  state->forever() = create_future();
  CancelledError reason;
  try {
    const Future<> forever = state->forever();
    co_await forever;
  } catch (const CancelledError& error) {  // nothing else ends this wait
    reason = error;
  }
  state->close();
  try {
    co_await wait_closed(state);
  } catch (const CancelledError& error) {  // cancelled again: does not wait for the clients
    reason = error;
  }
  state->forever() = Future<>();
  throw reason;
}

Coro<> Server::wait_closed(detail::Ref<detail::ServerState> state) {
  if (state->all_gone()) co_return;
  detail::ListWait<detail::ServerState, &detail::ServerState::close_waiters> wait(*state);
  co_await wait;
}

}  // namespace asyncio
