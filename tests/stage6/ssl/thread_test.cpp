// Loops in several threads share their contexts: with the sessions, the log of secrets, the callbacks, the errors.
#include "stage6/ssl/tls_support.h"

#include <asyncio/ssl/detail/context_state.h>
#include <openssl/ssl.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <thread>
#include <vector>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
// Debian's OpenSSL is not instrumented: ThreadSanitizer sees that it frees memory, but not the reference counts before.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }
#endif
#endif

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

constexpr int kThreads = 4;
constexpr int kConnections = 6;

/// Runs a coroutine function on a loop of its own in each of the threads.
template <class F>
void run_in_threads(F main) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&main, i] { run_io([&main, i] { return main(i); }); });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Says something, and hears it. Gives whether the connection resumed a session.
Coro<bool> chat(int port, ConnectOptions options, int seed) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
  const std::string data = pattern(20'000, static_cast<unsigned>(seed));
  writer.write(data);
  const std::string answer = co_await reader.readexactly(data.size());
  EXPECT_TRUE(answer == data);
  const bool resumed = ssl::get_ssl_object(writer)->session_reused();
  writer.close();
  co_await writer.wait_closed();
  co_return resumed;
}

// Threads take and replace the same session at the same time: without a lock, one of them frees what another one takes.
TEST(TlsThreads, MayTakeAndReplaceASession) {
  const auto engine = std::make_shared<ssl::detail::ContextState>(ssl::TLSProtocol::TLS_CLIENT);
  engine->reuse_sessions = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2000; ++k) {
        engine->keep_session("localhost", ssl::detail::SessionPointer(SSL_SESSION_new()), engine->generation());
        const ssl::detail::SessionPointer session = engine->session_of("localhost");
        EXPECT_TRUE(!session || SSL_SESSION_get_timeout(session.get()) > 0);
        if (k % 100 == 0) engine->forget_sessions();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Each thread serves, and calls its own server.
TEST(TlsThreads, ShareContextsWithTheirSessionsAndTheirLogOfSecrets) {
  const TemporaryFolder folder;
  SSLContext serving = server_context();
  SSLContext calling = client_context();
  calling.set_reuse_sessions(true);
  serving.set_keylog_filename(folder / "keys");
  calling.set_keylog_filename(folder / "keys");
  std::atomic<int> resumed = 0;
  run_in_threads([&](int thread) -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
    ConnectOptions options{.ssl = &calling};
    options.server_hostname = "localhost";
    for (int i = 0; i < kConnections; ++i) {
      const bool again = co_await chat(server.port(), options, thread * kConnections + i);
      resumed += again;
    }
    server.close();
    co_await server.wait_closed();
  });
  EXPECT_GT(resumed, kThreads);  // not all: a session of TLS 1.3 is used once, and another thread may have been first

  const std::regex line("(CLIENT|SERVER|EXPORTER|EARLY)_[A-Z_0]+ [0-9a-f]{64} [0-9a-f]{64,96}");
  std::ifstream file(folder / "keys");
  int lines = 0;
  for (std::string text; std::getline(file, text); ++lines) EXPECT_TRUE(std::regex_match(text, line)) << text;
  EXPECT_GE(lines, 2 * 4 * kThreads * kConnections);  // both ends; at least four secrets of each connection
}

// One thread serves, the others call; some do not trust the server, and the others must not hear of it.
TEST(TlsThreads, MayServeAndCallEachOther) {
  CertificateOptions other_name;
  other_name.alternative_names = "DNS:other";
  const SSLContext other = server_context(make_certificate(other_name, &authority()));
  std::atomic<int> named = 0;
  SSLContext serving = server_context();
  serving.set_servername_callback([&](std::string_view name) {
    ++named;
    return name == "other" ? &other : nullptr;
  });
  const SSLContext calling = client_context();
  const SSLContext mistrusting = client_context(make_authority("Other Root"));
  std::atomic<int> port = 0;
  std::atomic<int> calls_left = kThreads - 1;
  run_in_threads([&](int thread) -> Coro<> {
    if (thread == 0) {
      Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving});
      port = server.port();
      while (calls_left > 0) co_await sleep(1ms);
      server.close();
      co_await server.wait_closed();
      co_return;
    }
    while (port == 0) co_await sleep(1ms);
    for (int i = 0; i < kConnections; ++i) {
      ConnectOptions options{.ssl = &calling};
      options.server_hostname = i % 2 == 0 ? "localhost" : "other";
      co_await chat(port, options, i);
      options.ssl = &mistrusting;
      const std::string text = co_await failure_of<ssl::SSLCertVerificationError>(port, options);
      EXPECT_NE(text.find("unable to get local issuer certificate"), std::string::npos) << text;
    }
    --calls_left;
  });
  EXPECT_EQ(named, (kThreads - 1) * kConnections * 2);
}

// The last connection frees what the contexts own, in whichever thread it ends.
TEST(TlsThreads, AContextMayGoBeforeTheConnectionsOfAllThreads) {
  std::optional<SSLContext> serving = server_context();
  std::optional<SSLContext> calling = client_context();
  std::weak_ptr<asyncio::detail::TlsEngine> engines[] = {serving->engine(), calling->engine()};
  std::atomic<int> connected = 0;
  std::atomic<bool> gone = false;
  std::thread owner([&] {
    while (connected < kThreads) std::this_thread::yield();
    serving.reset();
    calling.reset();
    gone = true;
  });
  run_in_threads([&](int) -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = &*serving});
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), {.ssl = &*calling});
    ++connected;
    while (!gone) co_await sleep(1ms);
    writer.write("x");
    const std::string answer = co_await reader.readexactly(1);
    EXPECT_EQ(answer, "x");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
  owner.join();
  for (const auto& engine : engines) EXPECT_TRUE(engine.expired());
}

}  // namespace
}  // namespace asyncio::testing
