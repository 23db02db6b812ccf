// TLS where anything may fail: each system call, a thousand handshakes that never end. Afterwards no descriptor, no
// task and no memory is left; no byte was lost, doubled or out of order; and none was sent plain.
#include "stage6/faults/run_with.h"
#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/faults/wire_tap.h"
#include "stage6/ssl/tls_support.h"

#include <asyncio/epoll_core.h>
#include <asyncio/transport_sendfile.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <optional>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};

const std::string kData = pattern(100'000);

// Byte by byte, a slow machine needs longer.
std::chrono::seconds handshake_limit(5), shutdown_limit(2);

Coro<> write_all(StreamWriter writer) {
  for (std::size_t at = 0; at < kData.size(); at += 30'000) {
    writer.write(std::string_view(kData).substr(at, 30'000));
    co_await writer.drain();
  }
}

/// Reads until all has come, or the end of the stream.
Coro<> receive(StreamReader& reader, Outcome& outcome) {
  while (outcome.received.size() < kData.size()) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    outcome.received += data;
  }
}

/// Sends and receives at the same time; both ends close.
Coro<> streams(Outcome& outcome) {
  const SSLContext serving = server_context();
  const SSLContext calling = client_context();
  const ServerOptions serve{
      .ssl = &serving, .ssl_handshake_timeout = handshake_limit, .ssl_shutdown_timeout = shutdown_limit};
  Server server = co_await start_server(echo, "127.0.0.1", 0, serve);
  const ConnectOptions call{
      .ssl = &calling, .ssl_handshake_timeout = handshake_limit, .ssl_shutdown_timeout = shutdown_limit};
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), call);
  auto writing = create_task(write_all(writer));
  co_await receive(reader, outcome);
  co_await writing;
  writer.close();
  co_await writer.wait_closed();
  server.close();
  if (outcome.received.size() < kData.size()) throw std::runtime_error("the connection was cut off");
}

/// A plain line first.
Coro<> starttls(Outcome& outcome) {
  const auto serving = std::make_shared<SSLContext>(server_context());  // a cancelled scenario ends before its server
  const SSLContext calling = client_context();
  const auto handle = [serving](StreamReader reader, StreamWriter writer) -> Coro<> {
    const auto context = serving;
    co_await reader.readline();
    co_await writer.start_tls(*context,
                              {.ssl_handshake_timeout = handshake_limit, .ssl_shutdown_timeout = shutdown_limit});
    writer.write(kData);
    co_await writer.drain();
    writer.close();
    co_await writer.wait_closed();
  };
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("STARTTLS\n");
  StartTlsOptions options;
  options.server_hostname = "localhost";
  options.ssl_handshake_timeout = handshake_limit;
  options.ssl_shutdown_timeout = shutdown_limit;
  co_await writer.start_tls(calling, options);
  co_await receive(reader, outcome);
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
  if (outcome.received.size() < kData.size()) throw std::runtime_error("the connection was cut off");
}

/// A file that the kernel would send plain.
Coro<> send_file(Outcome& outcome) {
  const auto serving = std::make_shared<SSLContext>(server_context());
  const SSLContext calling = client_context();
  const auto handle = [serving](StreamReader, StreamWriter writer) -> Coro<> {
    const auto context = serving;
    const std::unique_ptr<FILE, CloseFile> file(std::tmpfile());
    std::fwrite(kData.data(), 1, kData.size(), file.get());
    std::fflush(file.get());
    co_await sendfile(std::dynamic_pointer_cast<Transport>(writer.transport()), ::fileno(file.get()));
    writer.close();
    co_await writer.wait_closed();
  };
  const ServerOptions serve{
      .ssl = serving.get(), .ssl_handshake_timeout = handshake_limit, .ssl_shutdown_timeout = shutdown_limit};
  Server server = co_await start_server(handle, "127.0.0.1", 0, serve);
  const ConnectOptions call{
      .ssl = &calling, .ssl_handshake_timeout = handshake_limit, .ssl_shutdown_timeout = shutdown_limit};
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), call);
  co_await receive(reader, outcome);
  writer.close();
  co_await writer.wait_closed();
  server.close();
  if (outcome.received.size() < kData.size()) throw std::runtime_error("the connection was cut off");
}

/// Written before the handshake is done, and cut off while it is written.
Coro<> abort_while_writing(Outcome& outcome) {
  const SSLContext serving = server_context();
  const SSLContext calling = client_context();
  Server server =
      co_await start_server(echo, "127.0.0.1", 0, {.ssl = &serving, .ssl_handshake_timeout = handshake_limit});
  const ConnectOptions call{.ssl = &calling, .ssl_handshake_timeout = handshake_limit};
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port(), call);
  writer.write(kData);
  outcome.received = co_await reader.readexactly(1000);
  writer.write(kData);
  writer.transport()->abort();
  server.close();
  server.abort_clients();
  outcome.received = kData;  // for those who count
}

std::unique_ptr<Core> auto_core() { return nullptr; }
std::unique_ptr<Core> epoll_core() { return std::make_unique<EpollCore>(); }

class EveryTlsCall : public FaultTest {
 protected:
  EveryTlsCall() : FaultTest(kData.size(), {2, 3}, 10) {}

  Outcome run_case(Faults::Decide decide) override {
    const Patience patience{.limit = 90s, .turns = 500, .tasks_after_failure = SIZE_MAX, .time_out = kTimeOut};
    return run_with<WireTap>(GetParam(), std::move(decide), kData, patience);
  }

  static constexpr std::string_view kTimeOut = "SSL shutdown timed out";
};

INSTANTIATE_TEST_SUITE_P(Tls, EveryTlsCall,
                         ::testing::Values(Case{"streams_on_poll", streams, auto_core},
                                           Case{"streams_on_epoll", streams, epoll_core},
                                           Case{"starttls", starttls, auto_core},
                                           Case{"sendfile", send_file, auto_core},
                                           Case{"abort", abort_while_writing, auto_core}),
                         name_of);

const std::vector<std::string_view> kSends = {"send", "sendmsg"};
const std::vector<std::string_view> kReceives = {"recv"};

TEST_P(EveryTlsCall, MayBeInterruptedOrSayNotNow) {
  for (const int error : {EINTR, EAGAIN}) {
    expect_unnoticed(kSends, {.error = error});
    expect_unnoticed(kReceives, {.error = error});
  }
  EXPECT_GT(injected_, 0);
}

// A record is cut anywhere: bytes come and go one by one, or a few at a time.
TEST_P(EveryTlsCall, MayFallShort) {
  const auto limits = std::pair(handshake_limit, shutdown_limit);
  handshake_limit = shutdown_limit = 60s;
  int records = 0;
  for (const std::size_t at_most : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const std::vector<std::string_view> both = {"send", "sendmsg", "recv"};
    const Outcome outcome = run_counted(at_every(1, both, {.at_most = at_most}));
    EXPECT_FALSE(outcome.failed) << at_most;
    EXPECT_EQ(outcome.received.size(), kData.size());
    records += outcome.records;
  }
  std::tie(handshake_limit, shutdown_limit) = limits;
  EXPECT_GT(injected_, 0);
  EXPECT_GT(records, 20);
}

TEST_P(EveryTlsCall, MayLoseTheConnection) {
  for (const int error : {ECONNRESET, EPIPE}) {
    expect_nothing_left(kSends, error);
    expect_nothing_left(kReceives, error);
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryTlsCall, MayFindNoMemoryOrNoDescriptor) {
  expect_nothing_left(kSends, ENOBUFS);
  expect_nothing_left(kReceives, ENOMEM);
  expect_nothing_left({"epoll_ctl", "setsockopt", "getsockopt", "getsockname", "getpeername"}, ENOMEM);
  expect_nothing_left({"connect", "bind", "listen", "accept4"}, ENOBUFS);
  expect_nothing_left({"socket", "accept4"}, EMFILE);
  EXPECT_GT(injected_, 0);
}

// ── handshakes that never end ──

/// Connections that send a part of a hello, or all of it and nothing more.
Coro<std::vector<Socket>> unfinished(int port, int count) {
  BarePeer peer(Socket(), BarePeer::Side::client);
  SSL_do_handshake(peer.ssl());
  const std::string hello = peer.take_outgoing();
  std::vector<Socket> sockets;
  for (int i = 0; i < count; ++i) {
    Socket socket = Socket::stream(AF_INET);
    co_await sock_connect(socket, loopback(port));
    co_await sock_sendall(socket, hello.substr(0, i % 2 == 0 ? hello.size() - 1 : hello.size()));
    sockets.push_back(std::move(socket));
  }
  co_return sockets;
}

/// Beyond those that open_descriptors() counts.
int all_descriptors() {
  int open = 0;
  for (int fd = 0; fd < 4000; ++fd) open += ::fcntl(fd, F_GETFD) != -1;
  return open;
}

TEST(TlsHandshakes, AThousandUnfinishedOnesTakeBoundedMemory) {
  constexpr int kCount = 1000;
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2 * kCount + 200) GTEST_SKIP() << "too few descriptors are allowed";
  const rlimit raised = {limit.rlim_max, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &raised);
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const SSLContext serving = server_context();
    const ServerOptions options{.backlog = kCount, .ssl = &serving};
    Server server = co_await start_server(echo, "127.0.0.1", 0, options);
    const int before = all_descriptors();
    const std::size_t memory_before = ::mallinfo2().uordblks;
    std::vector<Socket> sockets = co_await unfinished(server.port(), kCount);
    while (all_descriptors() < before + 2 * kCount) co_await sleep(10ms);
    co_await sleep(50ms);
    const std::size_t memory = ::mallinfo2().uordblks - memory_before;
    EXPECT_LT(memory, std::size_t{kCount} * 100 * 1024);  // most of it is OpenSSL's; a sanitizer's allocator answers 0
    RecordProperty("bytes_for_each", static_cast<int>(memory / kCount));
    sockets.clear();
    while (all_descriptors() > before + 5) co_await sleep(10ms);  // the loop has opened some of its own meanwhile
    server.close();
    co_await server.wait_closed();
  });
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(TlsHandshakes, AServerEndsThoseThatTakeTooLong) {
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const SSLContext serving = server_context();
    int served = 0;
    const auto count = [&](StreamReader, StreamWriter) -> Coro<> {
      ++served;
      co_return;
    };
    Server server = co_await start_server(count, "127.0.0.1", 0, {.ssl = &serving, .ssl_handshake_timeout = 100ms});
    const int before = open_descriptors();
    std::vector<Socket> sockets = co_await unfinished(server.port(), 50);
    for (Socket& socket : sockets) {  // each hears of the end: at most the beginning of a handshake comes before it
      try {
        while (!(co_await sock_recv(socket, 65536)).empty()) {
        }
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::connection_reset);
      }
    }
    while (open_descriptors() > before + 50) co_await sleep(1ms);
    EXPECT_EQ(served, 0);
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace
}  // namespace asyncio::testing
