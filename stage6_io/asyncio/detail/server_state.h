// What is behind the handles of a Server. Read next: ../../server.cpp
#pragma once

#include <asyncio/detail/connection.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>

#include <functional>
#include <set>
#include <vector>

namespace asyncio {

/// What start_server() calls for each client. Empty (no coroutine) if it was a plain function, which has run then.
using ClientCallback = std::function<Coro<>(StreamReader, StreamWriter)>;

namespace detail {

/// Counted: by the handles, by the watches of the listening sockets, by each connection and each client's task.
/// Invariants: (1) serving_ implies that the sockets are open and watched (or, out of descriptors, will be in a second).
/// (2) closed_ waiters are woken once, when there are neither sockets nor clients.
class ServerState final : public ConnectionServer, public Pooled {
 public:
  ServerState(Loop& loop, std::vector<Socket> sockets, ClientCallback callback, std::size_t limit, int backlog)
      : anchor_(&loop.anchor()),
        sockets_(std::move(sockets)),
        callback_(std::move(callback)),
        limit_(limit),
        backlog_(backlog) {}

  const std::vector<Socket>& sockets() const noexcept { return sockets_; }
  bool serving() const noexcept { return serving_; }
  bool closed() const noexcept { return closed_; }

  void start_serving();
  void close();
  /// The future that serve_forever() waits for: cancelled by close().
  Future<>& forever() noexcept { return forever_; }
  bool all_gone() const noexcept { return closed_ && clients_.empty(); }
  WaitList& close_waiters() noexcept { return close_waiters_; }
  const std::set<Connection*>& clients() const noexcept { return clients_; }

  void detach(Connection& connection) noexcept override;
  void add_ref() noexcept override { ++refs_; }
  void release() noexcept override {
    if (--refs_ == 0) delete this;
  }

 private:
  void watch(const Socket& socket);
  void accept_from(const Socket& socket);
  void out_of_resources(const Socket& socket, int error);
  void connect_client(Socket socket, const Address& peer);
  static Coro<> serve_client(Ref<ServerState> self, StreamReader reader, StreamWriter writer);
  static void report(Loop& loop, const StreamWriter& writer, std::exception_ptr error);

  Ref<LoopAnchor> anchor_;
  std::vector<Socket> sockets_;
  ClientCallback callback_;
  std::size_t limit_;
  int backlog_;
  std::set<Connection*> clients_;
  WaitList close_waiters_;
  Future<> forever_;
  std::uint32_t refs_ = 1;
  bool serving_ = false;
  bool closed_ = false;
};

}  // namespace detail
}  // namespace asyncio
