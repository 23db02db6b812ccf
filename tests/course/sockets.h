// For the checks of stage 6: connected sockets that do not block, and a loop in real time that waits in poll(2).
#pragma once

#include <arpa/inet.h>
#include <by_hand/poll.h>
#include <netinet/in.h>

#include <array>
#include <thread>

#include "check.h"

namespace course {

using namespace std::chrono_literals;
using by_hand::CancelledError;
using by_hand::Coro;
using by_hand::create_task;
using by_hand::PollCore;
using by_hand::Task;

inline int checked(int result, const char* call) {
  if (result < 0) fail(std::string("the check itself failed: ") + call + ": " + std::generic_category().message(errno));
  return result;
}

// Two sockets that are connected with each other.
struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    a = ends[0], b = ends[1];
  }
  ~Pair() { close_a(), close_b(); }
  void close_a() { ::close(std::exchange(a, -1)); }
  void close_b() { ::close(std::exchange(b, -1)); }
  void say(const std::string& text) const { checked(static_cast<int>(::send(a, text.data(), text.size(), 0)), "send"); }
  int a, b;
};

// A listening socket on the loopback interface.
struct Listener {
  Listener() : fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), "bind");
    checked(::listen(fd, 10), "listen");
    checked(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  }
  ~Listener() { ::close(fd); }
  // A client, which blocks.
  int connect() const {
    const int client = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    checked(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    return client;
  }
  sockaddr_in address{};
  int fd;
};

template <class T>
T on_poll(Coro<T> coroutine) {
  return by_hand::run(std::move(coroutine), std::make_unique<PollCore>());
}

}  // namespace course
