#include "asyncio/detail/server_state.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>

namespace asyncio::detail {

// ── accepting ───────────────────────────────────────────────────────────────────────────────────────────────────────

void ServerState::start_serving() {
  if (serving_) return;
  if (closed_) throw std::runtime_error("server " + repr() + " is closed");
  for (Socket& socket : sockets_) socket.listen(backlog_);
  try {
    for (const Socket& socket : sockets_) watch(socket);
  } catch (...) {  // the watches hold references: nobody would close the server
    for (const Socket& socket : sockets_) unwatch(*weak_loop_->loop(), socket.fd(), Readiness::read);
    throw;
  }
  serving_ = true;
}

void ServerState::watch(const Socket& socket) {
  add_reader(*weak_loop_->loop(), socket.fd(), [self = Ref<ServerState>(this), &socket] { self->accept_from(socket); });
}

// Accepts all clients that wait, but no more than the backlog, so that other callbacks get their turn.
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
    if (error == ECONNABORTED) continue;  // the client left while it waited
    if (sys::would_block(error)) return;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
      return out_of_resources(socket, error);
    throw_system_error(error, "accept on " + socket.local_address().repr());
  }
}

// The client stays in the backlog, so the socket stays ready: stop watching it for a second, until descriptors are
// free.
void ServerState::out_of_resources(const Socket& socket, int error) {
  Loop& loop = *weak_loop_->loop();
  const std::string where = socket.local_address().repr();
  loop.call_later(std::chrono::seconds(1), [self = Ref<ServerState>(this), &socket] {
    if (!self->closed_) self->watch(socket);
  });
  remove_reader(loop, socket.fd());
  ErrorContext context("socket.accept() out of system resource",
                       std::make_exception_ptr(system_error(error, "accept on " + where)));
  loop.call_exception_handler(context.with("socket", where));  // last, because the handler may close the server
}

// In the next tick, in which CPython's task takes its first step. The transport's callbacks follow one tick later.
void ServerState::connect_client(Socket socket, const Address& peer) {
  Loop& loop = *weak_loop_->loop();
  loop.call_soon([self = Ref<ServerState>(this), &loop, socket = std::move(socket), peer]() mutable {
    try {
      std::shared_ptr<BaseProtocol> protocol = self->factory_();
      if (self->tls_) protocol = self->tls_.make_layer(loop, std::move(protocol), true, Future<>());
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
  const Ref<ServerState> self(this);  // removing the watches may drop the last reference
  serving_ = false;
  Loop* const loop = weak_loop_->loop();
  if (loop) {
    for (const Socket& socket : sockets_) unwatch(*loop, socket.fd(), Readiness::read);
  }
  sockets_.clear();
  try {
    for (const UnixSocketFile& file : files_) {
      if (loop) file.remove(*loop);
    }
  } catch (const std::bad_alloc&) {  // for a report
    report_without_memory("Unable to clean up listening UNIX socket");
  }
  if (forever_ && !forever_.done()) std::exchange(forever_, Future<>()).cancel();
  if (clients_.empty()) close_waiters_.wake();
}

std::vector<DescriptorTransport*> ServerState::clients() const {
  std::vector<DescriptorTransport*> all;
  all.reserve(clients_.size());
  for (const auto& [client, number] : clients_) all.push_back(client);
  std::sort(all.begin(), all.end(), [this](auto* a, auto* b) { return clients_.at(a) < clients_.at(b); });
  return all;
}

void ServerState::detach(DescriptorTransport& transport) noexcept {
  if (clients_.erase(&transport) == 0) return;
  try {
    if (all_gone()) close_waiters_.wake();
  } catch (...) {  // the loop is closed, so nobody waits
  }
}

// [Server.__repr__, TransportSocket.__repr__]
std::string ServerState::repr() const {
  std::string all;
  for (const Socket& socket : sockets_) {
    const Address address = socket.local_address();
    all += (all.empty() ? "" : " ") + ("<asyncio.TransportSocket fd=" + std::to_string(socket.fd())) +
           ", family=" + std::to_string(address.family()) + ", type=" + std::to_string(SOCK_STREAM) +
           ", proto=" + std::to_string(address.is_ip() ? int{IPPROTO_TCP} : 0) +
           ", laddr=" + (address.is_ip() || address.path().starts_with('\0') ? address.repr() : address.path()) + ">,";
  }
  if (sockets_.size() > 1) all.pop_back();  // as Python writes a tuple
  return "<Server sockets=(" + all + ")>";
}

}  // namespace asyncio::detail
