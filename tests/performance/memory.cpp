// What one thing that is there and does nothing takes of the heap, in bytes: the last lines of `./stages compare`.
#include <asyncio/asyncio.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "performance/measure.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Bytes that operator new has handed out, and the pools may have kept, between begin() and end().
class Meter {
 public:
  void begin() { before_ = measure::heap().bytes; }
  void end(int count) { each_ = double(measure::heap().bytes - before_) / count; }
  double each() const { return each_; }

 private:
  std::int64_t before_ = 0;
  double each_ = 0;
};

/// Runs `body(meter)` in a loop, on a thread of its own: the pools are the thread's, and so it starts with empty ones.
template <class Body>
void bytes_of(benchmark::State& state, Body body) {
  Meter meter;
  for (auto _ : state) std::thread([&] { asyncio::run([&] { return body(meter); }); }).join();
  state.counters["bytes"] = meter.each();
}

#define MEASURE_MEMORY(function) MEASURE(memory, function)->Iterations(1)

constexpr int kMany = 10'000;

void pending_callback(benchmark::State& state) {
  bytes_of(state, [](Meter& meter) -> Coro<> {
    meter.begin();
    for (int i = 0; i < kMany; ++i) Loop::running().call_soon([] {});
    meter.end(kMany);
    co_return;
  });
}
MEASURE_MEMORY(pending_callback);

void timer(benchmark::State& state) {
  bytes_of(state, [](Meter& meter) -> Coro<> {
    meter.begin();
    for (int i = 0; i < kMany; ++i) Loop::running().call_later(1h, [] {});
    co_await sleep(1ms);
    meter.end(kMany);
  });
}
MEASURE_MEMORY(timer);

void future(benchmark::State& state) {
  bytes_of(state, [](Meter& meter) -> Coro<> {
    std::vector<Future<int>> futures;
    futures.reserve(kMany);
    meter.begin();
    for (int i = 0; i < kMany; ++i) futures.push_back(create_future<int>());
    meter.end(kMany);
    co_return;
  });
}
MEASURE_MEMORY(future);

void sleeping_task(benchmark::State& state) {
  bytes_of(state, [](Meter& meter) -> Coro<> {
    const auto sleeper = []() -> Coro<> { co_await sleep(1h); };
    meter.begin();
    for (int i = 0; i < kMany; ++i) create_task(sleeper());
    co_await sleep(1ms);
    meter.end(kMany);
  });
}
MEASURE_MEMORY(sleeping_task);

/// The server's side of a connection through streams, with its task, which waits to read; the client is a bare socket.
void open_connection(benchmark::State& state) {
  bytes_of(state, [](Meter& meter) -> Coro<> {
    const auto handler = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(1); };
    const Server server = co_await start_server(handler, "127.0.0.1", 0);
    const Address address = server.sockets().front().local_address();
    std::vector<Socket> clients(200);
    meter.begin();
    for (Socket& client : clients) {
      client = Socket::stream(AF_INET);
      co_await sock_connect(client, address);
    }
    co_await sleep(20ms);  // until all are accepted, and their tasks have begun to wait
    meter.end(static_cast<int>(clients.size()));
    server.close();
  });
}
MEASURE_MEMORY(open_connection);

}  // namespace
