// start_server and Server.
#include "support/io.h"
#include "support/protocols.h"

#include <netinet/in.h>
#include <sys/resource.h>

#include <vector>

namespace asyncio::testing {
namespace {

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<std::string> ask(int port, std::string question) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  writer.write(question);
  writer.write_eof();
  const std::string answer = co_await reader.read();
  co_return answer;
}

// test_streams.py: StreamTests.test_start_server
TEST(Server, ServesACoroutineOrAPlainFunction) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    EXPECT_TRUE(server.is_serving());
    EXPECT_EQ(server.sockets().size(), 1u);
    EXPECT_GT(server.port(), 0);
    EXPECT_EQ(co_await ask(server.port(), "hello"), "hello");
    server.close();
    co_await server.wait_closed();
    EXPECT_FALSE(server.is_serving());
    EXPECT_TRUE(server.sockets().empty());
    EXPECT_EQ(server.port(), 0);

    const auto greet = [](StreamReader, StreamWriter writer) {
      writer.write("hi");
      writer.close();
    };
    Server other = co_await start_server(greet, "127.0.0.1", 0);
    EXPECT_EQ(co_await ask(other.port(), ""), "hi");
    other.close();
    co_await other.wait_closed();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_ipv6
TEST(Server, ListensOnIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << kNoIPv6;
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "::1", 0);
    auto [reader, writer] = co_await open_connection("::1", server.port());
    EXPECT_EQ(writer.peername().repr(), "('::1', " + std::to_string(server.port()) + ", 0, 0)");
    writer.write("six");
    EXPECT_EQ(co_await reader.readexactly(3), "six");
    server.close();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_empty_host
TEST(ServerThread, AnEmptyHostIsEveryInterface) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "", 0, {.family = AF_INET});
    EXPECT_EQ(server.sockets().front().local_address().host(), "0.0.0.0");
    EXPECT_EQ(co_await ask(server.port(), "any"), "any");
    server.close();
  });
}

// Over 200 connections at once, with several requests each.
TEST(Server, TwoHundredClientsAtOnce) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    int finished = 0;
    std::vector<Task<>> clients;
    for (unsigned i = 0; i < 200; ++i) {
      clients.push_back(create_task([&finished, i, port = server.port()]() -> Coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        for (unsigned round = 0; round < 5; ++round) {
          const std::string data = pattern(1000 + i, i * 10 + round);
          writer.write(data);
          const std::string back = co_await reader.readexactly(static_cast<std::ptrdiff_t>(data.size()));
          EXPECT_TRUE(back == data);
        }
        ++finished;
        writer.close();
        co_await writer.wait_closed();
      }));
    }
    for (auto& client : clients) co_await client;
    EXPECT_EQ(finished, 200);
    server.close();
    co_await server.wait_closed();
  });
}

// test_events.py: EventLoopTestsMixin.test_server_close
TEST(Server, AfterCloseConnectionsAreRefusedAndOldOnesLiveOn) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    const int port = server.port();
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    writer.write("1");
    EXPECT_EQ(co_await reader.readexactly(1), "1");
    server.close();
    server.close();
    EXPECT_EQ(co_await error_of(open_connection("127.0.0.1", port)), std::errc::connection_refused);
    writer.write("2");
    EXPECT_EQ(co_await reader.readexactly(1), "2");
  });
}

// test_server.py: TestServer2.test_wait_closed_basic
// test_server.py: TestServer2.test_wait_closed_race
TEST(Server, WaitClosedWaitsForTheCloseAndForTheLastConnection) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto waiting = create_task(server.wait_closed());
    co_await ticks(3);
    EXPECT_FALSE(waiting.done());  // not closed
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("x");
    co_await reader.readexactly(1);
    server.close();
    co_await ticks(3);
    EXPECT_FALSE(waiting.done());  // one client remains
    writer.close();
    co_await waiting;
    co_await server.wait_closed();  // at once
  });
}

// test_server.py: TestServer2.test_close_clients
// test_server.py: TestServer2.test_abort_clients
TEST(Server, CloseClientsSendsTheRestAndAbortClientsDoesNot) {
  for (const bool abort : {false, true}) {
    run_io([abort]() -> Coro<> {
      const auto flood = [](StreamReader reader, StreamWriter writer) -> Coro<> {
        writer.write(std::string(8 << 20, 'x'));
        co_await reader.read();
      };
      Server server = co_await start_server(flood, "127.0.0.1", 0);
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.limit = 1000});
      co_await reader.readexactly(1);
      server.close();
      abort ? server.abort_clients() : server.close_clients();
      std::size_t received = 1;
      for (;;) {
        const std::string part = co_await reader.read(1 << 20);
        if (part.empty()) break;
        received += part.size();
      }
      co_await server.wait_closed();
      EXPECT_EQ(received == std::size_t{8 << 20}, !abort);
    });
  }
}

// test_server.py: BaseStartServer.test_start_server_1
TEST(Server, ServesOnlyOnceStartedAndUntilItIsCancelled) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.start_serving = false});
    const int port = server.port();
    EXPECT_FALSE(server.is_serving());
    EXPECT_EQ(co_await error_of(open_connection("127.0.0.1", port)), std::errc::connection_refused);
    co_await server.start_serving();
    co_await server.start_serving();  // harmless
    EXPECT_TRUE(server.is_serving());

    auto serving = create_task(server.serve_forever());
    EXPECT_EQ(co_await ask(port, "x"), "x");
    std::string refused;
    try {
      co_await server.serve_forever();
    } catch (const std::runtime_error& error) {
      refused = error.what();
    }
    EXPECT_EQ(refused, "server " + server.repr() + " is already being awaited on serve_forever()");
    EXPECT_EQ(server.repr(),
              "<Server sockets=(<asyncio.TransportSocket fd=" + std::to_string(server.sockets().front().fd()) +
                  ", family=2, type=1, proto=6, laddr=('127.0.0.1', " + std::to_string(port) + ")>,)>");
    serving.cancel();
    bool cancelled = false;
    try {
      co_await serving;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(server.is_serving());
    try {
      co_await server.serve_forever();
    } catch (const std::runtime_error& error) {
      refused = error.what();
    }
    EXPECT_EQ(refused, "server <Server sockets=()> is closed");
  });
}

// As CPython 3.13 prints it.
TEST(Server, CancelledAgainServeForeverEndsWithTheSecondReason) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("x");
    co_await reader.read(10);  // then idle: the server waits for this client
    auto serving = create_task(server.serve_forever());
    co_await ticks(2);
    std::string reason;
    serving.cancel("a");
    co_await ticks(3);
    EXPECT_FALSE(serving.done());
    serving.cancel("b");
    try {
      co_await serving;
    } catch (const CancelledError& error) {
      reason = error.message();
    }
    EXPECT_EQ(reason, "b");
    writer.close();
  });
}

TEST(Server, SaysWhichSocketsItHas) {
  run_io([]() -> Coro<> {
    std::vector<std::string> hosts;
    for (const char* host : {"127.0.0.1", "127.0.0.2"}) hosts.emplace_back(host);
    Server two = co_await create_server(make<LogProtocol>, hosts, 0);
    const std::string text = two.repr();
    EXPECT_NE(text.find(")>, <asyncio.TransportSocket fd="), text.npos) << text;
    EXPECT_TRUE(text.ends_with(")>)>")) << text;
    two.close();
    const TemporaryFolder folder;
    Server at_path = co_await start_unix_server(echo, folder / "s");
    EXPECT_TRUE(at_path.repr().ends_with(", family=1, type=1, proto=0, laddr=" + (folder / "s") + ">,)>"))
        << at_path.repr();
    at_path.close();
  });
}

TEST(Server, AUnixServerTakesASocketThatIsBound) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    Server server = co_await start_unix_server(echo, Socket::bound(Address::unix_path(folder / "s")));
    auto [reader, writer] = co_await open_unix_connection(folder / "s");
    writer.write("x");
    writer.write_eof();
    EXPECT_EQ(co_await reader.read(10), "x");
    writer.close();
    server.close();
  });
}

TEST(Server, CloseEndsServeForever) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto serving = create_task(server.serve_forever());
    co_await ticks(2);
    server.close();
    co_await ticks(3);
    EXPECT_TRUE(serving.cancelled());
  });
}

// test_streams.py: StreamTests.test_unhandled_exception
TEST(Server, AnExceptionInAHandlerIsReportedAndTheConnectionClosed) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    const auto bad = [](StreamReader, StreamWriter) -> Coro<> {
      co_await sleep(0s);
      throw std::runtime_error("oops");
    };
    Server server = co_await start_server(bad, "127.0.0.1", 0);
    EXPECT_EQ(co_await ask(server.port(), ""), "");
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"Unhandled exception in client_connected_cb"});
    EXPECT_EQ(describe(errors.contexts.at(0).exception), "std::runtime_error: oops");
    EXPECT_NE(errors.contexts.at(0).detail("transport"), "");
    server.close();
    co_await server.wait_closed();
  });
}

// test_streams.py: StreamTests.test_unhandled_cancel
TEST(Server, ACancelledHandlerIsSilent) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    const auto cancelled = [](StreamReader, StreamWriter) -> Coro<> {
      current_task().cancel();
      co_await sleep(1h);
    };
    Server server = co_await start_server(cancelled, "127.0.0.1", 0);
    EXPECT_EQ(co_await ask(server.port(), ""), "");
    EXPECT_TRUE(errors.contexts.empty());
    server.close();
  });
}

TEST(Server, TheHandlerLivesAsLongAsItsCoroutines) {
  run_io([]() -> Coro<> {
    auto alive = std::make_shared<std::string>("captured");
    auto begun = std::make_shared<bool>(false);
    Task<std::string> answer;
    {
      const auto late = [alive, begun](StreamReader reader, StreamWriter writer) -> Coro<> {
        *begun = true;
        co_await reader.readline();
        writer.write(*alive);
        writer.close();
      };
      Server server = co_await start_server(late, "127.0.0.1", 0);
      answer = create_task(ask(server.port(), "question\n"));
      while (!*begun) co_await sleep(1ms);
      server.close();
    }
    EXPECT_EQ(co_await answer, "captured");
  });
}

TEST(Server, ServesOnWhenNoHandleIsKept) {
  run_io([]() -> Coro<> {
    int port = 0;
    {
      const Server server = co_await start_server(echo, "127.0.0.1", 0);
      port = server.port();
    }
    EXPECT_EQ(co_await ask(port, "still"), "still");
  });
}

TEST(Server, BadArgumentsThrow) {
  run_io([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    try {
      co_await start_server(echo, "127.0.0.1", server.port());
      ADD_FAILURE() << "the port is in use";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::address_in_use);
      const std::string begin = "error while attempting to bind on address ('127.0.0.1', ";
      EXPECT_EQ(std::string(error.what()).rfind(begin, 0), 0u) << error.what();
    }
    const auto not_ours = co_await error_of(start_server(echo, "192.0.2.1", 0));
    EXPECT_EQ(not_ours, std::errc::address_not_available);
    int thrown = 0;
    try {
      co_await start_server(echo, "127.0.0.1", 65536);
    } catch (const std::invalid_argument&) {
      ++thrown;
    }
    try {
      co_await start_server(echo, "127.0.0.1", 0, {.limit = 0});
    } catch (const std::invalid_argument&) {
      ++thrown;
    }
    try {
      co_await start_server(static_cast<Coro<> (*)(StreamReader, StreamWriter)>(nullptr), "127.0.0.1", 0);
    } catch (const std::invalid_argument&) {
      ++thrown;
    }
    EXPECT_EQ(thrown, 3);
    server.close();
  });
}

// Out of descriptors: the server reports it, waits for a second, and continues.
// test_base_events.py: BaseEventLoopWithSelectorTests.test_accept_connection_exception
TEST(Server, OutOfDescriptorsItReportsAndTriesAgain) {
  if (kSanitizerNeedsDescriptors) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  run_io([&before]() -> Coro<> {
    ErrorLog errors(Loop::running());
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("in");
    co_await reader.readexactly(2);
    Socket client = Socket::stream(AF_INET);
    const rlimit none{static_cast<rlim_t>(client.fd() + 1), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    const TimePoint start = Clock::now();
    co_await sock_connect(client, *Address::numeric("127.0.0.1", server.port()));
    while (errors.contexts.empty()) co_await sleep(1ms);
    co_await sleep(10ms);  // for a second report
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"socket.accept() out of system resource"});

    co_await sock_sendall(client, "late");
    EXPECT_EQ(co_await sock_recv(client, 10), "late");
    EXPECT_GE(Clock::now() - start, 1s);
    server.close();
  });
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Server, TheLoopMayBeClosedWithClientsConnected) {
  const int before = open_descriptors();
  {
    Loop loop;
    ErrorLog errors(loop);
    auto main = create_task(
        []() -> Coro<> {
          Server server = co_await start_server(echo, "127.0.0.1", 0);
          auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
          auto waiting = create_task(server.wait_closed());
          writer.write("x");
          co_await reader.readexactly(1);
          Loop::running().stop();
          co_await sleep(1h);
        },
        {.loop = &loop});
    loop.run_forever();
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 3u);
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace asyncio::testing
