// The limit of all TLS servers here: epoll_wait, SSL_read and SSL_write on sockets, and nothing else. Echoes. Prints its port.
#include "performance/tls/certificate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <vector>

namespace {

struct Connection {
  int fd;
  SSL* ssl;
  std::vector<char> unsent;
  std::size_t at = 0;
};

char data[65536];

// False if the connection is over.
bool send(Connection& connection) {
  while (connection.at < connection.unsent.size()) {
    std::size_t written = 0;
    ERR_clear_error();
    const std::size_t size = connection.unsent.size() - connection.at;
    const int result = SSL_write_ex(connection.ssl, connection.unsent.data() + connection.at, size, &written);
    if (result != 1) return SSL_get_error(connection.ssl, result) == SSL_ERROR_WANT_WRITE;
    connection.at += written;
  }
  connection.unsent.clear();
  connection.at = 0;
  return true;
}

bool serve(Connection& connection) {
  ERR_clear_error();
  if (!SSL_is_init_finished(connection.ssl)) {
    const int result = SSL_do_handshake(connection.ssl);
    if (result != 1) return SSL_get_error(connection.ssl, result) == SSL_ERROR_WANT_READ;
  }
  if (!connection.unsent.empty() && !send(connection)) return false;
  while (connection.unsent.empty()) {  // else the peer reads too slowly: wait
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(connection.ssl, data, sizeof data, &got);
    if (result != 1) {
      if (SSL_get_error(connection.ssl, result) == SSL_ERROR_WANT_READ) return true;
      SSL_shutdown(connection.ssl);
      return false;
    }
    std::size_t written = 0;
    const int sent = SSL_write_ex(connection.ssl, data, got, &written);
    if (sent != 1) {
      if (SSL_get_error(connection.ssl, sent) != SSL_ERROR_WANT_WRITE) return false;
      written = 0;
    }
    if (written < got) {
      connection.unsent.assign(data + written, data + got);
      if (!send(connection)) return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  const tls::Identity identity;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  tls::configure(context, identity);
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&address), size) < 0 || ::listen(listening, 1024) < 0) return 1;
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);

  const int epoll = epoll_create1(0);
  const auto watch = [epoll](int fd, void* connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listening, nullptr);
  static epoll_event events[256];
  for (;;) {
    const int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      if (auto* connection = static_cast<Connection*>(events[i].data.ptr)) {
        if (serve(*connection)) continue;
        SSL_free(connection->ssl);
        ::close(connection->fd);
        delete connection;
        continue;
      }
      for (;;) {
        const int on = 1;
        const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) break;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        SSL* ssl = SSL_new(context);
        SSL_set_fd(ssl, client);
        SSL_set_accept_state(ssl);
        watch(client, new Connection{client, ssl, {}, 0});
      }
    }
  }
}
