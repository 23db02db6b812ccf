// More of sock_*: reading into the caller's buffer, datagrams, races with a cancel, a transport's descriptors.
#include "support/io.h"

#include <asyncio/detail/descriptor_table.h>
#include <asyncio/wait_for.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

namespace asyncio::testing {
namespace {

// ── into the caller's buffer ──

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_ops
TEST(SockInto, ReceivesIntoTheCallersBufferAndNoFurther) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    std::string buffer = "........";
    auto receiving = create_task(sock_recv_into(one, std::span(buffer).first(4)));
    co_await ticks(2);
    co_await sock_sendall(other, "abcdef");
    const std::size_t first = co_await receiving;
    EXPECT_EQ(first, 4u);
    EXPECT_EQ(buffer, "abcd....");
    const std::size_t second = co_await sock_recv_into(one, std::span(buffer).subspan(4));
    EXPECT_EQ(second, 2u);
    EXPECT_EQ(buffer, "abcdef..");
    other.close();
    const std::size_t end = co_await sock_recv_into(one, buffer);
    EXPECT_EQ(end, 0u);
    EXPECT_FALSE(watching());
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_huge_content_recvinto
TEST(SockInto, AHugeContentArrivesWhole) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    const std::string data = pattern(4 << 20);
    auto sending = create_task(sock_sendall(one, data));
    std::string received(data.size(), '\0');
    for (std::size_t size = 0; size < data.size();) {
      const std::size_t part = co_await sock_recv_into(other, std::span(received).subspan(size));
      EXPECT_GT(part, 0u);
      size += part;
    }
    co_await sending;
    EXPECT_TRUE(received == data);
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_unix_sock_client_ops
TEST(SockUnix, ConnectAcceptSendAndReceive) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    Socket listening = Socket::stream(AF_UNIX);
    listening.bind(Address::unix_path(folder / "socket"));
    listening.listen();
    auto accepting = create_task(sock_accept(listening));
    Socket client = Socket::stream(AF_UNIX);
    co_await sock_connect(client, listening.local_address());
    auto [server, peer] = co_await std::move(accepting);
    co_await sock_sendall(client, "hello");
    const std::string hello = co_await sock_recv(server, 100);
    EXPECT_EQ(hello, "hello");
    EXPECT_FALSE(watching());
  });
}

// ── datagrams ──

Socket bound_datagram() {
  Socket socket = Socket::datagram(AF_INET);
  socket.bind(loopback(0));
  return socket;
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_recvfrom
TEST(SockDatagram, ComesWholeAndWithTheAddressOfItsSender) {
  run_io([]() -> Coro<> {
    Socket server = bound_datagram();
    Socket client = bound_datagram();
    auto receiving = create_task(sock_recvfrom(server, 4096));
    co_await ticks(2);
    const std::string data = pattern(4096);
    const std::size_t sent = co_await sock_sendto(client, data, server.local_address());
    EXPECT_EQ(sent, 4096u);
    const auto [received, sender] = co_await std::move(receiving);
    EXPECT_TRUE(received == data);
    EXPECT_EQ(sender, client.local_address());
    EXPECT_FALSE(watching());

    co_await sock_sendto(client, "", server.local_address());  // a message like any other
    co_await sock_sendto(client, "longer", server.local_address());
    co_await sock_sendto(client, "next", server.local_address());
    const auto empty = co_await sock_recvfrom(server, 100);
    EXPECT_EQ(empty.first, "");
    EXPECT_EQ(empty.second, client.local_address());
    const auto cut = co_await sock_recvfrom(server, 4);
    EXPECT_EQ(cut.first, "long");  // UDP drops the rest
    const auto next = co_await sock_recvfrom(server, 100);
    EXPECT_EQ(next.first, "next");
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_recvfrom_into
TEST(SockDatagram, ComesIntoTheCallersBuffer) {
  run_io([]() -> Coro<> {
    Socket server = bound_datagram();
    Socket client = bound_datagram();
    std::string buffer(8, '.');
    auto receiving = create_task(sock_recvfrom_into(server, buffer, 4));
    co_await ticks(2);
    co_await sock_sendto(client, "abcdef", server.local_address());
    const auto first = co_await receiving;
    EXPECT_EQ(first.first, 4u);
    EXPECT_EQ(first.second, client.local_address());
    EXPECT_EQ(buffer, "abcd....");
    co_await sock_sendto(client, "whole", server.local_address());
    const auto second = co_await sock_recvfrom_into(server, buffer);
    EXPECT_EQ(second.first, 5u);
    EXPECT_EQ(buffer, "whole...");
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_recvfrom_into_wrong_size
TEST(SockDatagram, ABufferThatIsTooSmallIsRefused) {
  run_io([]() -> Coro<> {
    Socket server = bound_datagram();
    std::string buffer(100, '.');
    try {
      co_await sock_recvfrom_into(server, buffer, 101);
      ADD_FAILURE();
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), "nbytes is greater than the length of the buffer");
    }
  });
}

// The datagram queue between Unix sockets is short; when it is full, the sender waits.
// test_sock_lowlevel.py: BaseSockTestsMixin.test_sendto_blocking
TEST(SockDatagram, SendtoWaitsForRoomAndACancelLetsGo) {
  run_io([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    Socket one(ends[0]), other(ends[1]);
    int sent = 0;
    while (::send(one.fd(), "x", 1, 0) == 1) ++sent;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_TRUE(co_await cancelled(create_task(sock_sendto(one, "cancelled", Address()))));
    EXPECT_FALSE(watching());
    auto sending = create_task(sock_sendto(one, "last", Address()));
    co_await ticks(3);
    EXPECT_FALSE(sending.done());
    for (; sent > 0; --sent) co_await sock_recv(other, 10);
    const std::size_t size = co_await sending;
    EXPECT_EQ(size, 4u);
    const std::string last = co_await sock_recv(other, 10);
    EXPECT_EQ(last, "last");
    EXPECT_FALSE(watching());
  });
}

TEST(SockDatagram, ARefusalOfThePeerThrowsAtTheAwait) {
  run_io([]() -> Coro<> {
    Socket client = Socket::datagram(AF_INET);
    Socket deaf = bound_datagram();  // keeps the port, and hears only the one to whom it is connected
    const Address nobody = deaf.local_address();
    co_await sock_connect(deaf, nobody);
    co_await sock_connect(client, nobody);
    co_await sock_sendto(client, "x", Address());
    EXPECT_EQ(co_await error_of(sock_recvfrom(client, 10)), std::errc::connection_refused);
    EXPECT_EQ(co_await error_of(sock_sendto(client, std::string(100'000, 'x'), nobody)), std::errc::message_size);
    EXPECT_FALSE(watching());
  });
}

TEST(SockDatagram, CancelledRecvfromLosesNothing) {
  run_io([]() -> Coro<> {
    Socket server = bound_datagram();
    Socket client = bound_datagram();
    EXPECT_TRUE(co_await cancelled(create_task(sock_recvfrom(server, 100))));
    EXPECT_FALSE(watching());
    std::string buffer(100, '.');
    EXPECT_TRUE(co_await cancelled(create_task(sock_recvfrom_into(server, buffer))));
    EXPECT_TRUE(co_await cancelled(create_task(sock_recv_into(server, buffer))));
    EXPECT_FALSE(watching());
    co_await sock_sendto(client, "kept", server.local_address());
    const auto received = co_await sock_recvfrom(server, 100);
    EXPECT_EQ(received.first, "kept");
  });
}

// ── races with a cancel ──

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_racing
TEST(SockRacing, ARecvRightBehindACancelledOneKeepsItsWatch) {
  run_io([]() -> Coro<> {
    for (const bool into : {false, true}) {
      auto [one, other] = Socket::pair();
      std::string ignored(10, '.');
      auto wasted = into ? create_task([&]() -> Coro<> { co_await sock_recv_into(one, ignored); })
                         : create_task([&]() -> Coro<> { co_await sock_recv(one, 10); });
      co_await sleep(0s);
      wasted.cancel();  // releases a tick later, when the next one waits
      auto sending = create_task(sock_sendall(other, "answer"));
      const std::string data = co_await wait_for(sock_recv(one, 100), 10s);
      EXPECT_EQ(data, "answer");
      EXPECT_TRUE(wasted.cancelled());
      co_await sending;
      EXPECT_FALSE(watching());
    }
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_racing
TEST(SockRacing, ASendallRightBehindACancelledOneKeepsItsWatch) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    while (::send(one.fd(), "                ", 16, 0) > 0) {
    }
    while (::send(one.fd(), " ", 1, 0) > 0) {
    }
    auto wasted = create_task(sock_sendall(one, "hello"));
    co_await sleep(0s);
    wasted.cancel();
    auto receive_all = [](Socket& socket) -> Coro<std::string> {
      std::string all;
      for (;;) {
        const std::string part = co_await sock_recv(socket, 8192);
        if (part.empty()) break;
        for (const char c : part) {
          if (c != ' ') all += c;
        }
      }
      co_return all;
    };
    auto receiving = create_task(receive_all(other));
    co_await wait_for(sock_sendall(one, "world"), 10s);
    one.shutdown_write();
    const std::string received = co_await receiving;
    EXPECT_EQ(received, "world");
    EXPECT_TRUE(wasted.cancelled());
    EXPECT_FALSE(watching());
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_sock_client_connect_racing
TEST(SockRacing, AConnectAfterACancelledOneComesThrough) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::bound(loopback(0));
    const Address address = listening.local_address();
    Socket client = Socket::stream(AF_INET);
    auto wasted = create_task(error_of(sock_connect(client, address)));  // nobody listens yet
    co_await sleep(0s);
    wasted.cancel();
    listening.listen(1);
    std::error_code error = std::make_error_code(std::errc::connection_refused);
    for (int i = 0; i < 128 && error == std::errc::connection_refused; ++i) {
      error = co_await error_of(sock_connect(client, address));
    }
    EXPECT_FALSE(error) << error.message();
    EXPECT_FALSE(watching());
  });
}

// test_events.py: EventLoopTestsMixin.test_prompt_cancellation
TEST(SockRacing, ACancelIsPromptAndDoesNotWaitForTheDescriptor) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    auto receiving = create_task(sock_recv(one, 1));
    co_await ticks(2);
    receiving.cancel();
    co_await ticks(2);
    EXPECT_TRUE(receiving.cancelled());
    EXPECT_FALSE(watching());
  });
}

// ── a descriptor that belongs to a transport ──

class Owner final : public detail::DescriptorOwner {
 public:
  Owner(Loop& loop, int fd) : table_(loop.service<detail::DescriptorTable>()), fd_(fd) { table_.claim(fd, *this); }
  ~Owner() { table_.release(fd_); }
  std::string repr() const override { return "<transport fd=" + std::to_string(fd_) + ">"; }
  void abandon() noexcept override {}

 private:
  detail::DescriptorTable& table_;
  int fd_;
};

template <class F>
void expect_refused(int fd, F call) {
  try {
    call();
    ADD_FAILURE() << "it belongs to a transport";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), "File descriptor " + std::to_string(fd) +
                                " is used by transport <transport fd=" + std::to_string(fd) + ">");
  }
}

// test_unix_events.py: TestFunctional.test_add_reader_or_writer_transport_fd
TEST(DescriptorOwner, NobodyElseMayWatchWhatBelongsToATransport) {
  Loop loop;
  const auto [one, other] = Socket::pair();
  const int fd = one.fd();
  {
    const Owner owner(loop, fd);
    expect_refused(fd, [&] { add_reader(loop, fd, [] {}); });
    expect_refused(fd, [&] { add_writer(loop, fd, [] {}); });
    expect_refused(fd, [&] { remove_reader(loop, fd); });
    expect_refused(fd, [&] { remove_writer(loop, fd); });
    EXPECT_FALSE(loop.core().watching());
    add_reader(loop, other.fd(), [] {});
    EXPECT_TRUE(remove_reader(loop, other.fd()));
  }
  add_reader(loop, fd, [] {});  // released
  EXPECT_TRUE(remove_reader(loop, fd));
}

// test_unix_events.py: TestFunctional.test_add_reader_or_writer_transport_fd
TEST(DescriptorOwner, NorWaitForItWithSock) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    Loop& loop = Loop::running();
    const Owner owner(loop, one.fd());
    std::string message;
    try {
      co_await sock_recv(one, 10);
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_NE(message.find("is used by transport"), std::string::npos) << message;
    EXPECT_FALSE(watching());
  });
}

TEST(DescriptorOwner, AClosedLoopOnlySaysThatThereIsNothing) {
  Loop loop;
  const auto [one, other] = Socket::pair();
  const Owner owner(loop, one.fd());
  loop.close();
  EXPECT_FALSE(remove_reader(loop, one.fd()));
}

}  // namespace
}  // namespace asyncio::testing
