// TLS end to end, on loopback: streams, protocols, servers, SSLObject, refused peers and arguments.
#include "stage6/ssl/tls_support.h"
#include "support/protocols.h"

#include <asyncio/create_server.h>
#include <asyncio/sleep.h>
#include <asyncio/wait_for.h>

#include <fstream>
#include <sstream>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

// test_streams.py: StreamTests.test_open_connection_no_loop_ssl
// test_events.py: EventLoopTestsMixin.test_create_server_ssl_verified
TEST(Tls, StreamsSpeakInBothDirections) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    writer.write("hello");
    const std::string answer = co_await reader.readexactly(5);
    EXPECT_EQ(answer, "hello");

    const auto object = ssl::get_ssl_object(writer);
    EXPECT_NE(object, nullptr);
    if (!object) co_return;
    EXPECT_EQ(object->version(), "TLSv1.3");
    EXPECT_EQ(object->cipher()->protocol, "TLSv1.3");
    EXPECT_GE(object->cipher()->secret_bits, 128);
    const auto certificate = object->peer_certificate();
    EXPECT_TRUE(certificate.has_value());
    if (!certificate) co_return;
    EXPECT_EQ(certificate->common_name(), "localhost");
    EXPECT_EQ(certificate->issuer.front().second, "Test Root");
    EXPECT_EQ(certificate->version, 3);
    EXPECT_EQ(certificate->subject_alt_name.size(), 2u);
    EXPECT_EQ(certificate->subject_alt_name.back(), (std::pair<std::string, std::string>("IP Address", "127.0.0.1")));
    EXPECT_EQ(certificate->fingerprint().size(), 32u * 3 - 1);
    EXPECT_THROW(certificate->fingerprint("no such digest"), std::invalid_argument);
    EXPECT_NE(certificate->not_after.find("GMT"), std::string::npos);

    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Tls, AMegabyteEachWayArrivesWhole) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    const std::string data = pattern(1 << 20);
    const auto send = [&]() -> Coro<> {
      writer.write(data);
      co_await writer.drain();
    };
    auto sending = create_task(send());
    const std::string answer = co_await reader.readexactly(1 << 20);
    co_await sending;
    EXPECT_EQ(answer, data);
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Tls, TheContextsMayGoBeforeTheirConnections) {
  run_io([]() -> Coro<> {
    auto serving = std::make_unique<SSLContext>(server_context());
    auto calling = std::make_unique<SSLContext>(client_context());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = serving.get()});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = calling.get()});
    serving.reset();
    calling.reset();
    writer.write("x");
    const std::string answer = co_await reader.readexactly(1);
    EXPECT_EQ(answer, "x");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

// ── trust ──

struct Refusal {
  const char* name;
  CertificateOptions certificate;
  const char* host;
  const char* text;
};

// test_events.py: EventLoopTestsMixin.test_create_server_ssl_match_failed
// The messages are CPython 3.13's for such certificates.
TEST(Tls, ACertificateThatIsNotToBeTrustedIsRefusedWithItsFault) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    CertificateOptions wrong_name;
    wrong_name.alternative_names = "DNS:example.org";
    CertificateOptions expired;
    expired.valid_from = -2 * 24 * 3600;
    expired.valid_until = -3600;
    CertificateOptions not_yet;
    not_yet.valid_from = 3600;
    CertificateOptions client_only;
    client_only.usage = "clientAuth";
    CertificateOptions wildcard;
    wildcard.alternative_names = "DNS:*.example.org";
    const Refusal refusals[] = {
        {"wrong name", wrong_name, "localhost", "Hostname mismatch, certificate is not valid for 'localhost'."},
        {"wrong number", wrong_name, "127.0.0.1", "IP address mismatch, certificate is not valid for '127.0.0.1'."},
        {"expired", expired, "localhost", "certificate has expired"},
        {"not yet valid", not_yet, "localhost", "certificate is not yet valid"},
        {"for clients", client_only, "localhost", "unsuitable certificate purpose"},
        {"wildcard", wildcard, "a.b.example.org", "Hostname mismatch, certificate is not valid for 'a.b.example.org'."},
    };
    for (const Refusal& refusal : refusals) {
      const SSLContext serving = server_context(make_certificate(refusal.certificate, &authority()));
      Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
      ConnectOptions options;
      options.ssl = &calling;
      options.server_hostname = refusal.host;
      const std::string text = co_await failure_of<ssl::SSLCertVerificationError>(server.port(), options);
      EXPECT_NE(text.find(std::string("certificate verify failed: ") + refusal.text), std::string::npos)
          << refusal.name << ": " << text;
      server.close();
      co_await server.wait_closed();
    }
  });
}

TEST(Tls, AWildcardCoversOneLabel) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    CertificateOptions wildcard;
    wildcard.alternative_names = "DNS:*.example.org";
    const SSLContext serving = server_context(make_certificate(wildcard, &authority()));
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    ConnectOptions options;
    options.ssl = &calling;
    options.server_hostname = "www.example.org";
    const std::string text = co_await failure_of(server.port(), options);
    EXPECT_EQ(text, "");
    server.close();
    co_await server.wait_closed();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_server_ssl_verify_failed
TEST(Tls, AnUnknownRootAndASelfSignedCertificateAreRefused) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const Identity other = make_authority("Other Root");
    const SSLContext unknown = server_context(make_certificate({}, &other));
    const SSLContext alone = server_context(make_certificate());
    Server first = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &unknown});
    Server second = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &alone});
    const ConnectOptions options{.ssl = &calling};
    const std::string one = co_await failure_of<ssl::SSLCertVerificationError>(first.port(), options);
    const std::string two = co_await failure_of<ssl::SSLCertVerificationError>(second.port(), options);
    EXPECT_NE(one.find("unable to get local issuer certificate (certificate: CN=localhost)"), std::string::npos) << one;
    EXPECT_NE(two.find("self-signed certificate"), std::string::npos) << two;
    first.close();
    second.close();
    co_await first.wait_closed();
    co_await second.wait_closed();
  });
}

TEST(Tls, WithoutVerificationAnyCertificateWillDo) {
  run_io([]() -> Coro<> {
    SSLContext calling = client_context();
    EXPECT_THROW(calling.set_verify_mode(ssl::VerifyMode::CERT_NONE), std::invalid_argument);
    calling.set_check_hostname(false);
    calling.set_verify_mode(ssl::VerifyMode::CERT_NONE);
    const SSLContext serving = server_context(make_certificate());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const ConnectOptions options{.ssl = &calling};
    const std::string text = co_await failure_of(server.port(), options);
    EXPECT_EQ(text, "");
    server.close();
    co_await server.wait_closed();
  });
}

// A server that requires a certificate notices its absence after the client's handshake. Therefore the client's first
// read throws.
TEST(Tls, AServerMayAskClientsForACertificate) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    serving.load_verify_locations("", "", authority().certificate);
    serving.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
    SSLContext with = client_context();
    CertificateOptions client;
    client.common_name = "alice";
    client.usage = "clientAuth";
    const Identity alice = make_certificate(client, &authority());
    with.load_cert_chain_pem(alice.certificate, alice.key);
    const SSLContext without = client_context();

    std::string name;
    const auto greet = [&](StreamReader, StreamWriter writer) -> Coro<> {
      name = ssl::get_ssl_object(writer)->peer_certificate()->common_name();
      writer.write("hello " + name);
      co_return;
    };
    Server server = co_await start_server(greet, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &with});
    const std::string answer = co_await reader.read();
    EXPECT_EQ(answer, "hello alice");

    std::string text;
    try {
      auto [nothing, other] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &without});
      co_await nothing.read();
    } catch (const ssl::SSLError& error) {
      text = error.what();
    }
    EXPECT_NE(text.find("certificate required"), std::string::npos) << text;
    server.close();
  });
}

// ── a peer that does not speak TLS ──

TEST(Tls, APeerThatSpeaksNoTlsIsCalledThat) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const SSLContext serving = server_context();
    const auto greet = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write("220 mail.example.org ready\r\n");
      co_return;
    };
    Server plain = co_await start_server(greet, "127.0.0.1", 0);
    const ConnectOptions options{.ssl = &calling};
    const std::string text = co_await failure_of(plain.port(), options);
    EXPECT_NE(text.find("the peer does not speak TLS"), std::string::npos) << text;

    // A plain client: the server survives.
    Server secured = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", secured.port());
    writer.write("GET / HTTP/1.1\r\n\r\n");
    try {
      co_await reader.read();
    } catch (const std::system_error&) {
    }
    const std::string still = co_await failure_of(secured.port(), options);
    EXPECT_EQ(still, "");
    plain.close();
    secured.close();
  });
}

TEST(Tls, AHandshakeThatNeverEndsRunsOutOfTime) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto nothing = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); };
    Server silent = co_await start_server(nothing, "127.0.0.1", 0);
    const ConnectOptions options{.ssl = &calling, .ssl_handshake_timeout = 20ms};
    const std::string text = co_await failure_of<std::system_error>(silent.port(), options);
    EXPECT_NE(text.find("SSL handshake is taking longer than 0.02 seconds: aborting the connection"), std::string::npos)
        << text;
    silent.close();
    co_await silent.wait_closed();
  });
}

TEST(Tls, TheLongestDurationIsNoLimit) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const SSLContext serving = server_context();
    constexpr Duration none = Duration::max();
    Server server = co_await start_server(
        echo, "127.0.0.1", 0, {.ssl = &serving, .ssl_handshake_timeout = none, .ssl_shutdown_timeout = none});
    const ConnectOptions options{.ssl = &calling, .ssl_handshake_timeout = none, .ssl_shutdown_timeout = none};
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), options);
    writer.write("there");
    const std::string answer = co_await reader.readexactly(5);
    EXPECT_EQ(answer, "there");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Tls, AHandshakeThatIsCancelledLeavesNoDescriptor) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto nothing = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); };
    Server silent = co_await start_server(nothing, "127.0.0.1", 0);
    const int before = open_descriptors();
    auto task = create_task(open_connection("127.0.0.1", silent.port(), {.ssl = &calling}));
    co_await sleep(10ms);
    task.cancel();
    bool was_cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    while (open_descriptors() > before) co_await sleep(1ms);  // the server hears of it
    silent.close();
    co_await silent.wait_closed();
  });
}

TEST(Tls, APeerThatHangsUpInTheHandshakeIsAReset) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const auto hang_up = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(10); };
    Server server = co_await start_server(hang_up, "127.0.0.1", 0);
    const std::error_code code = co_await error_of(open_connection("127.0.0.1", server.port(), {.ssl = &calling}));
    EXPECT_EQ(code, std::errc::connection_reset);
    server.close();
    co_await server.wait_closed();
  });
}

// ── negotiation ──

TEST(Tls, TheServerChoosesAmongTheProtocolsOfTheClient) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    SSLContext calling = client_context();
    serving.set_alpn_protocols({"h2", "http/1.1"});
    calling.set_alpn_protocols({"http/1.1", "h2"});
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    EXPECT_EQ(ssl::get_ssl_object(writer)->selected_alpn_protocol(), "h2");
    writer.close();
    server.close();
  });
}

TEST(Tls, TheOldestVersionIsTls12) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    SSLContext calling = client_context();
    EXPECT_EQ(calling.minimum_version(), ssl::TLSVersion::TLSv1_2);
    EXPECT_EQ(calling.maximum_version(), ssl::TLSVersion::TLSv1_3);
    calling.set_maximum_version(ssl::TLSVersion::TLSv1_2);
    calling.set_ciphers("ECDHE+AESGCM");
    EXPECT_THROW(calling.set_ciphers("nonsense"), ssl::SSLError);
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
    EXPECT_EQ(ssl::get_ssl_object(writer)->version(), "TLSv1.2");
    writer.close();
    serving.set_minimum_version(ssl::TLSVersion::TLSv1_3);
    const ConnectOptions options{.ssl = &calling};
    const std::string text = co_await failure_of(server.port(), options);
    EXPECT_NE(text.find("protocol version"), std::string::npos) << text;
    server.close();
  });
}

TEST(Tls, AServerChoosesItsCertificateByTheNameAskedFor) {
  run_io([]() -> Coro<> {
    CertificateOptions other_options;
    other_options.common_name = "other.example.org";
    other_options.alternative_names = "DNS:other.example.org";
    SSLContext serving = server_context();
    auto other = std::make_unique<SSLContext>(server_context(make_certificate(other_options, &authority())));
    std::vector<std::string> names;
    serving.set_servername_callback([&](std::string_view name) -> const SSLContext* {
      names.emplace_back(name);
      if (name == "forbidden") throw std::runtime_error("not here");
      return name == "other.example.org" ? other.get() : nullptr;
    });
    int reports = 0;
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext&) { ++reports; });
    const SSLContext calling = client_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    ConnectOptions options{.ssl = &calling};
    const std::string by_number = co_await failure_of(server.port(), options);
    options.server_hostname = "localhost";
    const std::string by_name = co_await failure_of(server.port(), options);
    options.server_hostname = "other.example.org";
    const std::string by_other = co_await failure_of(server.port(), options);
    options.server_hostname = "forbidden";
    const std::string forbidden = co_await failure_of(server.port(), options);
    EXPECT_EQ(by_number + by_name + by_other, "");
    EXPECT_NE(forbidden, "");
    EXPECT_EQ(reports, 1);
    EXPECT_EQ(names, (std::vector<std::string>{"", "localhost", "other.example.org", "forbidden"}));
    server.close();
  });
}

TEST(Tls, ASessionIsResumedIfThatIsWanted) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    SSLContext calling = client_context();
    calling.set_reuse_sessions(true);
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    std::vector<bool> reused;
    for (int i = 0; i < 3; ++i) {
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &calling});
      reused.push_back(ssl::get_ssl_object(writer)->session_reused());
      writer.write("x");
      co_await reader.readexactly(1);
      writer.close();
      co_await writer.wait_closed();
    }
    EXPECT_EQ(reused, (std::vector<bool>{false, true, true}));
    server.close();
  });
}

// A resumed connection verifies nothing again.
TEST(Tls, ASessionThatWasNotVerifiedIsNotResumedByOneThatVerifies) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context(make_certificate());
    SSLContext calling = client_context();
    calling.set_reuse_sessions(true);
    calling.set_check_hostname(false);
    calling.set_verify_mode(ssl::VerifyMode::CERT_NONE);
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const ConnectOptions options{.ssl = &calling};
    for (const bool verified : {false, true}) {
      if (verified) calling.set_check_hostname(true);  // and thereby CERT_REQUIRED
      std::string text;
      try {
        auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), options);
        writer.write("x");
        co_await reader.readexactly(1);
        writer.close();
        co_await writer.wait_closed();
      } catch (const ssl::SSLCertVerificationError& error) {
        text = error.what();
      }
      EXPECT_EQ(text.find("self-signed certificate") != std::string::npos, verified) << text;
    }
    server.close();
  });
}

TEST(Tls, SecretsAreLoggedIfThatIsWanted) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    const std::string path = folder / "keys";
    const SSLContext serving = server_context();
    SSLContext calling = client_context();
    calling.set_keylog_filename(path);
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const ConnectOptions options{.ssl = &calling};
    const std::string text = co_await failure_of(server.port(), options);
    EXPECT_EQ(text, "");
    std::stringstream lines;
    lines << std::ifstream(path).rdbuf();
    EXPECT_NE(lines.str().find("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), std::string::npos);
    server.close();
  });
}

// ── files, arguments ──

TEST(Tls, CertificatesAreLoadedFromFiles) {
  const TemporaryFolder folder;
  const std::string certificate = write_file(folder / "cert.pem", localhost().certificate);
  const std::string key = write_file(folder / "key.pem", localhost().key);
  const std::string other = write_file(folder / "other.pem", authority().key);
  SSLContext context(ssl::TLSProtocol::TLS_SERVER);
  context.load_cert_chain(certificate, key);
  EXPECT_THROW(context.load_cert_chain(certificate, other), ssl::SSLError);
  EXPECT_THROW(context.load_cert_chain(folder / "missing.pem"), std::system_error);
  EXPECT_THROW(context.load_verify_locations(""), std::invalid_argument);
  EXPECT_THROW(context.load_verify_locations("", "", "no certificate"), std::invalid_argument);
  context.load_verify_locations(write_file(folder / "root.pem", authority().certificate));
  EXPECT_FALSE(context.check_hostname());
  EXPECT_EQ(context.verify_mode(), ssl::VerifyMode::CERT_NONE);
  context.set_verify_flags(ssl::VERIFY_X509_STRICT);
  EXPECT_EQ(context.verify_flags() & ssl::VERIFY_X509_STRICT, ssl::VERIFY_X509_STRICT);
}

template <class A>
Coro<std::string> argument_error_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const std::invalid_argument& error) {
    co_return error.what();
  }
  co_return "no error";
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_no_ssl_server_hostname_errors
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_ssl_timeout_for_plain_socket
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_ssl_timeout_for_plain_socket
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_connection_ssl_noserverhost
TEST(Tls, ArgumentsThatMakeNoSenseTogetherAreRefusedInCPythonsWords) {
  run_io([]() -> Coro<> {
    const SSLContext calling = client_context();
    const SSLContext serving = server_context();
    ConnectOptions name_only;
    name_only.server_hostname = "localhost";
    const std::string one = co_await argument_error_of(open_connection("127.0.0.1", 1, name_only));
    EXPECT_EQ(one, "server_hostname is only meaningful with ssl");
    const std::string two = co_await argument_error_of(open_connection("127.0.0.1", 1, {.ssl_handshake_timeout = 1s}));
    EXPECT_EQ(two, "ssl_handshake_timeout is only meaningful with ssl");
    const std::string three = co_await argument_error_of(open_connection("127.0.0.1", 1, {.ssl_shutdown_timeout = 1s}));
    EXPECT_EQ(three, "ssl_shutdown_timeout is only meaningful with ssl");
    const std::string four =
        co_await argument_error_of(start_server(echo, "127.0.0.1", 0, {.ssl_handshake_timeout = 1s}));
    EXPECT_EQ(four, "ssl_handshake_timeout is only meaningful with ssl");
    const std::string five = co_await argument_error_of(open_unix_connection("/tmp/x", {.ssl = &calling}));
    EXPECT_EQ(five, "you have to pass server_hostname when using ssl");

    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const std::string six = co_await argument_error_of(
        open_connection("127.0.0.1", server.port(), {.ssl = &calling, .ssl_handshake_timeout = 0s}));
    EXPECT_EQ(six.substr(0, 55), "ssl_handshake_timeout should be a positive number, got ");
    const std::string seven =
        co_await argument_error_of(open_connection("127.0.0.1", server.port(), {.ssl = &serving}));
    EXPECT_EQ(seven, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
    server.close();
  });
}

// test_streams.py: StreamTests.test_open_unix_connection_no_loop_ssl
// test_events.py: EventLoopTestsMixin.test_create_ssl_unix_connection
// test_events.py: EventLoopTestsMixin.test_create_unix_server_ssl
// test_events.py: EventLoopTestsMixin.test_create_unix_server_ssl_verified
// test_events.py: EventLoopTestsMixin.test_create_unix_server_ssl_verify_failed
TEST(Tls, UnixSocketsAreSecuredToo) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    const SSLContext serving = server_context();
    const SSLContext calling = client_context();
    const SSLContext mistrusting = client_context(make_authority("Other Root"));
    const std::string path = folder / "s";
    Server server = co_await start_unix_server(echo, path, {.ssl = &serving});
    UnixConnectOptions options{.ssl = &calling, .server_hostname = "localhost"};
    auto [reader, writer] = co_await open_unix_connection(path, options);
    writer.write("unix");
    const std::string answer = co_await reader.readexactly(4);
    EXPECT_EQ(answer, "unix");
    writer.close();
    options.ssl = &mistrusting;
    const std::string what = co_await thrown_by<ssl::SSLCertVerificationError>(open_unix_connection(path, options));
    EXPECT_NE(what.find("unable to get local issuer certificate"), std::string::npos) << what;
    server.close();
  });
}

}  // namespace
}  // namespace asyncio::testing
