// Address, Socket, getaddrinfo and the sock_* coroutines.
#include "support/io.h"
#include "support/refusing.h"

#include <asyncio/executor.h>
#include <asyncio/file_descriptor.h>
#include <asyncio/getaddrinfo.h>
#include <asyncio/sendfile.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

#include <thread>

namespace asyncio::testing {
namespace {

// ── addresses ──

TEST(Address, PrintsAsPythonPrintsIt) {
  EXPECT_EQ(Address::numeric("127.0.0.1", 80)->repr(), "('127.0.0.1', 80)");
  EXPECT_EQ(Address::numeric("::1", 8080)->repr(), "('::1', 8080, 0, 0)");
  EXPECT_EQ(Address().repr(), "''");
}

TEST(Address, NumericTakesNumbersOnly) {
  EXPECT_TRUE(Address::numeric("255.255.255.255", 0));
  EXPECT_TRUE(Address::numeric("fe80::1%1", 65535));
  for (const char* text : {"localhost", "", "127.0.0.1 ", "1.2.3", "256.1.1.1", "::g", "fe80::1%no_such_interface"}) {
    EXPECT_FALSE(Address::numeric(text, 80)) << text;
  }
}

TEST(Address, RefusesABadPort) {
  EXPECT_THROW(Address::numeric("127.0.0.1", -1), std::invalid_argument);
  EXPECT_THROW(Address::numeric("127.0.0.1", 65536), std::invalid_argument);
}

TEST(Address, ComparesByContent) {
  EXPECT_EQ(loopback(1), loopback(1));
  EXPECT_FALSE(loopback(1) == loopback(2));
  EXPECT_FALSE(loopback(1) == Address());
}

// ── sockets ──

TEST(Socket, OwnsItsDescriptor) {
  const int before = open_descriptors();
  {
    Socket one = Socket::stream(AF_INET);
    Socket other = std::move(one);
    EXPECT_FALSE(one);
    EXPECT_EQ(open_descriptors(), before + 1);
    one = std::move(other);
    one.close();
    one.close();
    EXPECT_EQ(open_descriptors(), before);
    auto both = Socket::pair();
  }
  EXPECT_EQ(open_descriptors(), before);
}

template <class Owner>
class OwnerOfADescriptor : public ::testing::Test {};
using Owners = ::testing::Types<Socket, FileDescriptor>;
TYPED_TEST_SUITE(OwnerOfADescriptor, Owners);

TYPED_TEST(OwnerOfADescriptor, AssignmentClosesAtOnceWhatItHeld) {
  const auto open = [](int fd) { return ::fcntl(fd, F_GETFD) != -1; };
  TypeParam target(Socket::stream(AF_INET).release());
  TypeParam source(Socket::stream(AF_INET).release());
  const int old = target.fd();
  const int fd = source.fd();
  target = std::move(source);
  EXPECT_FALSE(open(old));
  EXPECT_TRUE(open(fd));
  EXPECT_EQ(target.fd(), fd);
  EXPECT_FALSE(source);
  TypeParam& itself = target;
  target = std::move(itself);
  EXPECT_EQ(target.fd(), fd);
  EXPECT_TRUE(open(fd));
  target = TypeParam();
  EXPECT_FALSE(target);
  EXPECT_FALSE(open(fd));
}

TEST(Socket, FailuresNameTheCallAndTheAddress) {
  const Socket listening = Socket::listening(loopback(0));
  const Address taken = listening.local_address();
  try {
    Socket::listening(taken);
    ADD_FAILURE() << "the port is in use";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_EQ(error.what(), "error while attempting to bind on address " + taken.repr() + ": Address already in use");
  }
  EXPECT_THROW(Socket::stream(12345), std::system_error);
  Socket closed;
  EXPECT_THROW(closed.listen(), std::system_error);
  EXPECT_THROW(closed.shutdown_write(), std::system_error);
}

// ── names ──

TEST(GetAddrInfo, NumbersNeedNoThreadAndNoTick) {
  run_io([]() -> Coro<> {
    const TickCounter counter(Loop::running());
    const auto v4 = co_await getaddrinfo("127.0.0.1", 80);
    const auto v6 = co_await getaddrinfo("::1", 80);
    EXPECT_EQ(counter.ticks(), 0);
    EXPECT_EQ(v4.size(), 1u);
    EXPECT_EQ(v4.at(0), loopback(80));
    EXPECT_EQ(v6.at(0).repr(), "('::1', 80, 0, 0)");
  });
}

// test_base_events.py: BaseEventTests.test_ipaddr_info
TEST(GetAddrInfoThread, ANumberIsOfItsOwnFamilyOnly) {
  run_io([]() -> Coro<> {
    for (const int family : {AF_UNSPEC, AF_INET}) {
      const auto four = co_await getaddrinfo("1.2.3.4", 1, {.family = family});
      EXPECT_EQ(four.size(), 1u);
      EXPECT_EQ(four.at(0).repr(), "('1.2.3.4', 1)");
    }
    for (const int family : {AF_UNSPEC, AF_INET6}) {
      const auto six = co_await getaddrinfo("::3", 1, {.family = family});
      EXPECT_EQ(six.size(), 1u);
      EXPECT_EQ(six.at(0).repr(), "('::3', 1, 0, 0)");
    }
    // These go to getaddrinfo(3), which knows no such address.
    const auto error_for = [](std::string host, int family) -> Coro<const std::error_category*> {
      const std::error_code code = co_await error_of(getaddrinfo(std::move(host), 1, {.family = family}));
      co_return &code.category();
    };
    EXPECT_EQ(co_await error_for("1.2.3.4", AF_INET6), &gai_category());
    EXPECT_EQ(co_await error_for("::3", AF_INET), &gai_category());
    EXPECT_EQ(co_await error_for("::3%no_such_interface", AF_INET6), &gai_category());
  });
}

TEST(GetAddrInfoThread, LooksANameUp) {
  run_io([]() -> Coro<> {
    const auto addresses = co_await getaddrinfo("localhost", 80, {.family = AF_INET});
    EXPECT_EQ(addresses.at(0), loopback(80));
  });
}

TEST(GetAddrInfoThread, AnUnknownNameIsAnErrorThatSaysWhich) {
  run_io([]() -> Coro<> {
    try {
      co_await getaddrinfo("no such host", 80);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(&error.code().category(), &gai_category());
      EXPECT_NE(std::string(error.what()).find("getaddrinfo('no such host', 80)"), std::string::npos) << error.what();
    }
    const std::error_code code = co_await error_of(getaddrinfo("127.0.0.1", 80, {.family = AF_INET6}));
    EXPECT_EQ(code.category(), gai_category());
  });
}

TEST(GetAddrInfoThread, CanBeCancelledAndTheAnswerIsDropped) {
  run_io([]() -> Coro<> {
    for (int i = 0; i < 20; ++i) {  // cancelled while the thread looks it up; but the thread may be faster than a tick
      auto lookup = create_task(getaddrinfo("localhost", 80));
      co_await ticks(1);
      lookup.cancel();
      co_await finished(lookup);
    }
    const auto pool = std::make_shared<ThreadPool>(1);
    set_default_executor(Loop::running(), pool);
    const ConcurrentFuture<> begin;
    pool->submit([begin] { begin.result(); });  // the lookup waits behind this job
    const bool was_cancelled = co_await cancelled(create_task(getaddrinfo("localhost", 80)));
    EXPECT_TRUE(was_cancelled);
    begin.set_result();
    const auto found = co_await getaddrinfo("127.0.0.1", 80);
    EXPECT_EQ(found.size(), 1u);
  });
}

TEST(GetAddrInfoThread, TheLoopMayBeClosedFirst) {
  for (int i = 0; i < 20; ++i) {
    Loop loop;
    ErrorLog errors(loop);
    const auto pool = std::make_shared<ThreadPool>(1);
    set_default_executor(loop, pool);
    const ConcurrentFuture<> begin;
    pool->submit([begin] { begin.result(); });  // the lookup waits behind this job
    auto lookup = create_task(getaddrinfo("localhost", 80), {.loop = &loop});
    loop.stop();
    loop.run_forever();
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 1u);
    begin.set_result();
    pool->ended().result();
  }
}

TEST(GetAddrInfoThread, RunsInTheDefaultExecutor) {
  run_io([]() -> Coro<> {
    const auto pool = std::make_shared<ThreadPool>(1);
    set_default_executor(Loop::running(), pool);
    co_await getaddrinfo("127.0.0.1", 80);
    EXPECT_EQ(pool->threads(), 0u);
    co_await getaddrinfo("localhost", 80);
    EXPECT_EQ(pool->threads(), 1u);
    co_await shutdown_default_executor();
    co_await getaddrinfo("127.0.0.1", 80);
    EXPECT_THROW(co_await getaddrinfo("localhost", 80), std::runtime_error);
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_getnameinfo
TEST(GetNameInfoThread, GivesHostAndService) {
  run_io([]() -> Coro<> {
    const TickCounter counter(Loop::running());
    const auto numeric = co_await getnameinfo(loopback(80), NI_NUMERICHOST | NI_NUMERICSERV);
    EXPECT_EQ(counter.ticks(), 0);
    EXPECT_EQ(numeric, std::make_pair(std::string("127.0.0.1"), std::string("80")));
    const auto named = co_await getnameinfo(loopback(80), NI_NUMERICSERV);  // in a thread
    EXPECT_FALSE(named.first.empty());
    EXPECT_EQ(named.second, "80");
  });
}

TEST(GetNameInfoThread, AFailureSaysWhatItWasAskedFor) {
  run_io([]() -> Coro<> {
    try {
      co_await getnameinfo(Address());
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(&error.code().category(), &gai_category());
      EXPECT_NE(std::string(error.what()).find("getnameinfo("), std::string::npos) << error.what();
    }
  });
}

TEST(GetAddrInfoThread, ManyAtOnce) {
  run_io([]() -> Coro<> {
    std::vector<Task<std::vector<Address>>> lookups;
    for (int i = 0; i < 20; ++i) lookups.push_back(create_task(getaddrinfo("localhost", i, {.family = AF_INET})));
    for (int i = 0; i < 20; ++i) {
      const auto& addresses = co_await lookups[static_cast<std::size_t>(i)];
      EXPECT_EQ(addresses.at(0), loopback(i));
    }
  });
}

// ── sock_connect, sock_accept ──

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_accept
// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_ops
TEST(Sock, ConnectAcceptSendAndReceive) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    if (std::string_view(host) == "::1" && !has_ipv6()) continue;
    run_io([host]() -> Coro<> {
      Socket listening = Socket::listening(*Address::numeric(host, 0));
      auto accepting = create_task(sock_accept(listening));
      Socket client = Socket::stream(listening.local_address().family());
      co_await sock_connect(client, listening.local_address());
      auto [server, peer] = co_await std::move(accepting);
      EXPECT_EQ(peer, client.local_address());
      EXPECT_EQ(server.peer_address(), peer);

      co_await sock_sendall(client, "hello");
      const std::string hello = co_await sock_recv(server, 100);
      EXPECT_EQ(hello, "hello");
      client.shutdown_write();
      const std::string end = co_await sock_recv(server, 100);
      EXPECT_EQ(end, "");
      co_await sock_sendall(server, "still here");
      const std::string half = co_await sock_recv(client, 5);
      EXPECT_EQ(half, "still");
      EXPECT_FALSE(watching());
    });
  }
}

TEST(Sock, WhatIsReadyCostsNoTick) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    const TickCounter counter(Loop::running());
    co_await sock_sendall(one, "x");
    const std::string data = co_await sock_recv(other, 1);
    EXPECT_EQ(data, "x");
    EXPECT_EQ(counter.ticks(), 0);
  });
}

TEST(Sock, ReceivingNothingDoesNotWait) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    const TickCounter counter(Loop::running());
    const std::string data = co_await sock_recv(one, 0);
    EXPECT_EQ(data, "");
    const std::size_t size = co_await sock_recv_into(one, {});
    EXPECT_EQ(size, 0u);
    EXPECT_EQ(counter.ticks(), 0);
  });
}

// test_base_events.py: BaseLoopSockSendfileTests.test_blocking_socket
TEST(Sock, InDebugModeASocketThatBlocksIsRefused) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    EXPECT_EQ(::fcntl(one.fd(), F_SETFL, 0), 0);
    char buffer[1];
    const std::string refusal = "the socket must be non-blocking";
    Loop::running().set_debug(true);
    EXPECT_EQ(co_await thrown_by(sock_connect(one, loopback(1))), refusal);
    EXPECT_EQ(co_await thrown_by(sock_accept(one)), refusal);
    EXPECT_EQ(co_await thrown_by(sock_recv(one, 1)), refusal);
    EXPECT_EQ(co_await thrown_by(sock_recv_into(one, buffer)), refusal);
    EXPECT_EQ(co_await thrown_by(sock_recvfrom(one, 1)), refusal);
    EXPECT_EQ(co_await thrown_by(sock_recvfrom_into(one, buffer)), refusal);
    EXPECT_EQ(co_await thrown_by(sock_sendto(one, "x", Address())), refusal);
    EXPECT_EQ(co_await thrown_by(sock_sendall(one, "x")), refusal);
    EXPECT_EQ(co_await thrown_by(sock_sendfile(one, -1)), refusal);
    co_await sock_sendall(other, "x");
    Loop::running().set_debug(false);
    EXPECT_EQ(co_await sock_recv(one, 1), "x");
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_fail
TEST(Sock, RefusedConnectionThrowsAtTheAwait) {
  run_io([]() -> Coro<> {
    Socket client = Socket::stream(AF_INET);
    const Address nobody = loopback(refusing_port());
    try {
      co_await sock_connect(client, nobody);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_refused);
      EXPECT_EQ(error.what(), "Connect call failed " + nobody.repr() + ": Connection refused");
    }
    EXPECT_FALSE(watching());
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_huge_content
TEST(Sock, AHugeContentArrivesWhole) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    const std::string data = pattern(8 << 20);
    auto sending = create_task(sock_sendall(one, data));
    std::string received;
    while (received.size() < data.size()) {
      const std::string part = co_await sock_recv(other, 65536);
      EXPECT_FALSE(part.empty());
      received += part;
    }
    co_await sending;
    EXPECT_TRUE(received == data);
    EXPECT_FALSE(watching());
  });
}

TEST(Sock, ErrorsOfThePeerThrowAtTheAwait) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::listening(loopback(0));
    Socket client = Socket::stream(AF_INET);
    co_await sock_connect(client, listening.local_address());
    auto accepted = co_await sock_accept(listening);
    auto receiving = create_task(error_of(sock_recv(client, 10)));
    co_await ticks(2);
    const linger reset{1, 0};
    setsockopt(accepted.first.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    accepted.first.close();
    EXPECT_EQ(co_await receiving, std::errc::connection_reset);
    EXPECT_EQ(co_await error_of(sock_sendall(client, "x")), std::errc::broken_pipe);  // without SIGPIPE
  });
}

TEST(Sock, WritingToAClosedPairIsEpipeAndNoSignal) {
  const DefaultSigpipe fatal;
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    other.close();
    EXPECT_EQ(co_await error_of(sock_sendall(one, "x")), std::errc::broken_pipe);
  });
}

TEST(Sock, AClosedSocketIsAnError) {
  run_io([]() -> Coro<> {
    Socket closed;
    EXPECT_EQ(co_await error_of(sock_recv(closed, 1)), std::errc::bad_file_descriptor);
    EXPECT_EQ(co_await error_of(sock_sendall(closed, "x")), std::errc::bad_file_descriptor);
    EXPECT_EQ(co_await error_of(sock_accept(closed)), std::errc::bad_file_descriptor);
    EXPECT_EQ(co_await error_of(sock_connect(closed, loopback(1))), std::errc::bad_file_descriptor);
  });
}

TEST(Sock, ClosedWhileATaskWaitsTheTaskHearsOfIt) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto [one, other] = Socket::pair();
    auto receiving = create_task(error_of(sock_recv(one, 1)));
    co_await ticks(2);
    one.close();
    EXPECT_EQ(co_await receiving, std::errc::bad_file_descriptor);
    EXPECT_EQ(errors.contexts.size(), 1u);
  });
}

// ── cancelling ──

// test_events.py: EventLoopTestsMixin.test_prompt_cancellation
TEST(SockCancel, RecvLetsGoOfTheDescriptor) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    EXPECT_TRUE(co_await cancelled(create_task(sock_recv(one, 10))));
    EXPECT_FALSE(watching());
  });
}

TEST(SockCancel, WokenThenCancelledRecvLosesNothing) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    auto receiving = create_task(sock_recv(one, 10));
    co_await ticks(2);
    co_await sock_sendall(other, "kept");
    // Our reader on the same event runs right after the task is woken, in the same tick.
    auto [bell, rope] = Socket::pair();
    co_await sock_sendall(rope, "!");
    add_reader(bell.fd(), [&receiving, fd = bell.fd()] {
      remove_reader(fd);
      receiving.cancel();
    });
    bool was_cancelled = false;
    try {
      co_await receiving;
    } catch (const CancelledError&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    const std::string data = co_await sock_recv(one, 10);
    EXPECT_EQ(data, "kept");
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_cancel_sock_accept
TEST(SockCancel, AcceptLeavesTheListenerUsable) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::listening(loopback(0));
    EXPECT_TRUE(co_await cancelled(create_task(sock_accept(listening))));
    EXPECT_FALSE(watching());
    Socket client = Socket::stream(AF_INET);
    co_await sock_connect(client, listening.local_address());
    const auto accepted = co_await sock_accept(listening);
    EXPECT_EQ(accepted.second, client.local_address());
  });
}

TEST(SockCancel, SendallLetsGoOfTheDescriptor) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    EXPECT_TRUE(co_await cancelled(create_task(sock_sendall(one, std::string(8 << 20, 'x')))));
    EXPECT_FALSE(watching());
    const std::string some = co_await sock_recv(other, 100);
    EXPECT_EQ(some, std::string(100, 'x'));
  });
}

// A listener with a full backlog does not answer, so connecting waits.
TEST(SockCancel, ConnectMayBeTriedAgainOnTheSameSocket) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::listening(loopback(0), 0);
    std::vector<Socket> others;
    for (int i = 0; i < 3; ++i) {
      others.push_back(Socket::stream(AF_INET));
      auto connecting = create_task(sock_connect(others.back(), listening.local_address()));
      co_await sleep(5ms);
      if (connecting.done()) continue;
      const bool was_waiting = co_await cancelled(std::move(connecting));
      if (was_waiting) break;  // otherwise it has been connected just now
    }
    EXPECT_FALSE(watching());
    // Makes room; the same socket tries again: EALREADY, then it is connected.
    auto again = create_task(sock_connect(others.back(), listening.local_address()));
    for (std::size_t i = 0; i < others.size(); ++i) co_await sock_accept(listening);
    co_await again;
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_racing
TEST(SockCancel, ANewRecvRightBehindACancelledOneKeepsItsWatch) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    auto first = create_task(sock_recv(one, 10));
    co_await ticks(2);
    auto second = create_task(sock_recv(one, 10));
    co_await ticks(1);  // the second takes over the watch
    first.cancel();
    co_await ticks(2);
    EXPECT_TRUE(first.cancelled());
    EXPECT_TRUE(watching());
    co_await sock_sendall(other, "for second");
    const std::string data = co_await std::move(second);
    EXPECT_EQ(data, "for second");
  });
}

TEST(SockCancel, TheLoopMayBeClosedWhileTasksWait) {
  auto both = Socket::pair();
  {
    Loop loop;
    ErrorLog errors(loop);
    auto receiving = create_task(sock_recv(both.first, 10), {.loop = &loop});
    loop.stop();
    loop.run_forever();
    loop.stop();
    loop.run_forever();
    EXPECT_TRUE(loop.core().watching());
    loop.close();
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"Task was destroyed but it is pending!"});
  }
}

}  // namespace
}  // namespace asyncio::testing
