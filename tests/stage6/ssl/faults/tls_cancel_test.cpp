// Each await of a client and of a server is cancelled in each tick of its life; a server ends in each tick, and so does
// the loop. Afterwards no descriptor, no task and no context is left, and no plain byte was sent.
#include "stage6/faults/tasks_left.h"
#include "stage6/ssl/faults/wire_tap.h"
#include "stage6/ssl/tls_support.h"

#include <asyncio/sleep.h>
#include <asyncio/tls.h>
#include <asyncio/wait_for.h>

#include <functional>
#include <memory>
#include <vector>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

const std::string kData = pattern(100'000);

/// What a scenario and the sweep share. It outlives the loop.
struct Stage {
  SSLContext serving = server_context();
  SSLContext calling = client_context();
  AnyTask victim;                // is cancelled; none: nobody yet
  std::function<void()> strike;  // is called instead, if there is one
  std::string received;
};
using Scenario = Coro<> (*)(Stage& stage);

// ── the client's side ──

Coro<> read_all(Stage& stage, StreamReader reader) {
  while (stage.received.size() < kData.size()) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    stage.received += data;
  }
}

Coro<> write_all(StreamWriter writer) {
  for (std::size_t at = 0; at < kData.size(); at += 30'000) {
    writer.write(std::string_view(kData).substr(at, 30'000));
    co_await writer.drain();
  }
}

Coro<> a_client(Stage& stage) {
  stage.victim = current_task();
  Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &stage.serving});
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &stage.calling});
  auto writing = create_task(write_all(writer));
  co_await read_all(stage, reader);
  co_await writing;
  writer.close();
  co_await writer.wait_closed();
  server.close();
}

Coro<> starts_tls(StreamWriter writer, SSLContext calling) {
  writer.write("STARTTLS\n");
  co_await writer.start_tls(calling, {.server_hostname = "localhost"});
}

Coro<> send_all_over_tls(Stage& stage, StreamReader reader, StreamWriter writer) {
  co_await reader.readline();
  co_await writer.start_tls(stage.serving);
  writer.write(kData);
  co_await writer.drain();
  writer.close();
  co_await writer.wait_closed();
}

Coro<> a_client_that_starts_tls(Stage& stage) {
  stage.victim = current_task();
  const auto handle = [&stage](StreamReader reader, StreamWriter writer) {
    return send_all_over_tls(stage, std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  co_await starts_tls(writer, stage.calling);
  co_await read_all(stage, reader);
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
}

// ── the server's side ──

enum class How { secured, starts_tls };

/// A client that takes what it gets.
Coro<> call(Stage& stage, int port, How how = How::secured) {
  try {
    ConnectOptions options;
    if (how == How::secured) options.ssl = &stage.calling;
    auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
    if (how == How::starts_tls) co_await starts_tls(writer, stage.calling);
    writer.write("hello\n");
    co_await read_all(stage, reader);
    writer.write("enough\n");
    writer.close();
    co_await writer.wait_closed();
  } catch (const std::system_error&) {  // the server has gone
  }
}

/// Reads, drains, reads, and waits for the end.
Coro<> speak(Stage& stage, How how, StreamReader reader, StreamWriter writer) {
  if (!stage.strike && !stage.victim) stage.victim = current_task();
  if (how == How::starts_tls) {
    co_await reader.readline();
    co_await writer.start_tls(stage.serving);
  }
  co_await reader.readline();
  writer.transport()->set_write_buffer_limits({1000, {}});
  co_await write_all(writer);
  co_await reader.readline();
  writer.close();
  co_await writer.wait_closed();
}

Coro<Server> start_speaking(Stage& stage, How how = How::secured) {
  const auto handle = [&stage, how](StreamReader reader, StreamWriter writer) {
    return speak(stage, how, std::move(reader), std::move(writer));
  };
  ServerOptions options;
  if (how == How::secured) options.ssl = &stage.serving;
  Server server = co_await start_server(handle, "127.0.0.1", 0, options);
  co_return server;
}

Coro<> call_and_close(Stage& stage, Server server, How how = How::secured) {
  co_await call(stage, server.port(), how);
  server.close();
  co_await server.wait_closed();
}

Coro<> a_handler(Stage& stage) {
  Server server = co_await start_speaking(stage);
  co_await call_and_close(stage, server);
}

Coro<> a_handler_that_starts_tls(Stage& stage) {
  Server server = co_await start_speaking(stage, How::starts_tls);
  co_await call_and_close(stage, server, How::starts_tls);
}

Coro<> serve_forever(Stage& stage) {
  Server server = co_await start_speaking(stage);
  const int port = server.port();
  auto serving = create_task(server.serve_forever());
  stage.victim = serving;
  co_await call(stage, port);
  serving.cancel();
  try {
    co_await serving;
  } catch (const CancelledError&) {
  }
}

Coro<> wait_closed(Stage& stage) {
  Server server = co_await start_speaking(stage);
  auto calling = create_task(call(stage, server.port()));
  co_await sleep(0s);
  auto waiting = create_task(server.wait_closed());
  stage.victim = waiting;
  co_await calling;
  server.close();
  try {
    co_await waiting;
  } catch (const CancelledError&) {
  }
}

Coro<> close_clients(Stage& stage) {
  Server server = co_await start_speaking(stage);
  stage.strike = [server] {
    server.close();
    server.close_clients();
  };
  co_await call_and_close(stage, server);
}

Coro<> abort_clients(Stage& stage) {
  Server server = co_await start_speaking(stage);
  stage.strike = [server] {
    server.close();
    server.abort_clients();
  };
  co_await call_and_close(stage, server);
}

// ── the sweep ──

enum class End { awaited, of_the_loop };

/// Strikes after so many ticks, or ends the loop. Returns whether the scenario was at its end by then.
bool play(Scenario scenario, int tick, End end) {
  const int before = open_descriptors();
  std::weak_ptr<asyncio::detail::TlsEngine> engines[2];
  bool at_the_end = false;
  {
    Stage stage;
    engines[0] = stage.serving.engine();
    engines[1] = stage.calling.engine();
    Faults faults([](std::string_view) { return Fault(); });
    const WireTap tap(faults);
    run([&]() -> Coro<> {
      Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
      auto all = create_task(scenario(stage));
      for (int i = 0; i < tick && !all.done(); ++i) co_await sleep(0s);
      at_the_end = all.done();
      if (end == End::of_the_loop) {
        all.cancel();
        stage.victim = AnyTask();
        co_return;
      }
      if (stage.strike) {
        stage.strike();
      } else if (stage.victim) {
        stage.victim.cancel();
      }
      try {
        co_await wait_for(all, 60s);
      } catch (const CancelledError&) {  // it was the victim
      } catch (const TimeoutError&) {
        ADD_FAILURE() << "it hangs";
      }
      const std::vector<std::string> left = co_await tasks_left();
      EXPECT_EQ(left, std::vector<std::string>());
      stage.victim = AnyTask();
      stage.strike = nullptr;
    });
    stage.strike = nullptr;
    EXPECT_EQ(tap.fault(), "");
    EXPECT_TRUE(!at_the_end || tap.records() > 10) << tap.records();
    EXPECT_TRUE(kData.starts_with(stage.received)) << stage.received.size();
  }
  EXPECT_EQ(open_descriptors(), before);
  for (const auto& engine : engines) EXPECT_TRUE(engine.expired());
  return at_the_end;
}

struct Case {
  const char* name;
  Scenario scenario;
  friend std::ostream& operator<<(std::ostream& out, const Case& which) { return out << which.name; }
};

class TlsCancel : public ::testing::TestWithParam<Case> {
 protected:
  static void sweep(End end) {
    bool at_the_end = false;
    int tick = 0;
    for (; !at_the_end && tick < 2000; tick += tick < 60 ? 1 : 7) {
      SCOPED_TRACE(::testing::Message() << "tick " << tick);
      at_the_end = play(GetParam().scenario, tick, end);
      if (HasFailure()) return;
    }
    EXPECT_TRUE(at_the_end);
    EXPECT_GT(tick, 10);
  }
};

INSTANTIATE_TEST_SUITE_P(Of, TlsCancel,
                         ::testing::Values(Case{"a_client", a_client},
                                           Case{"a_client_that_starts_tls", a_client_that_starts_tls},
                                           Case{"a_handler", a_handler},
                                           Case{"a_handler_that_starts_tls", a_handler_that_starts_tls},
                                           Case{"serve_forever", serve_forever}, Case{"wait_closed", wait_closed},
                                           Case{"close_clients", close_clients}, Case{"abort_clients", abort_clients}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(TlsCancel, InEachTickLeavesNothing) { sweep(End::awaited); }
TEST_P(TlsCancel, OrTheEndOfTheLoopLeavesNothing) { sweep(End::of_the_loop); }

// The tap would notice a byte that is plain.
TEST(WireTap, NoticesAPlainByte) {
  for (const std::string& said : {std::string("plain"), std::string(WireTap::kStartTls) + "plain"}) {
    Faults faults([](std::string_view) { return Fault(); });
    const WireTap tap(faults);
    run_io([&]() -> Coro<> {
      Server server = co_await start_server(echo, "127.0.0.1", 0);
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
      writer.write(said);
      co_await reader.readexactly(said.size());
      writer.close();
      server.close();
      co_await server.wait_closed();
    });
    EXPECT_EQ(tap.fault().substr(0, 22), "no type of a record: 1") << tap.fault();  // 'p'
  }
}

// A read that is cancelled in any tick takes nothing with it.
TEST(TlsCancelledRead, LosesNothing) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto send = [](StreamReader, StreamWriter writer) -> Coro<> {
      for (std::size_t at = 0; at < kData.size(); at += 500) {
        writer.write(std::string_view(kData).substr(at, 500));
        co_await writer.drain();
        co_await sleep(0s);
      }
    };
    Server server = co_await start_server(send, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    std::string all;
    int cancelled_reads = 0;
    for (int i = 0; all.size() < kData.size(); ++i) {
      auto reading = create_task(reader.readexactly(std::min<std::size_t>(700, kData.size() - all.size())));
      for (int k = 0; k < i % 7 && !reading.done(); ++k) co_await sleep(0s);
      if (i % 2 == 0) reading.cancel();
      try {
        all += co_await std::move(reading);
      } catch (const CancelledError&) {
        ++cancelled_reads;
      }
    }
    EXPECT_TRUE(all == kData);
    EXPECT_GT(cancelled_reads, 0);
    writer.transport()->abort();
    server.close();
  });
}

}  // namespace
}  // namespace asyncio::testing
