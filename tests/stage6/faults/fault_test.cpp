// Any system call may fail. Even then no descriptor and no task is left, and in a stream no byte is lost, doubled or
// out of order.
#include "stage6/faults/run_with.h"
#include "support/io.h"

#include <asyncio/datagrams.h>
#include <asyncio/epoll_core.h>
#include <asyncio/event.h>
#include <asyncio/pipes.h>
#include <asyncio/processes.h>
#include <asyncio/sendfile.h>
#include <asyncio/signals.h>
#include <asyncio/stream_protocol.h>
#include <asyncio/threads.h>
#include <asyncio/wait_for.h>

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

const std::string kData = pattern(100'000);

// ── the programs under test ──

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(10'000);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
}

Coro<> write_all(StreamWriter writer) {
  const std::string_view data = kData;
  for (std::size_t at = 0; at < data.size(); at += 60'000) {
    writer.write(data.substr(at, 30'000));
    co_await writer.drain();
    const std::string_view next = data.substr(at + 30'000, 30'000);
    std::vector<std::string_view> lines;
    for (std::size_t begin = 0; begin < next.size(); begin += 7'000) lines.push_back(next.substr(begin, 7'000));
    writer.writelines(lines);
    co_await writer.drain();
  }
  writer.write_eof();
}

// A fault on the other side ends our stream too early.
void check_all_is_here(const Outcome& outcome) {
  if (outcome.received.size() < kData.size()) throw std::runtime_error("the connection was cut off");
}

/// Sends and receives at the same time, until the end.
Coro<> write_and_read_all(Outcome& outcome, StreamReader reader, StreamWriter writer) {
  auto writing = create_task(write_all(writer));
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    outcome.received += data;
  }
  co_await writing;
  writer.close();
}

/// A server that echoes, and its client.
Coro<> streams(Outcome& outcome) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  co_await write_and_read_all(outcome, reader, writer);
  server.close();
  check_all_is_here(outcome);
}

/// An echo server at a path where an earlier server has left its socket.
Coro<> unix_streams(Outcome& outcome) {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  Socket::bound(Address::unix_path(path));
  Server server = co_await start_unix_server(echo, path);
  auto [reader, writer] = co_await open_unix_connection(path);
  co_await write_and_read_all(outcome, reader, writer);
  server.close();
  check_all_is_here(outcome);
}

/// Both ends of a pipe.
Coro<> pipes(Outcome& outcome) {
  auto [reading, writing] = FileDescriptor::pipe();
  const StreamReader reader;
  const auto fed = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
  const auto told = [] { return std::make_shared<FlowControlProtocol>(); };
  const auto [from, protocol] = co_await connect_read_pipe(fed, std::move(reading));
  const auto [to, flow] = co_await connect_write_pipe(told, std::move(writing));
  const StreamWriter writer(to, flow);
  co_await write_and_read_all(outcome, reader, writer);
  check_all_is_here(outcome);
}

/// Through a child that copies its input.
Coro<> process(Outcome& outcome) {
  const Process cat = co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
  std::exception_ptr error;
  try {
    auto [out, err] = co_await cat.communicate(kData);
    outcome.received = std::move(out);
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  if (!cat.returncode()) cat.kill();
  co_await cat.wait();
  if (error) std::rethrow_exception(error);
  check_all_is_here(outcome);
}

/// Keeps datagrams or echoes them.
class Datagrams : public DatagramProtocol {
 public:
  explicit Datagrams(Outcome* kept_in) : kept_in_(kept_in) {}
  void connection_made(std::shared_ptr<DatagramTransport> made) override { transport_ = made; }
  void datagram_received(std::string_view data, const Address& sender) override {
    if (kept_in_) {
      kept_in_->received += data;
    } else if (const auto transport = transport_.lock()) {
      transport->sendto(data, sender);
    }
  }
  void error_received(const std::system_error& error) override { failure = std::make_exception_ptr(error); }
  void connection_lost(std::exception_ptr error) override { failure = error; }

  std::exception_ptr failure;

 private:
  Outcome* kept_in_;  // outlives the loop; a coroutine may not
  std::weak_ptr<DatagramTransport> transport_;
};

/// In pieces, to a socket that echoes them.
Coro<> datagrams(Outcome& outcome) {
  const auto keep = [&] { return std::make_shared<Datagrams>(&outcome); };
  const auto send_back = [] { return std::make_shared<Datagrams>(nullptr); };
  auto [there, other] = co_await create_datagram_endpoint(send_back, {.local_addr = loopback(0)});
  auto [here, ours] = co_await create_datagram_endpoint(keep, {.local_addr = loopback(0)});
  for (std::size_t at = 0; at < kData.size() && !other->failure && !ours->failure; at += 5'000) {
    here->sendto(std::string_view(kData).substr(at, 5'000), there->sockname());
    while (outcome.received.size() <= at && !other->failure && !ours->failure) co_await sleep(0s);
  }
  here->close();
  there->close();
  if (outcome.received.size() < kData.size()) throw std::runtime_error("a datagram was not sent, or not received");
}

/// Each piece comes from a thread that wakes the loop.
Coro<> threads(Outcome& outcome) {
  for (std::size_t at = 0; at < kData.size(); at += 5'000) {
    outcome.received += co_await to_thread([at] { return kData.substr(at, 5'000); });
  }
}

/// Each piece waits for a signal, whose handler wakes the loop.
Coro<> signals(Outcome& outcome) {
  const auto came = std::make_shared<Event>();  // a signal may arrive after this coroutine's end
  const auto set = [came] { came->set(); };
  add_signal_handler(SIGUSR1, set);
  for (std::size_t at = 0; at < kData.size(); at += 5'000) {
    came->clear();
    std::raise(SIGUSR1);
    co_await came->wait();
    outcome.received += kData.substr(at, 5'000);
  }
  remove_signal_handler(SIGUSR1);
}

/// Sends an end of stream in any case.
struct EndAtExit {
  Socket& socket;
  ~EndAtExit() { ::shutdown(socket.fd(), SHUT_WR); }
};

/// An echo only with sock_*() functions.
Coro<> sockets(Outcome& outcome) {
  Socket listening = Socket::listening(loopback(0));
  Socket client = Socket::stream(AF_INET);
  auto accepting = create_task(sock_accept(listening));
  std::exception_ptr error;
  try {
    co_await sock_connect(client, listening.local_address());
  } catch (const std::exception&) {
    error = std::current_exception();
    accepting.cancel();  // it uses our socket
  }
  if (error) {
    co_await ticks(3);
    std::rethrow_exception(error);
  }
  auto [server, peer] = co_await std::move(accepting);
  auto sending = create_task([](Socket& socket) -> Coro<> {
    const EndAtExit end{socket};
    co_await sock_sendall(socket, kData);
  }(server));
  try {
    for (;;) {
      const std::string data = co_await sock_recv(client, 65536);
      if (data.empty()) break;
      outcome.received += data;
    }
    co_await sending;
  } catch (const std::exception&) {
    sending.cancel();  // it uses our sockets
    outcome.failed = true;
  }
  if (!sending.done()) co_await ticks(3);
}

/// A file through a socket.
Coro<> files(Outcome& outcome) {
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<FILE, Close> file(std::tmpfile());
  std::fwrite(kData.data(), 1, kData.size(), file.get());
  std::fflush(file.get());
  auto [one, other] = Socket::pair();
  auto sending = create_task([](Socket& socket, int fd) -> Coro<> {
    const EndAtExit end{socket};
    co_await sock_sendfile(socket, fd);
  }(one, ::fileno(file.get())));
  try {
    for (;;) {
      const std::string data = co_await sock_recv(other, 65536);
      if (data.empty()) break;
      outcome.received += data;
    }
    co_await sending;
  } catch (const std::exception&) {
    sending.cancel();
    outcome.failed = true;
  }
  if (!sending.done()) co_await ticks(3);
}

// ── running them with faults ──

std::unique_ptr<Core> auto_core() { return nullptr; }
std::unique_ptr<Core> epoll_core() { return std::make_unique<EpollCore>(); }

class EveryCall : public FaultTest {
 protected:
  EveryCall() : FaultTest(kData.size(), {2, 3, 7}, 12) {}

  Outcome run_case(Faults::Decide decide) override {
    int injected = 0;  // without those that are missing anyhow
    const auto here = [decide = std::move(decide), &injected](std::string_view call) {
      if (call == GetParam().missing) return Fault{.error = ENOSYS};
      const Fault fault = decide(call);
      injected += static_cast<bool>(fault);
      return fault;
    };
    Outcome outcome = run_with(GetParam(), here, kData);
    outcome.injected = injected;
    return outcome;
  }
};

class EveryTransfer : public EveryCall {};

const auto kTransfers = ::testing::Values(
    Case{"streams_on_poll", streams, auto_core}, Case{"streams_on_epoll", streams, epoll_core},
    Case{"unix_streams", unix_streams, auto_core}, Case{"sockets_on_poll", sockets, auto_core},
    Case{"sockets_on_epoll", sockets, epoll_core}, Case{"files_on_epoll", files, epoll_core},
    Case{"pipes_on_poll", pipes, auto_core}, Case{"pipes_on_epoll", pipes, epoll_core},
    Case{"datagrams_on_poll", datagrams, auto_core}, Case{"process_on_poll", process, auto_core},
    Case{"process_on_epoll", process, epoll_core}, Case{"process_without_pidfd", process, auto_core, "pidfd_open"});
const auto kWakeUps =
    ::testing::Values(Case{"threads_on_epoll", threads, epoll_core}, Case{"signals_on_epoll", signals, epoll_core});

INSTANTIATE_TEST_SUITE_P(Transfers, EveryCall, kTransfers, name_of);
INSTANTIATE_TEST_SUITE_P(WakeUps, EveryCall, kWakeUps, name_of);
INSTANTIATE_TEST_SUITE_P(Transfers, EveryTransfer, kTransfers, name_of);

const std::vector<std::string_view> kSends = {"send", "sendmsg", "sendto", "sendfile", "write", "writev"};
const std::vector<std::string_view> kReceives = {"recv", "recvfrom", "read"};
const std::vector<std::string_view> kWaits = {"poll", "epoll_wait"};

// test_selector_events.py: BaseSelectorEventLoopTests.test_read_from_self_tryagain
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_tryagain_interrupted
TEST_P(EveryCall, MayBeInterrupted) {
  for (const auto& calls : {kSends, kReceives, kWaits}) expect_unnoticed(calls, {.error = EINTR});
  expect_unnoticed({"accept4", "open", "waitpid", "waitid", "eventfd_read", "eventfd_write"}, {.error = EINTR});
  expect_unnoticed({"close"}, {.error = EINTR});
  expect_unnoticed({"eventfd_read"}, {.error = EAGAIN});
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryTransfer, MayFallShort) {
  for (const std::size_t at_most : {std::size_t{1}, std::size_t{100}, std::size_t{5'000}}) {
    expect_unnoticed({"send", "sendmsg", "sendfile", "write", "writev"}, {.at_most = at_most});
    expect_unnoticed({"recv", "read"}, {.at_most = at_most});
  }
  EXPECT_EQ(injected_ > 0, GetParam().scenario != datagrams);  // datagrams do not fall short
}

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_tryagain
// test_selector_events.py: SelectorDatagramTransportTests.test_read_ready_tryagain
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready_tryagain
TEST_P(EveryTransfer, MaySayNotNowAgainAndAgain) {
  for (const auto& calls : {kSends, kReceives}) expect_unnoticed(calls, {.error = EAGAIN});
  expect_unnoticed({"accept4"}, {.error = EAGAIN});
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryTransfer, MayLoseTheConnection) {
  for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT}) {
    expect_nothing_left(kSends, error);
    expect_nothing_left(kReceives, error);
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayFindNoMemory) {
  for (const int error : {ENOMEM, ENOBUFS}) {
    expect_nothing_left(kSends, error);
    expect_nothing_left(kReceives, error);
    expect_nothing_left(kWaits, error);
    expect_nothing_left({"epoll_ctl", "epoll_create1"}, error);
    expect_nothing_left({"connect", "bind", "listen", "setsockopt", "getsockopt", "getsockname", "getpeername"}, error);
    expect_nothing_left({"fcntl", "fstat", "stat", "unlink", "access"}, error, 20);
    expect_nothing_left({"posix_spawn", "pidfd_open"}, error);
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayFindNoDescriptor) {
  for (const int error : {EMFILE, ENFILE}) {
    expect_nothing_left({"socket", "socketpair", "pipe2", "open", "dup", "pidfd_open"}, error);
    expect_nothing_left({"eventfd", "epoll_create1"}, error);
  }
  EXPECT_GT(injected_, 0);
}

// Without sendfile(2), or with a file that it rejects, the fallback reads and sends.
// test_base_events.py: BaseLoopSockSendfileTests.test_sock_sendfile_fallback
// test_base_events.py: BaseLoopSockSendfileTests.test__sock_sendfile_native_failure
TEST(SendfileFaults, WithoutTheSystemCallTheFallbackSendsTheSame) {
  const Case which{"files_on_epoll", files, epoll_core};
  const Outcome outcome = run_with(which, at_every(1, {"sendfile"}, {.error = ENOSYS}), kData);
  EXPECT_EQ(outcome.injected, 1);
  EXPECT_FALSE(outcome.failed);
  EXPECT_EQ(outcome.received.size(), kData.size());
}

// test_base_events.py: BaseLoopSockSendfileTests.test_sock_sendfile_fallback_offset_and_count
TEST(SendfileFaults, TheFallbackHonoursOffsetAndCountAndMovesThePosition) {
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<FILE, Close> file(std::tmpfile());
  std::fwrite(kData.data(), 1, kData.size(), file.get());
  std::fflush(file.get());
  const Faults faults(at_every(1, {"sendfile"}, {.error = ENOSYS}));
  run_io([fd = ::fileno(file.get())]() -> Coro<> {
    auto [one, other] = Socket::pair();
    const std::size_t sent = co_await sock_sendfile(one, fd, {.offset = 1000, .count = 2000});
    EXPECT_EQ(sent, 2000u);
    one.close();
    std::string received(3000, '.');
    const std::size_t size = co_await sock_recv_into(other, received);
    EXPECT_EQ(received.substr(0, size), kData.substr(1000, 2000));
    EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 3000);
  });
}

// The server pauses for a second and the client waits: nothing is lost.
// test_selector_events.py: BaseSelectorEventLoopTests.test_accept_connection_skip_connectionabortederror
TEST(AcceptFaults, TheClientGetsInInTheEnd) {
  for (const int error : {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    SCOPED_TRACE(std::strerror(error));
    const Case which{"streams_on_poll", streams, auto_core};
    const Outcome outcome = run_with(which, at_call(1, {"accept4"}, {.error = error}), kData);
    EXPECT_EQ(outcome.injected, 1);
    EXPECT_FALSE(outcome.failed);
    EXPECT_EQ(outcome.received.size(), kData.size());
  }
}

}  // namespace
}  // namespace asyncio::testing
