// Streams on the small asyncio, as few as the demo needs. The real ones keep what does not fit into the socket, wait
// for slow readers, limit lines, and survive every end of a connection: see 5_streams/.
#pragma once

#include <by_hand/poll.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace by_hand {

/// A socket that does not block; the last of reader and writer closes it.
struct Connection {
  explicit Connection(int fd) : fd(fd) {
    if (fd < 0) throw std::system_error(errno, std::generic_category());
  }
  Connection(const Connection&) = delete;
  ~Connection() { ::close(fd); }
  int fd;
  std::string received;  // and not read yet
};

class StreamReader {
 public:
  explicit StreamReader(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  Coro<std::string> readline() {
    std::size_t end = std::string::npos;
    for (bool more = true; more && end == std::string::npos;) {
      end = connection_->received.find('\n');
      if (end == std::string::npos) more = co_await receive();
    }
    co_return take(end == std::string::npos ? end : end + 1);
  }
  Coro<std::string> readexactly(std::ptrdiff_t size) {
    for (bool more = true; more && std::ssize(connection_->received) < size;) more = co_await receive();
    if (std::ssize(connection_->received) < size) throw std::runtime_error("the connection ended in between");
    co_return take(size);
  }
  Coro<std::string> read() {
    for (bool more = true; more;) more = co_await receive();
    co_return take(std::string::npos);
  }

 private:
  Coro<bool> receive() {
    const std::string data = co_await sock_recv(connection_->fd, 65536);
    connection_->received += data;
    co_return !data.empty();
  }
  std::string take(std::size_t size) {
    const std::string data = connection_->received.substr(0, size);
    connection_->received.erase(0, size);
    return data;
  }
  std::shared_ptr<Connection> connection_;
};

class StreamWriter {
 public:
  explicit StreamWriter(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  void write(const std::string& data) {
    if (::send(connection_->fd, data.data(), data.size(), MSG_NOSIGNAL) != std::ssize(data)) {
      throw std::runtime_error("these streams send little pieces only");
    }
  }
  Coro<> drain() { co_return; }
  void write_eof() { ::shutdown(connection_->fd, SHUT_WR); }
  void close() { connection_.reset(); }

  struct Address {
    std::string host() const { return "127.0.0.1"; }
  };
  Address peername() const { return {}; }

 private:
  std::shared_ptr<Connection> connection_;
};

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

inline std::shared_ptr<Connection> make_socket() {
  return std::make_shared<Connection>(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// To this machine only.
inline Coro<std::pair<StreamReader, StreamWriter>> open_connection(std::string host, int port) {
  in_addr numeric{};
  if (host != "localhost" && (inet_aton(host.c_str(), &numeric) == 0 || ntohl(numeric.s_addr) != INADDR_LOOPBACK)) {
    throw std::runtime_error("by hand, 127.0.0.1 is the only host");
  }
  const auto connection = make_socket();
  const sockaddr_in address = loopback(port);
  const auto connect = [&]() -> ssize_t {
    if (::connect(connection->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
    if (errno == EISCONN) return 0;
    if (errno == EINPROGRESS || errno == EALREADY) errno = EAGAIN;
    return -1;
  };
  co_await retry(connection->fd, POLLOUT, connect);
  std::pair<StreamReader, StreamWriter> streams{StreamReader(connection), StreamWriter(connection)};
  co_return streams;
}

/// Accepts connections; each is a task of the handler's.
class Server {
 public:
  using Handler = std::function<Coro<>(StreamReader, StreamWriter)>;
  Server(Loop& loop, int port, Handler handler) : loop_(&loop), listening_(make_socket()) {
    sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    const int fd = listening_->fd;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) < 0 || ::listen(fd, 100) < 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
      throw std::system_error(errno, std::generic_category());
    }
    port_ = ntohs(address.sin_port);
    add_reader(loop, fd, [fd, handler] {
      const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted < 0) return;  // somebody was faster, or has gone
      const auto connection = std::make_shared<Connection>(accepted);
      create_task(handler(StreamReader(connection), StreamWriter(connection)));
    });
  }
  int port() const { return port_; }
  void close() {
    if (listening_) remove_reader(*loop_, listening_->fd);
    listening_.reset();
  }
  Coro<> wait_closed() { co_return; }
  Coro<> serve_forever() { co_await Future<>(Loop::running()); }

 private:
  Loop* loop_;
  std::shared_ptr<Connection> listening_;
  int port_ = 0;
};

inline Coro<Server> start_server(Server::Handler handler, std::string, int port) {
  co_return Server(Loop::running(), port, std::move(handler));
}

}  // namespace by_hand
