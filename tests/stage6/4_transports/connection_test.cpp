// create_connection, create_server and their versions for Unix sockets: the order of addresses, and the errors.
#include "support/io.h"
#include "support/protocols.h"
#include "support/refusing.h"

#include <asyncio/create_server.h>
#include <asyncio/exception_group.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <type_traits>

namespace asyncio::testing {
namespace {

Address loopback(int last, int port) { return *Address::numeric("127.0.0." + std::to_string(last), port); }

/// Makes protocols that log and echo, and keeps them.
class Servers {
 public:
  auto factory() {
    return [this] {
      auto protocol = std::make_shared<LogProtocol>();
      protocol->on_data = [p = protocol.get(), seen = std::size_t{0}]() mutable {
        p->transport->write(std::string_view(p->received).substr(seen));
        seen = p->received.size();
      };
      all.push_back(protocol);
      return protocol;
    };
  }
  std::vector<std::shared_ptr<LogProtocol>> all;
};

/// A listening socket with a full backlog, so that connect() waits.
class BlackHole {
 public:
  Coro<> open() {
    listening_ = Socket::listening(loopback(1, 0), 0);
    for (int i = 0; i < 4; ++i) {
      fillers_.push_back(Socket::stream(AF_INET));
      const Address there = address();
      auto filling = create_task(sock_connect(fillers_.back(), there));
      co_await ticks(3);
      filling.cancel();
      co_await ticks(2);
    }
  }
  Address address() const { return listening_.local_address(); }

 private:
  Socket listening_;
  std::vector<Socket> fillers_;
};

// ── a server of protocols ──

// test_events.py: EventLoopTestsMixin.test_create_server
// test_events.py: EventLoopTestsMixin.test_create_connection
TEST(CreateServer, EachClientGetsAProtocol) {
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await create_server(servers.factory(), "127.0.0.1", 0);
    auto [one, first] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port());
    auto [two, second] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port());
    one->write("1");
    two->write("22");
    co_await first->until_received(1);
    co_await second->until_received(2);
    EXPECT_EQ(servers.all.size(), 2u);
    EXPECT_EQ(servers.all[0]->received, "1");
    EXPECT_EQ(servers.all[1]->received, "22");
    EXPECT_EQ(servers.all[0]->transport->peername(), one->sockname());
    EXPECT_EQ(servers.all[0]->transport->sockname(), one->peername());
    one->close();
    co_await servers.all[0]->until_lost();
    EXPECT_EQ(servers.all[0]->log, (std::vector<std::string>{"connection_made", "eof_received", "connection_lost"}));
    server.close();
    two->close();
    co_await server.wait_closed();
    EXPECT_EQ(servers.all[1]->count("connection_lost"), 1);
  });
}

TEST(CreateServer, AFactoryThatThrowsIsReportedAndTheClientTurnedAway) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    const auto bad = []() -> std::shared_ptr<Protocol> { throw std::runtime_error("no protocol today"); };
    Server server = co_await create_server(bad, "127.0.0.1", 0);
    const auto none = []() -> std::shared_ptr<Protocol> { return nullptr; };
    Server other = co_await create_server(none, "127.0.0.1", 0);
    for (const int port : {server.port(), other.port()}) {
      auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", port);
      co_await protocol->until_lost();
    }
    const std::string message = "Error on transport creation for incoming connection";
    EXPECT_EQ(errors.messages(), (std::vector<std::string>{message, message}));
    server.close();
    other.close();
    co_await server.wait_closed();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_server_multiple_hosts_ipv4
// test_events.py: EventLoopTestsMixin.test_create_server_multiple_hosts_ipv6
TEST(CreateServer, OfSeveralHostsEachAddressIsBoundOnce) {
  run_io([]() -> Coro<> {
    Servers servers;
    std::vector<std::string> hosts;
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.1"}) hosts.emplace_back(host);
    Server server = co_await create_server(servers.factory(), hosts, 0);
    std::vector<std::string> bound;
    for (const Socket& socket : server.sockets()) bound.push_back(socket.local_address().host());
    EXPECT_EQ(bound, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"}));
    for (const Socket& socket : server.sockets()) {
      const Address at = socket.local_address();
      auto [transport, protocol] = co_await create_connection(make<LogProtocol>, at.host(), at.port());
      transport->write("x");
      co_await protocol->until_received(1);
      transport->close();
    }
    server.close();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_server_sock
// test_events.py: EventLoopTestsMixin.test_create_server_addr_in_use
// test_events.py: EventLoopTestsMixin.test_create_server_reuse_port
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_cant_bind
TEST(CreateServer, TakesASocketAndSaysWhichAddressIsTaken) {
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await create_server(servers.factory(), Socket::bound(loopback(1, 0)));
    const std::string there = "('127.0.0.1', " + std::to_string(server.port()) + ")";
    EXPECT_EQ(co_await thrown_by(create_server(servers.factory(), "127.0.0.1", server.port())),
              "error while attempting to bind on address " + there + ": Address already in use");
    Server one = co_await create_server(servers.factory(), "127.0.0.1", 0, {.reuse_port = true, .keep_alive = true});
    Server other = co_await create_server(servers.factory(), "127.0.0.1", one.port(), {.reuse_port = true});
    EXPECT_EQ(one.port(), other.port());
    int keep_alive = 0;
    socklen_t size = sizeof keep_alive;
    getsockopt(one.sockets().front().fd(), SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size);
    EXPECT_NE(keep_alive, 0);
    for (const Server& each : {server, one, other}) each.close();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_stream_bittype
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_path_stream_bittype
TEST(CreateServer, TakesASocketThatWasMadeWithFlags) {
  run_io([]() -> Coro<> {
    Servers servers;
    const TemporaryFolder folder;
    Server server =
        co_await create_server(servers.factory(), Socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)));
    EXPECT_GT(server.port(), 0);
    server.close();
    co_await server.wait_closed();
    Socket bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    bound.bind(Address::unix_path(folder / "server"));
    Server at_path = co_await create_unix_server(servers.factory(), std::move(bound));
    EXPECT_TRUE(at_path.is_serving());
    at_path.close();
    co_await at_path.wait_closed();
  });
}

// test_events.py: EventLoopTestsMixin.test_create_server_trsock
TEST(CreateServer, ShowsItsSocketWhichNeitherBlocksNorIsInherited) {
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await create_server(servers.factory(), "0.0.0.0", 0);
    static_assert(std::is_same_v<decltype(server.sockets()), const std::vector<Socket>&>);  // to look at
    EXPECT_EQ(server.sockets().size(), 1u);
    const Socket& socket = server.sockets().front();
    EXPECT_EQ(socket.local_address().host(), "0.0.0.0");
    EXPECT_NE(::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC, 0);
    const Socket copy(::dup(socket.fd()));
    EXPECT_EQ(copy.local_address(), socket.local_address());
    server.close();
  });
}

// test_events.py: TestServer.test_get_loop
TEST(CreateServer, KnowsItsLoop) {
  std::optional<Server> kept;
  run_io([&kept]() -> Coro<> {
    Server server = co_await create_server(make<LogProtocol>, "127.0.0.1", 0);
    EXPECT_EQ(&server.get_loop(), &Loop::running());
    server.close();
    EXPECT_EQ(&server.get_loop(), &Loop::running());
    kept = server;
  });
  EXPECT_THROW(kept->get_loop(), std::runtime_error);  // it is destroyed
}

/// A server on all interfaces, on a port that IPv4 and IPv6 share. Somebody else may take the port first.
Coro<Server> serve_both_families(Servers& servers) {
  for (int attempt = 0;; ++attempt) {
    try {
      Server server = co_await create_server(servers.factory(), "", unused_port());
      co_return server;
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::address_in_use || attempt == 5) throw;
    }
  }
}

// test_events.py: EventLoopTestsMixin.test_create_server_dual_stack
TEST(CreateServerThread, WithoutAHostItListensToBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << kNoIPv6;
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await serve_both_families(servers);
    for (const char* host : {"127.0.0.1", "::1"}) {
      auto [transport, protocol] = co_await create_connection(make<LogProtocol>, host, server.port());
      transport->write("xxx");
      co_await protocol->until_received(3);
      transport->close();
    }
    EXPECT_EQ(servers.all.size(), 2u);
    server.close();
    co_await server.wait_closed();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_wrong_sock
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_wrong_sock
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_path_dgram
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_path_inetsock
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_connection_path_inetsock
TEST(CreateServer, AndConnectionRefuseASocketOfAnotherKind) {
  run_io([]() -> Coro<> {
    Servers servers;
    const auto begin = [](const std::string& what) { return what.substr(0, what.find(" was expected")); };
    EXPECT_EQ(begin(co_await thrown_by(create_server(servers.factory(), Socket::datagram(AF_INET)))),
              "A Stream Socket");
    EXPECT_EQ(begin(co_await thrown_by(create_connection(make<LogProtocol>, Socket::datagram(AF_INET)))),
              "A Stream Socket");
    EXPECT_EQ(begin(co_await thrown_by(create_unix_server(servers.factory(), Socket::stream(AF_INET)))),
              "A UNIX Domain Stream Socket");
    EXPECT_EQ(begin(co_await thrown_by(create_unix_server(servers.factory(), Socket::datagram(AF_UNIX)))),
              "A UNIX Domain Stream Socket");
    EXPECT_EQ(begin(co_await thrown_by(create_unix_connection(make<LogProtocol>, Socket::stream(AF_INET)))),
              "A UNIX Domain Stream Socket");
    EXPECT_EQ(co_await error_of(create_connection(make<LogProtocol>, Socket())), std::errc::bad_file_descriptor);
  });
}

// test_events.py: EventLoopTestsMixin.test_connect_accepted_socket
TEST(CreateConnection, TakesASocketThatWasAccepted) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::listening(loopback(1, 0));
    auto connecting = create_task(create_connection(make<LogProtocol>, "127.0.0.1", listening.local_address().port()));
    auto accepted = co_await sock_accept(listening);
    auto [transport, protocol] = co_await connect_accepted_socket(make<LogProtocol>, std::move(accepted.first));
    auto [client, other] = co_await connecting;
    client->write("hello");
    co_await protocol->until_received(5);
    EXPECT_EQ(transport->peername(), client->sockname());
    client->close();
    co_await protocol->until_lost();
  });
}

// test_sock_lowlevel.py: BaseSockTestsMixin.test_create_connection_sock
// test_selector_events.py: SelectorTransportTests.test_ctor
TEST(CreateConnection, TakesASocketThatIsConnected) {
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await create_server(servers.factory(), "127.0.0.1", 0);
    Socket socket = Socket::stream(AF_INET);
    co_await sock_connect(socket, loopback(1, server.port()));
    const int fd = socket.fd();
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, std::move(socket));
    EXPECT_EQ(transport->fileno(), fd);
    transport->write("echo");
    co_await protocol->until_received(4);
    EXPECT_EQ(protocol->received, "echo");
    transport->close();
    server.close();
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_connect_err
TEST(CreateConnection, OneErrorIsItselfAndWithAllErrorsAGroupOfOne) {
  run_io([]() -> Coro<> {
    const int port = refusing_port();
    EXPECT_EQ(co_await error_of(create_connection(make<LogProtocol>, "127.0.0.1", port)),
              std::errc::connection_refused);
    try {
      co_await create_connection(make<LogProtocol>, "127.0.0.1", port, ConnectOptions{.all_errors = true});
      ADD_FAILURE();
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.message(), "create_connection failed");
      EXPECT_EQ(group.exceptions().size(), 1u);
      EXPECT_NE(describe(group.exceptions().at(0)).find("Connection refused"), std::string::npos);
    }
  });
}

TEST(CreateConnection, CancelledBeforeConnectionMadeItClosesTheSocket) {
  run_io([]() -> Coro<> {
    auto protocol = std::make_shared<LogProtocol>();
    auto [here, there] = Socket::pair();
    auto factory = [protocol] { return protocol; };
    auto connecting = create_task(create_connection(factory, std::move(here)));
    co_await ticks(1);
    connecting.cancel();
    co_await protocol->until_lost();
    EXPECT_TRUE(connecting.cancelled());
    EXPECT_EQ(protocol->log, (std::vector<std::string>{"connection_made", "connection_lost"}));
    EXPECT_EQ(co_await sock_recv(there, 1), "");
  });
}

// ── the local address ──

// test_events.py: EventLoopTestsMixin.test_create_connection_local_addr
// test_events.py: EventLoopTestsMixin.test_create_connection_local_addr_nomatch_family
// test_events.py: EventLoopTestsMixin.test_create_connection_local_addr_in_use
TEST(CreateConnection, BindsToALocalAddressFirst) {
  run_io([]() -> Coro<> {
    Servers servers;
    Server server = co_await create_server(servers.factory(), "127.0.0.1", 0);
    auto [transport, protocol] =
        co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port(), {.local_addr = loopback(3, 0)});
    EXPECT_EQ(transport->sockname().host(), "127.0.0.3");
    const Address six = *Address::numeric("::1", 0);
    const std::string no_match = co_await thrown_by(
        create_connection(make<LogProtocol>, "127.0.0.1", server.port(), ConnectOptions{.local_addr = six}));
    EXPECT_EQ(no_match.rfind("no matching local address with family=", 0), 0u) << no_match;
    const Socket taken = Socket::listening(loopback(1, 0));
    const std::string in_use = co_await thrown_by(create_connection(
        make<LogProtocol>, "127.0.0.1", server.port(), ConnectOptions{.local_addr = taken.local_address()}));
    EXPECT_EQ(in_use,
              "error while attempting to bind on address " + taken.local_address().repr() + ": Address already in use");
    transport->close();
    server.close();
  });
}

// ── errors of several addresses ──

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_multiple
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_multiple_errors
TEST(ConnectToAny, OneErrorIsItselfAndSeveralAreSummedUp) {
  for (const bool staggered : {false, true}) {
    run_io([staggered]() -> Coro<> {
      const int port = refusing_port();
      ConnectOptions options;
      if (staggered) options.happy_eyeballs_delay = 10ms;
      const auto connect = [&](std::vector<int> hosts, ConnectOptions with) {
        std::vector<Address> addresses;
        for (const int host : hosts) addresses.push_back(loopback(host, port));
        return detail::connect_to_any(std::move(addresses), with);
      };
      const auto refused = [&](int host) {
        return "Connect call failed ('127.0.0." + std::to_string(host) + "', " + std::to_string(port) +
               "): Connection refused";
      };
      const std::vector<int> one(1, 1), same(2, 1);
      std::vector<int> two(1, 1);
      two.push_back(2);
      EXPECT_EQ(co_await thrown_by(connect(one, options)), refused(1));
      EXPECT_EQ(co_await thrown_by(connect(same, options)), refused(1));
      EXPECT_EQ(co_await thrown_by(connect(two, options)),
                "Multiple exceptions: " + refused(1) + ", " + refused(2) + ": Connection refused");
      options.all_errors = true;
      try {
        co_await connect(two, options);
        ADD_FAILURE();
      } catch (const ExceptionGroup& group) {
        EXPECT_EQ(group.message(), "create_connection failed");
        EXPECT_EQ(group.exceptions().size(), 2u);
      }
    });
  }
}

TEST(ConnectToAny, TriesTheNextWhenOneIsRefused) {
  for (const bool staggered : {false, true}) {
    run_io([staggered]() -> Coro<> {
      const Socket listening = Socket::listening(loopback(1, 0));
      std::vector<Address> addresses(1, loopback(1, refusing_port()));
      addresses.push_back(listening.local_address());
      ConnectOptions options;
      if (staggered) options.happy_eyeballs_delay = 1h;  // a failure starts the next at once
      const Socket socket = co_await detail::connect_to_any(addresses, options);
      EXPECT_EQ(socket.peer_address(), listening.local_address());
    });
  }
}

// test_events.py: EventLoopTestsMixin.test_create_connection_local_addr_skip_different_family
TEST(ConnectToAny, AnAddressOfAnotherFamilyThanTheLocalOneIsPassedOver) {
  run_io([]() -> Coro<> {
    const Socket listening = Socket::listening(loopback(1, 0));
    std::vector<Address> addresses(1, *Address::numeric("::1", listening.local_address().port()));
    addresses.push_back(listening.local_address());
    ConnectOptions options;
    options.local_addr = loopback(3, 0);
    const Socket socket = co_await detail::connect_to_any(addresses, options);
    EXPECT_EQ(socket.local_address().host(), "127.0.0.3");
    EXPECT_EQ(socket.peer_address(), listening.local_address());
    addresses.back() = loopback(1, refusing_port());
    const std::string errors = co_await thrown_by(detail::connect_to_any(addresses, options));
    EXPECT_TRUE(errors.ends_with("Connection refused: Cannot assign requested address") || !has_ipv6()) << errors;
  });
}

// ── happy eyeballs ──

TEST(HappyEyeballs, AnAddressThatDoesNotAnswerIsNotWaitedFor) {
  run_io([]() -> Coro<> {
    BlackHole hole;
    co_await hole.open();
    const int before = open_descriptors();
    const Socket listening = Socket::listening(loopback(2, 0));
    std::vector<Address> addresses(2, hole.address());
    addresses.push_back(listening.local_address());
    const TimePoint start = Clock::now();
    {
      const Socket socket = co_await detail::connect_to_any(addresses, ConnectOptions{.happy_eyeballs_delay = 5ms});
      EXPECT_EQ(socket.peer_address(), listening.local_address());
    }
    EXPECT_GE(Clock::now() - start, 10ms);
    EXPECT_EQ(open_descriptors(), before + 1);  // the losers' sockets are closed
    auto cancelled = create_task(detail::connect_to_any(addresses, ConnectOptions{.happy_eyeballs_delay = 1h}));
    co_await ticks(5);
    cancelled.cancel();
    co_await ticks(5);
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(open_descriptors(), before + 1);
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_happy_eyeballs_empty_exceptions
TEST(HappyEyeballs, NoErrorAndNoConnectionIsATimeout) {
  run_io([]() -> Coro<> {
    std::vector<Address> none(1, Address::unix_path("x"));
    none.clear();
    EXPECT_EQ(
        co_await thrown_by(detail::connect_to_any(none, ConnectOptions{.happy_eyeballs_delay = 1ms, .interleave = 0})),
        "create_connection failed");
  });
}

TEST(HappyEyeballs, AddressesAreTriedByFamiliesInTurn) {
  std::vector<Address> addresses;
  for (int i = 1; i <= 4; ++i) addresses.push_back(*Address::numeric("::" + std::to_string(i), 0));
  for (int i = 1; i <= 2; ++i) addresses.push_back(loopback(i, 0));
  const auto order = [&](std::size_t first) {
    std::string text;
    for (const Address& address : detail::interleave(addresses, first)) {
      text += (address.family() == AF_INET6 ? "s" : "f") + address.host().substr(address.host().size() - 1) + " ";
    }
    return text;
  };
  EXPECT_EQ(order(1), "s1 f1 s2 f2 s3 s4 ");
  EXPECT_EQ(order(2), "s1 s2 f1 s3 f2 s4 ");
  EXPECT_EQ(order(4), "s1 s2 s3 s4 f1 f2 ");
  EXPECT_EQ(order(9), "s1 s2 s3 s4 f1 f2 ");
}

// ── Unix sockets ──

// There is one address: what chooses among several, or has to do with IP, does not compile.
template <class Options>
constexpr bool knows_ip = requires { &Options::family; } || requires { &Options::local_addr; } || requires {
  &Options::happy_eyeballs_delay;
} || requires { &Options::interleave; } || requires { &Options::all_errors; };
static_assert(knows_ip<ConnectOptions> && !knows_ip<UnixConnectOptions>);

// test_events.py: EventLoopTestsMixin.test_create_unix_connection
// test_events.py: EventLoopTestsMixin.test_create_unix_server
// test_server.py: UnixServerCleanupTests.test_unix_server_addr_cleanup
TEST(UnixSocket, ServesAtAPathAndAbstractAndTheFileGoesWithTheServer) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder / "server", std::string("\0asyncio-test-", 14) + std::to_string(::getpid())}) {
    run_io([&]() -> Coro<> {
      Servers servers;
      Server server = co_await create_unix_server(servers.factory(), path);
      EXPECT_EQ(server.sockets().front().local_address().path(), path);
      EXPECT_EQ(server.port(), 0);
      auto [transport, protocol] = co_await create_unix_connection(make<LogProtocol>, path);
      transport->write("ping");
      co_await protocol->until_received(4);
      EXPECT_EQ(transport->peername(), Address::unix_path(path));
      EXPECT_EQ(transport->sockname().repr(), "''");
      transport->close();
      server.close();
      co_await server.wait_closed();
      EXPECT_NE(::access((folder / "server").c_str(), F_OK), 0);
      const std::error_code gone = co_await error_of(create_unix_connection(make<LogProtocol>, path));
      EXPECT_TRUE(gone == std::errc::no_such_file_or_directory || gone == std::errc::connection_refused);
    });
  }
}

TEST(UnixSocket, TheModeSaysWhoMayConnect) {
  Servers servers;  // the connection of the last round ends with the loop
  run_io([&servers]() -> Coro<> {
    const TemporaryFolder folder;
    const std::string path = folder / "server";
    for (const unsigned mode : {0600u, 0666u}) {
      UnixServerOptions options;
      options.mode = mode;
      Server server = co_await create_unix_server(servers.factory(), path, options);
      struct stat status;
      EXPECT_EQ(::stat(path.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777u, mode);
      auto [transport, protocol] = co_await create_unix_connection(make<LogProtocol>, path);
      transport->close();
      server.close();
      co_await server.wait_closed();
    }
    const auto serve = [&](const std::string& where) -> Coro<> {
      UnixServerOptions options;
      options.mode = 0600;
      const Server server = co_await create_unix_server(servers.factory(), where, options);
    };
    bool refused = false;
    try {
      co_await serve(std::string("\0asyncio-mode", 13));
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  });
}

// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_sock
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_nonsock
TEST(UnixSocket, AStaleSocketIsReplacedAndAnythingElseIsNot) {
  run_io([]() -> Coro<> {
    Servers servers;
    const TemporaryFolder folder;
    const std::string path = folder / "server";
    {
      Socket stale = Socket::stream(AF_UNIX);
      stale.bind(Address::unix_path(path));
    }
    Server server = co_await create_unix_server(servers.factory(), path);
    server.close();
    std::ofstream(path) << "mine";
    EXPECT_EQ(co_await thrown_by(create_unix_server(servers.factory(), path)),
              "Address '" + path + "' is already in use: Address already in use");
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  });
}

// test_server.py: UnixServerCleanupTests.test_unix_server_sock_cleanup
// test_server.py: UnixServerCleanupTests.test_unix_server_cleanup_gone
// test_server.py: UnixServerCleanupTests.test_unix_server_cleanup_replaced
// test_server.py: UnixServerCleanupTests.test_unix_server_cleanup_prevented
TEST(UnixSocket, CloseRemovesOnlyItsOwnFile) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    Servers servers;
    const TemporaryFolder folder;
    const std::string path = folder / "server";
    const auto exists = [&] { return ::access(path.c_str(), F_OK) == 0; };
    {
      Socket bound = Socket::stream(AF_UNIX);
      bound.bind(Address::unix_path(path));
      Server server = co_await create_unix_server(servers.factory(), std::move(bound));
      EXPECT_TRUE(exists());
      server.close();
      EXPECT_FALSE(exists());
    }
    {
      Server server = co_await create_unix_server(servers.factory(), path);
      ::unlink(path.c_str());
      server.close();  // already removed: no error
    }
    {
      Server server = co_await create_unix_server(servers.factory(), path);
      ::rename(path.c_str(), (folder / "moved").c_str());  // keeps its inode, so the next one gets another
      std::ofstream(path) << "somebody else's";
      server.close();
      EXPECT_TRUE(exists());
      ::unlink(path.c_str());
    }
    Server server = co_await create_unix_server(servers.factory(), path, {.cleanup_socket = false});
    server.close();
    EXPECT_TRUE(exists());
    EXPECT_TRUE(errors.contexts.empty());
  });
}

TEST(UnixSocket, APathThatIsTooLongOrEmptyOrNowhereIsAnError) {
  run_io([]() -> Coro<> {
    Servers servers;
    EXPECT_EQ(co_await thrown_by(create_unix_server(servers.factory(), std::string(200, 'x'))),
              "AF_UNIX path too long");
    EXPECT_EQ(co_await thrown_by(create_unix_connection(make<LogProtocol>, std::string())), "AF_UNIX path is empty");
    EXPECT_EQ(co_await error_of(create_unix_server(servers.factory(), "/no/such/folder/server")),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(co_await error_of(create_unix_connection(make<LogProtocol>, "/no/such/server")),
              std::errc::no_such_file_or_directory);
  });
}

// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_pathlike
// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_connection_pathlike
TEST(UnixSocket, ThePathMayBeAFilesystemPath) {
  Servers servers;  // a connection may still be accepted when the coroutine has ended
  run_io([&]() -> Coro<> {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "server";
    EXPECT_EQ(co_await error_of(create_unix_connection(make<LogProtocol>, path)), std::errc::no_such_file_or_directory);
    Server server = co_await create_unix_server(servers.factory(), path);
    auto [transport, protocol] = co_await create_unix_connection(make<LogProtocol>, path);
    EXPECT_EQ(transport->peername().path(), path.string());
    transport->close();
    server.close();
  });
}

TEST(UnixSocket, AddressesArePrintedAsPythonPrintsThem) {
  EXPECT_EQ(Address::unix_path("/tmp/a").repr(), "'/tmp/a'");
  EXPECT_EQ(Address::unix_path(std::string("\0ab", 3)).repr(), "b'\\x00ab'");
  EXPECT_EQ(Address::unix_path(std::string("\0ab", 3)).path(), std::string("\0ab", 3));
  EXPECT_EQ(Address::unix_path(std::string(107, 'x')).path(), std::string(107, 'x'));
  EXPECT_THROW(Address::unix_path(std::string(108, 'x')), std::invalid_argument);
  EXPECT_NE(Address::unix_path("/tmp/a"), Address::unix_path("/tmp/b"));
}

}  // namespace
}  // namespace asyncio::testing
