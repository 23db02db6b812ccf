// Sockets: a core that waits in poll(2), and coroutines that try a system call until it does not block.
// Mirrors: Lib/asyncio/selector_events.py. run(main(), std::make_unique<PollCore>()) is all that changes.
#pragma once
#include <by_hand/sync.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
namespace by_hand {
struct PollCore : Core {
  PollCore() {
    if (::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) < 0) throw std::system_error(errno, std::generic_category());
  }
  ~PollCore() override { ::close(pipe_[0]), ::close(pipe_[1]); }
  void wait(std::optional<TimePoint> deadline) override {  // [step 6.2]
    using std::chrono::milliseconds;                       // rounded up: no timer finds that it is too early
    look_(deadline ? int(std::chrono::ceil<milliseconds>(std::max(Duration(), *deadline - now())).count()) : -1);
  }
  void poll() override { look_(0); }                            // [step 6.1]
  void wake() override { void(::write(pipe_[1], "", 1) + 1); }  // [step 6.6]

  /// What runs in each tick in which the descriptor is ready: POLLIN, to read from; POLLOUT, to write to.
  std::map<std::pair<int, short>, Callback> watched;
  void look_(int milliseconds) {  // [step 6.1]
    std::vector<pollfd> polled{{pipe_[0], POLLIN, 0}};
    for (const auto& [key, callback] : watched) polled.push_back({key.first, key.second, 0});
    ::poll(polled.data(), polled.size(), milliseconds);
    for (char bytes[64]; polled[0].revents && ::read(pipe_[0], bytes, sizeof bytes) > 0;) continue;  // [step 6.6]
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents) Loop::running().call_soon(watched.at({polled[i].fd, polled[i].events}));
    }
  }
  int pipe_[2];  // a byte in it wakes the loop
};

/// The loop must have been made with a PollCore.
inline auto& watched_by(Loop& loop) { return dynamic_cast<PollCore&>(*loop.core).watched; }
inline void add_reader(Loop& loop, int fd, Callback callback) { watched_by(loop)[{fd, POLLIN}] = std::move(callback); }
inline void add_writer(Loop& loop, int fd, Callback callback) { watched_by(loop)[{fd, POLLOUT}] = std::move(callback); }
inline bool remove_reader(Loop& loop, int fd) { return watched_by(loop).erase({fd, POLLIN}); }
inline bool remove_writer(Loop& loop, int fd) { return watched_by(loop).erase({fd, POLLOUT}); }

/// Tries until the call does not block, and waits in between until the descriptor is ready.
template <class Call>
Coro<ssize_t> retry(int fd, short events, Call call) {  // [step 6.3]
  auto& watched = watched_by(Loop::running());
  for (ssize_t result;;) {
    if (result = call(); result >= 0) co_return result;
    if (errno != EAGAIN) throw std::system_error(errno, std::generic_category());
    const Future<> ready(Loop::running());
    watched[{fd, events}] = [ready] { ready.done() ? void() : ready.set_result(); };
    const Finally no_longer{[&] { watched.erase({fd, events}); }};
    co_await ready;
  }
}

/// At least one byte; "" at the end. The sockets must not block (SOCK_NONBLOCK), and stay yours.
inline Coro<std::string> sock_recv(int fd, std::size_t size) {  // [step 6.3]
  std::string data(size, '\0');
  const ssize_t n = co_await retry(fd, POLLIN, [&] { return ::recv(fd, data.data(), size, 0); });
  co_return data.substr(0, n);
}
/// All of it. If the other side does not read, it waits: this is back-pressure.
inline Coro<> sock_sendall(int fd, std::string data) {  // [step 6.4]
  while (!data.empty()) {
    const ssize_t n = co_await retry(fd, POLLOUT, [&] { return ::send(fd, data.data(), data.size(), MSG_NOSIGNAL); });
    data.erase(0, n);
  }
}
inline Coro<int> sock_accept(int fd) {  // [step 6.5]
  co_return co_await retry(fd, POLLIN, [&] { return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK); });
}
}  // namespace by_hand
