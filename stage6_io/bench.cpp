// The cost of I/O compared with the bare system calls it consists of.
#include <asyncio/asyncio.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "performance/measure.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

using namespace asyncio;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

// ── the bare system calls ───────────────────────────────────────────────────────────────────────────────────────────

/// poll(2) of this many descriptors, none of them ready.
void limit_poll(benchmark::State& state) {
  std::vector<Socket> sockets;
  std::vector<pollfd> polled;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    auto [one, other] = Socket::pair();
    polled.push_back({one.fd(), POLLIN, 0});
    sockets.push_back(std::move(one));
    sockets.push_back(std::move(other));
  }
  for (auto _ : Iterations(state)) benchmark::DoNotOptimize(::poll(polled.data(), polled.size(), 0));
}
MEASURE(stage6, limit_poll)->Arg(2)->Arg(64)->Arg(512);

/// Two sockets that are connected to each other over TCP.
std::pair<Socket, Socket> tcp_pair() {
  Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0));
  Socket client = Socket::stream(AF_INET);
  std::pair<Socket, Address> server;
  asyncio::run([&]() -> Coro<> {
    co_await sock_connect(client, listening.local_address());
    server = co_await sock_accept(listening);
  });
  for (const Socket* socket : {&client, &server.first}) {
    const int on = 1;
    setsockopt(socket->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return std::pair<Socket, Socket>(std::move(client), std::move(server.first));
}

/// 64 bytes there and back: write, wait and read on both sides.
template <class Wait>
void bare_echo_64B(benchmark::State& state, const Socket& one, const Socket& other, Wait wait) {
  char data[64] = {};
  const auto pass = [&](const Socket& from, const Socket& to) {
    benchmark::DoNotOptimize(::write(from.fd(), data, sizeof data));
    wait();
    benchmark::DoNotOptimize(::read(to.fd(), data, sizeof data));
  };
  for (auto _ : Iterations(state)) {
    pass(one, other);
    pass(other, one);
  }
}

void limit_poll_echo_64B(benchmark::State& state) {
  const auto [one, other] = tcp_pair();
  pollfd polled[] = {{one.fd(), POLLIN, 0}, {other.fd(), POLLIN, 0}};
  bare_echo_64B(state, one, other, [&] { ::poll(polled, 2, -1); });
}
MEASURE(stage6, limit_poll_echo_64B);

#ifdef __linux__
void limit_epoll_echo_64B(benchmark::State& state) {
  const auto [one, other] = tcp_pair();
  const Socket epoll(epoll_create1(EPOLL_CLOEXEC));
  for (const Socket* socket : {&one, &other}) {
    epoll_event event{EPOLLIN, {}};
    epoll_ctl(epoll.fd(), EPOLL_CTL_ADD, socket->fd(), &event);
  }
  bare_echo_64B(state, one, other, [&] {
    epoll_event events[8];
    epoll_wait(epoll.fd(), events, 8, -1);
  });
}
MEASURE(stage6, limit_epoll_echo_64B);
#endif

// ── the core ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// One tick of a loop with one ready callback that also watches idle descriptors. Most such ticks do not poll.
void poll_tick(benchmark::State& state) {
  Loop loop(std::make_unique<PollCore>());
  std::vector<Socket> sockets;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    auto [one, other] = Socket::pair();
    add_reader(loop, one.fd(), [] {});
    sockets.push_back(std::move(one));
    sockets.push_back(std::move(other));
  }
  Iterations more(state);
  std::function<void()> tick = [&] {
    if (!more()) return loop.stop();
    loop.call_soon([&] { tick(); });
  };
  loop.call_soon([&] { tick(); });
  loop.run_forever();
}
MEASURE(stage6, poll_tick)->Arg(0)->Arg(1)->Arg(64)->Arg(512);

template <class SomeCore>
void add_remove_reader(benchmark::State& state) {
  Loop loop(std::make_unique<SomeCore>());
  const auto [one, other] = Socket::pair();
  for (auto _ : Iterations(state)) {
    add_reader(loop, one.fd(), [] {});
    remove_reader(loop, one.fd());
  }
}
MEASURE(stage6, add_remove_reader<PollCore>);
#ifdef __linux__
MEASURE(stage6, add_remove_reader<EpollCore>);
#endif

// ── sockets and streams ─────────────────────────────────────────────────────────────────────────────────────────────

/// The limit for the next benchmark: each number is written to one end of a pair of sockets and read from the other.
void limit_1000_jobs(benchmark::State& state) {
  const auto [one, other] = Socket::pair();
  for (auto _ : Iterations(state, 1000)) {
    long sum = 0;
    for (int job = 0; job < 1000; ++job) {
      int number = 0;
      benchmark::DoNotOptimize(::write(one.fd(), &job, sizeof job));
      benchmark::DoNotOptimize(::read(other.fd(), &number, sizeof number));
      sum += number;
    }
    benchmark::DoNotOptimize(sum);
  }
}
MEASURE(stage6, limit_1000_jobs);

Coro<> send_wait_and_add(Socket& one, Socket& other, long& sum, int job) {
  const std::string number(reinterpret_cast<const char*>(&job), sizeof job);
  co_await sock_sendall(one, number);
  const std::string received = co_await sock_recv(other, sizeof job);
  co_await sleep(0s);
  sum += *reinterpret_cast<const int*>(received.data());
}

/// The job of all stages: 1,000 small jobs, each of which waits one tick and then adds its number to a sum. Here the
/// number goes through a pair of sockets first.
void run_1000_jobs(benchmark::State& state) {
  asyncio::run([&]() -> Coro<> {
    auto [one, other] = Socket::pair();
    std::vector<Task<>> tasks;
    for (auto _ : Iterations(state, 1000)) {
      long sum = 0;
      for (int job = 0; job < 1000; ++job) tasks.push_back(create_task(send_wait_and_add(one, other, sum, job)));
      for (const Task<>& task : tasks) co_await task;
      benchmark::DoNotOptimize(sum);
      tasks.clear();
    }
  });
}
MEASURE(stage6, run_1000_jobs);

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) co_return;
    writer.write(data);
    co_await writer.drain();
  }
}

/// One client of an echo server, on the same loop: a round of 64 bytes.
void echo_64B(benchmark::State& state) {
  asyncio::run([&]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    const std::string data(64, 'x');
    for (auto _ : Iterations(state)) {
      writer.write(data);
      const std::string back = co_await reader.readexactly(64);
      benchmark::DoNotOptimize(back.data());
    }
    server.close();
  });
}
MEASURE(stage6, echo_64B);

Coro<> echo_in_place(StreamReader reader, StreamWriter writer) {
  std::vector<char> memory(65536);
  for (;;) {
    const std::size_t size = co_await reader.read_into(memory);
    if (size == 0) co_return;
    writer.write(std::string_view(memory.data(), size));
    co_await writer.drain();
  }
}

/// The same with read_into(), which needs no string.
void echo_64B_read_into(benchmark::State& state) {
  asyncio::run([&]() -> Coro<> {
    Server server = co_await start_server(echo_in_place, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    const std::string data(64, 'x');
    char back[64];
    for (auto _ : Iterations(state)) {
      writer.write(data);
      for (std::size_t received = 0; received < sizeof back;) {
        const std::size_t more = co_await reader.read_into(std::span(back).subspan(received));
        received += more;
      }
      benchmark::DoNotOptimize(back);
    }
    server.close();
  });
}
MEASURE(stage6, echo_64B_read_into);

/// A hundred clients at once; the time of one client's round.
void echo_64B_100_clients(benchmark::State& state) {
  asyncio::run([&]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    Iterations more(state);
    std::vector<Task<>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(create_task([&]() -> Coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
        const std::string data(64, 'x');
        while (more()) {
          writer.write(data);
          const std::string back = co_await reader.readexactly(64);
          benchmark::DoNotOptimize(back.data());
        }
      }));
    }
    for (Task<>& client : clients) co_await client;
    server.close();
  });
}
MEASURE(stage6, echo_64B_100_clients);

}  // namespace
