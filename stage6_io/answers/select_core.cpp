// Exercise 2: one more backend, on select(2).
#include <asyncio/run.h>
#include <asyncio/selector_core.h>
#include <asyncio/streams.h>
#include <fcntl.h>
#include <sys/select.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <string>
#include <system_error>

using asyncio::Coro;
using asyncio::Readiness;

class SelectCore : public asyncio::SelectorCore {
 public:
  SelectCore() {
    FD_ZERO(&read_);
    FD_ZERO(&write_);
    SelectCore::change_interest(wake_fd(), Readiness::read);
  }

 protected:
  void add_interest(int fd, Readiness ways) override {
    const std::string what = "watching file descriptor " + std::to_string(fd);
    if (fd >= FD_SETSIZE) throw std::system_error(EMFILE, std::generic_category(), what);
    if (fcntl(fd, F_GETFD) == -1) throw std::system_error(errno, std::generic_category(), what);
    change_interest(fd, ways);
  }
  void change_interest(int fd, Readiness ways) override {
    const auto put = [fd](bool in, fd_set& set) { in ? FD_SET(fd, &set) : FD_CLR(fd, &set); };
    put((ways & Readiness::read) != Readiness::none, read_);
    put((ways & Readiness::write) != Readiness::none, write_);
    highest_ = std::max(highest_, fd);
  }
  void remove_interest(int fd) noexcept override {
    if (fd < FD_SETSIZE) change_interest(fd, Readiness::none);
  }

  void select(int timeout_ms, std::vector<Found>& found) override {
    fd_set read = read_, write = write_;  // select() overwrites what it is asked
    timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    if (::select(highest_ + 1, &read, &write, nullptr, timeout_ms < 0 ? nullptr : &timeout) == -1) {
      if (errno == EINTR) return;
      if (errno == EBADF) return find_closed(found);
      throw std::system_error(errno, std::generic_category(), "select");
    }
    for (int fd = 0; fd <= highest_; ++fd) {
      const Readiness ways = (FD_ISSET(fd, &read) ? Readiness::read : Readiness::none) |
                             (FD_ISSET(fd, &write) ? Readiness::write : Readiness::none);
      if (ways != Readiness::none) found.push_back({fd, ways});
    }
  }

 private:
  /// A watched descriptor was closed; select() does not say which.
  void find_closed(std::vector<Found>& found) {
    for (int fd = 0; fd <= highest_; ++fd) {
      const bool watched = FD_ISSET(fd, &read_) || FD_ISSET(fd, &write_);
      if (watched && fcntl(fd, F_GETFD) == -1) found.push_back({fd, Readiness::closed});
    }
  }

  fd_set read_, write_;
  int highest_ = 0;
};

Coro<> echo(asyncio::StreamReader reader, asyncio::StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) co_return;
    writer.write(data);
    co_await writer.drain();
  }
}

Coro<> main_program() {
  const asyncio::Server server = co_await asyncio::start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await asyncio::open_connection("127.0.0.1", server.port());
  writer.write("hello, select()\n");
  const std::string line = co_await reader.readline();
  std::cout << line;

  const std::string much(1'000'000, 'x');  // more than a socket takes at once: writers are watched as well
  writer.write(much);
  const std::string back = co_await reader.readexactly(1'000'000);
  std::cout << "a million bytes and back: " << (back == much ? "equal" : "different") << '\n';
  writer.close();
}

int main() { asyncio::run(main_program(), std::make_unique<SelectCore>()); }
