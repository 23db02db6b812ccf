// Streams over transports: lines, reading into the caller's memory, back-pressure from end to end, Unix sockets.
#include "support/io.h"

#include <asyncio/stream_protocol.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <span>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NEEDS_MEMORY_ITSELF 1  // a sanitizer keeps freed memory
#endif
#endif

namespace asyncio::testing {
namespace {

/// A transport that only counts the reader's calls.
class CountingTransport : public ReadTransport {
 public:
  void close() override {}
  bool is_closing() const noexcept override { return false; }
  void set_protocol(std::shared_ptr<BaseProtocol>) override {}
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }
  bool is_reading() const noexcept override { return pauses == resumes; }
  void pause_reading() override { ++pauses; }
  void resume_reading() override { ++resumes; }
  int pauses = 0;
  int resumes = 0;
};

Coro<std::pair<Streams, Streams>> connected(std::size_t limit = StreamReader::kDefaultLimit) {
  auto [here, there] = Socket::pair();
  Streams one = co_await open_connection(std::move(here), {.limit = limit});
  Streams other = co_await open_connection(std::move(there), {.limit = limit});
  co_return std::pair<Streams, Streams>(std::move(one), std::move(other));
}

// ── when the transport is paused ──

TEST(StreamReader, PausesAboveTwiceTheLimitAndResumesAtTheLimit) {
  run_virtual([]() -> Coro<> {
    const auto transport = std::make_shared<CountingTransport>();
    const StreamReader reader(10);
    reader.set_transport(transport);
    reader.feed_data(std::string(20, 'x'));
    EXPECT_EQ(transport->pauses, 0);
    reader.feed_data("x");
    reader.feed_data("x");
    EXPECT_EQ(transport->pauses, 1);
    co_await reader.read(11);
    EXPECT_EQ(transport->resumes, 0);
    co_await reader.read(1);
    EXPECT_EQ(transport->resumes, 1);
  });
}

TEST(StreamReader, AReadThatHasToWaitResumesFirst) {
  run_virtual([]() -> Coro<> {
    const auto transport = std::make_shared<CountingTransport>();
    const StreamReader reader(10);
    reader.set_transport(transport);
    reader.feed_data(std::string(21, 'x'));
    auto reading = create_task(reader.readexactly(22));
    co_await ticks(2);
    EXPECT_EQ(transport->resumes, 1);
    reader.feed_data("y");
    const std::string data = co_await reading;
    EXPECT_EQ(data.size(), 22u);
  });
}

// ── by lines ──

// test_pep492.py: StreamReaderTests.test_readline
TEST(StreamReader, GivesItsLinesOneByOne) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("one\n\ntwo\nthree");
    reader.feed_eof();
    std::vector<std::string> lines;
    for (;;) {
      const std::optional<std::string> line = co_await reader.next_line();
      if (!line) break;
      lines.push_back(*line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one\n", "\n", "two\n", "three"}));
  });
}

// ── into the caller's memory ──

TEST(ReadInto, GivesWhatIsThereAndWaitsForMore) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    std::array<char, 8> memory{};
    EXPECT_EQ(co_await one.first.read_into(std::span<char>()), 0u);
    auto reading = create_task(one.first.read_into(memory));
    co_await ticks(3);
    other.second.write("hello, world");
    EXPECT_EQ(co_await reading, 8u);
    EXPECT_EQ(std::string(memory.data(), 8), "hello, w");
    EXPECT_EQ(one.first.state().buffer().size(),
              0u);  // nothing was buffered: the rest is still in the kernel
    EXPECT_EQ(co_await one.first.read_into(memory), 4u);
    EXPECT_EQ(std::string(memory.data(), 4), "orld");
    other.second.write("line\nrest");
    EXPECT_EQ(co_await one.first.readline(), "line\n");
    EXPECT_EQ(co_await one.first.read_into(memory), 4u);  // from the buffer
    EXPECT_EQ(std::string(memory.data(), 4), "rest");
    other.second.close();
    EXPECT_EQ(co_await one.first.read_into(memory), 0u);
    EXPECT_EQ(co_await one.first.read_into(memory), 0u);
  });
}

TEST(ReadInto, CancelledItLosesNothing) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    std::array<char, 8> memory{};
    for (const bool woken : {false, true}) {
      auto reading = create_task(one.first.read_into(memory));
      co_await ticks(2);
      if (woken) {
        other.second.write("kept");
        while (one.first.state().destination().data()) co_await sleep(0s);
      }
      reading.cancel();
      co_await ticks(1);
      EXPECT_TRUE(reading.cancelled());
    }
    other.second.write(" and more");
    memory.fill('-');
    std::string all;
    while (all.size() < 13) all += co_await one.first.read(100);
    EXPECT_EQ(all, "kept and more");
    EXPECT_EQ(memory[0], '-');  // no longer written to
  });
}

TEST(ReadInto, OnlyOneTaskMayWaitAndTheOthersMemoryIsLeftAlone) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    std::array<char, 8> first{}, second{};
    auto reading = create_task(one.first.read_into(first));
    co_await ticks(1);
    std::string what;
    try {
      co_await one.first.read_into(second);
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "read_into() called while another coroutine is already waiting for incoming data");
    other.second.write("x");
    EXPECT_EQ(co_await reading, 1u);
    EXPECT_EQ(first[0], 'x');
  });
}

TEST(ReadInto, ABigTransferArrivesByteForByte) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    const std::string data = pattern(8 << 20);
    auto sending = create_task([&data, writer = other.second]() -> Coro<> {
      for (std::size_t at = 0; at < data.size(); at += 50'000) {
        writer.write(std::string_view(data).substr(at, 50'000));
        co_await writer.drain();
      }
      writer.write_eof();
    });
    std::string received;
    std::string memory(30'000, '\0');
    for (std::size_t room = 1;; room = room * 7 % 30'000 + 1) {
      const std::size_t size = co_await one.first.read_into(std::span(memory).first(room));
      if (size == 0) break;
      received.append(memory, 0, size);
    }
    EXPECT_TRUE(received == data);
    co_await sending;
  });
}

TEST(ReadInto, AFastSenderDoesNotKeepTheLoopFromOthers) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    auto flood = create_task([writer = other.second]() -> Coro<> {
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
    std::array<char, 100> memory;
    for (std::size_t received = 0; received < 4'000'000;) received += co_await one.first.read_into(memory);
    EXPECT_GT(other_work, 5);
    flood.cancel();
    work.cancel();
  });
}

// ── back-pressure ──

// With a slow reader, the memory of both sides is bounded, however much is sent.
TEST(BackPressure, ASlowReaderBoundsTheWritersMemory) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    const StreamReader reader = one.first;
    const StreamWriter writer = other.second;
    constexpr std::size_t kTotal = std::size_t{64} << 20, kBlock = 32 * 1024;
    const std::string block = pattern(kBlock);
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    std::size_t most_unsent = 0, most_unread = 0, sent = 0;
    auto sending = create_task([&]() -> Coro<> {
      for (; sent < kTotal; sent += kBlock) {
        writer.write(block);
        most_unsent = std::max(most_unsent, writer.transport()->get_write_buffer_size());
        co_await writer.drain();
      }
      writer.close();
    });
    std::size_t sent_unread = 0;  // without reading: the writer stops
    for (int same = 0; same < 4;) {
      co_await sleep(5ms);
      same = sent == sent_unread && sent > 0 ? same + 1 : 0;
      sent_unread = sent;
    }
    EXPECT_LT(sent_unread, kTotal / 16);
    std::size_t received = 0;
    for (;;) {
      const std::string part = co_await reader.read(kBlock);
      if (part.empty()) break;
      received += part.size();
      most_unread = std::max(most_unread, reader.state().buffer().size());
    }
    co_await sending;
    EXPECT_EQ(received, kTotal);
    EXPECT_LE(most_unsent, 64 * 1024 + kBlock);
    EXPECT_LE(most_unread, 2 * 64 * 1024 + 256 * 1024u);
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
#if !defined(__SANITIZE_ADDRESS__) && !defined(NEEDS_MEMORY_ITSELF)
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 4 * 1024) << "KiB; without back-pressure it would be 65,536";
#endif
  });
}

TEST(BackPressure, TheWritersMarksCanBeSet) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    const StreamWriter writer = other.second;
    writer.write(std::string(1 << 20, 'x'));  // keeps what the kernel does not accept
    const std::size_t unsent = writer.transport()->get_write_buffer_size();
    writer.transport()->set_write_buffer_limits({.high = 2 << 20});
    auto waiting = create_task(writer.drain());
    co_await ticks(2);
    EXPECT_FALSE(waiting.done());  // paused by the old limits
    std::size_t received = 0;
    while (!waiting.done()) received += (co_await one.first.read(1000)).size();
    EXPECT_LE(writer.transport()->get_write_buffer_size(), std::size_t{512 * 1024});
    EXPECT_LT(received, unsent);
    writer.transport()->abort();
    EXPECT_EQ(co_await error_of(writer.drain()), std::errc::connection_reset);
  });
}

// As in CPython, a drain() that was resumed succeeds, even if the connection is lost before it runs.
TEST(BackPressure, ALossBehindTheResumeIsForTheNextDrain) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    const StreamWriter writer = other.second;
    const auto protocol = writer.transport()->get_protocol();
    const auto error = std::make_exception_ptr(std::runtime_error("lost"));
    protocol->pause_writing();
    auto waiting = create_task(writer.drain());
    co_await ticks(2);
    protocol->resume_writing();
    protocol->connection_lost(error);
    co_await ticks(2);
    EXPECT_TRUE(waiting.done());
    EXPECT_EQ(waiting.exception(), nullptr);
    std::string thrown;
    try {
      co_await writer.drain();
    } catch (const std::runtime_error& reason) {
      thrown = reason.what();
    }
    EXPECT_EQ(thrown, "lost");
    writer.transport()->abort();
  });
}

// ── Unix sockets ──

// test_streams.py: StreamTests.test_open_unix_connection
// test_streams.py: StreamTests.test_start_unix_server
// test_streams.py: StreamTests.test_open_unix_connection_error
// test_server.py: SelectorStartServerTests.test_start_unix_server_1
TEST(UnixStreams, OpenAndServe) {
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    const std::string path = folder / "server";
    const auto shout = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string line = co_await reader.readline();
      writer.write("HELLO " + line);
      writer.close();
    };
    Server server = co_await start_unix_server(shout, path, {.start_serving = false});
    EXPECT_EQ(co_await error_of(open_unix_connection(path)), std::errc::connection_refused);
    co_await server.start_serving();
    auto [reader, writer] = co_await open_unix_connection(path);
    writer.write("world\n");
    EXPECT_EQ(co_await reader.read(), "HELLO world\n");
    auto serving = create_task(server.serve_forever());
    co_await ticks(2);
    writer.close();
    serving.cancel();
    co_await server.wait_closed();
    EXPECT_NE(::access(path.c_str(), F_OK), 0);
    EXPECT_EQ(co_await error_of(open_unix_connection(path)), std::errc::no_such_file_or_directory);
  });
}

TEST(Streams, AServerOnASocketOfOnesOwn) {
  run_io([]() -> Coro<> {
    const auto hello = [](StreamReader, StreamWriter writer) {
      writer.write("hi");
      writer.close();
    };
    Server server = co_await start_server(hello, Socket::bound(*Address::numeric("127.0.0.1", 0)));
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
    EXPECT_EQ(co_await reader.read(), "hi");
    server.close();
  });
}

// test_streams.py: StreamTests.test_eof_feed_when_closing_writer
TEST(Streams, ClosingTheWriterEndsTheReader) {
  run_io([]() -> Coro<> {
    auto [one, other] = co_await connected();
    auto reading = create_task(one.first.readline());
    co_await ticks(1);
    one.second.close();
    co_await one.second.wait_closed();
    EXPECT_EQ(co_await reading, "");
    EXPECT_TRUE(one.first.at_eof());
    EXPECT_TRUE(one.second.can_write_eof());
  });
}

}  // namespace
}  // namespace asyncio::testing
