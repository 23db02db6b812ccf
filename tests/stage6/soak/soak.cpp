// Soak: opens, uses, resets and closes a thousand connections in random order; the argument is the time in seconds
// (default: 3). Then 10,000 at once on an EpollCore, or as many as the descriptor limit allows. Checks the data in both
// directions, and that no descriptor and no task is left.
#include <asyncio/asyncio.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

int failures = 0;

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  ++failures;
}

int open_descriptors() {
  int count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  if (!directory) return 0;
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

/// True if all other tasks have ended.
Coro<> check_that_no_task_is_left() {
  for (int tick = 0; tick < 20; ++tick) co_await sleep(0s);
  int left = 0;
  for (const AnyTask& task : all_tasks()) left += !task.done();
  check(left == 1, "a task is left");
}

Coro<> echo(StreamReader reader, StreamWriter writer) {
  try {
    for (;;) {
      const std::string data = co_await reader.read(4096);
      if (data.empty()) break;
      writer.write(data);
      co_await writer.drain();
    }
  } catch (const std::system_error&) {  // reset by the client on purpose
  }
  writer.close();
}

struct Counts {
  long opened = 0, rounds = 0, reset = 0, closed = 0, dropped = 0;
};

/// Connects again and again: a random number of rounds, then one of three ends.
Coro<> client(Address server, unsigned seed, const bool& more, Counts& counts) {
  std::mt19937 random(seed);
  while (more) {
    Socket socket = Socket::stream(AF_INET);
    co_await sock_connect(socket, server);
    ++counts.opened;
    for (unsigned round = random() % 6; round > 0 && more; --round) {
      std::string message(1 + random() % 9'000, '\0');
      for (char& c : message) c = static_cast<char>(random());
      auto sending = create_task(sock_sendall(socket, message));
      std::string back;
      while (back.size() < message.size()) {
        const std::string part = co_await sock_recv(socket, 65536);
        if (part.empty()) break;
        back += part;
      }
      co_await sending;
      check(back == message, "the echo differs from what was sent");
      ++counts.rounds;
      if (random() % 4 == 0) co_await sleep(std::chrono::microseconds(random() % 3'000));
    }
    switch (random() % 3) {
      case 0: {  // reset
        const linger reset{1, 0};
        ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        ++counts.reset;
        break;
      }
      case 1: {  // close after reading the rest
        socket.shutdown_write();
        const std::string rest = co_await sock_recv(socket, 100);
        check(rest.empty(), "more came back than was sent");
        ++counts.closed;
        break;
      }
      default: {  // hang up in the middle of a message
        co_await sock_sendto(socket, "and another thing", Address());
        ++counts.dropped;
      }
    }
  }
}

Coro<> random_life(std::chrono::seconds time, int clients) {
  // All connect in one tick. With a shorter queue, most would be refused and retry after a second.
  Server server = co_await start_server(echo, "127.0.0.1", 0, {.backlog = clients});
  const Address address = *Address::numeric("127.0.0.1", server.port());
  bool more = true;
  Counts counts;
  std::vector<Task<>> tasks;
  for (int i = 0; i < clients; ++i)
    tasks.push_back(create_task(client(address, static_cast<unsigned>(i), more, counts)));
  co_await sleep(time);
  while (counts.opened < 2 * clients) co_await sleep(100ms);  // on a busy machine
  more = false;
  for (Task<>& task : tasks) {
    try {
      co_await task;
    } catch (const std::exception& error) {
      check(false, error.what());
    }
  }
  server.close();
  co_await wait_for(server.wait_closed(), 60s);
  co_await check_that_no_task_is_left();
  std::printf("%d clients, %ld connections, %ld rounds: %ld reset, %ld closed, %ld dropped\n", clients, counts.opened,
              counts.rounds, counts.reset, counts.closed, counts.dropped);
}

/// Opens `count` connections at once, then uses each, in random order.
Coro<> use_all_at_once(Address server, std::size_t count) {
  std::vector<Socket> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(Socket::stream(AF_INET));
    co_await sock_connect(sockets.back(), server);
    if (i % 100 == 0) co_await sleep(0s);
  }
  std::mt19937 random(1);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  std::size_t answered = 0;
  for (std::size_t i = 0; i < count; i += 100) {
    const std::size_t end = std::min(count, i + 100);
    for (std::size_t n = i; n < end; ++n) co_await sock_sendall(sockets[order[n]], std::to_string(order[n]));
    for (std::size_t n = i; n < end; ++n) {
      const std::string back = co_await sock_recv(sockets[order[n]], 100);
      answered += back == std::to_string(order[n]);
    }
  }
  check(answered == count, "not every connection answered");
}

/// Their server. The clients run in another process; otherwise each connection would take two of our descriptors.
Coro<> all_at_once(std::string program, std::size_t count) {
  std::size_t open = 0, most_open = 0;
  const auto counted = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    most_open = std::max(most_open, ++open);
    co_await echo(reader, writer);
    --open;
  };
  Server server = co_await start_server(counted, "127.0.0.1", 0, {.backlog = 1000});
  const std::string port = std::to_string(server.port());
  const Process clients = co_await create_subprocess_exec(program, "clients", port, std::to_string(count));
  const int returncode = co_await clients.wait();
  check(returncode == 0, "the clients failed");
  server.close();
  co_await wait_for(server.wait_closed(), 60s);
  co_await check_that_no_task_is_left();
  std::printf("%zu connections at once\n", most_open);
  check(most_open == count, "they were not all there at once");
}

template <class F>
void watched(const char* what, F main, std::unique_ptr<Core> (*make_core)()) {
  const int before = open_descriptors();
  try {
    asyncio::run(std::move(main), make_core());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.what());
    check(false, what);
  }
  const int after = open_descriptors();
  if (after != before) std::fprintf(stderr, "%s: %d descriptors before, %d after\n", what, before, after);
  check(after == before, "a descriptor is left");
}

std::unique_ptr<Core> own_core() { return nullptr; }
std::unique_ptr<Core> poll_core() { return std::make_unique<PollCore>(); }
std::unique_ptr<Core> epoll_core() { return std::make_unique<EpollCore>(); }

/// The number of connections that our descriptor limit allows.
std::size_t raise_descriptor_limit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur) - 50;  // minus those for other uses
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t most = raise_descriptor_limit();
  if (argc == 4) {  // clients PORT COUNT
    const Address server = *Address::numeric("127.0.0.1", std::atoi(argv[2]));
    const auto clients = [&]() -> Coro<> { co_await use_all_at_once(server, std::strtoul(argv[3], nullptr, 10)); };
    watched("clients", clients, epoll_core);
    return failures == 0 ? 0 : 1;
  }
  const std::chrono::seconds time(argc > 1 ? std::atoi(argv[1]) : 3);
  const int clients = static_cast<int>(std::min<std::size_t>(1'000, most / 4));
  const auto third = [&]() -> Coro<> { co_await random_life(time / 3 + 1s, clients); };
  watched("random life on the loop's own core", third, own_core);
  watched("random life on PollCore", third, poll_core);
  watched("random life on EpollCore", third, epoll_core);
  const auto all = [&]() -> Coro<> { co_await all_at_once(argv[0], std::min<std::size_t>(10'000, most)); };
  watched("all at once", all, epoll_core);
  return failures == 0 ? 0 : 1;
}
