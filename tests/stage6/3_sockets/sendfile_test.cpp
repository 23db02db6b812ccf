// sock_sendfile: the data sent, the file's position afterwards, and refused arguments.
#include "support/io.h"
#include "support/refusing.h"

#include <asyncio/sendfile.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace asyncio::testing {
namespace {

/// A temporary file.
class File {
 public:
  explicit File(const std::string& content) : file_(std::tmpfile()) {
    EXPECT_EQ(::pwrite(fd(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  }
  int fd() const { return ::fileno(file_.get()); }
  off_t position() const { return ::lseek(fd(), 0, SEEK_CUR); }

 private:
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<FILE, Close> file_;
};

Coro<std::string> receive_all(Socket& socket) {
  std::string all;
  for (;;) {
    const std::string part = co_await sock_recv(socket, 65536);
    if (part.empty()) break;
    all += part;
  }
  co_return all;
}

/// The data that `send` sends to a receiver.
template <class F>
Coro<std::string> sent_by(F send) {
  auto [one, other] = Socket::pair();
  auto receiving = create_task(receive_all(other));
  co_await send(one);
  one.close();
  const std::string all = co_await std::move(receiving);
  EXPECT_FALSE(watching());
  co_return all;
}

// /proc has files that cannot be mapped; sendfile(2) accepts them in some kernels only. It never accepts a socket.
struct NotAFile {
  std::pair<Socket, Socket> ends = Socket::pair();
  int fd() const { return ends.first.fd(); }
};

// test_sendfile.py: SockSendfileMixin.test_sock_sendfile_success
TEST(SockSendfile, SendsTheWholeFileAndLeavesThePositionAtItsEnd) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(3'000'000);
    const File file(data);
    auto send = [&](Socket& socket) -> Coro<> {
      const std::size_t sent = co_await sock_sendfile(socket, file.fd());
      EXPECT_EQ(sent, data.size());
    };
    const std::string received = co_await sent_by(send);
    EXPECT_TRUE(received == data);
    EXPECT_EQ(file.position(), static_cast<off_t>(data.size()));
  });
}

// test_sendfile.py: SockSendfileMixin.test_sock_sendfile_with_offset_and_count
TEST(SockSendfile, OffsetAndCountAreHonoured) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(160'000);
    const File file(data);
    auto send = [&](Socket& socket) -> Coro<> {
      const std::size_t sent = co_await sock_sendfile(socket, file.fd(), {.offset = 1000, .count = 2000});
      EXPECT_EQ(sent, 2000u);
      EXPECT_EQ(file.position(), 3000);
      const std::size_t rest = co_await sock_sendfile(socket, file.fd(), {.offset = 159'000, .count = 2000});
      EXPECT_EQ(rest, 1000u);
      EXPECT_EQ(file.position(), 160'000);
      const std::size_t beyond = co_await sock_sendfile(socket, file.fd(), {.offset = 200'000});
      EXPECT_EQ(beyond, 0u);
      EXPECT_EQ(file.position(), 160'000);
    };
    const std::string received = co_await sent_by(send);
    EXPECT_TRUE(received == data.substr(1000, 2000) + data.substr(159'000));
  });
}

// test_sendfile.py: SockSendfileMixin.test_sock_sendfile_offset
TEST(SockSendfile, FromAnOffsetItSendsTheRest) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(160'000);
    const File file(data);
    auto send = [&](Socket& socket) -> Coro<> {
      const std::size_t sent = co_await sock_sendfile(socket, file.fd(), {.offset = 1000});
      EXPECT_EQ(sent, 159'000u);
    };
    const std::string received = co_await sent_by(send);
    EXPECT_TRUE(received == data.substr(1000));
    EXPECT_EQ(file.position(), 160'000);
  });
}

// test_sendfile.py: SockSendfileMixin.test_sock_sendfile_zero_size
TEST(SockSendfile, AnEmptyFileIsSentAtOnce) {
  run_io([]() -> Coro<> {
    const File file("");
    auto send = [&](Socket& socket) -> Coro<> {
      const std::size_t sent = co_await sock_sendfile(socket, file.fd());
      EXPECT_EQ(sent, 0u);
    };
    const std::string received = co_await sent_by(send);
    EXPECT_EQ(received, "");
    EXPECT_EQ(file.position(), 0);
  });
}

// test_sendfile.py: SockSendfileMixin.test_sock_sendfile_mix_with_regular_send
TEST(SockSendfile, MixesWithRegularSending) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(160'000), before = pattern(64 * 1024, 7);
    const File file(data);
    auto send = [&](Socket& socket) -> Coro<> {
      co_await sock_sendall(socket, before);
      co_await sock_sendfile(socket, file.fd());
      co_await sock_sendall(socket, before);
    };
    const std::string received = co_await sent_by(send);
    EXPECT_TRUE(received == before + data + before);
  });
}

// test_base_events.py: BaseLoopSockSendfileTests.test_sock_sendfile_no_fallback
// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_not_regular_file
TEST(SockSendfile, WithoutFallbackWhatIsNoFileIsAnError) {
  run_io([]() -> Coro<> {
    const NotAFile none;
    auto [one, other] = Socket::pair();
    std::string message;
    try {
      co_await sock_sendfile(one, none.fd(), {.count = 10, .fallback = false});
    } catch (const SendfileNotAvailableError& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "os.sendfile call failed");
    message.clear();
    try {
      co_await sock_sendfile(one, -1, {.fallback = false});
    } catch (const SendfileNotAvailableError& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "not a regular file");
    EXPECT_FALSE(watching());
  });
}

TEST(SockSendfile, TheFallbackSaysWhatIsWrongWithTheFile) {
  run_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    EXPECT_EQ(co_await error_of(sock_sendfile(one, -1)), std::errc::bad_file_descriptor);
  });
}

// test_base_events.py: BaseLoopSockSendfileTests.test_nonstream_socket
// test_base_events.py: BaseLoopSockSendfileTests.test_notint_count
// test_base_events.py: BaseLoopSockSendfileTests.test_negative_count
// test_base_events.py: BaseLoopSockSendfileTests.test_notint_offset
// test_base_events.py: BaseLoopSockSendfileTests.test_negative_offset
TEST(SockSendfile, RefusesBadArguments) {
  run_io([]() -> Coro<> {
    const File file("data");
    auto [one, other] = Socket::pair();
    Socket datagram = Socket::datagram(AF_INET);
    Socket closed;
    const auto refusal = [&file](Socket& socket, SendfileOptions options) -> Coro<std::string> {
      try {
        co_await sock_sendfile(socket, file.fd(), options);
      } catch (const std::invalid_argument& error) {
        co_return error.what();
      }
      co_return "";
    };
    EXPECT_EQ(co_await refusal(datagram, {}), "only SOCK_STREAM type sockets are supported");
    EXPECT_EQ(co_await refusal(one, {.count = 0}), "count must be a positive integer (got 0)");
    EXPECT_EQ(co_await refusal(one, {.count = -1}), "count must be a positive integer (got -1)");
    EXPECT_EQ(co_await refusal(one, {.offset = -1}), "offset must be a non-negative integer (got -1)");
    EXPECT_EQ(co_await error_of(sock_sendfile(closed, file.fd())), std::errc::bad_file_descriptor);
    EXPECT_EQ(file.position(), 0);
  });
}

// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_cancel1
// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_cancel2
TEST(SockSendfile, CancelledItLetsGoAndThePositionTellsHowFarItCame) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(8 << 20);
    const File file(data);
    auto [one, other] = Socket::pair();
    EXPECT_TRUE(co_await cancelled(create_task(sock_sendfile(one, file.fd()))));
    EXPECT_FALSE(watching());
    const off_t position = file.position();
    EXPECT_GT(position, 0);
    EXPECT_LT(position, 8 << 20);
    one.shutdown_write();
    const std::string received = co_await receive_all(other);
    EXPECT_EQ(static_cast<off_t>(received.size()), position);
    EXPECT_TRUE(received == data.substr(0, received.size()));
  });
}

// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_os_error_next_call
TEST(SockSendfile, AnErrorInTheMiddleThrowsAndThePositionTellsHowFarItCame) {
  const DefaultSigpipe fatal;
  run_io([]() -> Coro<> {
    const File file(pattern(8 << 20));
    auto [one, other] = Socket::pair();
    auto sending = create_task(error_of(sock_sendfile(one, file.fd())));
    co_await ticks(2);
    other.close();
    EXPECT_EQ(co_await sending, std::errc::broken_pipe);  // without SIGPIPE
    EXPECT_GT(file.position(), 0);
    EXPECT_FALSE(watching());
    EXPECT_EQ(co_await error_of(sock_sendfile(one, file.fd())), std::errc::broken_pipe);  // in the fallback
  });
}

}  // namespace
}  // namespace asyncio::testing
