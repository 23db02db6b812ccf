// What is behind the handles of a Server. Read next: ../../server.cpp
#pragma once

#include <asyncio/detail/stream_transport.h>
#include <asyncio/detail/unix_socket_file.h>
#include <asyncio/detail/wait_list.h>
#include <asyncio/socket.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace asyncio::detail {

using AnyProtocolFactory = std::function<std::shared_ptr<BaseProtocol>()>;

/// Counted: by the handles, by the watches of the listening sockets, and by each client's transport.
/// Invariants: (1) serving_ implies that the sockets are open and watched (or, out of descriptors, will be in a
/// second). (2) close_waiters_ are woken once, when there are neither sockets nor clients.
class ServerState final : public TransportServer, public Pooled {
 public:
  ServerState(Loop& loop, std::vector<Socket> sockets, AnyProtocolFactory factory, int backlog)
      : anchor_(&loop.anchor()), sockets_(std::move(sockets)), factory_(std::move(factory)), backlog_(backlog) {}

  const std::vector<Socket>& sockets() const noexcept { return sockets_; }
  bool serving() const noexcept { return serving_; }
  bool closed() const noexcept { return closed_; }
  /// This file goes when the server is closed.
  void add_file(UnixSocketFile file) { files_.push_back(std::move(file)); }

  void start_serving();
  void close();
  /// The future that serve_forever() waits for: cancelled by close().
  Future<>& forever() noexcept { return forever_; }
  bool all_gone() const noexcept { return closed_ && clients_.empty(); }
  WaitList& close_waiters() noexcept { return close_waiters_; }
  const std::set<DescriptorTransport*>& clients() const noexcept { return clients_; }

  void attach(DescriptorTransport& transport) override { clients_.insert(&transport); }
  void detach(DescriptorTransport& transport) noexcept override;
  void add_ref() noexcept override { ++refs_; }
  void release() noexcept override {
    if (--refs_ == 0) delete this;
  }

 private:
  void watch(const Socket& socket);
  void accept_from(const Socket& socket);
  void out_of_resources(const Socket& socket, int error);
  void connect_client(Socket socket, const Address& peer);

  Ref<LoopAnchor> anchor_;
  std::vector<Socket> sockets_;
  std::vector<UnixSocketFile> files_;
  AnyProtocolFactory factory_;
  int backlog_;
  std::set<DescriptorTransport*> clients_;
  WaitList close_waiters_;
  Future<> forever_;
  std::uint32_t refs_ = 1;
  bool serving_ = false;
  bool closed_ = false;
};

}  // namespace asyncio::detail
