// Every system call may fail, and any of them may be the one that does. Whatever becomes of the program then: no
// descriptor and no task is left behind, and of a stream of bytes nothing is lost, doubled or out of order.
#include "stage6/faults/faults.h"
#include "stage6/support.h"

#include <asyncio/epoll_core.h>
#include <asyncio/poll_core.h>
#include <asyncio/sendfile.h>
#include <asyncio/wait_for.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

const std::string kData = pattern(100'000);

/// What a scenario sent arrives here.
struct Outcome {
  std::string received;
  bool failed = false;  // with an exception, as it may after a call that failed for good
};

// ── the programs that are put to the test ──

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
  for (std::size_t at = 0; at < kData.size(); at += 30'000) {
    writer.write(std::string_view(kData).substr(at, 30'000));
    co_await writer.drain();
  }
  writer.write_eof();
}

/// A server that echoes, and a client that sends and receives at the same time.
Coro<> streams(Outcome& outcome) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  auto writing = create_task(write_all(writer));
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    outcome.received += data;
  }
  co_await writing;
  writer.close();
  server.close();
  // What hits the server's end is an end too early at ours.
  if (outcome.received.size() < kData.size()) throw std::runtime_error("the connection was cut off");
}

/// The other side reads an end, whether all went well here or not.
struct EndAtExit {
  Socket& socket;
  ~EndAtExit() { ::shutdown(socket.fd(), SHUT_WR); }
};

/// The same with nothing but sockets.
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

// ── how they are put to it ──

using Scenario = Coro<> (*)(Outcome&);
using MakeCore = std::unique_ptr<Core> (*)();

std::unique_ptr<Core> first_core() { return nullptr; }
std::unique_ptr<Core> epoll_core() { return std::make_unique<EpollCore>(); }

/// Runs it with faults, and looks at what is left.
Outcome run_with(Scenario scenario, MakeCore make_core, Faults::Decide decide, int* injected = nullptr) {
  const int before = open_descriptors();
  Outcome outcome;
  std::size_t tasks_left = 0;
  {
    const Faults faults(std::move(decide));
    try {
      run(
          [&]() -> Coro<> {
            Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});  // they are not the point here
            try {
              co_await wait_for(scenario(outcome), 30s);
            } catch (const TimeoutError&) {
              ADD_FAILURE() << "it hangs";
            } catch (const std::exception&) {
              outcome.failed = true;
            }
            co_await ticks(20);  // servers and clients come to their ends
            for (const AnyTask& task : all_tasks()) tasks_left += !task.done();
          },
          make_core());
    } catch (const std::exception&) {  // the loop itself could not go on: no core, no poll()
      outcome.failed = true;
    }
    if (injected) *injected = faults.injected();
  }
  EXPECT_LE(tasks_left, 1u + (outcome.failed ? 2u : 0u)) << "this one, and of a failed client the server's other end";
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(kData.starts_with(outcome.received)) << "after " << outcome.received.size() << " bytes";
  return outcome;
}

struct Case {
  const char* name;
  Scenario scenario;
  MakeCore make_core;
  friend std::ostream& operator<<(std::ostream& out, const Case& which) { return out << which.name; }
};

class EveryCall : public ::testing::TestWithParam<Case> {
 protected:
  Outcome run_with(Faults::Decide decide, int* injected = nullptr) {
    return testing::run_with(GetParam().scenario, GetParam().make_core, std::move(decide), injected);
  }
  /// Faults that a program does not even notice.
  void expect_unnoticed(const std::vector<std::string_view>& calls, Fault fault) {
    for (const int k : {2, 3, 7}) {
      SCOPED_TRACE(::testing::Message() << calls.front() << " every " << k << ": " << std::strerror(fault.error));
      int injected = 0;
      const Outcome outcome = run_with(at_every(k, calls, fault), &injected);
      EXPECT_FALSE(outcome.failed);
      EXPECT_EQ(outcome.received.size(), kData.size());
      injected_ += injected;
    }
  }
  /// Faults after which a program may fail, and leaves nothing behind.
  void expect_nothing_left(const std::vector<std::string_view>& calls, int error, int most = 12) {
    for (int k = 1; k <= most; ++k) {
      SCOPED_TRACE(::testing::Message() << calls.front() << " number " << k << ": " << std::strerror(error));
      int injected = 0;
      const Outcome outcome = run_with(at_call(k, calls, {.error = error}), &injected);
      EXPECT_TRUE(outcome.failed || outcome.received.size() == kData.size()) << outcome.received.size();
      injected_ += injected;
      if (injected == 0) break;  // it makes no more of them
    }
  }
  int injected_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Streams, EveryCall,
                         ::testing::Values(Case{"streams_on_poll", streams, first_core},
                                           Case{"streams_on_epoll", streams, epoll_core},
                                           Case{"sockets_on_poll", sockets, first_core},
                                           Case{"sockets_on_epoll", sockets, epoll_core},
                                           Case{"files_on_epoll", files, epoll_core}),
                         [](const auto& info) { return info.param.name; });

TEST_P(EveryCall, MayBeInterrupted) {
  expect_unnoticed({"recv", "send", "accept4", "sendfile", "poll", "epoll_wait"}, {.error = EINTR});
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayFallShort) {
  for (const std::size_t at_most : {std::size_t{1}, std::size_t{100}, std::size_t{5'000}}) {
    expect_unnoticed({"recv", "send", "sendfile"}, {.at_most = at_most});
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MaySayNotNowAgainAndAgain) {
  expect_unnoticed({"recv", "send", "sendfile", "accept4"}, {.error = EAGAIN});
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayLoseTheConnection) {
  for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT}) {
    expect_nothing_left({"send", "sendfile"}, error);
    expect_nothing_left({"recv"}, error);
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayFindNoMemory) {
  for (const int error : {ENOMEM, ENOBUFS}) {
    expect_nothing_left({"send", "sendfile"}, error);
    expect_nothing_left({"recv"}, error);
    expect_nothing_left({"poll", "epoll_wait"}, error);
    expect_nothing_left({"epoll_ctl", "epoll_create1"}, error);
    expect_nothing_left({"connect", "bind", "listen"}, error);
  }
  EXPECT_GT(injected_, 0);
}

TEST_P(EveryCall, MayFindNoDescriptor) {
  for (const int error : {EMFILE, ENFILE}) {
    expect_nothing_left({"socket", "socketpair", "eventfd", "epoll_create1"}, error);
  }
  EXPECT_GT(injected_, 0);
}

// A system without sendfile(2), or a file that it does not take: what is left to do is read and send.
// test_base_events.py: BaseLoopSockSendfileTests.test_sock_sendfile_fallback
// test_base_events.py: BaseLoopSockSendfileTests.test__sock_sendfile_native_failure
TEST(SendfileFaults, WithoutTheSystemCallTheFallbackSendsTheSame) {
  int injected = 0;
  const Outcome outcome = run_with(files, epoll_core, at_every(1, {"sendfile"}, {.error = ENOSYS}), &injected);
  EXPECT_EQ(injected, 1);
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

// A server looks away for a second, and the client waits: nothing is lost.
// test_selector_events.py: BaseSelectorEventLoopTests.test_accept_connection_skip_connectionabortederror
TEST(AcceptFaults, TheClientGetsInInTheEnd) {
  for (const int error : {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    SCOPED_TRACE(std::strerror(error));
    int injected = 0;
    const Outcome outcome = run_with(streams, first_core, at_call(1, {"accept4"}, {.error = error}), &injected);
    EXPECT_EQ(injected, 1);
    EXPECT_FALSE(outcome.failed);
    EXPECT_EQ(outcome.received.size(), kData.size());
  }
}

}  // namespace
}  // namespace asyncio::testing
