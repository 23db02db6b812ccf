// A transport owns its descriptor: other code cannot watch it.
#include "support/io.h"
#include "support/protocols.h"

#include <asyncio/connections.h>

namespace asyncio::testing {
namespace {

// test_unix_events.py: TestFunctional.test_add_reader_or_writer_transport_fd
TEST(Transport, NobodyElseMayWatchItsDescriptorUntilItCloses) {
  run_io([]() -> Coro<> {
    auto [here, there] = Socket::pair();
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, std::move(here));
    const int fd = transport->fileno();
    const std::string expected = "File descriptor " + std::to_string(fd) + " is used by transport " + transport->repr();
    EXPECT_EQ(thrown<std::runtime_error>([&] { add_reader(fd, [] {}); }), expected);
    EXPECT_EQ(thrown<std::runtime_error>([&] { add_writer(fd, [] {}); }), expected);
    EXPECT_EQ(thrown<std::runtime_error>([&] { remove_reader(fd); }), expected);
    EXPECT_EQ(thrown<std::runtime_error>([&] { remove_writer(fd); }), expected);
    transport->close();
    EXPECT_FALSE(remove_reader(fd));
    EXPECT_FALSE(remove_writer(fd));
    co_await protocol->until_lost();
  });
}

}  // namespace
}  // namespace asyncio::testing
