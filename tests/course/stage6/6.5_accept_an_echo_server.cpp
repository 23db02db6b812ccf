// A listening socket is readable when somebody has connected. With it, an echo server is complete.
#include "sockets.h"

namespace course {
namespace {

Log log;

Coro<int> accepts(int fd) {
  const int connection = co_await by_hand::sock_accept(fd);
  log("accepted");
  co_return connection;
}
Coro<> waits_for_a_client(const Listener& listener) {
  const Task<int> server = create_task(accepts(listener.fd));
  co_await by_hand::sleep(10ms);
  log("connects");
  const int client = listener.connect();
  const int connection = co_await server;
  checked(static_cast<int>(::send(client, "hello", 5, 0)), "send");
  const std::string text = co_await by_hand::sock_recv(connection, 100);
  log(text);
  log((::fcntl(connection, F_GETFL) & O_NONBLOCK) != 0 ? "non-blocking" : "blocking");
  ::close(client);
  ::close(connection);
}
Coro<> two_that_wait(const Listener& listener) {
  const int first = listener.connect(), second = listener.connect();
  const int a = co_await by_hand::sock_accept(listener.fd);
  const int b = co_await by_hand::sock_accept(listener.fd);
  log(a != b ? "two" : "the-same");
  for (const int fd : {first, second, a, b}) ::close(fd);
}
Coro<> is_cancelled(const Listener& listener) {
  const Task<int> server = create_task(accepts(listener.fd));
  co_await by_hand::sleep(5ms);
  server.cancel();
  co_await by_hand::sleep(5ms);
  log(server.cancelled() ? "cancelled" : "not-cancelled");
  const int client = listener.connect();
  const int connection = co_await by_hand::sock_accept(listener.fd);
  log("next");
  ::close(client);
  ::close(connection);
}

Coro<std::string> receives(int fd, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string part = co_await by_hand::sock_recv(fd, 65536);
    if (part.empty()) break;
    all += part;
  }
  co_return all;
}
Coro<> echoes(int connection) {
  for (;;) {
    std::string data = co_await by_hand::sock_recv(connection, 4096);
    if (data.empty()) break;
    co_await by_hand::sock_sendall(connection, std::move(data));
  }
  ::close(connection);
}
Coro<> serves(int listener) {
  for (;;) {
    const int connection = co_await by_hand::sock_accept(listener);
    static_cast<void>(create_task(echoes(connection)));
  }
}
Coro<int> asks(const Listener& listener, int number) {
  const int fd = listener.connect();
  checked(::fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
  int right = 0;
  for (int turn = 0; turn < 10; ++turn) {
    const std::string text = "client " + std::to_string(number) + " turn " + std::to_string(turn);
    co_await by_hand::sock_sendall(fd, text);
    const std::string answer = co_await receives(fd, text.size());
    right += answer == text;
  }
  ::close(fd);
  co_return right;
}
Coro<int> an_echo_server(const Listener& listener) {
  const Task<> server = create_task(serves(listener.fd));
  std::vector<Coro<int>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(asks(listener, i));
  const std::vector<int> right = co_await by_hand::gather(std::move(clients));
  int sum = 0;
  for (const int count : right) sum += count;
  co_return sum;
}

}  // namespace

void step() {
  const Listener listener;
  expecting(
      "sock_accept() to wait for a client, and to return a connection that does not block: "
      "connects accepted hello non-blocking");
  on_poll(waits_for_a_client(listener));
  log.check("connects accepted hello non-blocking");

  expecting("two clients that have connected before to be accepted one after the other, each with its own connection");
  log.clear();
  on_poll(two_that_wait(listener));
  log.check("two");

  expecting("a cancelled sock_accept() to take no client away from the next: cancelled next");
  log.clear();
  on_poll(is_cancelled(listener));
  log.check("cancelled next");

  expecting("an echo server to give five clients, which talk to it at the same time, ten right answers each: 50");
  check_equal(on_poll(an_echo_server(listener)), 50, "it gave ");
}

}  // namespace course
