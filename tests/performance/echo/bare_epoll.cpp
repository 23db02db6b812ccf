// The limit of all echo servers here: epoll_wait, recv and send, and nothing else. Prints its port.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

int main() {
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
  const auto watch = [epoll](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listening);

  static char data[65536];
  static epoll_event events[1024];
  for (;;) {
    const int ready = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listening) {
        const int on = 1;
        const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(client);
      } else if (const ssize_t received = ::recv(fd, data, sizeof data, 0); received <= 0) {
        ::close(fd);
      } else if (::send(fd, data, static_cast<size_t>(received), MSG_NOSIGNAL) != received) {
        ::close(fd);  // more than the socket takes: not in this test
      }
    }
  }
}
