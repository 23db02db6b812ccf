// The TLS layer alone, on a transport that only records. No socket.
#include "stage6/ssl/layers.h"

namespace asyncio::testing {
namespace {

using asyncio::detail::TlsSetup;

// test_sslproto.py: SslProtoHandshakeTests.test_handshake_timeout_zero
// test_sslproto.py: SslProtoHandshakeTests.test_handshake_timeout_negative
TEST(TlsLayer, TimeLimitsArePositive) {
  run_io([]() -> Coro<> {
    const ssl::SSLContext context = client_context();
    const auto refusal = [&](TlsSetup setup) {
      setup.server_hostname = "localhost";
      try {
        context.engine()->make_layer(Loop::running(), make<LogProtocol>(), std::move(setup));
      } catch (const std::invalid_argument& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    TlsSetup zero, negative, shutdown;
    zero.handshake_timeout = 0s;
    negative.handshake_timeout = -10s;
    shutdown.shutdown_timeout = -1500ms;
    EXPECT_EQ(refusal(std::move(zero)), "ssl_handshake_timeout should be a positive number, got 0");
    EXPECT_EQ(refusal(std::move(negative)), "ssl_handshake_timeout should be a positive number, got -10");
    EXPECT_EQ(refusal(std::move(shutdown)), "ssl_shutdown_timeout should be a positive number, got -1.5");
    co_return;
  });
}

TEST(TlsLayer, HostNamesThatCannotBeSentAreRefused) {
  run_io([]() -> Coro<> {
    const auto refusal = [](std::string name) {
      const ssl::SSLContext context = client_context();
      TlsSetup setup;
      setup.server_hostname = std::move(name);
      try {
        context.engine()->make_layer(Loop::running(), make<LogProtocol>(), std::move(setup));
      } catch (const std::invalid_argument& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    EXPECT_EQ(refusal(std::string("localhost\0.example.org", 22)),
              "server_hostname cannot be an empty string, begin with a dot, or hold a null character");
    EXPECT_EQ(refusal(".example.org"),
              "server_hostname cannot be an empty string, begin with a dot, or hold a null character");
    EXPECT_EQ(refusal(""), "check_hostname requires server_hostname");
    EXPECT_EQ(refusal("example.org"), "");
    co_return;
  });
}

// test_sslproto.py: SslProtoHandshakeTests.test_eof_received_waiter
// test_sslproto.py: SslProtoHandshakeTests.test_connection_lost
// test_sslproto.py: SslProtoHandshakeTests.test_close_during_handshake
TEST(TlsLayer, WhateverEndsTheHandshakeWakesItsWaiter) {
  run_io([]() -> Coro<> {
    Layers end;
    end.layer->eof_received();
    EXPECT_EQ(co_await error_of(end.handshake), std::errc::connection_reset);
    EXPECT_TRUE(end.raw->aborted);

    Layers lost;
    const std::error_code aborted = std::make_error_code(std::errc::connection_aborted);
    lost.layer->connection_lost(std::make_exception_ptr(std::system_error(aborted)));
    EXPECT_EQ(co_await error_of(lost.handshake), std::errc::connection_aborted);

    Layers closed;
    closed.transport->close();
    EXPECT_TRUE(closed.raw->aborted);
    closed.layer->connection_lost(nullptr);
    EXPECT_EQ(co_await error_of(closed.handshake), std::errc::connection_aborted);
    for (const Layers* layers : {&end, &lost, &closed}) EXPECT_TRUE(layers->protocol->log.empty());
  });
}

// test_sslproto.py: SslProtoHandshakeTests.test_close_during_ssl_over_ssl
TEST(TlsLayer, ClosingOneLayerOfTwoIsNoError) {
  run_io([]() -> Coro<> {
    int reports = 0;
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext&) { ++reports; });
    const Layers inner(false);
    Layers outer(true, inner.layer);
    outer.transport->close();
    outer.layer->connection_lost(nullptr);
    co_await ticks(2);
    EXPECT_EQ(reports, 0);
    EXPECT_TRUE(outer.raw->aborted);
  });
}

// test_sslproto.py: SslProtoHandshakeTests.test_get_extra_info_on_closed_connection
// test_sslproto.py: SslProtoHandshakeTests.test_set_new_app_protocol
TEST(TlsLayer, TheTransportKnowsItsDescriptorAndItsProtocol) {
  run_io([]() -> Coro<> {
    Layers layers(false);
    EXPECT_EQ(layers.transport->fileno(), -1);
    layers.layer->connection_made(layers.raw);
    EXPECT_EQ(layers.transport->fileno(), 77);
    const auto other = make<LogProtocol>();
    layers.transport->set_protocol(other);
    EXPECT_EQ(layers.transport->get_protocol(), other);
    layers.layer->connection_lost(nullptr);
    EXPECT_EQ(layers.transport->fileno(), -1);
    co_return;
  });
}

// test_sslproto.py: SslProtoHandshakeTests.test_data_received_after_closing
// test_sslproto.py: SslProtoHandshakeTests.test_write_after_closing
TEST(TlsLayer, AfterCloseNeitherDataNorWritesMatter) {
  run_io([]() -> Coro<> {
    Layers layers;
    layers.exchange();
    EXPECT_EQ(layers.protocol->log, std::vector<std::string>{"connection_made"});
    layers.peer.encrypt("data");
    const std::string late = layers.peer.take_outgoing();
    layers.transport->close();
    layers.receive(late);
    layers.transport->write("more");
    EXPECT_EQ(layers.heard(), "");
    EXPECT_EQ(layers.protocol->received, "");
    EXPECT_TRUE(layers.peer.received_close_notify());
    EXPECT_FALSE(layers.raw->closed);
    SSL_shutdown(layers.peer.ssl());
    layers.exchange();
    co_await ticks(1);
    EXPECT_TRUE(layers.raw->closed);
  });
}

// test_ssl.py: TestSSL.test_flush_before_shutdown
TEST(TlsLayer, CloseFlushesWhatThePausedTransportHeldBack) {
  run_io([]() -> Coro<> {
    Layers layers;
    layers.exchange();
    layers.layer->pause_writing();
    const std::string data = pattern(4 << 20);
    layers.transport->write(data);
    layers.transport->close();
    EXPECT_EQ(layers.raw->written, "");
    EXPECT_GE(layers.transport->get_write_buffer_size(), data.size());
    layers.layer->resume_writing();
    EXPECT_TRUE(layers.heard() == data);
    EXPECT_TRUE(layers.peer.received_close_notify());
    co_return;
  });
}

// The peer takes a little each 20 s. (30 s are the limit.) Then it takes nothing any more.
TEST(TlsLayer, TheTimeLimitOfACloseOnlyRunsWhileNoDataMoves) {
  for (const bool below : {false, true}) {  // the data waits in the layer, or in the raw transport
    SCOPED_TRACE(below);
    run_virtual([below]() -> Coro<> {
      Layers layers;
      layers.exchange();
      layers.raw->most = below ? SIZE_MAX : 10'000;
      layers.transport->write(pattern(4 << 20));
      if (below) layers.raw->unsent = 4 << 20;
      layers.transport->close();
      for (int i = 0; i < 10; ++i) {
        co_await sleep(20s);
        EXPECT_FALSE(layers.raw->aborted) << i;
        if (below) {
          layers.raw->unsent -= 10'000;
        } else {
          layers.raw->written.clear();
          layers.layer->resume_writing();
        }
      }
      co_await sleep(61s);
      EXPECT_TRUE(layers.raw->aborted);
    });
  }
}

// The records arrive one byte at a time, from the hello to the end.
TEST(TlsLayer, BytesMayTrickleOneByOne) {
  run_io([]() -> Coro<> {
    Layers layers;
    const auto trickle = [&] {
      for (;;) {
        const std::string to_peer = std::exchange(layers.raw->written, std::string());
        for (const char byte : to_peer) {
          BIO_write(SSL_get_rbio(layers.peer.ssl()), &byte, 1);
          if (!SSL_is_init_finished(layers.peer.ssl())) SSL_do_handshake(layers.peer.ssl());
        }
        const std::string from_peer = layers.peer.take_outgoing();
        if (to_peer.empty() && from_peer.empty()) return;
        for (const char& byte : from_peer) layers.receive(std::string_view(&byte, 1));
      }
    };
    trickle();
    EXPECT_TRUE(layers.handshake.done());
    const std::string data = pattern(40'000);
    layers.peer.encrypt(data);
    layers.transport->write(data);
    trickle();
    EXPECT_TRUE(layers.protocol->received == data);
    EXPECT_TRUE(layers.heard() == data);
    co_return;
  });
}

// Nothing of the plain text is ever in what the layer sends.
TEST(TlsLayer, NeverSendsAPlainByte) {
  run_io([]() -> Coro<> {
    Layers layers;
    const std::string secret = "the secret that nobody else may read";
    layers.transport->write(secret);  // before the handshake
    std::string sent = layers.raw->written;
    layers.exchange();
    layers.transport->write(secret);
    sent += layers.raw->written;
    layers.transport->close();
    sent += layers.raw->written;
    EXPECT_EQ(sent.find("secret"), std::string::npos);
    EXPECT_EQ(layers.heard(), secret + secret);
    co_return;
  });
}

}  // namespace
}  // namespace asyncio::testing
