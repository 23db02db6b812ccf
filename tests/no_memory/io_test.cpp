// Allocation k fails, for each k, in scenarios of stage 6: see sweep.h.
#include "no_memory/closing.h"
#include "no_memory/no_memory.h"
#include "no_memory/sweep.h"

#include <asyncio/asyncio.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

Coro<> echo(StreamReader reader, StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(1000);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<> talk_to(int port, std::size_t size) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  const std::string data(size, 'x');
  writer.write(data);
  writer.write_eof();
  std::size_t received = 0;
  for (;;) {
    const std::string part = co_await reader.read(100'000);
    if (part.empty()) break;
    received += part.size();
  }
  EXPECT_LE(received, size);
  writer.close();
  co_await writer.wait_closed();
}

TEST(NoMemoryInIo, AnEchoServerAndItsClient) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(echo, "127.0.0.1", 0);
    Closing server(std::move(made));
    co_await talk_to(server->port(), 100);
  });
}

TEST(NoMemoryInIo, MoreThanTheBuffersHold) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(echo, "127.0.0.1", 0);
    Closing server(std::move(made));
    co_await talk_to(server->port(), 1'000'000);
  });
}

TEST(NoMemoryInIo, SeveralClientsAndTheServerCloses) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(echo, "127.0.0.1", 0);
    Closing server(std::move(made));
    const int port = server->port();
    co_await gather(talk_to(port, 100), talk_to(port, 100), talk_to(port, 100));
    server->close();
    server->close_clients();
    co_await server->wait_closed();
  });
}

TEST(NoMemoryInIo, ServeForever) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(echo, "127.0.0.1", 0, {.start_serving = false});
    Closing server(std::move(made));
    const int port = server->port();
    const auto serving = create_task(server->serve_forever());
    co_await sleep(0s);
    co_await sleep(0s);
    if (serving.done()) co_await serving;  // it has failed: nobody accepts
    try {
      co_await talk_to(port, 100);
    } catch (...) {
      serving.cancel();
      throw;
    }
    serving.cancel();
    try {
      co_await serving;
    } catch (const CancelledError&) {
    }
  });
}

TEST(NoMemoryInIo, LinesAndUnixSockets) {
  sweep_io([]() -> Coro<> {
    const std::string path = std::string(1, '\0') + "asyncio-no-memory-" + std::to_string(getpid());
    Server made = co_await start_unix_server(
        [](StreamReader reader, StreamWriter writer) -> Coro<> {
          for (;;) {
            const std::string line = co_await reader.readline();
            if (line.empty()) break;
            writer.write("you said: " + line);
          }
          writer.close();
        },
        path);
    Closing server(std::move(made));
    auto [reader, writer] = co_await open_unix_connection(path);
    const std::vector<std::string_view> lines = {"one\n", "two\n", "three"};
    writer.writelines(lines);
    writer.write_eof();
    co_await reader.readuntil("\n");
    co_await reader.readexactly(5);
    const std::string rest = co_await reader.read();
    EXPECT_EQ(rest.substr(0, 5), "aid: ");
    writer.close();
    co_await writer.wait_closed();
  });
}

TEST(NoMemoryInIo, AFileInPlaceOfAName) {
  sweep_io([]() -> Coro<> {
    const std::string path = "/tmp/asyncio-no-memory-" + std::to_string(getpid());
    struct Remove {
      explicit Remove(std::string path) : path(std::move(path)) {}
      ~Remove() { unlink(path.c_str()); }
      std::string path;
    } const remove(path);
    Server made = co_await start_unix_server(echo, path);
    Closing server(std::move(made));
    server->close();
    co_await server->wait_closed();
  });
}

/// Sends back what comes, and tells when it is over.
class EchoProtocol final : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override { transport_ = std::move(transport); }
  void data_received(std::string_view data) override { transport_->write(data); }
  void connection_lost(std::exception_ptr) override {
    transport_ = nullptr;
    lost.set();
  }
  Event lost;

 private:
  std::shared_ptr<Transport> transport_;
};

class AskingProtocol final : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override {
    transport_ = std::move(transport);
    transport_->write("hello");
  }
  void data_received(std::string_view data) override {
    if ((received_ += data.size()) == 5) transport_->close();
  }
  void connection_lost(std::exception_ptr) override {
    transport_ = nullptr;
    lost.set();
  }
  Event lost;

 private:
  std::shared_ptr<Transport> transport_;
  std::size_t received_ = 0;
};

TEST(NoMemoryInIo, Protocols) {
  sweep_io([]() -> Coro<> {
    const auto make_echo = [] { return std::make_shared<EchoProtocol>(); };
    Server made = co_await create_server(make_echo, "127.0.0.1", 0);
    Closing server(std::move(made));
    const auto make_asking = [] { return std::make_shared<AskingProtocol>(); };
    auto [transport, protocol] = co_await create_connection(make_asking, "127.0.0.1", server->port());
    try {
      co_await wait_for(protocol->lost.wait(), 100ms);  // write() may have had no memory
    } catch (const TimeoutError&) {
    }
    transport->abort();
    co_await protocol->lost.wait();
  });
}

TEST(NoMemoryInIo, AConnectionIsRefused) {
  sweep_io([]() -> Coro<> {
    const Socket deaf = Socket::bound(*Address::numeric("127.0.0.1", 0));  // keeps the port, and does not listen
    const int port = deaf.local_address().port();
    try {
      co_await open_connection("127.0.0.1", port);
      ADD_FAILURE();
    } catch (const std::system_error&) {
    }
    try {
      co_await open_connection("localhost", port, {.happy_eyeballs_delay = 10ms});
      ADD_FAILURE();
    } catch (const std::system_error&) {
    }
  });
}

class Datagrams final : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> transport) override { transport_ = std::move(transport); }
  void datagram_received(std::string_view data, const Address& sender) override {
    received.set();
    if (data == "ping") transport_->sendto("pong", sender);
  }
  void connection_lost(std::exception_ptr) override {
    transport_ = nullptr;
    lost.set();
  }
  Event received, lost;

 private:
  std::shared_ptr<DatagramTransport> transport_;
};

TEST(NoMemoryInIo, DatagramEndpoints) {
  sweep_io([]() -> Coro<> {
    const auto make = [] { return std::make_shared<Datagrams>(); };
    auto [server, there] = co_await create_datagram_endpoint(make, {.local_addr = *Address::numeric("127.0.0.1", 0)});
    struct Close {
      explicit Close(std::shared_ptr<DatagramTransport> transport) : transport(std::move(transport)) {}
      ~Close() { transport->close(); }
      std::shared_ptr<DatagramTransport> transport;
    } const close_server(server);
    auto [client, here] = co_await create_datagram_endpoint(make, {.remote_addr = server->sockname()});
    const Close close_client(client);
    client->sendto("ping");
    try {
      co_await wait_for(here->received.wait(), 50ms);
    } catch (const TimeoutError&) {
    }
    client->close();
    server->close();
    co_await here->lost.wait();
    co_await there->lost.wait();
  });
}

TEST(NoMemoryInIo, Pipes) {
  sweep_io([]() -> Coro<> {
    auto [read_end, write_end] = FileDescriptor::pipe();
    const StreamReader reader;
    const auto make_reading = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
    auto [reading, protocol] = co_await connect_read_pipe(make_reading, std::move(read_end));
    const auto make_writing = [] { return std::make_shared<FlowControlProtocol>(); };
    auto [writing, flow] = co_await connect_write_pipe(make_writing, std::move(write_end));
    const StreamWriter writer(writing, flow);
    try {
      writer.write("through the pipe");
    } catch (...) {
      writer.close();
      reading->close();
      throw;
    }
    writer.close();
    const std::string all = co_await reader.read();
    co_await writer.wait_closed();
    reading->close();
  });
}

TEST(NoMemoryInIo, ReadersAndWriters) {
  sweep_io([]() -> Coro<> {
    auto [one, other] = Socket::pair();
    Loop& loop = Loop::running();
    const auto ready = std::make_shared<Event>();
    struct Remove {
      ~Remove() {
        try {
          remove_reader(loop, one);
          remove_writer(loop, other);
        } catch (const std::bad_alloc&) {  // the first of these calls for a loop
        }
      }
      Loop& loop;
      int one, other;
    };
    const Remove remove{loop, one.fd(), other.fd()};
    add_reader(one.fd(), [ready] { ready->set(); });
    add_writer(other.fd(), [ready, fd = other.fd()] {
      static_cast<void>(!::write(fd, "x", 1));
      remove_writer(fd);
    });
    co_await ready->wait();
  });
}

TEST(NoMemoryInIo, ManyDescriptors) {
  sweep_io([]() -> Coro<> {
    std::vector<std::pair<Socket, Socket>> pairs;
    for (int i = 0; i < 20; ++i) pairs.push_back(Socket::pair());
    std::vector<Task<std::string>> tasks;
    tasks.reserve(pairs.size());
    std::exception_ptr error;
    try {
      for (auto& pair : pairs) tasks.push_back(create_task(sock_recv(pair.first, 10)));
      co_await sleep(0s);
      for (auto& pair : pairs) co_await sock_sendall(pair.second, "x");
    } catch (...) {
      error = std::current_exception();
    }
    for (auto& pair : pairs) pair.second.close();  // whoever waits hears of it
    for (const auto& task : tasks) {
      while (!task.done()) co_await sleep(0s);
    }
    if (error) std::rethrow_exception(error);
  });
}

TEST(NoMemoryInIo, Sockets) {
  sweep_io([]() -> Coro<> {
    Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0));
    const Address address = listening.local_address();
    Socket client = Socket::stream(AF_INET);
    co_await sock_connect(client, address);
    auto accepted = co_await sock_accept(listening);
    Socket server = std::move(accepted.first);
    co_await sock_sendall(client, std::string(1000, 'x'));
    const std::string got = co_await sock_recv(server, 1000);
    EXPECT_FALSE(got.empty());
    const int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    struct Close {
      explicit Close(int file) : file(file) {}
      ~Close() { close(file); }
      int file;
    } const close_it(file);
    co_await sock_sendfile(server, file, {.count = 5});
    const std::string sent = co_await sock_recv(client, 1000);
    EXPECT_EQ(sent.size(), 5u);
  });
}

TEST(NoMemoryInIo, DatagramSockets) {
  sweep_io([]() -> Coro<> {
    Socket one = Socket::datagram(AF_INET), other = Socket::datagram(AF_INET);
    one.bind(*Address::numeric("127.0.0.1", 0));
    other.bind(*Address::numeric("127.0.0.1", 0));
    co_await sock_sendto(one, "hello", other.local_address());
    const auto got = co_await sock_recvfrom(other, 100);
    EXPECT_EQ(got.first, "hello");
  });
}

TEST(NoMemoryInIo, Signals) {
  sweep_io([]() -> Coro<> {
    const auto heard = std::make_shared<int>(0);
    struct Remove {
      ~Remove() {
        try {
          remove_signal_handler(SIGUSR1);
        } catch (const std::bad_alloc&) {  // the first call for a loop
        }
      }
    } const remove;
    add_signal_handler(SIGUSR1, [heard] { ++*heard; });
    for (int i = 0; i < 3; ++i) raise(SIGUSR1);
    while (*heard < 3) co_await sleep(0s);  // none is lost
    co_await sleep(1ms);
    EXPECT_EQ(*heard, 3);
  });
}

TEST(NoMemoryInIo, AChildAndItsPipes) {
  sweep_io([]() -> Coro<> {
    const Process cat = co_await create_subprocess_exec("/bin/cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
    struct Kill {
      explicit Kill(Process process) : process(std::move(process)) {}
      ~Kill() {
        try {
          process.kill();
        } catch (const std::exception&) {
        }
      }
      Process process;
    } const kill(cat);
    const auto output = co_await cat.communicate(std::string("meow"));
    EXPECT_TRUE(output.first == "meow" || output.first.empty());  // empty if stdin failed, which is reported
    EXPECT_EQ(cat.returncode(), 0);
  });
}

TEST(NoMemoryInIo, AChildThatIsKilled) {
  sweep_io([]() -> Coro<> {
    const Process sleeper = co_await create_subprocess_shell("exec sleep 1000");
    const auto waiting = create_task(sleeper.wait());
    sleeper.kill();
    while (!waiting.done()) co_await sleep(1ms);
    const int returncode = co_await waiting;
    EXPECT_EQ(returncode, -SIGKILL);
  });
}

TEST(NoMemoryInIo, AProgramThatIsNotThere) {
  sweep_io([]() -> Coro<> {
    try {
      co_await create_subprocess_exec("/no/such/program", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
      ADD_FAILURE();
    } catch (const std::system_error&) {
    }
  });
}

TEST(NoMemoryInIo, TimersInRealTime) {
  sweep_io([]() -> Coro<> {
    Loop& loop = Loop::running();
    const auto fired = std::make_shared<int>(0);
    int made = 0;
    try {
      for (; made < 20; ++made) loop.call_later(made % 3 * 1ms, [fired] { ++*fired; });
    } catch (const std::bad_alloc&) {
    }
    while (*fired < made) co_await sleep(0s);
    co_await timeout(10s, []() -> Coro<> { co_await sleep(1ms); });
  });
}

// Much is under way when the main task ends, or has no memory to go on.
// A host that waits as long as it is told to. What it does itself with the guest's loop is noticed too.
TEST(NoMemoryInIo, AGuestAndItsHost) {
  sweep_program([] {
    enum { nothing, a_callback, a_timer } wanted = nothing;
    Event event;
    const auto main = [&]() -> Coro<> {
      co_await gather(sleep(1ms), sleep(2ms));
      co_await to_thread([] {});
      wanted = a_callback;
      co_await event.wait();
      event.clear();
      wanted = a_timer;
      co_await event.wait();
    };
    auto guest = start_guest_run(main);
    while (!guest.done()) {
      const auto limit = guest.timeout();
      pollfd ours{guest.descriptor(), POLLIN, 0};
      const int ready = poll(&ours, 1, limit ? static_cast<int>(*limit / 1ms) + 1 : 2000);
      if (ready == 0 && !limit) {
        ADD_FAILURE() << "the host waits for ever";
        break;
      }
      guest.tick();
      while (wanted != nothing && !guest.timeout()) {  // as what arrives while the host waits
        try {
          const auto set = [&event] { event.set(); };
          wanted == a_callback ? void(guest.loop().call_soon(set)) : void(guest.loop().call_later(1ms, set));
          wanted = nothing;
        } catch (const std::bad_alloc&) {  // once more
        }
      }
    }
  });
}

TEST(NoMemoryInIo, AFileIsSent) {
  sweep_io([]() -> Coro<> {
    struct File {
      explicit File(long size) : fd(memfd_create("no memory", MFD_CLOEXEC)) { EXPECT_EQ(ftruncate(fd, size), 0); }
      ~File() { close(fd); }
      int fd;
    } const file(100'000);
    Server made = co_await start_server(echo, "127.0.0.1", 0);
    Closing server(std::move(made));
    auto [reader, writer] = co_await open_connection("127.0.0.1", server->port());
    writer.write("before");
    const std::size_t sent = co_await sendfile(writer.transport(), file.fd);
    EXPECT_EQ(sent, 100'000u);
    writer.write_eof();
    const std::string received = co_await reader.read();
    EXPECT_LE(received.size(), 100'006u);
    writer.close();
    co_await writer.wait_closed();
  });
}

TEST(NoMemoryInIo, AWholeProgram) {
  sweep_program([] {
    run([]() -> Coro<> {
      create_task(sleep(1h));
      const auto fails = create_task([]() -> Coro<> {
        throw std::runtime_error("a text that is too long for the string's own room");
        co_return;
      });
      const int one = co_await to_thread([] { return 1; });
      EXPECT_EQ(one, 1);
    });
  });
}

TEST(NoMemoryInIo, ALoopIsAskedAndChanged) {
  sweep_program([] {
    Loop loop;
    loop.set_exception_handler([](Loop&, const ErrorContext&) {});
    int ran = 0;
    for (int i = 0; i < 10; ++i) loop.call_soon([&ran] { ++ran; });
    const LoopStats before = loop.stats();
    EXPECT_EQ(before.ready, 10u);
    loop.set_shuffle_seed(1);
    loop.set_core(std::make_unique<PollCore>());
    loop.call_soon_threadsafe([&ran] { ++ran; });
    loop.set_core(std::make_unique<EpollCore>());
    NoMemory::restore();
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(ran, 11);
  });
}

TEST(NoMemoryInIo, TasksThatASignalDumps) {
  sweep_program([] {
    Loop loop;
    const auto is_on = [&] {
      try {
        dump_tasks_on_signal(loop, SIGUSR1);
        return true;
      } catch (const std::bad_alloc&) {
        return false;
      }
    };
    const bool on = is_on();
    NoMemory::restore();
    EXPECT_EQ(remove_signal_handler(loop, SIGUSR1), on);
  });
}

TEST(NoMemoryInIo, MuchIsPending) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(echo, "127.0.0.1", 0);
    const Server server = made;
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    writer.write(std::string(2'000'000, 'x'));
    create_task(reader.readexactly(10'000'000));
    create_task(to_thread([] {}));
    create_task(getaddrinfo("localhost", 80));
    const Process sleeper =
        co_await create_subprocess_exec("/bin/sleep", "1000", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
    create_task(sleeper.communicate());
    for (int i = 0; i < 10; ++i) Loop::running().call_later(1h, [] {});
    co_await sleep(0s);
  });
}

}  // namespace
}  // namespace asyncio::testing
