// Sockets, with the small asyncio.
#include <by_hand/poll.h>

#include <functional>
#include <string>
#include <vector>

#include "by_hand.h"

using namespace by_hand;
using namespace std::chrono_literals;
using measure::Iterations;

namespace {

/// Two sockets that are connected to each other, and do not block.
struct SocketPair {
  SocketPair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) throw std::runtime_error("no socketpair");
  }
  SocketPair(const SocketPair&) = delete;
  ~SocketPair() { ::close(fds[0]), ::close(fds[1]); }
  int fds[2];
};

template <int idle>
void poll_tick(benchmark::State& state) {
  std::deque<SocketPair> sockets(idle);
  Loop loop(std::make_unique<PollCore>());
  for (const SocketPair& pair : sockets) add_reader(loop, pair.fds[0], [] {});
  Iterations more(state);
  std::function<void()> tick = [&] {
    if (!more()) return loop.stop();
    loop.call_soon([&] { tick(); });
  };
  loop.call_soon([&] { tick(); });
  loop.run_forever();
}
MEASURE_BY_HAND("stage6/poll_tick/0", poll_tick<0>);
MEASURE_BY_HAND("stage6/poll_tick/1", poll_tick<1>);
MEASURE_BY_HAND("stage6/poll_tick/64", poll_tick<64>);
MEASURE_BY_HAND("stage6/poll_tick/512", poll_tick<512>);

void add_remove_reader(benchmark::State& state) {
  const SocketPair pair;
  Loop loop(std::make_unique<PollCore>());
  for (auto _ : Iterations(state)) {
    add_reader(loop, pair.fds[0], [] {});
    remove_reader(loop, pair.fds[0]);
  }
}
MEASURE_BY_HAND("stage6/add_remove_reader<PollCore>", add_remove_reader);

Coro<> send_wait_and_add(const SocketPair& pair, long& sum, int job) {
  const std::string number(reinterpret_cast<const char*>(&job), sizeof job);
  co_await sock_sendall(pair.fds[0], number);
  const std::string received = co_await sock_recv(pair.fds[1], sizeof job);
  co_await by_hand::sleep(0s);
  sum += *reinterpret_cast<const int*>(received.data());
}

void run_1000_jobs(benchmark::State& state) {
  const SocketPair pair;
  const auto main = [&]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (auto _ : Iterations(state, 1000)) {
      long sum = 0;
      for (int job = 0; job < 1000; ++job) tasks.push_back(create_task(send_wait_and_add(pair, sum, job)));
      for (const Task<>& task : tasks) co_await task;
      benchmark::DoNotOptimize(sum);
      tasks.clear();
    }
  };
  run(main(), std::make_unique<PollCore>());
}
MEASURE_BY_HAND("stage6/run_1000_jobs", run_1000_jobs);

}  // namespace
