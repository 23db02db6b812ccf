// sock_sendall() sends all of it, and waits while the other side does not read.
#include "sockets.h"

namespace course {
namespace {

Log log;

std::string large() {
  std::string text;
  for (int i = 0; text.size() < 2'000'000; ++i) text += std::to_string(i) + ' ';
  return text;
}
Coro<> sends(int fd, std::string data) {
  co_await by_hand::sock_sendall(fd, std::move(data));
  log("sent");
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
Coro<> short_text(Pair& pair) {
  co_await by_hand::sock_sendall(pair.a, "hello");
  const std::string text = co_await by_hand::sock_recv(pair.b, 100);
  log(text);
}
Coro<> back_pressure(Pair& pair) {
  const std::string data = large();
  const Task<> sender = create_task(sends(pair.a, data));
  co_await by_hand::sleep(10ms);
  if (sender.done()) fail("it returned before anybody had read");
  log("waits");
  const std::string all = co_await receives(pair.b, data.size());
  co_await sender;
  log(all == data                 ? "all-arrived"
      : all.size() == data.size() ? "changed"
                                  : std::to_string(all.size()) + "-of-" + std::to_string(data.size()));
}
Coro<> nobody_there(Pair& pair) {
  pair.close_b();
  try {
    co_await by_hand::sock_sendall(pair.a, "hello");
    log("sent");
  } catch (const std::system_error& error) {
    log(error.code() == std::errc::broken_pipe ? "EPIPE" : error.what());
  }
}
}  // namespace

void step() {
  {
    Pair pair;
    expecting("sock_sendall(\"hello\") to send it");
    on_poll(short_text(pair));
    log.check("hello");

    expecting(
        "sock_sendall() of 2 MB to wait while nobody reads, and all of it to arrive, in order: waits sent all-arrived");
    log.clear();
    on_poll(back_pressure(pair));
    check(log.text() == "waits sent all-arrived", "what happened: " + log.text());

    expecting("sock_sendall() to a socket whose other side is closed to throw the std::system_error EPIPE");
    log.clear();
    on_poll(nobody_there(pair));
    log.check("EPIPE");
  }
}

}  // namespace course
