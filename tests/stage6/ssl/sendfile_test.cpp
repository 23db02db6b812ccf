// sendfile() over TLS: the kernel cannot encrypt, so the file goes through the transport.
#include "stage6/ssl/tls_support.h"
#include "support/protocols.h"

#include <asyncio/create_server.h>
#include <asyncio/file_descriptor.h>
#include <asyncio/sleep.h>
#include <asyncio/transport_sendfile.h>
#include <fcntl.h>
#include <unistd.h>

namespace asyncio::testing {
namespace {

using ssl::SSLContext;

const std::string& file_data() {
  static const std::string data = pattern(1'500'001, 7);
  return data;
}

class TestFile {
 public:
  TestFile() : path_(write_file(folder_ / "file", file_data())), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {}
  int fd() const { return file_.fd(); }
  off_t position() const { return ::lseek(file_.fd(), 0, SEEK_CUR); }

 private:
  TemporaryFolder folder_;
  std::string path_;
  FileDescriptor file_;
};

/// A client over TLS, and the protocol that serves it.
struct Pair {
  Pair() = default;
  std::shared_ptr<SSLContext> serving;
  std::shared_ptr<SSLContext> calling;
  std::shared_ptr<Transport> transport;
  std::shared_ptr<LogProtocol> protocol;
  std::shared_ptr<LogProtocol> served;
};
Coro<Pair> connected(std::function<void(LogProtocol&)> prepare = {}) {
  Pair pair;
  pair.serving = std::make_shared<SSLContext>(server_context());
  pair.calling = std::make_shared<SSLContext>(client_context());
  pair.served = std::make_shared<LogProtocol>();
  if (prepare) prepare(*pair.served);
  const auto factory = [served = pair.served] { return served; };  // g++ 12 destroys an awaited call's temporary twice
  Server server = co_await create_server(factory, "127.0.0.1", 0, {.ssl = pair.serving.get()});
  auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port(),
                                                          ConnectOptions{.ssl = pair.calling.get()});
  server.close();
  pair.transport = std::move(transport);
  pair.protocol = std::move(protocol);
  co_return pair;
}

// test_sendfile.py: SendfileMixin.test_sendfile_ssl
// test_sendfile.py: SendfileMixin.test_sendfile_ssl_partial
// test_sendfile.py: SendfileMixin.test_sendfile_ssl_pre_and_post_data
TEST(TlsSendfile, SendsTheFileBetweenWhatIsWrittenBeforeAndAfter) {
  run_io([]() -> Coro<> {
    const TestFile file;
    const Pair pair = co_await connected();
    const std::string before = pattern(600'000, 3);
    pair.transport->write(before);
    const std::size_t whole = co_await sendfile(pair.transport, file.fd());
    EXPECT_EQ(whole, file_data().size());
    EXPECT_EQ(file.position(), off_t(file_data().size()));
    pair.transport->write("after");
    const std::size_t part = co_await sendfile(pair.transport, file.fd(), {.offset = 1000, .count = 100});
    EXPECT_EQ(part, 100u);
    EXPECT_EQ(file.position(), 1100);
    EXPECT_EQ(pair.transport->get_protocol(), pair.protocol);
    EXPECT_TRUE(pair.transport->is_reading());
    pair.transport->close();
    co_await pair.served->until_lost();
    const std::string expected = before + file_data() + "after" + file_data().substr(1000, 100);
    EXPECT_EQ(pair.served->received.size(), expected.size());
    std::size_t at = 0;
    while (at < expected.size() && expected[at] == pair.served->received[at]) ++at;
    EXPECT_EQ(at, expected.size());  // the first byte that differs
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_ssl_close_peer_after_receiving
TEST(TlsSendfile, ThePeerMayCloseWhenItHasEverything) {
  run_io([]() -> Coro<> {
    const TestFile file;
    const Pair pair = co_await connected([](LogProtocol& served) {
      served.on_data = [&served] {
        if (served.received.size() == file_data().size()) served.transport->close();
      };
    });
    const std::size_t sent = co_await sendfile(pair.transport, file.fd());
    EXPECT_EQ(sent, file_data().size());
    co_await pair.protocol->until_lost();
    EXPECT_TRUE(pair.served->received == file_data());
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_fallback_close_peer_in_the_middle_of_receiving
TEST(TlsSendfile, APeerThatGoesAwayInTheMiddleIsAnError) {
  run_io([]() -> Coro<> {
    const TestFile file;
    const Pair pair = co_await connected([](LogProtocol& served) {
      served.on_data = [&served] {
        if (served.received.size() > 1024) served.transport->abort();
      };
    });
    pair.transport->set_write_buffer_limits({.high = 1024});
    std::error_code code;
    for (int i = 0; i < 100 && !code; ++i) code = co_await error_of(sendfile(pair.transport, file.fd()));
    EXPECT_TRUE(code == std::errc::broken_pipe || code == std::errc::connection_reset) << code.message();
    EXPECT_LT(file.position(), off_t(file_data().size()));
    co_await pair.protocol->until_lost();
  });
}

TEST(TlsSendfile, ASlowReaderBoundsTheMemoryAndACancelRestoresTheProtocol) {
  run_io([]() -> Coro<> {
    const TestFile file;
    const Pair pair = co_await connected(
        [](LogProtocol& served) { served.on_made = [&served] { served.transport->pause_reading(); }; });
    std::size_t most = 0;
    bool stuck = false;
    while (!stuck) {  // more than the sockets' buffers hold
      auto sending = create_task(sendfile(pair.transport, file.fd()));
      std::size_t before = 0;
      for (int i = 0; i < 200 && !sending.done(); ++i) {
        co_await sleep(1ms);
        most = std::max(most, pair.transport->get_write_buffer_size());
        stuck = before == pair.transport->get_write_buffer_size() && before > 0 && i > 50;
        before = pair.transport->get_write_buffer_size();
        if (stuck) break;
      }
      if (!sending.done()) {
        EXPECT_EQ(pair.transport->get_protocol() == pair.protocol, false);
        const bool was_cancelled = co_await cancelled(std::move(sending));
        EXPECT_TRUE(was_cancelled);
      }
    }
    EXPECT_LE(most, (512u + 32u) * 1024u);
    EXPECT_EQ(pair.transport->get_protocol(), pair.protocol);
    pair.transport->abort();
    co_await pair.protocol->until_lost();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_no_fallback_for_fallback_transport
TEST(TlsSendfile, WithoutTheFallbackItIsRefused) {
  run_io([]() -> Coro<> {
    const TestFile file;
    const Pair pair = co_await connected();
    SendfileOptions native_only;
    native_only.fallback = false;
    const std::string what = co_await thrown_by(sendfile(pair.transport, file.fd(), native_only));
    EXPECT_EQ(what,
              "fallback is disabled and native sendfile is not supported for transport " + pair.transport->repr());
    EXPECT_EQ(file.position(), 0);
    const std::string count = co_await thrown_by(sendfile(pair.transport, file.fd(), {.count = -1}));
    EXPECT_EQ(count, "count must be a positive integer (got -1)");
    pair.transport->close();
    const std::string closing = co_await thrown_by(sendfile(pair.transport, file.fd()));
    EXPECT_EQ(closing, "Transport is closing");
    co_await pair.served->until_lost();
    EXPECT_EQ(pair.served->received, "");
  });
}

}  // namespace
}  // namespace asyncio::testing
