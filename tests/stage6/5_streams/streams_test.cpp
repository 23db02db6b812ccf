// open_connection, StreamWriter and back-pressure, over real sockets.
#include "support/io.h"
#include "support/refusing.h"

#include <netinet/in.h>

#include <vector>

namespace asyncio::testing {
namespace {

/// Two pairs of streams that are connected to each other.
struct Pair {
  Pair(Streams one, Streams other) : one(std::move(one)), other(std::move(other)) {}
  Streams one, other;
};

Coro<Pair> connected_pair(std::size_t limit = StreamReader::kDefaultLimit) {
  auto [here, there] = Socket::pair();
  Streams one = co_await open_connection(std::move(here), {.limit = limit});
  Streams other = co_await open_connection(std::move(there), {.limit = limit});
  co_return Pair(std::move(one), std::move(other));
}

/// A TCP connection: streams at one end, a socket at the other.
Coro<std::pair<Streams, Socket>> connected_to_socket() {
  Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0));
  Streams streams = co_await open_connection("127.0.0.1", listening.local_address().port());
  auto accepted = co_await sock_accept(listening);
  co_return std::pair<Streams, Socket>(std::move(streams), std::move(accepted.first));
}

void reset(Socket socket) {
  const linger at_once{1, 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// test_streams.py: StreamTests.test_open_connection
// test_streams.py: StreamTests.test_async_writer_api
TEST(Streams, OpenWriteReadClose) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto [streams, socket] = co_await connected_to_socket();
    auto& [reader, writer] = streams;
    EXPECT_EQ(writer.peername(), socket.local_address());
    EXPECT_EQ(writer.sockname(), socket.peer_address());
    writer.write("GET / HTTP/1.0\r\n\r\n");
    co_await writer.drain();
    const std::string request = co_await sock_recv(socket, 100);
    EXPECT_EQ(request, "GET / HTTP/1.0\r\n\r\n");
    co_await sock_sendall(socket, "HTTP/1.0 200 OK\r\n\r\nTest message");
    socket.close();
    EXPECT_EQ(co_await reader.readline(), "HTTP/1.0 200 OK\r\n");
    const std::string rest = co_await reader.read();
    EXPECT_TRUE(rest.ends_with("\r\n\r\nTest message") || rest == "\r\nTest message");
    EXPECT_TRUE(reader.at_eof());
    writer.close();
    co_await writer.wait_closed();
    EXPECT_EQ(writer.peername().host(), "127.0.0.1");  // even after closing
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_streams.py: StreamTests.test_open_connection_error
TEST(Streams, ARefusedConnectionThrows) {
  run_io([]() -> Coro<> {
    const int port = refusing_port();
    try {
      co_await open_connection("127.0.0.1", port);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_refused);
      EXPECT_EQ(error.what(), "Connect call failed ('127.0.0.1', " + std::to_string(port) + "): Connection refused");
    }
  });
}

// test_base_events.py: BaseEventLoopWithSelectorTests.test_create_connection_multiple_errors
TEST(StreamsThread, ErrorsOfSeveralAddressesAreMerged) {
  run_io([]() -> Coro<> {
    const int port = refusing_port();
    try {
      co_await open_connection("localhost", port);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_refused);
      const std::string what = error.what();  // one or two addresses, depending on the machine
      if (what.find("::1") != what.npos && what.find("127.0.0.1") != what.npos) {
        EXPECT_EQ(what.rfind("Multiple exceptions: Connect call failed ('", 0), 0u) << what;
      }
    }
  });
}

TEST(StreamsThread, ANameThatDoesNotExistThrows) {
  run_io([]() -> Coro<> {
    const std::string no_name(64, 'x');  // longer than a label may be: no server of names is asked
    const auto code = co_await error_of(open_connection(no_name, 80));
    EXPECT_STREQ(code.category().name(), "getaddrinfo");
  });
}

TEST(Streams, BadArgumentsThrow) {
  run_io([]() -> Coro<> {
    int thrown = 0;
    for (const int port : {-1, 65536}) {
      try {
        co_await open_connection("127.0.0.1", port);
      } catch (const std::invalid_argument&) {
        ++thrown;
      }
    }
    try {
      co_await open_connection("127.0.0.1", 80, {.limit = 0});
    } catch (const std::invalid_argument&) {
      ++thrown;
    }
    EXPECT_EQ(thrown, 3);
    EXPECT_EQ(co_await error_of(open_connection(Socket())), std::errc::bad_file_descriptor);
  });
}

TEST(Streams, AConnectionThatIsCancelledLeavesNothingBehind) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0), 0);
    std::vector<Task<Streams>> tasks;
    for (int i = 0; i < 5; ++i) {
      tasks.push_back(create_task(open_connection("127.0.0.1", listening.local_address().port())));
    }
    co_await ticks(3);
    for (auto& task : tasks) task.cancel();
    co_await ticks(3);
    tasks.clear();
    listening.close();
    co_await ticks(3);
    EXPECT_LE(open_descriptors(), before + 1);  // the loop's own, at the most
  });
}

// read_into(), which CPython lacks: after a full buffer, more data is probably waiting.
TEST(Streams, WhatIsBehindAFullReadIntoIsReadWithoutWaiting) {
  run_io([]() -> Coro<> {
    auto [here, there] = Socket::pair();
    co_await sock_sendall(there, "xyz");
    auto [reader, writer] = co_await open_connection(std::move(here));
    char memory[1];
    co_await reader.read_into(memory);
    const TickCounter counter(Loop::running());
    co_await reader.read_into(memory);
    EXPECT_EQ(memory[0], 'y');
    EXPECT_EQ(counter.ticks(), 0);
  });
}

TEST(Streams, ASenderThatIsAlwaysFasterDoesNotKeepTheLoopToItself) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto flood = create_task([writer = pair.other.second]() -> Coro<> {
      const std::string block = pattern(200'000);
      for (;;) {
        writer.write(block);
        co_await writer.drain();
      }
    });
    int other_work = 0;
    auto work = create_task([&]() -> Coro<> {
      for (;;) {
        co_await sleep(0s);
        ++other_work;
      }
    });
    for (int i = 0; i < 200; ++i) {
      const std::string data = co_await pair.one.first.read(1 << 20);
      EXPECT_FALSE(data.empty());
    }
    EXPECT_GT(other_work, 100);
    flood.cancel();
    work.cancel();
  });
}

// ── the end of a stream ──

TEST(Streams, HalfClosedStillWorksTheOtherWay) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto& [reader, writer] = pair.one;
    writer.write("question");
    writer.write_eof();
    writer.write_eof();  // harmless
    EXPECT_EQ(co_await pair.other.first.read(), "question");
    EXPECT_TRUE(pair.other.first.at_eof());
    pair.other.second.write("answer");
    pair.other.second.close();
    EXPECT_EQ(co_await reader.read(), "answer");
    bool refused = false;
    try {
      writer.write("more");
    } catch (const std::runtime_error& error) {
      refused = std::string(error.what()) == "Cannot call write() after write_eof()";
    }
    EXPECT_TRUE(refused);
    std::string what;
    try {
      writer.writelines(std::vector<std::string_view>(1, "more"));
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "Cannot call writelines() after write_eof()");
  });
}

// As CPython prints it: a read from an empty buffer lets others run, even if the kernel has data; a read from a filled
// buffer does not.
TEST(Streams, AReadFromAnEmptyBufferGivesOthersATurn) {
  run_io([]() -> Coro<> {
    auto [near, far] = Socket::pair();
    co_await sock_sendall(far, "ab");
    auto [reader, writer] = co_await open_connection(std::move(near));
    std::string log;
    for (int i = 0; i < 3; ++i) {
      auto other = create_task([&]() -> Coro<> {
        log += "other ";
        co_return;
      });
      const std::string data = co_await reader.read(1);
      log += data + " ";
      co_await other;
      if (i == 1) co_await sock_sendall(far, "c");
    }
    EXPECT_EQ(log, "other a b other other c ");
    writer.close();
  });
}

TEST(Streams, WriteEofComesBehindWhatIsStillToBeSent) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    const std::string data = pattern(3 << 20);
    pair.one.second.write(data);
    pair.one.second.write_eof();
    const std::string received = co_await pair.other.first.read();
    EXPECT_TRUE(received == data);
  });
}

// test_streams.py: StreamTests.test_wait_closed_on_close
// test_streams.py: StreamTests.test_wait_closed_on_close_with_unread_data
TEST(Streams, CloseSendsTheRestAndThenEnds) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto& writer = pair.one.second;
    const std::string data = pattern(2 << 20);
    writer.write(data);
    EXPECT_FALSE(writer.is_closing());
    writer.close();
    writer.close();
    EXPECT_TRUE(writer.is_closing());
    auto closed = create_task(writer.wait_closed());
    co_await ticks(3);
    EXPECT_FALSE(closed.done());
    const std::string received = co_await pair.other.first.read();
    EXPECT_TRUE(received == data);
    co_await closed;
    co_await writer.wait_closed();
    EXPECT_EQ(co_await pair.one.first.read(), "");  // our own reader ends too
  });
}

TEST(Streams, LettingGoOfAllHandlesSendsTheRestAndCloses) {
  run_io([]() -> Coro<> {
    const std::string data = pattern(2 << 20);
    auto [here, there] = Socket::pair();
    Streams other = co_await open_connection(std::move(there));
    {
      Streams one = co_await open_connection(std::move(here));
      one.second.write(data);
    }
    const std::string received = co_await other.first.read();
    EXPECT_TRUE(received == data);
  });
}

TEST(Streams, TheReaderAloneKeepsTheConnection) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    const StreamReader reader = [](Streams streams) { return streams.first; }(std::move(pair.one));
    pair.other.second.write("still here");
    EXPECT_EQ(co_await reader.read(100), "still here");
  });
}

// test_streams.py: StreamTests.test_async_writer_api_exception_after_close
TEST(Streams, WriteAndDrainAfterCloseThrowAtTheDrain) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto& writer = pair.one.second;
    writer.close();
    writer.write("data");
    try {
      co_await writer.drain();
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_reset);
      EXPECT_EQ(std::string(error.what()).rfind("Connection lost", 0), 0u);
    }
  });
}

// ── errors of the peer ──

TEST(Streams, AResetThrowsAtTheReadTheDrainAndWaitClosed) {
  run_io([]() -> Coro<> {
    auto [streams, socket] = co_await connected_to_socket();
    auto& [reader, writer] = streams;
    auto reading = create_task(error_of(reader.readline()));
    co_await ticks(2);
    const Address peer = socket.local_address();
    reset(std::move(socket));
    EXPECT_EQ(co_await reading, std::errc::connection_reset);
    EXPECT_EQ(co_await error_of(writer.drain()), std::errc::connection_reset);
    EXPECT_EQ(co_await error_of(writer.wait_closed()), std::errc::connection_reset);
    EXPECT_TRUE(writer.is_closing());
    try {
      std::rethrow_exception(reader.exception());
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.what(), "recv from " + peer.repr() + ": Connection reset by peer");
    }
  });
}

// test_streams.py: StreamTests.test_drain_raises
TEST(Streams, WritingToAPeerThatIsGoneThrowsAtTheDrainAndRaisesNoSignal) {
  run_io([]() -> Coro<> {
    auto [streams, socket] = co_await connected_to_socket();
    auto& writer = streams.second;
    socket.close();
    std::error_code code;
    while (!code) {
      writer.write("foo\n");
      code = co_await error_of(writer.drain());
      co_await sleep(1ms);
    }
    EXPECT_TRUE(code == std::errc::broken_pipe || code == std::errc::connection_reset) << code.message();
  });
}

TEST(Streams, AResetWakesWhoWaitsInDrain) {
  run_io([]() -> Coro<> {
    auto [streams, socket] = co_await connected_to_socket();
    auto& writer = streams.second;
    writer.write(std::string(16 << 20, 'x'));
    auto draining = create_task(error_of(writer.drain()));
    co_await ticks(3);
    EXPECT_FALSE(draining.done());
    reset(std::move(socket));
    const std::error_code code = co_await draining;
    EXPECT_TRUE(code == std::errc::connection_reset || code == std::errc::broken_pipe) << code.message();
  });
}

// ── back-pressure ──

TEST(Streams, AReaderThatDoesNotReadStopsTheSender) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair(1024);
    auto& writer = pair.one.second;
    const std::string data = pattern(8 << 20);
    writer.write(data);
    auto draining = create_task(writer.drain());
    co_await sleep(20ms);
    EXPECT_FALSE(draining.done());
    // The reader holds at most twice the limit plus one call's data; the rest waits at the sender.
    const std::size_t received = pair.other.first.state().buffer().size();
    EXPECT_GT(received, 2 * 1024u);
    EXPECT_LE(received, 2 * 1024u + 256 * 1024u);
    EXPECT_GT(writer.transport()->get_write_buffer_size(), 64 * 1024u);

    std::string all;
    while (all.size() < data.size()) all += co_await pair.other.first.read(100'000);
    EXPECT_TRUE(all == data);
    co_await draining;
  });
}

// readexactly() of more than the limit does not hang, because a waiting read resumes the transport.
TEST(Streams, AReadBeyondTheLimitResumesThePausedSource) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair(100);
    const std::string data = pattern(1 << 20);
    pair.one.second.write(data);
    co_await sleep(2ms);
    const std::string received = co_await pair.other.first.readexactly(1 << 20);
    EXPECT_TRUE(received == data);
  });
}

// test_streams.py: StreamTests.test_multiple_drain
TEST(Streams, SeveralTasksMayDrainAtOnce) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto& writer = pair.one.second;
    writer.write(std::string(4 << 20, 'x'));
    int drained = 0;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 10; ++i) {
      tasks.push_back(create_task([&drained, writer]() -> Coro<> {
        co_await writer.drain();
        ++drained;
      }));
    }
    co_await ticks(3);
    EXPECT_EQ(drained, 0);
    co_await pair.other.first.readexactly(4 << 20);
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(drained, 10);
  });
}

TEST(Streams, ACancelledDrainLeavesTheOthersAlone) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    auto& writer = pair.one.second;
    writer.write(std::string(4 << 20, 'x'));
    auto first = create_task(writer.drain());
    auto second = create_task(writer.drain());
    co_await ticks(2);
    first.cancel();
    co_await ticks(1);
    EXPECT_TRUE(first.cancelled());
    co_await pair.other.first.readexactly(4 << 20);
    co_await second;
  });
}

TEST(Streams, WritelinesIsOneWrite) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    const std::vector<std::string> lines(3, "line\n");
    pair.one.second.writelines(lines);
    EXPECT_EQ(co_await pair.other.first.read(100), "line\nline\nline\n");
  });
}

TEST(Streams, ABigTransferBothWaysArrivesByteForByte) {
  run_io([]() -> Coro<> {
    Pair pair = co_await connected_pair();
    const std::string there = pattern(12 << 20, 1), back = pattern(12 << 20, 2);
    const auto send = [](StreamWriter writer, const std::string& data) -> Coro<> {
      for (std::size_t at = 0, part = 1; at < data.size(); at += part, part = part * 3 % 100'003 + 1) {
        writer.write(std::string_view(data).substr(at, part));
        co_await writer.drain();
      }
      writer.write_eof();
    };
    auto sending = create_task(send(pair.one.second, there));
    auto sending_back = create_task(send(pair.other.second, back));
    auto receiving = create_task(pair.one.first.read());
    const std::string received = co_await pair.other.first.read();
    const std::string received_back = co_await std::move(receiving);
    EXPECT_TRUE(received == there);
    EXPECT_TRUE(received_back == back);
    co_await sending;
    co_await sending_back;
  });
}

// ── life ──

TEST(Streams, HandlesMayOutliveTheLoop) {
  std::vector<Streams> kept;
  const int before = open_descriptors();
  run_io([&]() -> Coro<> {
    Pair pair = co_await connected_pair();
    pair.one.second.write(std::string(1 << 20, 'x'));  // does not fit; not awaited
    kept.push_back(std::move(pair.one));
    kept.push_back(std::move(pair.other));
  });
  for (Streams& streams : kept) {
    EXPECT_NO_THROW(streams.second.close());
    EXPECT_NO_THROW(streams.second.close());
  }
  kept.clear();
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Streams, TheLoopMayBeClosedWhileTasksReadAndDrain) {
  const int before = open_descriptors();
  {
    Loop loop;
    ErrorLog errors(loop);
    auto main = create_task(
        []() -> Coro<> {
          Pair pair = co_await connected_pair();
          pair.one.second.write(std::string(1 << 20, 'x'));
          auto draining = create_task(pair.one.second.drain());
          auto reading = create_task(pair.one.first.read(1));
          auto closing = create_task(pair.one.second.wait_closed());
          co_await ticks(3);
          Loop::running().stop();
          co_await sleep(1h);
        },
        {.loop = &loop});
    loop.run_forever();
    loop.close();
    EXPECT_EQ(errors.contexts.size(), 4u);  // four tasks were pending
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace asyncio::testing
