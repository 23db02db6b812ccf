// sendfile() over a transport.
#include "support/io.h"
#include "support/protocols.h"

#include <asyncio/connections.h>
#include <asyncio/pipes.h>
#include <asyncio/transport_sendfile.h>
#include <fcntl.h>
#include <unistd.h>

namespace asyncio::testing {
namespace {

const std::string& file_data() {
  static const std::string data = pattern(5 << 20, 7);
  return data;
}

/// A nameless file with this data.
class TestFile {
 public:
  TestFile() {
    const std::string path = folder_ / "file";
    file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(::write(file_.fd(), file_data().data(), file_data().size()), ssize_t(file_data().size()));
    ::lseek(file_.fd(), 0, SEEK_SET);
  }
  int fd() const { return file_.fd(); }
  off_t position() const { return ::lseek(file_.fd(), 0, SEEK_CUR); }

 private:
  TemporaryFolder folder_;
  FileDescriptor file_;
};

struct Connection {
  Connection() = default;
  std::shared_ptr<Transport> transport;
  std::shared_ptr<LogProtocol> protocol;
  Socket peer;
};
Coro<Connection> connected() {
  auto [here, there] = Socket::pair();
  auto [transport, protocol] = co_await create_connection(make<LogProtocol>, std::move(here));
  Connection connection;
  connection.transport = std::move(transport);
  connection.protocol = std::move(protocol);
  connection.peer = std::move(there);
  co_return connection;
}

Coro<std::string> read_all(Socket& socket) {
  std::string all;
  for (;;) {
    const std::string part = co_await sock_recv(socket, 1 << 20);
    if (part.empty()) co_return all;
    all += part;
  }
}

// test_sendfile.py: SendfileMixin.test_sendfile
// test_sendfile.py: SendfileMixin.test_sendfile_partial
// test_sendfile.py: SendfileMixin.test_sendfile_pre_and_post_data
TEST(TransportSendfile, SendsTheFileBetweenWhatIsWrittenBeforeAndAfter) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    auto reading = create_task(read_all(peer));
    const std::string before = pattern(1 << 20, 3);
    transport->write(before);
    EXPECT_EQ(co_await sendfile(transport, file.fd()), file_data().size());
    EXPECT_EQ(file.position(), off_t(file_data().size()));
    transport->write("after");
    EXPECT_EQ(co_await sendfile(transport, file.fd(), {.offset = 1000, .count = 100}), 100u);
    EXPECT_EQ(file.position(), 1100);
    EXPECT_EQ(transport->get_protocol(), protocol);
    transport->close();
    const std::string received = co_await reading;
    EXPECT_TRUE(received == before + file_data() + "after" + file_data().substr(1000, 100));
  });
}

TEST(TransportSendfile, ReceivesNothingMeanwhileAndEverythingAfterwards) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    co_await sock_sendall(peer, "waits");
    auto sending = create_task(sendfile(transport, file.fd()));
    co_await ticks(1);
    co_await sleep(2ms);
    EXPECT_EQ(protocol->received, "");
    std::size_t received = 0;
    while (received < file_data().size()) received += (co_await sock_recv(peer, 1 << 20)).size();
    co_await sending;
    co_await protocol->until_received(5);
    EXPECT_EQ(protocol->received, "waits");
    transport->close();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_prevents_bare_write
TEST(TransportSendfile, NobodyMayWriteMeanwhile) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    auto sending = create_task(sendfile(transport, file.fd()));
    co_await ticks(2);
    std::string what;
    try {
      transport->write("x");
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "unable to write; sendfile is in progress");
    try {
      transport->writelines({});
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "unable to writelines; sendfile is in progress");
    EXPECT_EQ(co_await thrown_by(sendfile(transport, file.fd())), "Empty waiter is already set");
    sending.cancel();
    co_await ticks(3);
    EXPECT_TRUE(sending.cancelled());
    EXPECT_EQ(transport->get_protocol(), protocol);
    EXPECT_TRUE(transport->is_reading());
    EXPECT_NO_THROW(transport->write("x"));
    EXPECT_GT(file.position(), 0);
    transport->abort();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_for_closing_transp
// test_sendfile.py: SendfileMixin.test_sendfile_not_supported
TEST(TransportSendfile, NeedsAnOpenSocket) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    transport->close();
    EXPECT_EQ(co_await thrown_by(sendfile(transport, file.fd())), "Transport is closing");
    auto [reading, writing] = FileDescriptor::pipe();
    auto [pipe, its_protocol] = co_await connect_write_pipe(make<LogProtocol>, std::move(writing));
    EXPECT_EQ(co_await thrown_by(sendfile(pipe, file.fd())), "sendfile is not supported for transport " + pipe->repr());
    EXPECT_EQ(file.position(), 0);
    pipe->close();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_close_peer_in_the_middle_of_receiving
TEST(TransportSendfile, APeerThatGoesAwayInTheMiddleIsAnError) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    auto sending = create_task(error_of(sendfile(transport, file.fd())));
    co_await sock_recv(peer, 1000);
    peer.close();
    const std::error_code code = co_await sending;
    EXPECT_TRUE(code == std::errc::broken_pipe || code == std::errc::connection_reset) << code.message();
    co_await protocol->until_lost();
    EXPECT_GT(file.position(), 0);
    EXPECT_LT(file.position(), off_t(file_data().size()));
  });
}

// test_sendfile.py: SockSendfileMixin.test_sendfile_offset
// test_sendfile.py: SendfileMixin.test_sendfile_close_peer_after_receiving
TEST(TransportSendfile, APeerThatGoesAwayHavingReceivedAllIsNoError) {
  run_io([]() -> Coro<> {
    const TestFile file;
    auto [transport, protocol, peer] = co_await connected();
    auto sending = create_task(sendfile(transport, file.fd(), {.offset = 1000}));
    const std::string expected = file_data().substr(1000);
    std::string received;
    while (received.size() < expected.size()) received += co_await sock_recv(peer, 1 << 20);
    peer.close();
    EXPECT_EQ(co_await sending, expected.size());
    EXPECT_TRUE(received == expected);
    EXPECT_EQ(file.position(), off_t(file_data().size()));
    transport->close();
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->error, nullptr);
  });
}

TEST(TransportSendfile, AbortEndsIt) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    {
      const TestFile file;
      auto [transport, protocol, peer] = co_await connected();
      auto sending = create_task(error_of(sendfile(transport, file.fd())));
      co_await ticks(3);
      transport->abort();
      EXPECT_EQ(co_await sending, std::errc::connection_reset);
      EXPECT_EQ(protocol->count("connection_lost"), 1);

      auto [other, waiting, other_peer] = co_await connected();
      other->write(pattern(4 << 20));
      auto never_begun = create_task(error_of(sendfile(other, file.fd())));
      co_await ticks(2);
      other->abort();
      EXPECT_EQ(co_await never_begun, std::errc::connection_aborted);
    }
    EXPECT_LE(open_descriptors(), before + 1);  // the loop's own, at the most
  });
}

}  // namespace
}  // namespace asyncio::testing
