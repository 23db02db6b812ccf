// The life of a TLS connection: ends from either side, clean or cut off; back-pressure; STARTTLS; protocols.
#include "stage6/ssl/secured.h"
#include "support/protocols.h"

#include <asyncio/create_server.h>
#include <asyncio/sleep.h>
#include <asyncio/timeouts.h>
#include <asyncio/tls.h>
#include <openssl/err.h>

#include <functional>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

TEST(TlsEnd, CloseNotifyMakesACleanEnd) {
  run_io([]() -> Coro<> {
    const auto greet = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write("bye");
      co_return;
    };
    auto [server, reader, writer] = co_await secured(greet);
    const std::string all = co_await reader.read();
    EXPECT_EQ(all, "bye");
    EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

// OpenSSL has one queue of errors for a thread, which other users of it may not empty: with an error in it, "no data yet"
// looks like a failure.
TEST(TlsEnd, AnErrorThatSomebodyElseHasLeftIsNotTheConnections) {
  run_io([]() -> Coro<> {
    const auto fail_in_each_tick = []() -> Coro<> {
      for (;;) {
        ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
        co_await sleep(0s);
      }
    };
    const Task<> fails = create_task(fail_in_each_tick);
    const std::string data = pattern(300'000);
    auto [server, reader, writer] = co_await secured(echo);
    for (int i = 0; i < 3; ++i) {
      writer.write(data);
      ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
      const std::string answer = co_await reader.readexactly(data.size());
      EXPECT_EQ(answer, data);
    }
    writer.close();
    const std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
    co_await writer.wait_closed();
    EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
    server.close();
    co_await server.wait_closed();
    fails.cancel();
    ERR_clear_error();
  });
}

// As in CPython: the data, then the end of the stream. received_close_notify() tells whether it was cut off.
TEST(TlsEnd, AConnectionThatWasCutEndsLikeAStreamAndCanBeToldApart) {
  run_io([]() -> Coro<> {
    const auto cut = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write("half of it");
      ::shutdown(writer.transport()->fileno(), SHUT_WR);
      co_await sleep(1h);
    };
    auto [server, reader, writer] = co_await secured(cut);
    const std::string all = co_await reader.read();
    EXPECT_EQ(all, "half of it");
    EXPECT_FALSE(ssl::get_ssl_object(writer)->received_close_notify());
    co_await writer.wait_closed();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

TEST(TlsEnd, WhatWasWrittenBeforeCloseArrivesAtASlowReader) {
  run_io([]() -> Coro<> {
    constexpr std::size_t kSize = 4 << 20;
    const auto send = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write(pattern(kSize));
      writer.close();
      co_return;
    };
    auto [server, reader, writer] = co_await secured(send);
    std::string all;
    for (;;) {
      const std::string some = co_await reader.read(256 * 1024);
      if (some.empty()) break;
      all += some;
      co_await sleep(20ms);
    }
    EXPECT_EQ(all.size(), kSize);
    EXPECT_TRUE(all == pattern(kSize));
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsEnd, APeerThatNeverSaysGoodbyeIsLeftAfterTheTimeLimit) {
  run_io([]() -> Coro<> {
    std::shared_ptr<Transport> kept;
    const auto hold = [&](StreamReader, StreamWriter writer) -> Coro<> {
      // The peer stops reading, so it never sees our close_notify.
      kept = std::dynamic_pointer_cast<Transport>(writer.transport());
      kept->pause_reading();
      co_await sleep(1h);
    };
    auto [server, reader, writer] = co_await secured(hold, {}, {.ssl_shutdown_timeout = 30ms});
    while (!kept) co_await sleep(1ms);
    writer.close();
    std::string text;
    try {
      co_await writer.wait_closed();
    } catch (const TimeoutError& error) {
      text = error.what();
    }
    EXPECT_EQ(text, "SSL shutdown timed out");
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
    kept.reset();
  });
}

TEST(TlsEnd, AbortSaysNothing) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [transport, protocol] =
        co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port(), ConnectOptions{.ssl = &calling});
    transport->write(pattern(1 << 20));
    transport->abort();
    EXPECT_TRUE(transport->is_closing());
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->error, nullptr);
    transport->write("into the void");
    server.close();
    co_await server.wait_closed();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_server_ssl
// test_events.py: EventLoopTestsMixin.test_create_ssl_connection
TEST(TlsProtocol, HearsTheSameCallbacksAsOnAPlainTransport) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto greet = [] {
      auto protocol = std::make_shared<LogProtocol>();
      protocol->on_made = [p = protocol.get()] { p->transport->write("welcome"); };
      protocol->on_data = [p = protocol.get()] { p->transport->close(); };
      return protocol;
    };
    Server server = co_await create_server(greet, "127.0.0.1", 0, {.ssl = &serving});
    auto [transport, protocol] =
        co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port(), ConnectOptions{.ssl = &calling});
    co_await protocol->until_received(7);
    transport->write("thanks");
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->received, "welcome");
    EXPECT_EQ(protocol->log, (std::vector<std::string>{"connection_made", "eof_received", "connection_lost"}));
    EXPECT_EQ(protocol->error, nullptr);
    EXPECT_EQ(transport->get_protocol(), nullptr);
    EXPECT_EQ(transport->peername().port(), server.port());
    EXPECT_FALSE(transport->can_write_eof());
    EXPECT_THROW(transport->write_eof(), std::logic_error);
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsProtocol, MayReceiveIntoItsOwnMemory) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto send = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write(pattern(100'000));
      co_return;
    };
    Server server = co_await start_server(send, "127.0.0.1", 0, {.ssl = &serving});
    const auto factory = [] { return std::make_shared<BufferProtocol>(1000); };
    auto [transport, protocol] =
        co_await create_connection(factory, "127.0.0.1", server.port(), ConnectOptions{.ssl = &calling});
    while (protocol->lost == 0) co_await sleep(1ms);
    EXPECT_TRUE(protocol->received == pattern(100'000));
    EXPECT_EQ(protocol->eofs, 1);
    server.close();
  });
}

TEST(TlsProtocol, WhatDataReceivedThrowsIsReportedAndEndsTheConnection) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    std::vector<std::string> reports;
    Loop::running().set_exception_handler(
        [&](Loop&, const ErrorContext& context) { reports.push_back(context.message); });
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [transport, protocol] =
        co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port(), ConnectOptions{.ssl = &calling});
    protocol->on_data = [] { throw std::runtime_error("no"); };
    transport->write("x");
    co_await protocol->until_lost();
    EXPECT_EQ(reports, std::vector<std::string>(1, "Fatal error: protocol.data_received() call failed."));
    EXPECT_NE(protocol->error, nullptr);
    server.close();
    co_await server.wait_closed();
  });
}

// ── back-pressure ──

TEST(TlsFlow, ASlowReaderBoundsTheMemoryOfBothSides) {
  run_io([]() -> Coro<> {
    const auto most_unsent = std::make_shared<std::size_t>(0);  // the coroutine may outlive this one by a tick
    const auto flood = [most_unsent](StreamReader, StreamWriter writer) -> Coro<> {
      const std::string data = pattern(64 * 1024);
      try {
        for (int i = 0; i < 1000; ++i) {
          writer.write(data);
          *most_unsent = std::max(*most_unsent, writer.transport()->get_write_buffer_size());
          co_await writer.drain();
        }
      } catch (const std::system_error&) {
      }
    };
    auto [server, reader, writer] = co_await secured(flood);
    co_await sleep(100ms);  // without reading
    EXPECT_LT(*most_unsent, 1u << 20);
    const std::string some = co_await reader.readexactly(1 << 20);
    EXPECT_EQ(some.size(), 1u << 20);
    writer.transport()->abort();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

// ── STARTTLS ──

// test_streams.py: StreamTests.test_start_tls
TEST(StartTls, PlainLinesFirstThenTls) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string line = co_await reader.readline();
      EXPECT_EQ(line, "STARTTLS\n");
      writer.write("go ahead\n");
      co_await writer.start_tls(serving);
      const std::string secret = co_await reader.readline();
      writer.write("you said " + secret);
      co_await writer.drain();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("STARTTLS\n");
    const std::string answer = co_await reader.readline();
    EXPECT_EQ(answer, "go ahead\n");
    EXPECT_EQ(ssl::get_ssl_object(writer), nullptr);
    co_await writer.start_tls(calling, {.server_hostname = "localhost"});
    EXPECT_EQ(ssl::get_ssl_object(writer)->version(), "TLSv1.3");
    writer.write("hush\n");
    const std::string reply = co_await reader.readline();
    EXPECT_EQ(reply, "you said hush\n");
    const std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

// test_streams.py: StreamTests.test_start_tls_buffered_data
// cpython#142352: an impatient client sends its hello together with the line before it.
TEST(StartTls, AHelloThatWasReadAheadIsNotLost) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.readline();
      co_await sleep(20ms);  // the hello arrives in the reader's buffer
      co_await writer.start_tls(serving);
      const std::string secret = co_await reader.readline();
      writer.write(secret);
      co_await writer.drain();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("STARTTLS\n");
    co_await writer.start_tls(calling, {.server_hostname = "localhost"});
    writer.write("hush\n");
    const std::string reply = co_await reader.readline();
    EXPECT_EQ(reply, "hush\n");
    writer.close();
    server.close();
    co_await server.wait_closed();
  });
}

// The end of the stream came before start_tls(), together with the line, and does not come again.
TEST(StartTls, APeerThatHasHungUpBeforeIsNoticedAtOnce) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    std::error_code code;
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.readline();
      while (!reader.at_eof()) co_await sleep(1ms);
      code = co_await error_of(writer.start_tls(serving));
      EXPECT_TRUE(writer.is_closing());
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    {
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
      writer.write("STARTTLS\n");
      writer.close();
    }
    server.close();
    co_await server.wait_closed();
    EXPECT_EQ(code, std::errc::connection_reset);
  });
}

TEST(StartTls, AProtocolGetsANewTransport) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string word = co_await reader.readexactly(5);
      EXPECT_EQ(word, "hello");
      writer.write("ok");
      co_await writer.start_tls(serving);
      const std::string secured = co_await reader.readexactly(3);
      writer.write(secured);
      co_await writer.drain();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port());
    transport->write("hello");
    co_await protocol->until_received(2);
    auto secured = co_await start_tls(transport, protocol, calling, {.server_hostname = "localhost"});
    EXPECT_EQ(protocol->count("connection_made"), 1);
    secured->write("abc");
    co_await protocol->until_received(5);
    EXPECT_EQ(protocol->received, "okabc");
    secured->close();
    co_await protocol->until_lost();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(StartTls, AFailedHandshakeClosesTheConnection) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto refuse = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.read(10);
      writer.write("this is no TLS at all\n");
    };
    Server server = co_await start_server(refuse, "127.0.0.1", 0);
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port());
    bool refused = false;
    try {
      co_await start_tls(transport, protocol, calling, {.server_hostname = "localhost"});
    } catch (const ssl::SSLError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    EXPECT_TRUE(transport->is_closing());
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace
}  // namespace asyncio::testing
