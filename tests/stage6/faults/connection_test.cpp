// What one failed call does to a connection, a server, a datagram endpoint, a pipe, or a file that is being sent.
#include "stage6/faults/faults.h"
#include "support/io.h"
#include "support/protocols.h"
#include "support/refusing.h"

#include <asyncio/create_server.h>
#include <asyncio/datagrams.h>
#include <asyncio/epoll_core.h>
#include <asyncio/exception_group.h>
#include <asyncio/pipes.h>
#include <asyncio/transport_sendfile.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

bool contains(const std::vector<std::string>& calls, std::string_view call) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

/// Records the calls in order, and lets one fail, always.
Faults::Decide noted_in(std::vector<std::string>& calls, std::string_view failing = {}, int error = 0) {
  return [&calls, failing, error](std::string_view call) {
    calls.emplace_back(call);
    return call == failing ? Fault{.error = error} : Fault();
  };
}

// ── connecting ──

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_no_getaddrinfo
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_server_no_getaddrinfo
TEST(ConnectFaults, ANameWithoutAnAddressIsAnError) {
  const Faults faults(at_every(1, {"getaddrinfo"}, {.at_most = 0}));
  run_io([]() -> Coro<> {
    const std::string why = std::string(" returned empty list: ") + std::strerror(EADDRNOTAVAIL);
    EXPECT_EQ(co_await thrown_by<std::system_error>(create_connection(make<LogProtocol>, "example.com", 80)),
              "getaddrinfo()" + why);
    EXPECT_EQ(co_await thrown_by<std::system_error>(create_server(make<LogProtocol>, "python.org", 0)),
              "getaddrinfo('python.org')" + why);
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_timeout
TEST(ConnectFaults, ATimeOutOfTheSystemClosesTheSocket) {
  const Faults faults(at_every(1, {"connect"}, {.error = ETIMEDOUT}));
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    EXPECT_EQ(co_await error_of(create_connection(make<LogProtocol>, "127.0.0.1", 80)), std::errc::timed_out);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(watching());
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_ip_addr
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_ipv6_scope
TEST(ConnectFaults, ANumericAddressIsUsedAsItIsAndNotLookedUp) {
  std::vector<std::pair<std::string, std::string>> hosts;
  hosts.emplace_back("1.2.3.4", "('1.2.3.4', 80)");
  if (has_ipv6()) hosts.emplace_back("::1", "('::1', 80, 0, 0)");
  if (has_ipv6()) hosts.emplace_back("fe80::1%1", "('fe80::1', 80, 0, 1)");
  for (const auto& [host, address] : hosts) {
    std::vector<std::string> calls;
    const Faults faults(noted_in(calls, "connect", ECONNREFUSED));
    run_io([&host = host, &address = address]() -> Coro<> {
      EXPECT_EQ(co_await thrown_by(create_connection(make<LogProtocol>, host, 80)),
                "Connect call failed " + address + ": Connection refused");
    });
    EXPECT_TRUE(contains(calls, "connect"));
    EXPECT_FALSE(contains(calls, "getaddrinfo"));
  }
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_multiple_errors_local_addr
TEST(ConnectFaults, AnErrorOfBindingCountsLikeOneOfConnecting) {
  for (const bool all_errors : {false, true}) {
    const Faults faults([count = 0](std::string_view call) mutable {
      if (call == "bind" && ++count == 1) return Fault{.error = EADDRINUSE};
      return call == "connect" ? Fault{.error = ECONNREFUSED} : Fault();
    });
    run_io([all_errors]() -> Coro<> {
      const int before = open_descriptors();
      std::vector<Address> addresses(2, loopback(80));
      addresses[1] = *Address::numeric("127.0.0.2", 80);
      ConnectOptions options;
      options.local_addr = *Address::numeric("127.0.0.3", 0);
      options.all_errors = all_errors;
      try {
        co_await detail::connect_to_any(addresses, options);
        ADD_FAILURE();
      } catch (const ExceptionGroup& group) {
        EXPECT_TRUE(all_errors);
        EXPECT_EQ(group.exceptions().size(), 2u);
      } catch (const std::system_error& error) {
        EXPECT_FALSE(all_errors);
        EXPECT_STREQ(error.what(),
                     "Multiple exceptions: "
                     "error while attempting to bind on address ('127.0.0.3', 0): Address already in use, "
                     "Connect call failed ('127.0.0.2', 80): Connection refused: Address already in use");
      }
      EXPECT_EQ(open_descriptors(), before);
    });
  }
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_connect_non_os_err_close_err
TEST(ConnectFaults, AnErrorOfClosingHidesNoOther) {
  const int before = open_descriptors();
  const Faults faults(at_every(1, {"close"}, {.error = EIO}));
  run_io([]() -> Coro<> {
    EXPECT_EQ(co_await error_of(create_connection(make<LogProtocol>, "127.0.0.1", refusing_port())),
              std::errc::connection_refused);
    const auto bad = []() -> std::shared_ptr<Protocol> { throw std::runtime_error("custom"); };
    {
      const Socket listening = Socket::listening(loopback(0));
      EXPECT_EQ(co_await thrown_by(create_connection(bad, "127.0.0.1", listening.local_address().port())), "custom");
    }
  });
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_GT(faults.injected(), 1);
}

// ── servers ──

// test_base_events.py: BaseEventLoopWithSelectorTests.test_accept_connection_retry
TEST(AcceptFaults, AClientThatIsNotThereAfterAllLeavesTheServerAlone) {
  const Faults faults(at_call(1, {"accept4"}, {.error = EAGAIN}));
  run_io([&faults]() -> Coro<> {
    ErrorLog errors(Loop::running());
    std::shared_ptr<LogProtocol> served;
    const auto factory = [&served] { return served = std::make_shared<LogProtocol>(); };
    Server server = co_await create_server(factory, "127.0.0.1", 0);
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", server.port());
    while (!served) co_await sleep(0s);
    EXPECT_EQ(faults.injected(), 1);
    EXPECT_TRUE(server.is_serving());
    EXPECT_EQ(server.sockets().size(), 1u);
    EXPECT_TRUE(errors.contexts.empty());
    transport->close();
    server.close();
    co_await server.wait_closed();
  });
}

/// Blocks until so many clients wait to be accepted: the kernel may tell a client that it is connected a little earlier.
bool have_come(const Socket& listening, unsigned clients) {
  tcp_info info{};
  for (int tries = 0; tries < 20'000 && info.tcpi_unacked < clients;
       ++tries) {  // of a listener: the length of its queue
    socklen_t size = sizeof info;
    if (::getsockopt(listening.fd(), IPPROTO_TCP, TCP_INFO, &info, &size) == -1) return false;
    if (info.tcpi_unacked < clients) ::usleep(1000);
  }
  return info.tcpi_unacked == clients;
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_accept_connection_multiple
// test_selector_events.py: BaseSelectorEventLoopTests.test_accept_connection_zero_one
TEST(AcceptFaults, OneTickAcceptsOneClientMoreThanTheBacklog) {
  for (const int backlog : {0, 1, 10}) {
    std::vector<std::string> calls;
    const Faults faults(noted_in(calls));
    run_io([backlog, &calls]() -> Coro<> {
      int served = 0;
      const auto factory = [&served] {
        ++served;
        return std::make_shared<LogProtocol>();
      };
      Server server = co_await create_server(factory, "127.0.0.1", 0, {.backlog = backlog});
      const Address there = server.sockets().front().local_address();
      std::vector<Socket> clients;
      for (int i = 0; i <= backlog; ++i) {  // a backlog has room for one more
        clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
        EXPECT_EQ(::connect(clients.back().fd(), there.data(), there.size()), 0);
      }
      EXPECT_TRUE(have_come(server.sockets().front(), static_cast<unsigned>(backlog) + 1));
      calls.clear();
      while (served <= backlog) co_await sleep(0s);
      co_await ticks(3);
      EXPECT_EQ(std::count(calls.begin(), calls.end(), "accept4"), backlog + 1);
      server.close();
    });
  }
}

// test_unix_events.py: SelectorEventLoopUnixSocketTests.test_create_unix_server_bind_error
TEST(ServerFaults, AnErrorOfBindingClosesTheSocket) {
  const TemporaryFolder folder;
  const Faults faults(at_every(1, {"bind"}, {.error = EACCES}));
  run_io([&folder]() -> Coro<> {
    const int before = open_descriptors();
    EXPECT_EQ(co_await error_of(create_unix_server(make<LogProtocol>, folder / "server")),
              std::errc::permission_denied);
    EXPECT_EQ(co_await error_of(create_server(make<LogProtocol>, "127.0.0.1", 0)), std::errc::permission_denied);
    EXPECT_EQ(open_descriptors(), before);
  });
}

// ── datagrams ──

class Datagrams : public DatagramProtocol {
 public:
  void error_received(const std::system_error& error) override { errors.push_back(error.code()); }
  void connection_lost(std::exception_ptr error) override {
    lost = true;
    why = std::move(error);
  }
  std::vector<std::error_code> errors;
  bool lost = false;
  std::exception_ptr why;
};

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_connect_err
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_socket_err
// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_setblk_err
TEST(DatagramFaults, WhateverFailsAtTheBeginningIsThrownAndNothingStaysOpen) {
  for (const std::string_view call : {"socket", "setsockopt", "bind", "connect"}) {
    SCOPED_TRACE(call);
    const Faults faults(at_every(1, {call}, {.error = ENOMEM}));
    run_io([]() -> Coro<> {
      const int before = open_descriptors();
      DatagramOptions options;
      options.local_addr = loopback(0);
      options.remote_addr = loopback(9);
      options.reuse_port = true;
      EXPECT_EQ(co_await error_of(create_datagram_endpoint(make<Datagrams>, options)), std::errc::not_enough_memory);
      EXPECT_EQ(open_descriptors(), before);
    });
    EXPECT_EQ(faults.injected(), 1);
  }
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_ip_addr
TEST(DatagramFaults, ANumericAddressIsBoundAndNotLookedUp) {
  std::vector<std::string> calls;
  const Faults faults(noted_in(calls));
  run_io([]() -> Coro<> {
    DatagramOptions options;
    options.local_addr = *Address::numeric("127.0.0.5", 0);
    options.reuse_port = true;
    auto [transport, protocol] = co_await create_datagram_endpoint(make<Datagrams>, options);
    EXPECT_EQ(transport->sockname().host(), "127.0.0.5");
    transport->close();
  });
  EXPECT_TRUE(contains(calls, "bind"));
  EXPECT_FALSE(contains(calls, "getaddrinfo"));
}

// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready_error_received
// test_selector_events.py: SelectorDatagramTransportTests.test_sendto_ready_error_received_connection
TEST(DatagramFaults, AnErrorOfWhatWaitedForRoomIsReceivedAndNotTheEnd) {
  for (const bool is_connected : {false, true}) {
    const std::string_view call = is_connected ? "send" : "sendto";
    const Faults faults([call, count = 0](std::string_view made) mutable {
      if (made != call) return Fault();
      ++count;
      return count == 1 ? Fault{.error = EAGAIN} : count == 2 ? Fault{.error = ECONNREFUSED} : Fault();
    });
    run_io([is_connected]() -> Coro<> {
      ErrorLog errors(Loop::running());
      Socket peer = Socket::datagram(AF_INET);
      peer.bind(loopback(0));
      DatagramOptions options;
      options.local_addr = loopback(0);
      if (is_connected) options.remote_addr = peer.local_address();
      auto [transport, protocol] = co_await create_datagram_endpoint(make<Datagrams>, options);
      transport->sendto("data", peer.local_address());
      EXPECT_EQ(transport->get_write_buffer_size(), 4u + 8u);
      while (protocol->errors.empty()) co_await sleep(0s);
      EXPECT_EQ(protocol->errors.at(0), std::errc::connection_refused);
      EXPECT_EQ(transport->get_write_buffer_size(), 0u);
      EXPECT_FALSE(transport->is_closing());
      EXPECT_TRUE(errors.contexts.empty());
      transport->sendto("goes on", peer.local_address());
      EXPECT_EQ(co_await sock_recv(peer, 10), "goes on");
      transport->close();
    });
  }
}

// test_selector_events.py: SelectorDatagramTransportTests.test_fatal_error_connected
TEST(DatagramFaults, AnErrorThatEndsItIsToldAsItsEndAndNotReceived) {
  bool failing = false;
  const Faults faults(
      [&failing](std::string_view call) { return failing && call == "epoll_ctl" ? Fault{.error = ENOMEM} : Fault(); });
  auto main = [&failing]() -> Coro<> {
    ErrorLog errors(Loop::running());
    failing = true;
    auto [transport, protocol] = co_await create_datagram_endpoint(make<Datagrams>, {.remote_addr = loopback(9)});
    failing = false;
    while (!protocol->lost) co_await sleep(0s);
    EXPECT_NE(describe(protocol->why).find(std::strerror(ENOMEM)), std::string::npos) << describe(protocol->why);
    EXPECT_TRUE(protocol->errors.empty());
    EXPECT_TRUE(errors.contexts.empty());
    EXPECT_EQ(transport->fileno(), -1);
  };
  run_io(main, std::make_unique<EpollCore>());
}

// ── transports ──

/// A transport over one end of a pair of sockets; the other end is plain.
template <class P>
Coro<std::pair<Connected<P>, Socket>> connected() {
  auto [here, there] = Socket::pair();
  Connected<P> connection = co_await create_connection(make<P>, std::move(here));
  co_return std::pair<Connected<P>, Socket>(std::move(connection), std::move(there));
}

/// While `taking` is false, the named calls take nothing, which is no error; the first one says so with EAGAIN.
Faults::Decide taking_nothing(std::vector<std::string_view> calls, const bool& taking) {
  return [calls = std::move(calls), &taking, count = 0](std::string_view call) mutable {
    if (taking || std::find(calls.begin(), calls.end(), call) == calls.end()) return Fault();
    return ++count == 1 ? Fault{.error = EAGAIN} : Fault{.at_most = 0};
  };
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_partial_none
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready_partial_none
TEST(TransportFaults, ACallThatTakesNothingIsMadeAgainLater) {
  for (const bool at_once : {false, true}) {
    bool taking = false;
    const Faults faults(
        at_once ? [&taking](std::string_view call) { return !taking && call == "send" ? Fault{.at_most = 0} : Fault(); }
                : taking_nothing({"send"}, taking));
    run_io([&taking, &faults]() -> Coro<> {
      auto [connection, peer] = co_await connected<LogProtocol>();
      const auto& [transport, protocol] = connection;
      transport->write("data");
      EXPECT_EQ(transport->get_write_buffer_size(), 4u);
      while (faults.injected() < 4) co_await sleep(0s);
      EXPECT_EQ(transport->get_write_buffer_size(), 4u);
      EXPECT_NE(transport->repr().find("write=<polling"), std::string::npos);
      taking = true;
      EXPECT_EQ(co_await sock_recv(peer, 10), "data");
      EXPECT_EQ(transport->get_write_buffer_size(), 0u);
      transport->close();
    });
  }
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_sendmsg_no_data
TEST(TransportFaults, WritingNothingMakesNoCall) {
  std::vector<std::string> calls;
  const Faults faults(noted_in(calls));
  run_io([&calls]() -> Coro<> {
    auto [connection, peer] = co_await connected<LogProtocol>();
    const auto& [transport, protocol] = connection;
    for (const bool buffered : {false, true}) {
      if (buffered) transport->write(pattern(4 << 20));
      const std::size_t before = transport->get_write_buffer_size();
      EXPECT_EQ(before > 0, buffered);
      calls.clear();
      transport->write("");
      EXPECT_EQ(calls, std::vector<std::string>());
      EXPECT_EQ(transport->get_write_buffer_size(), before);
    }
    transport->abort();
  });
}

class Buffer final : public BufferProtocol {
 public:
  Buffer() : BufferProtocol(10) {}
};

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_err
TEST(TransportFaults, AnErrorOfReadingIsToldToAProtocolWithABufferOfItsOwn) {
  const Faults faults(at_call(1, {"recv"}, {.error = ENOMEM}));
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto [connection, peer] = co_await connected<Buffer>();
    const auto& [transport, protocol] = connection;
    co_await sock_sendall(peer, "x");
    while (protocol->lost == 0) co_await sleep(0s);
    EXPECT_NE(describe(protocol->error).find(std::strerror(ENOMEM)), std::string::npos) << describe(protocol->error);
    EXPECT_EQ(protocol->received, "");
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// ── pipes ──

struct Pipe {
  Pipe() {
    auto [reading, writing] = FileDescriptor::pipe();
    read = std::move(reading);
    write = std::move(writing);
  }
  FileDescriptor read, write;
};

// test_unix_events.py: UnixReadPipeTransportTests.test__read_ready_blocked
TEST(PipeFaults, NothingToReadAfterAllIsNoError) {
  const Faults faults(at_call(1, {"read"}, {.error = EAGAIN}));
  run_io([&faults]() -> Coro<> {
    Pipe pipe;
    auto [transport, protocol] = co_await connect_read_pipe(make<LogProtocol>, std::move(pipe.read));
    EXPECT_EQ(::write(pipe.write.fd(), "x", 1), 1);
    while (faults.injected() == 0) {
      EXPECT_EQ(protocol->received, "");
      co_await sleep(0s);
    }
    co_await protocol->until_received(1);
    EXPECT_EQ(protocol->log, std::vector<std::string>{"connection_made"});
    EXPECT_FALSE(transport->is_closing());
    transport->close();
  });
}

// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready_empty
TEST(PipeFaults, ACallThatTakesNothingIsMadeAgainLater) {
  bool taking = false;
  const Faults faults(taking_nothing({"write", "writev"}, taking));
  run_io([&taking, &faults]() -> Coro<> {
    Pipe pipe;
    auto [transport, protocol] = co_await connect_write_pipe(make<LogProtocol>, std::move(pipe.write));
    transport->write("data");
    while (faults.injected() < 4) co_await sleep(0s);
    EXPECT_EQ(transport->get_write_buffer_size(), 4u);
    EXPECT_NE(transport->repr().find("write=<polling"), std::string::npos);
    taking = true;
    while (transport->get_write_buffer_size() > 0) co_await sleep(0s);
    char received[10];
    EXPECT_EQ(std::string(received, static_cast<std::size_t>(::read(pipe.read.fd(), received, 10))), "data");
    transport->close();
  });
}

// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready_err
TEST(PipeFaults, AnErrorOfWhatWaitedForRoomIsTheEndAndNotReported) {
  const Faults faults([count = 0](std::string_view call) mutable {
    if (call != "write" && call != "writev") return Fault();
    return Fault{.error = ++count == 1 ? EAGAIN : EIO};
  });
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    Pipe pipe;
    auto [transport, protocol] = co_await connect_write_pipe(make<LogProtocol>, std::move(pipe.write));
    transport->write("data");
    EXPECT_EQ(transport->get_write_buffer_size(), 4u);
    while (!transport->is_closing()) co_await sleep(0s);
    EXPECT_EQ(transport->get_write_buffer_size(), 0u);
    EXPECT_FALSE(watching());
    co_await protocol->until_lost();
    EXPECT_NE(describe(protocol->error).find(std::strerror(EIO)), std::string::npos) << describe(protocol->error);
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// ── sending a file ──

const std::string& file_data() {
  static const std::string data = pattern(3 << 20, 5);
  return data;
}

class File {
 public:
  File() : file_(std::tmpfile()) {
    std::fwrite(file_data().data(), 1, file_data().size(), file_.get());
    std::rewind(file_.get());
  }
  int fd() const { return ::fileno(file_.get()); }
  std::size_t position() const { return static_cast<std::size_t>(::lseek(fd(), 0, SEEK_CUR)); }

 private:
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<FILE, Close> file_;
};

Coro<std::string> receive(Socket& socket, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string part = co_await sock_recv(socket, 1 << 20);
    if (part.empty()) break;
    all += part;
  }
  co_return all;
}

// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_not_available
// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_os_error_first_call
TEST(SendfileFaults, WithoutAFallbackItSaysWhatIsMissing) {
  for (const int error : {ENOSYS, EIO}) {
    const Faults faults(at_every(1, {"sendfile"}, {.error = error}));
    run_io([error]() -> Coro<> {
      const File file;
      auto [one, other] = Socket::pair();
      const std::string why = error == ENOSYS ? "os.sendfile() is not available" : "os.sendfile call failed";
      EXPECT_EQ(co_await thrown_by<SendfileNotAvailableError>(sock_sendfile(one, file.fd(), {.fallback = false})), why);
      EXPECT_FALSE(watching());
      EXPECT_EQ(file.position(), 0u);
    });
  }
}

// test_unix_events.py: SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_blocking_error
TEST(SendfileFaults, ASocketWithoutRoomIsWaitedFor) {
  const Faults faults(at_call(1, {"sendfile"}, {.error = EAGAIN}));
  run_io([&faults]() -> Coro<> {
    const File file;
    auto [one, other] = Socket::pair();
    auto sending = create_task(sock_sendfile(one, file.fd()));
    co_await ticks(1);
    EXPECT_EQ(faults.injected(), 1);
    EXPECT_TRUE(watching());
    EXPECT_EQ(file.position(), 0u);
    const std::string received = co_await receive(other, file_data().size());
    EXPECT_TRUE(received == file_data());
    EXPECT_EQ(co_await sending, file_data().size());
    EXPECT_FALSE(watching());
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_force_fallback
TEST(SendfileFaults, ATransportsFallbackSendsTheSame) {
  const Faults faults(at_every(1, {"sendfile"}, {.error = ENOSYS}));
  run_io([]() -> Coro<> {
    const File file;
    auto [connection, peer] = co_await connected<LogProtocol>();
    const auto transport = connection.first;
    auto sending = create_task(sendfile(transport, file.fd()));
    const std::string received = co_await receive(peer, file_data().size());
    EXPECT_TRUE(received == file_data());
    EXPECT_EQ(co_await sending, file_data().size());
    EXPECT_EQ(file.position(), file_data().size());
    transport->close();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_force_unsupported_native
TEST(SendfileFaults, WithoutAFallbackATransportSendsNothingAndGoesOn) {
  const Faults faults(at_every(1, {"sendfile"}, {.error = ENOSYS}));
  run_io([]() -> Coro<> {
    const File file;
    auto [connection, peer] = co_await connected<LogProtocol>();
    const auto transport = connection.first;
    EXPECT_TRUE(co_await throws<SendfileNotAvailableError>(sendfile(transport, file.fd(), {.fallback = false})));
    EXPECT_EQ(file.position(), 0u);
    transport->write("goes on");
    EXPECT_EQ(co_await sock_recv(peer, 100), "goes on");
    transport->close();
  });
}

// test_sendfile.py: SendfileMixin.test_sendfile_fallback_close_peer_in_the_middle_of_receiving
TEST(SendfileFaults, InTheFallbackAPeerThatGoesAwayInTheMiddleIsAnError) {
  const Faults faults(at_every(1, {"sendfile"}, {.error = ENOSYS}));
  run_io([]() -> Coro<> {
    const File file;
    auto [connection, peer] = co_await connected<LogProtocol>();
    const auto protocol = connection.second;
    auto sending = create_task(error_of(sendfile(connection.first, file.fd())));
    const std::string received = co_await receive(peer, 300 * 1024);  // more than the fallback reads at once
    peer.close();
    const std::error_code code = co_await sending;
    EXPECT_TRUE(code == std::errc::broken_pipe || code == std::errc::connection_reset) << code.message();
    co_await protocol->until_lost();
    EXPECT_GT(file.position(), 0u);
    EXPECT_LT(file.position(), file_data().size());
  });
}

}  // namespace
}  // namespace asyncio::testing
