// What an attacker tries, and what a careless program does: injected commands, floods, callbacks that undo themselves.
#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/layers.h"
#include "stage6/ssl/secured.h"
#include "support/protocols.h"

#include <asyncio/create_server.h>
#include <asyncio/sleep.h>
#include <asyncio/tls.h>
#include <asyncio/wait_for.h>
#include <openssl/err.h>

#include <optional>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

// ── STARTTLS ──

// CVE-2011-0411: a man in the middle adds a plain command behind "STARTTLS", to be read as if it had come through TLS.
TEST(TlsAttack, APlainLineBehindStartTlsIsNeverReadAsASecuredOne) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    std::string heard;
    bool refused = false;
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.readline();
      try {
        co_await writer.start_tls(serving);
      } catch (const ssl::SSLError&) {
        refused = true;
      }
      if (!refused) heard = co_await reader.readline();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    {
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
      writer.write("STARTTLS\nDELETE everything\n");
      writer.close();
      co_await error_of(writer.wait_closed());
    }
    server.close();
    co_await server.wait_closed();
    EXPECT_TRUE(refused);
    EXPECT_EQ(heard, "");
  });
}

TEST(TlsAttack, APlainAnswerBehindGoAheadIsNeverReadAsASecuredOne) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto serve = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.readline();
      writer.write("go ahead\nyou have no mail\n");
      co_await reader.read(1000);
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write("STARTTLS\n");
    co_await reader.readline();
    const StartTlsOptions options{.server_hostname = "localhost"};
    const std::string what = co_await thrown_by<ssl::SSLError>(writer.start_tls(calling, options));
    EXPECT_NE(what.find("does not speak TLS"), std::string::npos) << what;
    EXPECT_TRUE(writer.is_closing());
    server.close();
    co_await server.wait_closed();
  });
}

// One task waits for a line while another one starts TLS: the line is a secured one.
TEST(TlsAttack, AReadThatWaitsThroughStartTlsGetsWhatCameThroughTls) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.readline();
      co_await writer.start_tls(serving);
      writer.write("secured\n");
      co_await writer.drain();
      co_await reader.read();
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    auto reading = create_task(reader.readline());
    co_await sleep(0s);
    writer.write("STARTTLS\n");
    co_await writer.start_tls(calling, {.server_hostname = "localhost"});
    const std::string line = co_await std::move(reading);
    EXPECT_EQ(line, "secured\n");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

// More than the socket holds is written plain before the upgrade: it comes first, whole.
TEST(TlsAttack, WhatWasWrittenBeforeStartTlsStaysPlainAndWhole) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const std::string plain = pattern(6 << 20);
    Socket listening = Socket::listening(loopback(0));
    const auto serve = [&]() -> Coro<std::string> {
      auto [socket, address] = co_await sock_accept(listening);
      std::string all;
      while (all.size() < plain.size()) {
        const std::string some = co_await sock_recv(socket, std::min<std::size_t>(65536, plain.size() - all.size()));
        if (some.empty()) break;
        all += some;
      }
      EXPECT_TRUE(all == plain);
      BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
      co_await peer.handshake();
      std::string secured = co_await peer.read();
      co_return secured;
    };
    auto serving = create_task(serve());
    auto [reader, writer] = co_await open_connection("127.0.0.1", listening.local_address().port());
    writer.write(plain);
    co_await writer.start_tls(calling, {.server_hostname = "localhost"});
    writer.write("secured");
    const std::string secured = co_await std::move(serving);
    EXPECT_EQ(secured, "secured");
    writer.transport()->abort();
  });
}

// Another task writes while the handshake goes on: what it writes waits for the keys.
TEST(TlsAttack, WhatIsWrittenDuringStartTlsIsNotSentPlain) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    Socket listening = Socket::listening(loopback(0));
    const auto serve = [&]() -> Coro<std::string> {
      auto [socket, address] = co_await sock_accept(listening);
      co_await sleep(20ms);
      BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
      co_await peer.handshake();  // fails if there is a plain byte
      std::string heard = co_await peer.read();
      co_return heard;
    };
    auto serving = create_task(serve());
    auto [reader, writer] = co_await open_connection("127.0.0.1", listening.local_address().port());
    const auto upgrade = [](StreamWriter of, SSLContext with) -> Coro<> {
      co_await of.start_tls(with, {.server_hostname = "localhost"});
    };
    auto upgrading = create_task(upgrade(writer, calling));
    co_await ticks(3);
    EXPECT_FALSE(upgrading.done());
    writer.write("the secret");
    co_await upgrading;
    const std::string heard = co_await std::move(serving);
    EXPECT_EQ(heard, "the secret");
    writer.transport()->abort();
  });
}

// ── floods ──

// A peer that asks for new keys, and asks, and never reads the answers.
TEST(TlsAttack, RequestsForNewKeysDoNotPileUp) {
  run_io([]() -> Coro<> {
    Layers layers(true, nullptr, true);
    layers.exchange();
    layers.exchange();
    layers.layer->pause_writing();
    for (int i = 0; i < 20'000 && !layers.raw->aborted && layers.raw->reading; ++i) {
      ERR_clear_error();
      if (SSL_key_update(layers.peer.ssl(), SSL_KEY_UPDATE_REQUESTED) != 1) break;
      SSL_do_handshake(layers.peer.ssl());
      if (i % 20 == 0) layers.peer.encrypt("x");
      layers.receive(layers.peer.take_outgoing());
    }
    EXPECT_LT(layers.transport->get_write_buffer_size(), 300'000u);
    EXPECT_FALSE(layers.raw->reading);
    layers.raw->written.clear();
    layers.layer->resume_writing();
    EXPECT_TRUE(layers.raw->reading);
    EXPECT_GT(layers.raw->written.size(), 200'000u);
    layers.layer->connection_lost(nullptr);
    co_await ticks(2);
  });
}

// TLS 1.2: whoever asks for a new handshake is told no, each time; the answers wait where the peer does not read.
TEST(TlsAttack, RequestsForANewHandshakeDoNotPileUp) {
  run_io([]() -> Coro<> {
    Layers layers(true, nullptr, false, TLS1_2_VERSION);
    layers.exchange();
    layers.exchange();
    layers.layer->pause_writing();
    std::size_t most_unread = 0, sent = 0;
    for (int i = 0; i < 200'000 && !layers.raw->aborted && layers.raw->reading; ++i) {
      ERR_clear_error();
      if (SSL_renegotiate(layers.peer.ssl()) != 1) break;
      SSL_do_handshake(layers.peer.ssl());  // a HelloRequest
      const std::string request = layers.peer.take_outgoing();
      if (request.empty()) break;
      sent += request.size();
      layers.receive(request);
      most_unread = std::max(most_unread, layers.transport->get_write_buffer_size());
    }
    EXPECT_LT(most_unread, 300'000u) << "of " << sent << " bytes sent";
    EXPECT_FALSE(layers.raw->reading);
    layers.transport->close();  // and after that it reads on, until the limit is reached again
    for (int i = 0; i < 20'000 && !layers.raw->aborted && layers.raw->reading; ++i) {
      SSL_renegotiate(layers.peer.ssl());
      SSL_do_handshake(layers.peer.ssl());
      layers.receive(layers.peer.take_outgoing());
    }
    EXPECT_LT(layers.transport->get_write_buffer_size(), 300'000u);
    layers.layer->connection_lost(nullptr);
    co_await ticks(2);
  });
}

TEST(TlsAttack, APeerThatTalksOnAfterOurCloseIsLeftAfterTheTimeLimit) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    Socket listening = Socket::listening(loopback(0));
    std::size_t said = 0, said_before = 0;
    const auto talk = [&]() -> Coro<> {
      auto [socket, address] = co_await sock_accept(listening);
      BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
      co_await peer.handshake();
      try {
        for (;;) {
          co_await peer.write(pattern(10'000));
          said += 10'000;
          co_await sleep(0s);  // the next one comes before any timer
        }
      } catch (const std::system_error&) {  // our side has gone
      }
    };
    auto talking = create_task(talk());
    const ConnectOptions options{.ssl = &calling, .ssl_shutdown_timeout = 100ms};
    auto [reader, writer] = co_await open_connection("127.0.0.1", listening.local_address().port(), options);
    co_await reader.read(100);
    said_before = said;
    writer.close();
    const std::string what = co_await thrown_by<TimeoutError>(wait_for(writer.wait_closed(), 20s));
    EXPECT_EQ(what, "SSL shutdown timed out");
    co_await talking;
    EXPECT_GT(said, said_before);
  });
}

// As ASlowReaderBoundsTheMemoryOfBothSides, with the client as the one that writes.
TEST(TlsAttack, AServerThatDoesNotReadBoundsTheMemoryOfBothSides) {
  run_io([]() -> Coro<> {
    const auto done = std::make_shared<Future<>>(create_future());
    const auto ignore = [](StreamReader, StreamWriter, std::shared_ptr<Future<>> until) -> Coro<> {
      const Future<> end = *until;
      co_await end;
    };
    const auto handle = [ignore, done](StreamReader reader, StreamWriter writer) {
      return ignore(std::move(reader), std::move(writer), done);
    };
    auto [server, reader, writer] = co_await secured(handle);
    const auto flood = [](StreamWriter to) -> Coro<> {
      const std::string data = pattern(64 * 1024);
      for (;;) {
        to.write(data);
        co_await to.drain();
      }
    };
    auto flooding = create_task(flood(writer));
    std::size_t unsent = 0;
    for (int same = 0; same < 20;) {  // until nothing moves
      co_await sleep(5ms);
      const std::size_t now = writer.transport()->get_write_buffer_size();
      same = now == unsent && now > 0 ? same + 1 : 0;
      unsent = now;
    }
    EXPECT_LT(unsent, 1u << 20);
    const bool was_cancelled = co_await cancelled(std::move(flooding));
    EXPECT_TRUE(was_cancelled);
  });
}

// ── what is too large, or nothing at all ──

TEST(TlsAttack, AnEndlessChainOfCertificatesIsRefused) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    Identity endless = localhost();
    for (int i = 0; i < 1000; ++i) endless.certificate += authority().certificate;
    Socket listening = Socket::listening(loopback(0));
    const auto serve = [&]() -> Coro<> {
      auto [socket, address] = co_await sock_accept(listening);
      BarePeer peer(std::move(socket), BarePeer::Side::server, &endless);
      co_await peer.handshake();
    };
    auto serving = create_task(serve());
    const ConnectOptions options{.ssl = &calling};
    const std::string what =
        co_await thrown_by<ssl::SSLError>(open_connection("127.0.0.1", listening.local_address().port(), options));
    EXPECT_NE(what.find("EXCESSIVE_MESSAGE_SIZE"), std::string::npos) << what;
    try {
      co_await std::move(serving);
    } catch (const std::exception&) {  // an alert, or a reset
    }
  });
}

// Records without content, as many as the attacker likes: before the hello, and after it.
TEST(TlsAttack, RecordsThatSayNothingEndTheHandshake) {
  run_io([]() -> Coro<> {
    using namespace std::string_view_literals;
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const std::string_view empty_records[] = {"\x16\x03\x01\x00\x00"sv, "\x17\x03\x03\x00\x00"sv,
                                              "\x14\x03\x03\x00\x01\x01"sv};  // the last: "change cipher spec"
    for (const std::string_view record : empty_records) {
      for (const bool after_the_hello : {false, true}) {
        Layers layers(true, nullptr, true);
        SSL_do_handshake(layers.peer.ssl());
        if (after_the_hello) layers.receive(layers.peer.take_outgoing());
        for (int i = 0; i < 1000 && !layers.raw->aborted; ++i) layers.receive(record);
        EXPECT_TRUE(layers.raw->aborted) << static_cast<int>(record[0]) << ' ' << after_the_hello;
        layers.layer->connection_lost(nullptr);
        EXPECT_TRUE(layers.handshake.done() && layers.handshake.exception());
      }
    }
    co_await ticks(2);
  });
}

// Before a client's hello, OpenSSL takes it for an unexpected message, as under CPython.
TEST(TlsAttack, AGoodbyeEndsTheHandshake) {
  run_io([]() -> Coro<> {
    for (const bool is_server : {false, true}) {
      Layers layers(true, nullptr, is_server);
      layers.receive(std::string_view("\x15\x03\x03\x00\x02\x01\x00", 7));  // close_notify
      layers.layer->connection_lost(nullptr);
      const std::error_code error = co_await error_of(layers.handshake);
      if (is_server) {
        EXPECT_STREQ(error.category().name(), "ssl");
      } else {
        EXPECT_EQ(error, std::errc::connection_reset);
      }
      EXPECT_TRUE(layers.raw->aborted);
    }
  });
}

TEST(TlsAttack, APeerThatNeverReadsIsLeftAfterTheTimeLimitWithWhatWasWritten) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    Socket listening = Socket::listening(loopback(0));
    const auto accept = [&]() -> Coro<BarePeer> {
      auto [socket, address] = co_await sock_accept(listening);
      BarePeer peer(std::move(socket), BarePeer::Side::server, &localhost());
      co_await peer.handshake();
      co_return peer;
    };
    auto accepting = create_task(accept());
    const ConnectOptions options{.ssl = &calling, .ssl_shutdown_timeout = 100ms};
    auto [reader, writer] = co_await open_connection("127.0.0.1", listening.local_address().port(), options);
    const BarePeer peer = co_await std::move(accepting);
    writer.write(pattern(16 << 20));
    const auto transport = std::dynamic_pointer_cast<Transport>(writer.transport());
    writer.close();
    EXPECT_GT(transport->get_write_buffer_size(), 1u << 20);
    const std::string what = co_await thrown_by<TimeoutError>(wait_for(writer.wait_closed(), 20s));
    EXPECT_EQ(what, "SSL shutdown timed out");
    EXPECT_EQ(transport->get_write_buffer_size(), 0u);
    EXPECT_EQ(transport->fileno(), -1);
  });
}

// As CPython: without a common protocol the connection goes on without one, and the program decides.
TEST(TlsAttack, ProtocolsOfWhichNoneIsCommonAreNone) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    SSLContext calling = client_context();
    serving.set_alpn_protocols({"h2"});
    calling.set_alpn_protocols({"http/1.1", "h"});
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    EXPECT_EQ(ssl::get_ssl_object(writer)->selected_alpn_protocol(), "");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

// ── careless programs ──

// The callback's own closure goes while it runs.
TEST(TlsAttack, AServerNameCallbackMayReplaceItself) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    const auto other = std::make_shared<SSLContext>(server_context());
    int calls = 0;
    serving.set_servername_callback([&serving, &calls, other](std::string_view) -> const SSLContext* {
      const std::shared_ptr<SSLContext> context = other;
      serving.set_servername_callback(nullptr);
      ++calls;
      return context.get();
    });
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    ConnectOptions options{.ssl = &calling};
    options.server_hostname = "localhost";
    for (int i = 0; i < 2; ++i) {
      const std::string text = co_await failure_of(server.port(), options);
      EXPECT_EQ(text, "");
    }
    EXPECT_EQ(calls, 1);
    server.close();
  });
}

TEST(TlsAttack, AProtocolMayWriteAndCloseAsSoonAsItIsConnected) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const std::string data = pattern(3 << 20);
    const auto factory = [&] {
      auto protocol = std::make_shared<LogProtocol>();
      protocol->on_made = [p = protocol.get(), &data] {
        p->transport->write(data);
        p->transport->close();
        p->transport->write("too late");
      };
      return protocol;
    };
    Server server = co_await create_server(factory, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    const std::string all = co_await reader.read();
    EXPECT_TRUE(all == data) << all.size();
    EXPECT_TRUE(ssl::get_ssl_object(writer)->received_close_notify());
    writer.close();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsAttack, AProtocolMayThrowAnywhere) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    std::vector<std::string> reports;
    Loop::running().set_exception_handler(
        [&](Loop&, const ErrorContext& context) { reports.push_back(context.message); });
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const auto fail = [] { throw std::runtime_error("a mistake"); };
    for (int where = 0; where < 4; ++where) {
      const auto factory = [&] {
        auto protocol = std::make_shared<LogProtocol>();
        if (where == 0) protocol->on_made = fail;
        if (where == 1) protocol->on_eof = fail;
        if (where == 2) protocol->on_pause = fail;
        if (where == 3) protocol->on_lost = fail;
        return protocol;
      };
      std::shared_ptr<LogProtocol> protocol;
      try {
        auto [transport, made] =
            co_await create_connection(factory, "127.0.0.1", server.port(), ConnectOptions{.ssl = &calling});
        protocol = made;
        if (where == 2) {
          transport->set_write_buffer_limits({0, 0});
          transport->write(pattern(8 << 20));
          transport->abort();
        } else if (where == 1) {
          server.close_clients();
        } else {
          transport->close();
        }
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(where, 0) << error.what();
      }
      for (int i = 0; i < 100 && protocol && protocol->count("connection_lost") == 0; ++i) co_await sleep(10ms);
      EXPECT_TRUE(!protocol || protocol->count("connection_lost") == 1) << where;
    }
    co_await ticks(3);
    EXPECT_EQ(reports.size(), 4u);
    for (const std::string& report : reports) EXPECT_NE(report, "");
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsAttack, WhatIsKnownOfAConnectionIsKnownAfterItsEnd) {
  run_io([]() -> Coro<> {
    std::shared_ptr<const ssl::SSLObject> object;
    {
      std::optional<SSLContext> serving = server_context();
      std::optional<SSLContext> calling = client_context();
      Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &*serving});
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &*calling});
      serving.reset();
      calling.reset();
      object = ssl::get_ssl_object(writer);
      writer.transport()->abort();
      co_await error_of(writer.wait_closed());
      server.close();
      co_await server.wait_closed();
    }
    EXPECT_EQ(object->version(), "TLSv1.3");
    EXPECT_EQ(object->peer_certificate()->common_name(), "localhost");
    EXPECT_FALSE(object->received_close_notify());
    EXPECT_EQ(object->server_hostname(), "127.0.0.1");
  });
}

TEST(TlsAttack, NamesThatNoServerCanHaveAreRefusedAndNothingIsLeft) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const int before = open_descriptors();
    const std::string names[] = {std::string(300, 'a'),
                                 std::string("localhost\0.evil.org", 19),
                                 ".localhost",
                                 "",
                                 "localhost\n",
                                 "*.localhost",
                                 "127.0.0.1.evil.org",
                                 "::1%lo",
                                 "[::1]"};
    for (const std::string& name : names) {
      ConnectOptions options{.ssl = &calling};
      options.server_hostname = name;
      bool refused = false;
      try {
        auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), options);
      } catch (const std::exception&) {
        refused = true;
      }
      EXPECT_TRUE(refused) << name;
    }
    for (int i = 0; i < 500 && open_descriptors() != before; ++i) co_await sleep(1ms);
    EXPECT_EQ(open_descriptors(), before);
    server.close();
    co_await server.wait_closed();
  });
}

// As in CPython: a list of roots, or a chain, is not cut short by one that cannot be read.
TEST(TlsAttack, AListOfCertificatesOfWhichOneCannotBeReadIsRefused) {
  const std::string& good = localhost().certificate;
  std::string changed = good;
  changed[changed.find('\n') + 20] ^= 1;
  changed.erase(changed.find('\n', 100), 60);
  for (const std::string& bad : {good.substr(0, good.size() / 2), changed,
                                 std::string("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")}) {
    SSLContext context(ssl::TLSProtocol::TLS_SERVER);
    EXPECT_THROW(context.load_verify_locations("", "", good + bad), ssl::SSLError) << bad;
    EXPECT_THROW(context.load_cert_chain_pem(good + bad, localhost().key), ssl::SSLError) << bad;
  }
  SSLContext context(ssl::TLSProtocol::TLS_SERVER);
  context.load_verify_locations("", "", good + "words after the last one\n");
  context.load_cert_chain_pem(good + good, localhost().key);
}

TEST(TlsAttack, KeysAndCertificatesThatAreNoneAreRefused) {
  const TemporaryFolder folder;
  SSLContext context(ssl::TLSProtocol::TLS_SERVER);
  const std::string noise = pattern(5000);
  const std::string& certificate = localhost().certificate;
  const std::string& key = localhost().key;
  const std::string texts[] = {"", "no PEM", noise, certificate.substr(0, certificate.size() / 2), key};
  for (const std::string& text : texts) {
    EXPECT_THROW(context.load_cert_chain_pem(text, key), ssl::SSLError) << text;
    if (text != key) {
      EXPECT_THROW(context.load_cert_chain_pem(certificate, text), ssl::SSLError) << text;
    }
    const std::string file = write_file(folder / "file", text);
    EXPECT_THROW(context.load_cert_chain(file, file), ssl::SSLError) << text;
    EXPECT_THROW(context.load_verify_locations(file), std::exception) << text;
  }
  EXPECT_THROW(context.load_cert_chain(folder / ""), std::exception);  // a folder
  EXPECT_THROW(context.set_alpn_protocols({std::string(256, 'x')}), std::invalid_argument);
  EXPECT_THROW(context.set_alpn_protocols({""}), std::invalid_argument);
  EXPECT_THROW(context.set_ciphers(""), ssl::SSLError);
  EXPECT_THROW(context.set_keylog_filename(folder / "no/such/folder"), std::system_error);
  context.load_cert_chain_pem(certificate, key);  // and it still works
}

}  // namespace
}  // namespace asyncio::testing
