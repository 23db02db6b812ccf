// Datagram transports.
#include "support/io.h"

#include <asyncio/datagrams.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <type_traits>

namespace asyncio::testing {
namespace {

class Datagrams : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> made) override {
    log.push_back("connection_made");
    transport = std::move(made);
  }
  void datagram_received(std::string_view data, const Address& from) override {
    received.emplace_back(data);
    senders.push_back(from);
    if (on_datagram) on_datagram();
  }
  void error_received(const std::system_error& error) override { errors.push_back(error.code()); }
  void connection_lost(std::exception_ptr) override { log.push_back("connection_lost"); }
  void pause_writing() override { log.push_back("pause_writing"); }
  void resume_writing() override { log.push_back("resume_writing"); }

  Coro<> until(std::size_t count) {
    while (received.size() < count) co_await sleep(100us);
  }

  std::shared_ptr<DatagramTransport> transport;
  std::vector<std::string> received;
  std::vector<Address> senders;
  std::vector<std::error_code> errors;
  std::vector<std::string> log;
  std::function<void()> on_datagram;
};

std::shared_ptr<Datagrams> make_datagrams() { return std::make_shared<Datagrams>(); }

const Address kLoopback = *Address::numeric("127.0.0.1", 0);

/// Echoes each datagram.
Coro<std::shared_ptr<Datagrams>> echo_server(Address at) {
  auto [transport, protocol] = co_await create_datagram_endpoint(make_datagrams, {.local_addr = at});
  protocol->on_datagram = [p = protocol.get()] {
    p->transport->sendto("echo " + p->received.back(), p->senders.back());
  };
  co_return protocol;
}

// test_events.py: EventLoopTestsMixin.test_create_datagram_endpoint
// test_events.py: EventLoopTestsMixin.test_create_datagram_endpoint_ipv6
// test_selector_events.py: SelectorDatagramTransportTests.test_read_ready
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto
TEST(Datagram, ThereAndBack) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    if (host == std::string_view("::1") && !has_ipv6()) GTEST_SKIP() << kNoIPv6;
    run_io([host]() -> Coro<> {
      auto server = co_await echo_server(*Address::numeric(host, 0));
      const Address there = server->transport->sockname();
      auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, {.remote_addr = there});
      EXPECT_EQ(client->log, std::vector<std::string>{"connection_made"});
      EXPECT_EQ(transport->peername(), there);
      transport->sendto("one");
      transport->sendto("two", there);
      co_await client->until(2);
      EXPECT_EQ(client->received, (std::vector<std::string>{"echo one", "echo two"}));
      EXPECT_EQ(client->senders.at(0), there);
      EXPECT_EQ(server->senders.at(0), transport->sockname());
      transport->close();
      EXPECT_TRUE(transport->is_closing());
      co_await ticks(1);
      EXPECT_EQ(client->log.back(), "connection_lost");
      EXPECT_EQ(transport->fileno(), -1);
      server->transport->close();
    });
  }
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_no_data
TEST(Datagram, AnEmptyOneIsSent) {
  run_io([]() -> Coro<> {
    auto server = co_await echo_server(kLoopback);
    auto [transport, client] =
        co_await create_datagram_endpoint(make_datagrams, {.remote_addr = server->transport->sockname()});
    transport->sendto("");
    co_await client->until(1);
    EXPECT_EQ(server->received, std::vector<std::string>{""});
    transport->close();
    server->transport->close();
  });
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_connected_addr
TEST(Datagram, AConnectedOneGoesToOneAddressOnly) {
  run_io([]() -> Coro<> {
    auto server = co_await echo_server(kLoopback);
    const Address there = server->transport->sockname();
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, {.remote_addr = there});
    std::string what;
    try {
      transport->sendto("x", *Address::numeric("127.0.0.1", 9));
    } catch (const std::invalid_argument& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "Invalid address: must be None or " + there.repr());
    transport->close();
    server->transport->close();
  });
}

// test_events.py: EventLoopTestsMixin.test_datagram_send_to_non_listening_address
// test_selector_events.py: SelectorDatagramTransportTests.test_read_ready_oserr
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_error_received_connected
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_error_received
TEST(Datagram, ThatNobodyListensIsAnErrorReceivedAndNotTheEnd) {
  run_io([]() -> Coro<> {
    Socket nobody = Socket::datagram(AF_INET);  // has the port, so that no other program gets it, and hears only port 9
    nobody.bind(kLoopback);
    const Address there = nobody.local_address(), discard = loopback(9);
    EXPECT_EQ(::connect(nobody.fd(), discard.data(), discard.size()), 0);
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, {.remote_addr = there});
    transport->sendto("is anybody there?");
    while (client->errors.empty()) co_await sleep(100us);
    EXPECT_EQ(client->errors.at(0), std::errc::connection_refused);
    EXPECT_FALSE(transport->is_closing());
    transport->sendto(std::string(100'000, 'x'));  // more than a datagram can be
    EXPECT_EQ(client->errors.back(), std::errc::message_size);
    EXPECT_FALSE(transport->is_closing());
    transport->close();
  });
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_buffer
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_tryagain
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_sendto_ready
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready_closing
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_buffer_nodata
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_sendto_ready_blocked
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock
TEST(Datagram, WhatTheSocketDoesNotTakeWaitsWholeAndCountsEightBytesMore) {
  run_io([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    Socket peer(ends[1]);
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, Socket(ends[0]));
    int sent = 0;
    for (; transport->get_write_buffer_size() == 0; ++sent) transport->sendto(std::to_string(sent));
    const std::size_t first = std::to_string(sent - 1).size() + 8;
    EXPECT_EQ(transport->get_write_buffer_size(), first);
    transport->sendto("");
    ++sent;
    EXPECT_EQ(transport->get_write_buffer_size(), first + 8);
    transport->set_write_buffer_limits({.high = first + 8, .low = 0});
    EXPECT_EQ(client->log.back(), "connection_made");
    transport->sendto("last");
    ++sent;
    EXPECT_EQ(client->log.back(), "pause_writing");
    transport->close();
    std::vector<std::string> received;
    char buffer[100];
    while (received.size() < static_cast<std::size_t>(sent)) {
      const ssize_t size = ::recv(peer.fd(), buffer, sizeof buffer, 0);
      if (size >= 0) {
        received.emplace_back(buffer, static_cast<std::size_t>(size));
      } else {
        co_await sleep(100us);
      }
    }
    for (int i = 0; i < sent - 2; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)], std::to_string(i));
    EXPECT_EQ(received.end()[-2], "");
    EXPECT_EQ(received.back(), "last");
    co_await ticks(2);
    EXPECT_EQ(client->log,
              (std::vector<std::string>{"connection_made", "pause_writing", "resume_writing", "connection_lost"}));
  });
}

/// A transport whose peer is a plain socket, with so much sent that the last datagram waits for room.
struct Full {
  Full() = default;
  std::shared_ptr<DatagramTransport> transport;
  std::shared_ptr<Datagrams> protocol;
  Socket peer;
};
Coro<Full> full(std::string_view each) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  Full made;
  made.peer = Socket(ends[1]);
  auto [transport, protocol] = co_await create_datagram_endpoint(make_datagrams, Socket(ends[0]));
  while (transport->get_write_buffer_size() == 0) transport->sendto(each);
  made.transport = std::move(transport);
  made.protocol = std::move(protocol);
  co_return made;
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_bytearray
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_memoryview
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_buffer_bytearray
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_buffer_memoryview
TEST(Datagram, TheMemoryOfTheDataIsFreeOnceSendtoReturns) {
  run_io([]() -> Coro<> {
    std::vector<char> memory(100, 'm');
    const std::string_view view(memory.data(), memory.size());
    auto [transport, protocol, peer] = co_await full(view);
    transport->sendto(view);
    EXPECT_EQ(transport->get_write_buffer_size(), 2 * (view.size() + 8));
    EXPECT_EQ(view, std::string(100, 'm'));
    std::fill(memory.begin(), memory.end(), '.');
    transport->close();
    int received = 0;
    for (bool lost = false; !lost;) {
      co_await sleep(100us);
      lost = protocol->log.back() == "connection_lost";  // now all of them are there
      char buffer[200];
      for (ssize_t size; (size = ::recv(peer.fd(), buffer, sizeof buffer, 0)) >= 0; ++received) {
        EXPECT_EQ(std::string_view(buffer, static_cast<std::size_t>(size)), std::string(100, 'm'));
      }
    }
    EXPECT_GT(received, 2);
  });
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready_no_data
TEST(Datagram, WithNothingLeftToSendItIsNotWatchedForRoom) {
  run_io([]() -> Coro<> {
    auto [transport, protocol, peer] = co_await full("x");
    EXPECT_NE(transport->repr().find("write=<polling, bufsize=9>"), std::string::npos) << transport->repr();
    while (transport->get_write_buffer_size() > 0) {
      const std::string data = co_await sock_recv(peer, 10);
      EXPECT_EQ(data, "x");
    }
    EXPECT_NE(transport->repr().find("write=<idle, bufsize=0>"), std::string::npos) << transport->repr();
    transport->close();
  });
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_closing
TEST(Datagram, TheFifthWriteAfterTheEndIsReported) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    Socket peer = Socket::datagram(AF_INET);
    peer.bind(kLoopback);
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, {.remote_addr = peer.local_address()});
    transport->abort();
    for (int i = 0; i < 4; ++i) transport->sendto("y");
    EXPECT_TRUE(errors.contexts.empty());
    transport->sendto("y");
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"socket.send() raised exception."});
  });
}

// As in CPython, an unconnected transport sends while it has its socket.
TEST(Datagram, OneWithoutAPeerStillSendsInTheTickOfItsClose) {
  run_io([]() -> Coro<> {
    Socket peer = Socket::datagram(AF_INET);
    peer.bind(kLoopback);
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, {.local_addr = kLoopback});
    transport->close();
    transport->sendto("x", peer.local_address());
    auto [data, sender] = co_await sock_recvfrom(peer, 10);
    EXPECT_EQ(data, "x");
    co_await ticks(1);
    EXPECT_EQ(client->log.back(), "connection_lost");
    transport->sendto("y", peer.local_address());  // dropped without an error
  });
}

TEST(Datagram, AbortDropsTheQueue) {
  run_io([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    Socket peer(ends[1]);
    auto [transport, client] = co_await create_datagram_endpoint(make_datagrams, Socket(ends[0]));
    while (transport->get_write_buffer_size() == 0) transport->sendto("x");
    transport->abort();
    EXPECT_EQ(transport->get_write_buffer_size(), 0u);
    transport->sendto("y");
    EXPECT_EQ(transport->get_write_buffer_size(), 0u);
    co_await ticks(1);
    EXPECT_EQ(client->log.back(), "connection_lost");
  });
}

TEST(Datagram, WhatTheProtocolThrowsIsReportedAndItGoesOn) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto server = co_await echo_server(kLoopback);
    server->on_datagram = [] { throw std::runtime_error("bad"); };
    auto [transport, client] =
        co_await create_datagram_endpoint(make_datagrams, {.remote_addr = server->transport->sockname()});
    transport->sendto("1");
    transport->sendto("2");
    co_await server->until(2);
    co_await ticks(1);
    EXPECT_EQ(errors.contexts.size(), 2u);
    EXPECT_FALSE(server->transport->is_closing());
    transport->close();
    server->transport->close();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_wrong_sock
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_noaddr_nofamily
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_no_matching_family
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_cant_bind
TEST(Datagram, BadArgumentsThrowAndLeaveNothingOpen) {
  run_io([]() -> Coro<> {
    co_await ticks(1);
    const int before = open_descriptors();
    std::vector<std::string> whats;
    try {
      co_await create_datagram_endpoint(make_datagrams, Socket::stream(AF_INET));
    } catch (const std::invalid_argument& error) {
      whats.push_back(std::string(error.what()).substr(0, 30));
    }
    try {
      co_await create_datagram_endpoint(make_datagrams, DatagramOptions());
    } catch (const std::invalid_argument& error) {
      whats.push_back(error.what());
    }
    try {
      const Address six = *Address::numeric("::1", 9);
      co_await create_datagram_endpoint(make_datagrams, {.local_addr = kLoopback, .remote_addr = six});
    } catch (const std::invalid_argument& error) {
      whats.push_back(error.what());
    }
    EXPECT_EQ(whats, (std::vector<std::string>{"A datagram socket was expected", "unexpected address family",
                                               "can not get address information"}));
    const Address elsewhere = *Address::numeric("192.0.2.1", 0);
    EXPECT_EQ(co_await error_of(create_datagram_endpoint(make_datagrams, {.local_addr = elsewhere})),
              std::errc::address_not_available);
    EXPECT_EQ(open_descriptors(), before);
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_allow_broadcast
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sockopts
TEST(Datagram, WithBroadcastItIsNotConnected) {
  run_io([]() -> Coro<> {
    auto server = co_await echo_server(kLoopback);
    auto [transport, client] = co_await create_datagram_endpoint(
        make_datagrams, {.remote_addr = server->transport->sockname(), .reuse_port = true, .allow_broadcast = true});
    EXPECT_EQ(transport->peername().family(), AF_UNSPEC);
    int broadcast = 0, reuse = 0;
    socklen_t size = sizeof broadcast;
    getsockopt(transport->fileno(), SOL_SOCKET, SO_BROADCAST, &broadcast, &size);
    getsockopt(transport->fileno(), SOL_SOCKET, SO_REUSEPORT, &reuse, &size);
    EXPECT_NE(broadcast, 0);
    EXPECT_NE(reuse, 0);
    transport->sendto("all");
    co_await client->until(1);
    EXPECT_EQ(client->received.at(0), "echo all");
    transport->close();
    server->transport->close();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_datagram_endpoint_sock
// test_selector_events.py: SelectorDatagramTransportTests.test_transport_inheritance
TEST(Datagram, TakesASocketThatIsBound) {
  run_io([]() -> Coro<> {
    Socket bound = Socket::datagram(AF_INET);
    bound.bind(kLoopback);
    const Address here = bound.local_address();
    auto [transport, protocol] = co_await create_datagram_endpoint(make_datagrams, std::move(bound));
    static_assert(std::is_same_v<decltype(transport), std::shared_ptr<DatagramTransport>>);
    static_assert(!std::is_base_of_v<WriteTransport, DatagramTransport>);
    EXPECT_EQ(transport->sockname(), here);
    transport->sendto("to itself", here);
    co_await protocol->until(1);
    EXPECT_EQ(protocol->received.at(0), "to itself");
    transport->close();
    co_await ticks(1);
    EXPECT_EQ(protocol->log.back(), "connection_lost");
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock_unix
TEST(Datagram, AFamilyIsEnoughToSend) {
  run_io([]() -> Coro<> {
    auto [transport, protocol] = co_await create_datagram_endpoint(make_datagrams, {.family = AF_UNIX});
    EXPECT_EQ(transport->sockname().family(), AF_UNIX);
    EXPECT_EQ(transport->sockname().path(), "");
    transport->close();
    co_await ticks(1);
    EXPECT_EQ(protocol->log.back(), "connection_lost");
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_existing_sock_unix
TEST(Datagram, AtAPathAStaleSocketIsReplaced) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    const Address here = Address::unix_path(folder / "here"), there = Address::unix_path(folder / "there");
    {
      Socket stale = Socket::datagram(AF_UNIX);
      stale.bind(here);
    }
    auto server = co_await echo_server(here);
    auto [transport, client] =
        co_await create_datagram_endpoint(make_datagrams, {.local_addr = there, .remote_addr = here});
    transport->sendto("x");
    co_await client->until(1);
    EXPECT_EQ(client->received.at(0), "echo x");
    EXPECT_EQ(client->senders.at(0), here);
    transport->close();
    server->transport->close();
  });
}

}  // namespace
}  // namespace asyncio::testing
