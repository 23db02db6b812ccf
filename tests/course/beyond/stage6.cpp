// What stage 6 has beyond by_hand/poll.h: see beyond.h, and the table in stage6_io/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/poll.h>
namespace lib = by_hand;
#else
#include <asyncio/descriptors.h>
#include <asyncio/poll_core.h>
#include <asyncio/run.h>
#include <asyncio/signals.h>
#include <asyncio/sleep.h>
#include <asyncio/socket.h>
namespace lib = asyncio;
#endif

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lib::Coro;
using lib::Loop;

namespace {

/// Two ends of a connection that do not block.
struct Pair {
  Pair() { ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds); }
  ~Pair() {
    for (const int fd : fds) ::close(fd);
  }
  int fds[2];
};

// by_hand takes descriptors, the real stage sockets, which own theirs.
#ifdef BY_HAND
using Socket = int;
Socket own(int fd) { return fd; }
int fd_of(int socket) { return socket; }
#else
using lib::Socket;
Socket own(int fd) { return Socket(fd); }
int fd_of(const std::pair<Socket, lib::Address>& accepted) { return accepted.first.fd(); }
#endif

int listen_on_loopback(sockaddr_in* address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *address = {};
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof *address;
  ::bind(fd, reinterpret_cast<sockaddr*>(address), size);
  ::listen(fd, 8);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(address), &size);
  return fd;
}

}  // namespace

static Coro<> main_without_a_core(bool* heard) {
  Pair pair;
  lib::add_reader(Loop::running(), pair.fds[0], [heard] { *heard = true; });
  [[maybe_unused]] const auto written = ::write(pair.fds[1], "x", 1);
  co_await lib::sleep(5ms);
  lib::remove_reader(Loop::running(), pair.fds[0]);
}
static bool the_loop_finds_its_core_by_itself() {
  bool heard = false;
  lib::run(main_without_a_core(&heard));
  return heard;
}

static Coro<bool> main_of_cloexec() {
  sockaddr_in address;
  Socket listening = own(listen_on_loopback(&address));
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  auto accepted = co_await lib::sock_accept(listening);
  const bool closed_on_exec = (::fcntl(fd_of(accepted), F_GETFD) & FD_CLOEXEC) != 0;
  ::close(client);
  co_return closed_on_exec;
}
static bool a_child_does_not_inherit_an_accepted_socket() {
  return lib::run(main_of_cloexec(), std::make_unique<lib::PollCore>());
}

static Coro<std::string> main_of_error() {
  Socket socket = own(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  std::string text;
  try {
    co_await lib::sock_recv(socket, 10);  // it is not connected
  } catch (const std::system_error& error) {
    text = error.what();
  }
  co_return text;
}
static bool an_error_names_the_call_that_failed() {
  return lib::run(main_of_error(), std::make_unique<lib::PollCore>()).find("recv") != std::string::npos;
}

static Coro<int> main_of_closed(int* reports) {
  Loop::running().set_exception_handler([reports](Loop&, const auto&) { ++*reports; });
  int ticks = 0;
  int fds[2];
  [[maybe_unused]] const int made = ::pipe2(fds, O_CLOEXEC | O_NONBLOCK);
  lib::add_reader(Loop::running(), fds[0], [&] { ++ticks; });
  co_await lib::sleep(1ms);
  ::close(fds[0]);
  ::close(fds[1]);
  co_await lib::sleep(20ms);
  lib::remove_reader(Loop::running(), fds[0]);
  co_return ticks;
}
static bool a_descriptor_that_was_closed_is_reported_and_forgotten() {
  int reports = 0;
  return lib::run(main_of_closed(&reports), std::make_unique<lib::PollCore>()) <= 1 && reports == 1;
}

static Coro<> main_of_idle() {
  const std::vector<Pair> idle(400);
  for (const Pair& pair : idle) lib::add_reader(Loop::running(), pair.fds[0], [] {});
  for (int tick = 0; tick < 1'000'000; ++tick) co_await lib::sleep(0s);
  for (const Pair& pair : idle) lib::remove_reader(Loop::running(), pair.fds[0]);
}
static bool idle_descriptors_cost_a_busy_loop_nothing() {
  lib::run(main_of_idle(), std::make_unique<lib::PollCore>());
  return true;
}

template <class L>
static void on_signal(L& loop, int signal, bool* heard) {
  if constexpr (requires { add_signal_handler(loop, signal, [] {}); }) {
    add_signal_handler(loop, signal, [heard] { *heard = true; });
  } else {
    std::signal(signal, [](int) {});
  }
}
static Coro<> main_of_signal(bool* heard) {
  on_signal(Loop::running(), SIGUSR1, heard);
  std::raise(SIGUSR1);
  co_await lib::sleep(5ms);
}
static bool a_signal_runs_a_callback() {
  bool heard = false;
  lib::run(main_of_signal(&heard), std::make_unique<lib::PollCore>());
  return heard;
}

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"the_loop_finds_its_core_by_itself", the_loop_finds_its_core_by_itself},
      {"a_child_does_not_inherit_an_accepted_socket", a_child_does_not_inherit_an_accepted_socket},
      {"an_error_names_the_call_that_failed", an_error_names_the_call_that_failed},
      {"a_descriptor_that_was_closed_is_reported_and_forgotten",
       a_descriptor_that_was_closed_is_reported_and_forgotten},
      {"idle_descriptors_cost_a_busy_loop_nothing", idle_descriptors_cost_a_busy_loop_nothing},
      {"a_signal_runs_a_callback", a_signal_runs_a_callback},
  };
  return beyond::run_cases(cases, argc, argv);
}
