// Eager tasks start inside create_task(), even in the middle of a race or of a protocol's callback. (CTest also repeats
// this stage's tests with eager_task_factory.)
#include "support/io.h"
#include "support/protocols.h"

#include <asyncio/datagrams.h>
#include <asyncio/detail/staggered.h>
#include <asyncio/pipes.h>
#include <asyncio/task_factory.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

// ── happy eyeballs ──────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Eager, TheFirstAddressThatAnswersWinsAtOnce) {
  for (const bool eager : {false, true}) {
    run_io([eager]() -> Coro<> {
      if (eager) set_task_factory(Loop::running(), eager_task_factory);
      int connections = 0;
      const auto count = [&](StreamReader, StreamWriter) { ++connections; };
      Server server = co_await start_server(count, "0.0.0.0", 0);
      const TimePoint start = Loop::running().time();
      std::vector<Address> both;
      for (const char* host : {"127.0.0.1", "127.0.0.2"}) both.push_back(*Address::numeric(host, server.port()));
      ConnectOptions options;
      options.happy_eyeballs_delay = 10s;
      const Socket winner = co_await detail::connect_to_any(both, options);
      EXPECT_EQ(winner.peer_address(), both[0]);
      EXPECT_LT(Loop::running().time() - start, 5s);
      while (connections == 0) co_await sleep(1ms);
      co_await sleep(20ms);  // for a second one
      EXPECT_EQ(connections, 1);
      server.close();
    });
  }
}

using Attempts = std::vector<std::function<Coro<int>()>>;

Coro<int> after(Duration delay, int value, std::vector<int>& ended) {
  struct AtEnd {
    std::vector<int>& ended;
    int value;
    ~AtEnd() { ended.push_back(value); }
  } const at_end{ended, value};
  if (delay > 0s) co_await sleep(delay);
  if (value < 0) throw std::runtime_error("no");
  co_return value;
}

/// The winner, the number of attempts started, and the time taken.
std::string race(const std::vector<std::pair<Duration, int>>& runners, TimeLimit delay, bool eager) {
  std::vector<int> ended;
  std::string text;
  run(
      [&]() -> Coro<> {
        if (eager) set_task_factory(Loop::running(), eager_task_factory);
        Attempts attempts;
        for (const auto& [time, value] : runners) {
          attempts.emplace_back([&ended, time, value] { return after(time, value, ended); });
        }
        const TimePoint start = Loop::running().time();
        const auto result = co_await detail::staggered_race(std::move(attempts), delay);
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Loop::running().time() - start);
        text = (result.winner ? std::to_string(*result.winner) : "nobody") + " of " +
               std::to_string(result.exceptions.size()) + " after " + std::to_string(took.count());
      },
      make_core());
  return text;
}

// The results of CPython 3.13 and 3.14 without eager tasks. (With them, 3.13's race is wrong: gh-124309.)
TEST(Eager, ARaceGoesTheSameWay) {
  for (const bool eager : {false, true}) {
    SCOPED_TRACE(eager);
    EXPECT_EQ(race({{0s, 1}, {0s, 2}}, 300ms, eager), "1 of 1 after 0");
    EXPECT_EQ(race({{0s, -1}, {0s, 2}}, 300ms, eager), "2 of 2 after 0");
    EXPECT_EQ(race({{0s, -1}, {0s, -2}, {0s, -3}}, 300ms, eager), "nobody of 3 after 0");
    EXPECT_EQ(race({{1s, 1}, {10ms, 2}}, 300ms, eager), "2 of 2 after 310");
    EXPECT_EQ(race({{400ms, 1}, {1s, 2}, {1s, 3}}, 300ms, eager), "1 of 2 after 400");
    EXPECT_EQ(race({{1s, 1}, {1s, -2}, {5ms, 3}}, std::nullopt, eager), "1 of 1 after 1000");
    EXPECT_EQ(race({}, 300ms, eager), "nobody of 0 after 0");
  }
}

// ── bytes that stay valid until the callback returns ────────────────────────────────────────────────────────────────

/// During a callback, reads from another stream that has data, then checks the callback's own data.
struct Nested {
  StreamReader* other = nullptr;
  int peer = -1;
  std::string before, after, taken;
  bool taken_inside = false;

  Coro<> take() { taken = co_await other->read(100); }
  void look(std::string_view data) {
    before = std::string(data);
    EXPECT_EQ(::write(peer, "OTHER-STREAM!", 13), 13);  // another process could write now
    taken.clear();
    create_task(take(), {.eager_start = true});
    taken_inside = !taken.empty();
    after = std::string(data);
  }
};

struct NestedProtocol : Protocol, Nested {
  void data_received(std::string_view data) override { look(data); }
};
struct NestedDatagrams : DatagramProtocol, Nested {
  void datagram_received(std::string_view data, const Address&) override { look(data); }
};

/// The other stream and its peer.
struct Other {
  Socket peer;
  std::optional<StreamReader> reader;
  std::optional<StreamWriter> writer;
};
Coro<Other> make_other() {
  auto [near, far] = Socket::pair();
  auto [reader, writer] = co_await open_connection(std::move(near));
  Other other;
  other.peer = std::move(far);
  other.reader = reader;
  other.writer = writer;
  co_return other;
}

/// A read that fills its memory: the next read asks the kernel at once.
Coro<> prime(Other& other) {
  co_await sock_sendall(other.peer, "four");
  char memory[4];
  const std::size_t size = co_await other.reader->read_into(memory);
  EXPECT_EQ(size, 4u);
}

Coro<> expect_untouched(Nested& nested, std::string data) {
  while (nested.after.size() < data.size()) co_await sleep(100us);
  EXPECT_EQ(nested.before, data);
  EXPECT_EQ(nested.after, data);
  EXPECT_EQ(nested.taken, "OTHER-STREAM!");
  EXPECT_TRUE(nested.taken_inside);
}

TEST(Eager, AReadInsideOfDataReceivedLeavesItsBytesAlone) {
  run_io([]() -> Coro<> {
    Other other = co_await make_other();
    auto [near, far] = Socket::pair();
    auto [transport, protocol] = co_await create_connection(make<NestedProtocol>, std::move(near));
    protocol->other = &*other.reader;
    protocol->peer = other.peer.fd();
    for (const std::string message : {"first-message", "second"}) {
      co_await prime(other);
      protocol->after.clear();
      co_await sock_sendall(far, message);
      co_await expect_untouched(*protocol, message);
    }
    transport->close();
    other.writer->close();
  });
}

TEST(Eager, AReadInsideOfAPipesDataReceivedLeavesItsBytesAlone) {
  run_io([]() -> Coro<> {
    Other other = co_await make_other();
    auto [reading, writing] = FileDescriptor::pipe();
    auto [transport, protocol] = co_await connect_read_pipe(make<NestedProtocol>, std::move(reading));
    protocol->other = &*other.reader;
    protocol->peer = other.peer.fd();
    co_await prime(other);
    EXPECT_EQ(::write(writing.fd(), "first-message", 13), 13);
    co_await expect_untouched(*protocol, "first-message");
    transport->close();
    other.writer->close();
  });
}

TEST(Eager, AReadInsideOfDatagramReceivedLeavesItsBytesAlone) {
  run_io([]() -> Coro<> {
    Other other = co_await make_other();
    DatagramOptions options;
    options.local_addr = loopback(0);
    auto [transport, protocol] = co_await create_datagram_endpoint(make<NestedDatagrams>, options);
    protocol->other = &*other.reader;
    protocol->peer = other.peer.fd();
    co_await prime(other);
    Socket sender = Socket::datagram(AF_INET);
    co_await sock_sendto(sender, "first-message", transport->sockname());
    co_await expect_untouched(*protocol, "first-message");
    transport->close();
    other.writer->close();
  });
}

}  // namespace
}  // namespace asyncio::testing
