// The state behind the handles of a Server. Read next: ../../server_state.cpp
#pragma once

#include <asyncio/detail/ref_counted.h>
#include <asyncio/detail/stream_transport.h>
#include <asyncio/detail/unix_socket_file.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/socket.h>
#include <asyncio/tls.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

using AnyProtocolFactory = std::function<std::shared_ptr<BaseProtocol>()>;

/// Counted: the handles, the watches of the listening sockets, and each client's transport hold a reference.
/// Invariants: (1) serving_ implies that the sockets are open and watched; after running out of descriptors they are
/// watched again a second later. (2) close_waiters_ are woken once, when no sockets and no clients are left.
class ServerState final : public TransportServer, public Pooled, public RefCounted<ServerState> {
 public:
  ServerState(Loop& loop, std::vector<Socket> sockets, AnyProtocolFactory factory, int backlog, TlsRequest tls)
      : weak_loop_(&loop.weak_loop()),
        sockets_(std::move(sockets)),
        factory_(std::move(factory)),
        backlog_(backlog),
        tls_(std::move(tls)) {}

  Loop* loop() const noexcept { return weak_loop_->loop(); }  // null once the loop is destroyed
  const std::vector<Socket>& sockets() const noexcept { return sockets_; }
  bool serving() const noexcept { return serving_; }
  bool closed() const noexcept { return closed_; }
  /// close() removes this file.
  void add_file(UnixSocketFile file) { files_.push_back(std::move(file)); }

  std::string repr() const;

  void start_serving();
  void close();
  /// The future that serve_forever() awaits; close() cancels it.
  Future<>& forever() noexcept { return forever_; }
  bool all_gone() const noexcept { return closed_ && clients_.empty(); }
  WaitList& close_waiters() noexcept { return close_waiters_; }
  /// In the order in which they came.
  std::vector<DescriptorTransport*> clients() const;
  bool has_client(DescriptorTransport* transport) const { return clients_.contains(transport); }

  void attach(DescriptorTransport& transport) override { clients_.emplace(&transport, ++clients_so_far_); }
  void detach(DescriptorTransport& transport) noexcept override;
  void add_ref() noexcept override { RefCounted::add_ref(); }
  void release() noexcept override { RefCounted::release(); }

 private:
  void watch(const Socket& socket);
  void accept_from(const Socket& socket);
  void out_of_resources(const Socket& socket, int error);
  void connect_client(Socket socket, const Address& peer);

  Ref<WeakLoop> weak_loop_;
  std::vector<Socket> sockets_;
  std::vector<UnixSocketFile> files_;
  AnyProtocolFactory factory_;
  int backlog_;
  TlsRequest tls_;
  std::map<DescriptorTransport*, std::uint64_t> clients_;  // and the how manieth each is
  std::uint64_t clients_so_far_ = 0;
  WaitList close_waiters_;
  Future<> forever_;
  bool serving_ = false;
  bool closed_ = false;
};

}  // namespace asyncio::detail
