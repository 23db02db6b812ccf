// Our side beside a peer that is bare OpenSSL: ends of all kinds, renegotiation, STARTTLS, TLS inside TLS.
#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/tls_support.h"
#include "support/protocols.h"

#include <asyncio/create_server.h>
#include <asyncio/event.h>
#include <asyncio/gather.h>
#include <asyncio/stream_protocol.h>
#include <asyncio/tls.h>
#include <asyncio/wait_for.h>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

Coro<std::pair<Socket, int>> listen() {
  Socket listening = Socket::listening(loopback(0));
  const int port = listening.local_address().port();
  co_return std::pair(std::move(listening), port);
}
Coro<BarePeer> accept(Socket& listening, int version = TLS1_3_VERSION) {
  auto [socket, address] = co_await sock_accept(listening);
  BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost(), version);
  co_await peer.handshake();
  co_return peer;
}

/// Our client, as streams, and the bare server that it is connected to.
struct Both {
  StreamReader reader;
  StreamWriter writer;
  BarePeer peer;
};
Coro<Both> both_ends(const SSLContext& calling, int version = TLS1_3_VERSION) {
  auto [listening, port] = co_await listen();
  auto accepting = create_task(accept(listening, version));
  auto [reader, writer] = co_await open_connection("127.0.0.1", port, {.ssl = &calling});
  BarePeer peer = co_await std::move(accepting);
  Both both{std::move(reader), std::move(writer), std::move(peer)};
  co_return both;
}

// ── ends ──

// test_ssl.py: TestSSL.test_shutdown_cleanly
TEST(TlsPeer, AnEndThatThePeerAnnouncesIsAnsweredAndClean) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [reader, writer, peer] = co_await both_ends(calling);
    writer.write(pattern(1 << 20));
    std::size_t size = 0;
    while (size < 1 << 20) size += (co_await peer.read()).size();
    co_await peer.write("OK");
    co_await peer.shutdown();
    const std::string all = co_await reader.read();
    EXPECT_EQ(all, "OK");
    EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
    const std::string rest = co_await peer.read();
    EXPECT_EQ(rest, "");
    EXPECT_TRUE(peer.received_close_notify());
    writer.close();
    co_await writer.wait_closed();
  });
}

// The peer ends its half, and still gets all that was written: with close_notify, and with a bare end of the stream.
// test_ssl.py: TestSSL.test_remote_shutdown_receives_trailing_data
TEST(TlsPeer, APeerThatEndsItsHalfStillGetsWhatWasWritten) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    for (const bool announced : {true, false}) {
      auto [reader, writer, peer] = co_await both_ends(calling);
      const std::string data = pattern(6 << 20);  // more than the socket's buffers hold
      writer.write(data);
      EXPECT_GT(writer.transport()->get_write_buffer_size(), 0u);
      if (announced) {
        co_await peer.shutdown();
      } else {
        peer.socket().shutdown_write();
      }
      const std::string end = co_await reader.read();
      EXPECT_EQ(end, "");
      EXPECT_EQ(ssl::get_ssl_object(writer)->received_close_notify(), announced);
      const std::string all = co_await peer.read_all();
      EXPECT_TRUE(all == data) << announced << ": " << all.size();
      peer.socket().close();
      co_await error_of(writer.wait_closed());
    }
  });
}

// test_ssl.py: TestSSL.test_shutdown_timeout_handler_not_set
TEST(TlsPeer, DataThatWaitedWhileReadingWasPausedComesBeforeTheEnd) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [listening, port] = co_await listen();
    auto accepting = create_task(accept(listening));
    auto [transport, protocol] =
        co_await create_connection(make<LogProtocol>, "127.0.0.1", port, ConnectOptions{.ssl = &calling});
    BarePeer peer = co_await std::move(accepting);
    protocol->on_data = [p = protocol.get()] {
      if (p->received == "hello") p->transport->pause_reading();
    };
    co_await peer.write("hello");
    co_await protocol->until_received(5);
    co_await peer.write("extra bytes");
    peer.socket().shutdown_write();
    co_await sleep(20ms);
    EXPECT_EQ(protocol->received, "hello");
    EXPECT_EQ(protocol->count("eof_received"), 0);
    transport->resume_reading();
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->received, "helloextra bytes");
    EXPECT_EQ(protocol->log, (std::vector<std::string>{"connection_made", "eof_received", "connection_lost"}));
    EXPECT_EQ(protocol->error, nullptr);
  });
}

TEST(TlsPeer, AResetIsAnError) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [reader, writer, peer] = co_await both_ends(calling);
    const linger now = {1, 0};
    ::setsockopt(peer.socket().fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer.socket().close();
    EXPECT_EQ(co_await error_of(reader.read()), std::errc::connection_reset);
    EXPECT_EQ(co_await error_of(writer.wait_closed()), std::errc::connection_reset);
  });
}

// test_ssl.py: TestSSL.test_start_tls_client_corrupted_ssl
// test_sslproto.py: BaseStartTLS.test_start_tls_client_corrupted_ssl
TEST(TlsPeer, GarbageInTheMiddleIsAnErrorAfterTheDataBeforeIt) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [reader, writer, peer] = co_await both_ends(calling);
    peer.encrypt("A\n");
    co_await sock_sendall(peer.socket(), peer.take_outgoing() + "please corrupt the SSL connection");
    const std::string line = co_await reader.readline();
    EXPECT_EQ(line, "A\n");
    const std::string what = co_await thrown_by<ssl::SSLError>(reader.readline());
    EXPECT_NE(what.find("[SSL: "), std::string::npos) << what;
    EXPECT_FALSE(ssl::get_ssl_object(writer)->received_close_notify());
    co_await thrown_by<ssl::SSLError>(writer.wait_closed());
  });
}

TEST(TlsPeer, GarbageAfterTheEndIsIgnoredOrEndsTheConnection) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [reader, writer, peer] = co_await both_ends(calling);
    peer.encrypt("all");
    SSL_shutdown(peer.ssl());
    co_await sock_sendall(peer.socket(), peer.take_outgoing() + pattern(1000));
    const std::string all = co_await reader.read();
    EXPECT_EQ(all, "all");
    EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
    co_await wait_for(writer.wait_closed(), 10s);
  });
}

// A flipped bit anywhere in the stream: the data before it, then an error; never wrong data.
TEST(TlsPeer, AChangedByteIsNoticedWhereverItIs) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    for (std::size_t at = 0; at < 60; ++at) {
      auto [reader, writer, peer] = co_await both_ends(calling);
      peer.encrypt("good\n");
      std::string bytes = peer.take_outgoing();
      peer.encrypt("this is changed\n");
      std::string changed = peer.take_outgoing();
      if (at >= changed.size()) break;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      co_await sock_sendall(peer.socket(), bytes + changed);
      peer.socket().shutdown_write();  // a longer record would never end
      std::string all;
      bool failed = false;
      try {
        for (;;) {
          const std::string some = co_await reader.read(100);
          if (some.empty()) break;
          all += some;
        }
      } catch (const ssl::SSLError&) {
        failed = true;
      }
      EXPECT_EQ(all, "good\n") << at;
      EXPECT_TRUE(failed || !ssl::get_ssl_object(writer)->received_close_notify()) << at;
      writer.transport()->abort();
    }
  });
}

// The peer vanishes after each number of bytes that it would have sent, from the hello to close_notify.
TEST(TlsPeer, MayVanishAfterEachByte) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [listening, port] = co_await listen();
    int before = 0;
    bool all_of_it = false;
    for (std::size_t most = 0; !all_of_it; most += most < 10 ? 1 : 37) {
      const auto serve = [&]() -> Coro<bool> {  // true if all of it was sent
        auto [socket, address] = co_await sock_accept(listening);
        BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
        std::size_t sent = 0;
        bool asked_to_end = false;
        for (;;) {
          if (!SSL_is_init_finished(peer.ssl())) SSL_do_handshake(peer.ssl());
          if (SSL_is_init_finished(peer.ssl()) && !asked_to_end) {
            asked_to_end = true;
            peer.encrypt("goodbye");
            SSL_shutdown(peer.ssl());
          }
          const std::string bytes = peer.take_outgoing();
          const std::size_t size = std::min(bytes.size(), most - sent);
          co_await sock_sendall(peer.socket(), bytes.substr(0, size));
          sent += size;
          if (size < bytes.size()) co_return false;
          if (asked_to_end) co_return true;
          co_await peer.receive();
        }
      };
      if (most == 2) before = open_descriptors();  // with what the loop itself has opened by then
      auto serving = create_task(serve());
      std::string got;
      bool clean = false;
      try {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port, {.ssl = &calling});
        const auto object = ssl::get_ssl_object(writer);
        got = co_await reader.read();
        clean = object->received_close_notify();
        co_await writer.wait_closed();
      } catch (const std::system_error&) {
      }
      all_of_it = co_await serving;
      EXPECT_EQ(clean, all_of_it) << most;
      EXPECT_TRUE(got == "goodbye" || (got.empty() && !all_of_it)) << most << ": " << got;
    }
    while (open_descriptors() > before) co_await sleep(1ms);
  });
}

// ── renegotiation ──

// TLS 1.2 lets a peer ask for a new handshake at any time. It is told no, and the connection goes on.
TEST(TlsPeer, RenegotiationIsRefused) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    BarePeer peer = co_await BarePeer::connect(server.port(), TLS1_2_VERSION);
    co_await peer.handshake();
    co_await peer.write("before");
    const std::string before = co_await peer.read();
    EXPECT_EQ(before, "before");
    EXPECT_EQ(SSL_renegotiate(peer.ssl()), 1);
    const std::string what = co_await thrown_by<std::runtime_error>(peer.handshake());
    EXPECT_NE(what.find("no renegotiation"), std::string::npos) << what;
    peer.socket().close();

    // A server that asks our client.
    const SSLContext calling = client_context();
    auto [reader, writer, asking] = co_await both_ends(calling, TLS1_2_VERSION);
    EXPECT_EQ(SSL_renegotiate(asking.ssl()), 1);
    SSL_do_handshake(asking.ssl());  // makes a HelloRequest
    co_await asking.send_outgoing();
    co_await asking.write("goes on");
    const std::string on = co_await reader.readexactly(7);
    EXPECT_EQ(on, "goes on");
    writer.transport()->abort();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

// ── accepted sockets, failures of the handshake ──

// test_events.py: EventLoopTestsMixin.test_ssl_connect_accepted_socket
// test_ssl.py: TestSSL.test_ssl_connect_accepted_socket
// test_ssl.py: TestSSL.test_connect_accepted_socket
TEST(TlsPeer, AnAcceptedSocketIsSecured) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    auto [listening, port] = co_await listen();
    const auto call = [port = port]() -> Coro<std::string> {
      BarePeer peer = co_await BarePeer::connect(port);
      co_await peer.handshake();
      co_await peer.write("test data");
      std::string answer = co_await peer.read_all();
      co_await peer.shutdown();
      co_return answer;
    };
    auto calling = create_task(call());
    auto [accepted, address] = co_await sock_accept(listening);
    AcceptOptions options;
    options.ssl = &serving;
    options.ssl_handshake_timeout = 10s;
    auto [transport, protocol] = co_await connect_accepted_socket(make<LogProtocol>, std::move(accepted), options);
    EXPECT_NE(ssl::get_ssl_object(*transport), nullptr);
    co_await protocol->until_received(9);
    transport->write("roger");
    transport->close();
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->received, "test data");
    const std::string answer = co_await calling;
    EXPECT_EQ(answer, "roger");
  });
}

// test_events.py: EventLoopTestsMixin.test_connect_accepted_socket_ssl_timeout_for_plain_socket
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_ssl_timeout_with_plain_sock
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_connection_ssl_timeout_with_plain_sock
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_connection_nossl_serverhost
TEST(TlsPeer, WithoutTlsItsTimeLimitsAndItsNameAreRefused) {
  run_io([]() -> Coro<> {
    const auto refusal = []<class A>(A awaitable) { return thrown_by<std::invalid_argument>(std::move(awaitable)); };
    AcceptOptions accept_handshake, accept_shutdown;
    accept_handshake.ssl_handshake_timeout = 1s;
    accept_shutdown.ssl_shutdown_timeout = 1s;
    UnixConnectOptions handshake, shutdown, name;
    handshake.ssl_handshake_timeout = 1s;
    shutdown.ssl_shutdown_timeout = 1s;
    name.server_hostname = "spam";
    const std::string kHandshake = "ssl_handshake_timeout is only meaningful with ssl";
    const std::string kShutdown = "ssl_shutdown_timeout is only meaningful with ssl";
    const std::string kName = "server_hostname is only meaningful with ssl";
    auto [one, other] = Socket::pair();
    EXPECT_EQ(co_await refusal(connect_accepted_socket(make<LogProtocol>, std::move(one), accept_handshake)),
              kHandshake);
    EXPECT_EQ(co_await refusal(connect_accepted_socket(make<LogProtocol>, std::move(other), accept_shutdown)),
              kShutdown);
    EXPECT_EQ(co_await refusal(create_unix_connection(make<LogProtocol>, "/tmp/x", handshake)), kHandshake);
    EXPECT_EQ(co_await refusal(create_unix_connection(make<LogProtocol>, "/tmp/x", shutdown)), kShutdown);
    EXPECT_EQ(co_await refusal(create_unix_connection(make<LogProtocol>, "/tmp/x", name)), kName);
    EXPECT_EQ(co_await refusal(open_unix_connection("/tmp/x", name)), kName);
    EXPECT_EQ(co_await refusal(create_unix_server(make<LogProtocol>, "/tmp/x", {.ssl_handshake_timeout = 1s})),
              kHandshake);
    EXPECT_EQ(co_await refusal(create_unix_server(make<LogProtocol>, "/tmp/x", {.ssl_shutdown_timeout = 1s})),
              kShutdown);
    EXPECT_EQ(co_await refusal(start_unix_server(echo, "/tmp/x", {.ssl_shutdown_timeout = 1s})), kShutdown);
    EXPECT_EQ(co_await refusal(create_server(make<LogProtocol>, "127.0.0.1", 0, {.ssl_shutdown_timeout = 1s})),
              kShutdown);
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_ssl_server_hostname_errors
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_ssl_server_hostname_default
TEST(TlsPeer, TheNameToVerifyIsTheHostsUnlessAnotherIsGiven) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    ConnectOptions options{.ssl = &calling};
    options.family = AF_INET;
    {
      auto [reader, writer] = co_await open_connection("localhost", server.port(), options);
      EXPECT_EQ(ssl::get_ssl_object(writer)->server_hostname(), "localhost");
      writer.close();
    }
    // "" asks for no name, which a context that checks it refuses.
    options.server_hostname = "";
    const std::string none = co_await thrown_by(open_connection("localhost", server.port(), options));
    EXPECT_EQ(none, "check_hostname requires server_hostname");
    SSLContext trusting = client_context();
    trusting.set_check_hostname(false);
    options.ssl = &trusting;
    {
      auto [reader, writer] = co_await open_connection("localhost", server.port(), options);
      EXPECT_EQ(ssl::get_ssl_object(writer)->server_hostname(), "");
      writer.close();
    }
    auto [here, there] = Socket::pair();
    const ConnectOptions without_name{.ssl = &calling};
    const std::string socket = co_await thrown_by(create_connection(make<LogProtocol>, std::move(here), without_name));
    EXPECT_EQ(socket, "You must set server_hostname when using ssl without a host");
    auto [third, fourth] = Socket::pair();
    const std::string path =
        co_await thrown_by(create_unix_connection(make<LogProtocol>, std::move(third), {.ssl = &calling}));
    EXPECT_EQ(path, "you have to pass server_hostname when using ssl");
    server.close();
  });
}

// test_ssl.py: TestSSL.test_ssl_handshake_connection_lost
// test_ssl.py: TestSSL.test_create_connection_ssl_failed_certificate
// test_sslproto.py: BaseStartTLS.test_create_connection_ssl_failed_certificate
TEST(TlsPeer, AProtocolWhoseHandshakeFailedHearsNothing) {
  run_io([]() -> Coro<> {
    int reports = 0;
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext&) { ++reports; });
    const SSLContext calling = client_context(make_authority("Nobody's Root"));
    std::shared_ptr<LogProtocol> protocol;
    const auto factory = [&] { return protocol = make<LogProtocol>(); };
    {
      auto [listening, port] = co_await listen();
      auto accepting = create_task(accept(listening));
      const std::string what = co_await thrown_by<ssl::SSLCertVerificationError>(
          create_connection(factory, "127.0.0.1", port, ConnectOptions{.ssl = &calling}));
      EXPECT_NE(what.find("unable to get local issuer certificate"), std::string::npos) << what;
      const std::string peer = co_await thrown_by<std::runtime_error>(std::move(accepting));
      EXPECT_NE(peer.find("unknown ca"), std::string::npos) << peer;  // our alert says why
    }
    EXPECT_TRUE(protocol->log.empty());
    {
      auto [listening, port] = co_await listen();
      const auto hang_up = [&listening = listening]() -> Coro<> {
        auto [socket, address] = co_await sock_accept(listening);
        co_await sock_recv(socket, 1024);
      };
      auto hanging_up = create_task(hang_up());
      EXPECT_EQ(co_await error_of(create_connection(factory, "127.0.0.1", port, ConnectOptions{.ssl = &calling})),
                std::errc::connection_reset);
      co_await hanging_up;
    }
    EXPECT_TRUE(protocol->log.empty());
    EXPECT_EQ(reports, 0);
  });
}

// test_ssl.py: TestSSL.test_create_connection_ssl_slow_handshake
// test_sslproto.py: BaseStartTLS.test_create_connection_ssl_slow_handshake
// test_sslproto.py: BaseStartTLS.test_handshake_timeout
// test_ssl.py: TestSSL.test_ssl_handshake_timeout
// test_ssl.py: TestSSL.test_handshake_timeout_handler_leak
TEST(TlsPeer, ACancelledHandshakeClosesTheSocketAndReportsNothing) {
  run_io([]() -> Coro<> {
    int reports = 0;
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext&) { ++reports; });
    auto [listening, port] = co_await listen();
    std::weak_ptr<asyncio::detail::TlsEngine> engine;
    for (const bool by_limit : {false, true}) {
      const SSLContext calling = client_context();
      engine = calling.engine();
      ConnectOptions options{.ssl = &calling};
      if (by_limit) options.ssl_handshake_timeout = 20ms;
      auto connecting = create_task(create_connection(make<LogProtocol>, "127.0.0.1", port, options));
      auto [socket, address] = co_await sock_accept(listening);
      const std::string hello = co_await sock_recv(socket, 65536);
      EXPECT_GT(hello.size(), 100u);
      if (by_limit) {
        EXPECT_EQ(co_await error_of(std::move(connecting)), std::errc::connection_aborted);
      } else {
        const bool was_cancelled = co_await cancelled(std::move(connecting));
        EXPECT_TRUE(was_cancelled);
      }
      // The peer reads the end, or a reset: the socket is closed.
      std::string rest = "?";
      try {
        rest = co_await sock_recv(socket, 100);
      } catch (const std::system_error&) {
        rest.clear();
      }
      EXPECT_EQ(rest, "");
    }
    co_await ticks(2);
    EXPECT_TRUE(engine.expired());
    EXPECT_EQ(reports, 0);
  });
}

// test_ssl.py: TestSSL.test_create_connection_memory_leak
// test_sslproto.py: BaseStartTLS.test_create_connection_memory_leak
// test_ssl.py: TestSSL.test_shutdown_timeout_handler_leak
TEST(TlsPeer, NothingKeepsAContextWhoseConnectionsAreGone) {
  run_io([]() -> Coro<> {
    std::weak_ptr<asyncio::detail::TlsEngine> engine;
    {
      const SSLContext calling = client_context();
      engine = calling.engine();
      auto [listening, port] = co_await listen();
      auto accepting = create_task(accept(listening));
      auto [transport, protocol] =
          co_await create_connection(make<LogProtocol>, "127.0.0.1", port, ConnectOptions{.ssl = &calling});
      BarePeer peer = co_await std::move(accepting);
      transport->close();
      const std::string nothing = co_await peer.read();
      EXPECT_EQ(nothing, "");
      co_await peer.shutdown();
      co_await protocol->until_lost();
      protocol->transport = nullptr;
    }
    co_await ticks(2);
    EXPECT_TRUE(engine.expired());
  });
}

// ── many at once ──

// test_ssl.py: TestSSL.test_create_server_ssl_1
// test_ssl.py: TestSSL.test_create_connection_ssl_1
TEST(TlsPeer, ManyClientsAtOnce) {
  run_io([]() -> Coro<> {
    const std::string a = pattern(256 * 1024), b = pattern(256 * 1024, 5);
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    int served = 0, called = 0;
    const auto handle = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string first = co_await reader.readexactly(a.size());
      EXPECT_TRUE(first == a);
      writer.write("OK");
      const std::string second = co_await reader.readexactly(b.size());
      EXPECT_TRUE(second == b);
      const std::string_view parts[] = {"SP", "A", "M"};
      writer.writelines(parts);
      co_await writer.drain();
      writer.close();
      ++served;
    };
    Server server = co_await start_server(handle, "127.0.0.1", 0, {.ssl = &serving, .ssl_handshake_timeout = 20s});
    const auto call = [&](bool own_socket) -> Coro<> {
      ConnectOptions options{.ssl = &calling};
      options.server_hostname = "localhost";
      options.ssl_handshake_timeout = 20s;
      std::optional<Streams> streams;
      if (own_socket) {
        Socket socket = Socket::stream(AF_INET);
        co_await sock_connect(socket, loopback(server.port()));
        streams = co_await open_connection(std::move(socket), options);
      } else {
        streams = co_await open_connection("127.0.0.1", server.port(), options);
      }
      auto& [reader, writer] = *streams;
      writer.write(a);
      const std::string ok = co_await reader.readexactly(2);
      EXPECT_EQ(ok, "OK");
      writer.write(b);
      const std::string spam = co_await reader.readexactly(4);
      EXPECT_EQ(spam, "SPAM");
      writer.close();
      co_await writer.wait_closed();
      ++called;
    };
    const auto bare = [&]() -> Coro<> {
      BarePeer peer = co_await BarePeer::connect(server.port());
      co_await peer.handshake();
      co_await peer.write(a);
      const std::string ok = co_await peer.read(2);
      EXPECT_EQ(ok, "OK");
      co_await peer.write(b);
      const std::string spam = co_await peer.read_all();
      EXPECT_EQ(spam, "SPAM");
      co_await peer.shutdown();
      ++called;
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(create_task(call(false)));
      tasks.push_back(create_task(call(true)));
      tasks.push_back(create_task(bare()));
    }
    co_await gather(std::move(tasks));
    EXPECT_EQ(called, 24);
    EXPECT_EQ(served, 24);
    server.close();
    co_await server.wait_closed();
  });
}

// ── STARTTLS ──

// test_ssl.py: TestSSL.test_start_tls_client_reg_proto_1
// test_sslproto.py: BaseStartTLS.test_start_tls_client_reg_proto_1
// test_ssl.py: TestSSL.test_start_tls_client_buf_proto_1
// test_sslproto.py: BaseStartTLS.test_start_tls_client_buf_proto_1
TEST(StartTlsPeer, AClientUpgradesWithEitherKindOfProtocol) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const std::string hello = pattern(1 << 20);
    for (const bool buffered : {false, true}) {
      auto [listening, port] = co_await listen();
      const auto serve = [&, &listening = listening]() -> Coro<> {
        auto [socket, address] = co_await sock_accept(listening);
        std::string plain;
        while (plain.size() < hello.size()) plain += co_await sock_recv(socket, hello.size() - plain.size());
        EXPECT_TRUE(plain == hello);
        BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
        co_await peer.handshake();
        co_await peer.write("O");
        std::string secret;
        while (secret.size() < hello.size()) secret += co_await peer.read();
        EXPECT_TRUE(secret == hello);
        co_await peer.write("2");
        co_await peer.shutdown();
        const std::string end = co_await peer.read();
        EXPECT_EQ(end, "");
      };
      auto serving = create_task(serve());
      const auto first = make<LogProtocol>();
      const auto buffer = std::make_shared<BufferProtocol>(1000);
      std::shared_ptr<Transport> plain;
      if (buffered) {
        plain = (co_await create_connection([&] { return buffer; }, "127.0.0.1", port)).first;
      } else {
        plain = (co_await create_connection([&] { return first; }, "127.0.0.1", port)).first;
      }
      plain->write(hello);
      std::shared_ptr<BaseProtocol> above = first;
      if (buffered) above = buffer;
      StartTlsOptions options;
      options.server_hostname = "localhost";
      std::shared_ptr<Transport> secured = co_await start_tls(plain, above, calling, options);
      while (first->received + buffer->received != "O") co_await sleep(1ms);
      const auto second = make<LogProtocol>();
      secured->set_protocol(second);
      secured->write(hello);
      co_await second->until_received(1);
      EXPECT_EQ(second->received, "2");
      co_await second->until_lost();
      EXPECT_EQ(first->count("connection_made"), buffered ? 0 : 1);
      EXPECT_EQ(second->count("connection_made"), 0);
      EXPECT_EQ(second->count("eof_received"), 1);
      co_await serving;
    }
  });
}

// test_ssl.py: TestSSL.test_start_tls_slow_client_cancel
// test_sslproto.py: BaseStartTLS.test_start_tls_slow_client_cancel
TEST(StartTlsPeer, ACancelledUpgradeClosesTheConnection) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    auto [listening, port] = co_await listen();
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", port);
    auto [socket, address] = co_await sock_accept(listening);
    StartTlsOptions options;
    options.server_hostname = "localhost";
    bool timed_out = false;
    try {
      co_await wait_for(start_tls(transport, protocol, calling, options), 20ms);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(transport->is_closing());
    co_await protocol->until_lost();
  });
}

// test_ssl.py: TestSSL.test_start_tls_server_1
// test_sslproto.py: BaseStartTLS.test_start_tls_server_1
TEST(StartTlsPeer, AServerUpgrades) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const std::string hello = pattern(1 << 20);
    const auto protocol = make<LogProtocol>();
    Server server = co_await create_server([&] { return protocol; }, "127.0.0.1", 0);
    const auto call = [&]() -> Coro<> {
      Socket socket = Socket::stream(AF_INET);
      co_await sock_connect(socket, loopback(server.port()));
      std::string plain;
      while (plain.size() < hello.size()) plain += co_await sock_recv(socket, hello.size() - plain.size());
      BarePeer peer(std::move(socket), BarePeer::Side::client);
      co_await peer.handshake();
      co_await peer.write(hello);
      co_await peer.shutdown();
      const std::string end = co_await peer.read();
      EXPECT_EQ(end, "");
      EXPECT_TRUE(peer.received_close_notify());
    };
    auto calling = create_task(call());
    while (!protocol->transport) co_await sleep(1ms);
    protocol->transport->write(hello);
    StartTlsOptions options;
    options.server_side = true;
    options.ssl_handshake_timeout = 10s;
    std::shared_ptr<Transport> secured = co_await start_tls(protocol->transport, protocol, serving, options);
    co_await protocol->until_lost();
    EXPECT_TRUE(protocol->received == hello);
    EXPECT_EQ(protocol->count("eof_received"), 1);
    EXPECT_EQ(protocol->error, nullptr);
    secured->close();
    co_await calling;
    server.close();
    co_await server.wait_closed();
  });
}

// test_sslproto.py: BaseStartTLS.test_start_tls_wrong_args
TEST(StartTlsPeer, AClosedOrAForeignTransportIsRefused) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto protocol = make<LogProtocol>();
    const std::string none = co_await thrown_by(start_tls(nullptr, protocol, calling));
    EXPECT_EQ(none, "transport null is not supported by start_tls()");
  });
}

// test_ssl.py: TestSSL.test_create_server_ssl_over_ssl
TEST(StartTlsPeer, TlsMayRunInsideTls) {
  run_io([]() -> Coro<> {
    const SSLContext outer_serving = server_context(), inner_serving = server_context();
    const SSLContext outer_calling = client_context(), inner_calling = client_context();
    const std::string data = pattern(1 << 20);
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await writer.start_tls(inner_serving);
      const std::string heard = co_await reader.readexactly(data.size());
      EXPECT_TRUE(heard == data);
      writer.write(heard);
      co_await writer.drain();
      writer.close();
      co_await writer.wait_closed();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0, {.ssl = &outer_serving});
    for (int i = 0; i < 5; ++i) {
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &outer_calling});
      const auto outer = ssl::get_ssl_object(writer);
      co_await writer.start_tls(inner_calling, {.server_hostname = "localhost"});
      EXPECT_NE(ssl::get_ssl_object(writer), outer);
      writer.write(data);
      const std::string answer = co_await reader.readexactly(data.size());
      EXPECT_TRUE(answer == data);
      const std::string end = co_await reader.read();
      EXPECT_EQ(end, "");
      EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
      writer.close();
      co_await writer.wait_closed();
    }
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace
}  // namespace asyncio::testing
