// Allocation k fails, for each k, in scenarios of TLS: ours and OpenSSL's. See sweep.h.
#include "no_memory/closing.h"
#include "no_memory/no_memory.h"
#include "no_memory/sweep.h"
#include "stage6/ssl/tls_support.h"

#include <asyncio/tls.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

// ── OpenSSL's allocations ──

// It keeps some for later, such as the texts of errors: these blocks are counted apart.
std::atomic<long> openssl_blocks = 0;

void* allocate_for_openssl(std::size_t size, const char*, int) {
  void* const memory = fails() ? nullptr : std::malloc(size);
  if (memory) ++openssl_blocks;
  return memory;
}
void release_for_openssl(void* memory, const char*, int) {
  if (memory) --openssl_blocks;
  std::free(memory);
}
void* reallocate_for_openssl(void* memory, std::size_t size, const char*, int) {
  if (!memory) return allocate_for_openssl(size, nullptr, 0);
  if (size > 0) return fails() ? nullptr : std::realloc(memory, size);
  release_for_openssl(memory, nullptr, 0);
  return nullptr;
}

// Before OpenSSL has allocated anything.
[[maybe_unused]] const int ours =
    CRYPTO_set_mem_functions(allocate_for_openssl, reallocate_for_openssl, release_for_openssl);

TEST(NoMemoryInTls, OpenSslAllocatesByOurFunctions) { EXPECT_EQ(ours, 1); }

// ── scenarios ──

struct Contexts {
  SSLContext serving = server_context();
  SSLContext calling = client_context();
};
const Contexts& contexts() {
  static const Contexts made;
  return made;
}

// The limits are longer than the sweep has patience: they end no connection that waits for want of memory.
ServerOptions serving() { return {.ssl = &contexts().serving, .ssl_shutdown_timeout = 60s}; }
ConnectOptions calling() { return {.ssl = &contexts().calling, .ssl_shutdown_timeout = 60s}; }

Coro<> talk(StreamReader reader, StreamWriter writer, std::size_t size) {
  const std::string data = pattern(size);
  writer.write(data);
  std::string received;
  while (received.size() < size) {
    const std::string some = co_await reader.read(100'000);
    if (some.empty()) break;
    received += some;
  }
  EXPECT_TRUE(data.starts_with(received)) << "after " << received.size();
  writer.close();
  co_await writer.wait_closed();
}

void sweep_tls(Scenario scenario) {
  run(scenario());  // what is made once is made now
  const long before = openssl_blocks;
  sweep_io(scenario);
  EXPECT_LT(openssl_blocks - before, 100);  // a connection has more
}

/// Calls `body` with a connection to a server that sends everything back.
template <class Body>
Coro<> with_echo(Body body) {
  const ServerOptions serve = serving();
  Server made = co_await start_server(echo, "127.0.0.1", 0, serve);
  const Closing server(std::move(made));
  const ConnectOptions call = calling();
  auto [reader, writer] = co_await open_connection("127.0.0.1", server->port(), call);
  co_await body(reader, writer);
}

TEST(NoMemoryInTls, AnEchoServerAndItsClient) {
  sweep_tls(
      [] { return with_echo([](StreamReader reader, StreamWriter writer) { return talk(reader, writer, 100); }); });
}

TEST(NoMemoryInTls, ACertificateInWords) {
  sweep_tls([] {
    return with_echo([](StreamReader, StreamWriter writer) -> Coro<> {
      const auto seen = ssl::get_ssl_object(writer)->peer_certificate();
      EXPECT_TRUE(seen.has_value());
      if (!seen) co_return;
      EXPECT_EQ(seen->common_name(), "localhost");
      EXPECT_FALSE(seen->serial_number.empty() || seen->not_after.empty() || seen->der.empty());
      EXPECT_FALSE(seen->subject_alt_name.empty());
      writer.close();
      co_await writer.wait_closed();
    });
  });
}

TEST(NoMemoryInTls, MoreThanTheBuffersHold) {
  sweep_tls(
      [] { return with_echo([](StreamReader reader, StreamWriter writer) { return talk(reader, writer, 200'000); }); });
}

Coro<> upgrade_and_echo(StreamReader reader, StreamWriter writer) {
  co_await reader.readline();
  const StartTlsOptions options{.ssl_shutdown_timeout = 60s};
  co_await writer.start_tls(contexts().serving, options);
  co_await echo(reader, writer);
}

TEST(NoMemoryInTls, StartTls) {
  sweep_tls([]() -> Coro<> {
    Server made = co_await start_server(upgrade_and_echo, "127.0.0.1", 0);
    const Closing server(std::move(made));
    auto [reader, writer] = co_await open_connection("127.0.0.1", server->port());
    writer.write("STARTTLS\n");
    StartTlsOptions options{.ssl_shutdown_timeout = 60s};
    options.server_hostname = "localhost";
    co_await writer.start_tls(contexts().calling, options);
    co_await talk(reader, writer, 1000);
  });
}

}  // namespace
}  // namespace asyncio::testing
