// What a session may not be used for: to skip a check that is made today. And contexts that a server chooses by name.
#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/layers.h"
#include "stage6/ssl/tls_support.h"

#include <asyncio/ssl/detail/context_state.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;
using ssl::detail::ContextState;
using ssl::detail::SessionPointer;

std::shared_ptr<ContextState> state_of(const SSLContext& context) {
  return std::static_pointer_cast<ContextState>(context.engine());
}

/// For clients, signed by authority().
Identity person(const std::string& name) {
  CertificateOptions options;
  options.common_name = name;
  options.usage = "clientAuth";
  return make_certificate(options, &authority());
}

// The session of a connection of TLS 1.3 arrives after its handshake: the mode may have been switched meanwhile.
TEST(TlsSessions, OneThatBeganBeforeTheModeWasSwitchedOnIsNotKept) {
  run_io([]() -> Coro<> {
    for (const bool switched : {false, true}) {
      SSLContext calling = client_context();
      calling.set_reuse_sessions(true);
      calling.set_check_hostname(false);
      calling.set_verify_mode(ssl::VerifyMode::CERT_NONE);
      Layers layers(true, nullptr, false, TLS1_3_VERSION, calling);
      if (switched) calling.set_check_hostname(true);  // and thereby CERT_REQUIRED
      layers.exchange();
      EXPECT_TRUE(layers.handshake.done());
      EXPECT_EQ(state_of(calling)->session_of("localhost") == nullptr, switched);
      layers.layer->connection_lost(nullptr);
      co_await ticks(2);
    }
  });
}

/// Says something and hears it, on a connection of its own. Gives whether it resumed a session; "" or the error.
struct Visit {
  bool resumed = false;
  std::string error;
};
Coro<Visit> visit(int port, const SSLContext& calling, std::string name = "localhost") {
  Visit visit;
  ConnectOptions options{.ssl = &calling};
  options.server_hostname = name;
  try {
    auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
    writer.write("x");
    const std::string answer = co_await reader.readexactly(1);
    visit.resumed = ssl::get_ssl_object(writer)->session_reused();
    writer.close();
    co_await writer.wait_closed();
  } catch (const std::system_error& error) {
    visit.error = error.what();
  } catch (const IncompleteReadError& error) {
    visit.error = error.what();
  }
  co_return visit;
}

// A ticket of the time before would let a client in that shows no certificate.
TEST(TlsSessions, AClientOfBeforeHasToShowItsCertificateWhenTheServerBeginsToRequireOne) {
  run_io([]() -> Coro<> {
    for (const auto version : {ssl::TLSVersion::TLSv1_2, ssl::TLSVersion::TLSv1_3}) {
      SSLContext serving = server_context();
      serving.load_verify_locations("", "", authority().certificate);
      SSLContext calling = client_context();
      calling.set_reuse_sessions(true);
      calling.set_maximum_version(version);
      Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
      for (const bool again : {false, true}) {
        const Visit before = co_await visit(server.port(), calling);
        EXPECT_EQ(before.error, "");
        EXPECT_EQ(before.resumed, again);
      }
      serving.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
      const Visit after = co_await visit(server.port(), calling);
      EXPECT_NE(after.error, "") << "let in" << (after.resumed ? ", by an old session" : "");
      server.close();
      co_await server.wait_closed();
    }
  });
}

// A resumed connection shows no certificate: the server believes that it speaks with whom it was before.
TEST(TlsSessions, AClientWithAnotherCertificateIsSeenAsAnother) {
  run_io([]() -> Coro<> {
    SSLContext serving = server_context();
    serving.load_verify_locations("", "", authority().certificate);
    serving.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
    const auto names = std::make_shared<std::vector<std::string>>();
    const auto name_and_echo = [names](StreamReader reader, StreamWriter writer) {
      names->push_back(ssl::get_ssl_object(writer)->peer_certificate()->common_name());
      return echo(std::move(reader), std::move(writer));
    };
    Server server = co_await start_server(name_and_echo, "127.0.0.1", 0, {.ssl = &serving});
    SSLContext calling = client_context();
    calling.set_reuse_sessions(true);
    std::vector<bool> resumed;
    for (const char* name : {"alice", "bob"}) {
      const Identity identity = person(name);
      calling.load_cert_chain_pem(identity.certificate, identity.key);
      for (int i = 0; i < 2; ++i) {
        const Visit result = co_await visit(server.port(), calling);
        EXPECT_EQ(result.error, "");
        resumed.push_back(result.resumed);
      }
    }
    EXPECT_EQ(*names, (std::vector<std::string>{"alice", "alice", "bob", "bob"}));
    EXPECT_EQ(resumed, (std::vector<bool>{false, true, false, true}));
    server.close();
    co_await server.wait_closed();
  });
}

// Whatever a connection is checked by, or shows, has to be checked or shown anew.
TEST(TlsSessions, AreForgottenWhenARuleChanges) {
  const TemporaryFolder folder;
  const std::string certificate = write_file(folder / "cert.pem", localhost().certificate);
  const std::string key = write_file(folder / "key.pem", localhost().key);
  struct Change {
    const char* what;
    std::function<void(SSLContext&)> make;
  };
  const std::vector<Change> changes = {
      {"a name is verified", [](SSLContext& context) { context.set_check_hostname(true); }},
      {"a flag is set", [](SSLContext& context) { context.set_verify_flags(ssl::VERIFY_X509_PARTIAL_CHAIN); }},
      {"a root is added, or a revocation list",
       [](SSLContext& context) { context.load_verify_locations("", "", make_authority("Another").certificate); }},
      {"the system's roots are added", [](SSLContext& context) { context.set_default_verify_paths(); }},
      {"a certificate is loaded", [&](SSLContext& context) { context.load_cert_chain(certificate, key); }},
      {"the mode is set", [](SSLContext& context) { context.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED); }},
      {"none were wanted meanwhile",
       [](SSLContext& context) {
         context.set_reuse_sessions(false);
         context.set_reuse_sessions(true);
       }},
  };
  run_io([&]() -> Coro<> {
    const SSLContext serving = server_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    for (const Change& change : changes) {
      SSLContext calling = client_context();
      calling.set_check_hostname(false);
      calling.set_reuse_sessions(true);
      std::vector<bool> resumed;
      for (int i = 0; i < 3; ++i) {
        if (i == 2) change.make(calling);
        const Visit result = co_await visit(server.port(), calling);
        EXPECT_EQ(result.error, "");
        resumed.push_back(result.resumed);
      }
      EXPECT_EQ(resumed, (std::vector<bool>{false, true, false})) << change.what;
    }
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsSessions, OfManyHostsTheOldestGoes) {
  ContextState state(ssl::TLSProtocol::TLS_CLIENT);
  state.reuse_sessions = true;
  const int most = static_cast<int>(ContextState::kMostSessions);
  const auto keep = [&](int i) {
    SessionPointer session(SSL_SESSION_new());
#if OPENSSL_VERSION_NUMBER >= 0x30400000L  // the older name is deprecated
    SSL_SESSION_set_time_ex(session.get(), 1'000'000 + i);
#else
    SSL_SESSION_set_time(session.get(), 1'000'000 + i);
#endif
    state.keep_session("host" + std::to_string(i), std::move(session), state.generation());
  };
  for (int i = 0; i < most + 10; ++i) keep(i);
  keep(most);  // a newer one of a host that has one already: no other goes
  for (int i = 0; i < most + 10; ++i) {
    EXPECT_EQ(state.session_of("host" + std::to_string(i)) != nullptr, i >= 10) << i;
  }
}

// ── contexts that are chosen by name ──

/// A server of two names. "strict" has a context of its own.
struct TwoNames {
  explicit TwoNames(SSLContext for_strict) : strict(std::make_shared<SSLContext>(std::move(for_strict))) {
    common.set_servername_callback([other = strict](std::string_view name) -> const SSLContext* {
      return name == "strict" ? other.get() : nullptr;
    });
  }
  SSLContext common = server_context();
  std::shared_ptr<SSLContext> strict;
};

/// What a client without a certificate hears when it says "hello" under that name: "" if it is refused.
struct Answer {
  std::string heard;
  bool resumed = false;
  SessionPointer session;
};
Coro<Answer> say_hello(int port, const char* name, int version, SSL_SESSION* session = nullptr) {
  Answer answer;
  BarePeer peer = co_await BarePeer::connect(port, version);
  SSL_set_tlsext_host_name(peer.ssl(), name);
  if (session) SSL_set_session(peer.ssl(), session);
  try {
    co_await peer.handshake();
    co_await peer.write("hello");
    answer.heard = co_await peer.read();
    answer.resumed = SSL_session_reused(peer.ssl()) == 1;
    answer.session.reset(SSL_get1_session(peer.ssl()));
    co_await peer.shutdown();
  } catch (const std::runtime_error&) {  // an alert, or the end
  }
  co_return answer;
}

SSLContext requiring() {
  SSLContext context = server_context();
  context.load_verify_locations("", "", authority().certificate);
  context.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
  return context;
}

TEST(TlsNames, TheChosenContextDecidesWhetherACertificateIsRequired) {
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const TwoNames names(requiring());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Answer common = co_await say_hello(server.port(), "common", version);
      EXPECT_EQ(common.heard, "hello");
      const Answer strict = co_await say_hello(server.port(), "strict", version);
      EXPECT_EQ(strict.heard, "");
    }
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

// CVE-2025-23419: a session made under a name that requires nothing, resumed under one that requires a certificate.
TEST(TlsNames, ASessionOfOneContextIsNotResumedInAnother) {
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const TwoNames names(requiring());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Answer first = co_await say_hello(server.port(), "common", version);
      EXPECT_TRUE(first.session != nullptr);
      if (!first.session) co_return;
      SessionPointer copy(SSL_SESSION_dup(first.session.get()));
      const Answer again = co_await say_hello(server.port(), "common", version, first.session.get());
      EXPECT_EQ(again.heard, "hello");
      EXPECT_TRUE(again.resumed);
      const Answer strict = co_await say_hello(server.port(), "strict", version, copy.get());
      EXPECT_EQ(strict.heard, "");
    }
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

TEST(TlsNames, SessionsOfAChosenContextAreResumed) {
  run_io([]() -> Coro<> {
    const TwoNames names(server_context());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Answer first = co_await say_hello(server.port(), "strict", version);
      const Answer again = co_await say_hello(server.port(), "strict", version, first.session.get());
      EXPECT_EQ(first.heard + again.heard, "hellohello");
      EXPECT_TRUE(again.resumed);
    }
    server.close();
    co_await server.wait_closed();
  });
}

TEST(TlsNames, VersionsAndProtocolsAreThoseOfTheChosenContext) {
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    SSLContext strict = server_context();
    strict.set_minimum_version(ssl::TLSVersion::TLSv1_3);
    strict.set_alpn_protocols({"strictly"});
    TwoNames names(std::move(strict));
    names.common.set_alpn_protocols({"commonly"});
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    const Answer common = co_await say_hello(server.port(), "common", TLS1_2_VERSION);
    const Answer old = co_await say_hello(server.port(), "strict", TLS1_2_VERSION);
    const Answer recent = co_await say_hello(server.port(), "strict", TLS1_3_VERSION);
    EXPECT_EQ(common.heard, "hello");
    EXPECT_EQ(old.heard, "");
    EXPECT_EQ(recent.heard, "hello");
    SSLContext calling = client_context();
    calling.set_alpn_protocols({"commonly", "strictly"});
    calling.set_check_hostname(false);
    std::map<std::string, std::string> agreed;
    for (const char* name : {"common", "strict"}) {
      ConnectOptions options{.ssl = &calling};
      options.server_hostname = name;
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), options);
      agreed[name] = ssl::get_ssl_object(writer)->selected_alpn_protocol();
      writer.close();
      co_await writer.wait_closed();
    }
    EXPECT_EQ(agreed["common"], "commonly");
    EXPECT_EQ(agreed["strict"], "strictly");
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

// What a client's certificate has to withstand, too: one with an intermediate authority, for which no list says whether
// it is revoked.
TEST(TlsNames, TheRulesForCertificatesAreThoseOfTheChosenContext) {
  CertificateOptions intermediate;
  intermediate.common_name = "Intermediate";
  intermediate.authority = true;
  const Identity between = make_certificate(intermediate, &authority());
  CertificateOptions options;
  options.common_name = "alice";
  options.usage = "clientAuth";
  const Identity alice = make_certificate(options, &between);
  struct Rule {
    const char* what;
    std::function<void(SSLContext&)> apply;
  };
  const std::vector<Rule> rules = {
      {"no list of what is revoked",
       [](SSLContext& strict) { strict.set_verify_flags(strict.verify_flags() | ssl::VERIFY_CRL_CHECK_LEAF); }},
      {"a chain too long", [](SSLContext& strict) { SSL_CTX_set_verify_depth(strict.native_handle(), 0); }},
  };
  run_io([&]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    SSLContext calling = client_context();
    calling.load_cert_chain_pem(alice.certificate + between.certificate, alice.key);
    calling.set_check_hostname(false);
    for (const Rule& rule : rules) {
      SSLContext strict = requiring();
      rule.apply(strict);
      TwoNames names(std::move(strict));
      names.common.load_verify_locations("", "", authority().certificate);
      names.common.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
      Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
      for (const char* name : {"common", "strict"}) {
        const Visit result = co_await visit(server.port(), calling, name);
        EXPECT_EQ(result.error.empty(), name == std::string("common")) << rule.what << ": " << result.error;
      }
      server.close();
      server.abort_clients();
      co_await server.wait_closed();
    }
  });
}

TEST(TlsNames, TheHighestVersionAndTheTicketsAreThoseOfTheChosenContext) {
  run_io([]() -> Coro<> {
    SSLContext strict = server_context();
    strict.set_num_tickets(0);
    TwoNames names(std::move(strict));
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    const Answer common = co_await say_hello(server.port(), "common", TLS1_3_VERSION);
    const Answer without = co_await say_hello(server.port(), "strict", TLS1_3_VERSION);
    EXPECT_EQ(common.heard + without.heard, "hellohello");
    EXPECT_TRUE(common.session && SSL_SESSION_is_resumable(common.session.get()));
    EXPECT_FALSE(without.session && SSL_SESSION_is_resumable(without.session.get()));

    names.strict->set_maximum_version(ssl::TLSVersion::TLSv1_2);
    std::map<std::string, std::string> agreed;
    for (const char* name : {"localhost", "strict"}) {
      SSLContext context = client_context();
      context.set_check_hostname(false);
      ConnectOptions options{.ssl = &context};
      options.server_hostname = name;
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), options);
      agreed[name] = ssl::get_ssl_object(writer)->version();
      writer.close();
      co_await writer.wait_closed();
    }
    EXPECT_EQ(agreed["localhost"], "TLSv1.3");
    EXPECT_EQ(agreed["strict"], "TLSv1.2");
    server.close();
    co_await server.wait_closed();
  });
}

void note_name(SSL*, int, int type, const unsigned char*, int, void* noted) {
  if (type == TLSEXT_TYPE_server_name) *static_cast<bool*>(noted) = true;
}

// An empty extension in the server's answer (RFC 6066).
TEST(TlsNames, AClientHearsThatItsNameWasUsed) {
  run_io([]() -> Coro<> {
    const TwoNames names(server_context());
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &names.common});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      BarePeer peer = co_await BarePeer::connect(server.port(), version);
      SSL_set_tlsext_host_name(peer.ssl(), "strict");
      bool heard = false;
      SSL_set_tlsext_debug_callback(peer.ssl(), note_name);
      SSL_set_tlsext_debug_arg(peer.ssl(), &heard);
      co_await peer.handshake();
      EXPECT_TRUE(heard) << version;
      co_await peer.shutdown();
    }
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

// ── early data ──

// Data before the handshake could be replayed by anybody: it is neither offered nor heard.
TEST(TlsSessions, EarlyDataIsNotHeard) {
  run_io([]() -> Coro<> {
    const SSLContext serving = server_context();
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    const Answer first = co_await say_hello(server.port(), "localhost", TLS1_3_VERSION);
    EXPECT_TRUE(first.session != nullptr);
    if (!first.session) co_return;
    EXPECT_EQ(SSL_SESSION_get_max_early_data(first.session.get()), 0u);

    SSL_SESSION_set_max_early_data(first.session.get(), 1000);  // a client that does not care
    BarePeer peer = co_await BarePeer::connect(server.port());
    SSL_set_tlsext_host_name(peer.ssl(), "localhost");
    SSL_set_session(peer.ssl(), first.session.get());
    std::size_t written = 0;
    EXPECT_EQ(SSL_write_early_data(peer.ssl(), "early", 5, &written), 1);
    co_await peer.send_outgoing();
    co_await peer.handshake();
    EXPECT_EQ(SSL_get_early_data_status(peer.ssl()), SSL_EARLY_DATA_REJECTED);
    co_await peer.write("late");
    const std::string heard = co_await peer.read();
    EXPECT_EQ(heard, "late");
    co_await peer.shutdown();
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace
}  // namespace asyncio::testing
