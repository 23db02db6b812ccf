// Transports for pipes and terminals.
#include "support/io.h"
#include "support/protocols.h"

#include <asyncio/pipes.h>
#include <asyncio/stream_protocol.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

namespace asyncio::testing {
namespace {

/// The test's end of a pipe, with plain system calls.
class End {
 public:
  explicit End(FileDescriptor end) : end_(std::move(end)) { ::fcntl(end_.fd(), F_SETFL, O_NONBLOCK); }
  void write(std::string_view data) const {
    EXPECT_EQ(::write(end_.fd(), data.data(), data.size()), ssize_t(data.size()));
  }
  /// The data available now.
  std::string read() const {
    std::string data(1 << 20, '\0');
    const ssize_t size = ::read(end_.fd(), data.data(), data.size());
    data.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return data;
  }
  void close() { end_.close(); }

 private:
  FileDescriptor end_;
};

struct ReadPipe {
  explicit ReadPipe(FileDescriptor end) : end(std::move(end)) {}
  std::shared_ptr<ReadTransport> transport;
  std::shared_ptr<LogProtocol> protocol;
  End end;
};
Coro<ReadPipe> read_pipe() {
  auto [reading, writing] = FileDescriptor::pipe();
  ReadPipe pipe(std::move(writing));
  auto [transport, protocol] = co_await connect_read_pipe(make<LogProtocol>, std::move(reading));
  pipe.transport = std::move(transport);
  pipe.protocol = std::move(protocol);
  co_return pipe;
}

struct WritePipe {
  explicit WritePipe(FileDescriptor end) : end(std::move(end)) {}
  std::shared_ptr<WriteTransport> transport;
  std::shared_ptr<LogProtocol> protocol;
  End end;
};
Coro<WritePipe> write_pipe() {
  auto [reading, writing] = FileDescriptor::pipe();
  WritePipe pipe(std::move(reading));
  auto [transport, protocol] = co_await connect_write_pipe(make<LogProtocol>, std::move(writing));
  pipe.transport = std::move(transport);
  pipe.protocol = std::move(protocol);
  co_return pipe;
}

/// Both sides of a terminal: the emulator's, and the one that programs use.
std::pair<FileDescriptor, FileDescriptor> terminal() {
  FileDescriptor master(::posix_openpt(O_RDWR | O_NOCTTY));
  ::grantpt(master.fd());
  ::unlockpt(master.fd());
  const char* const name = ::ptsname(master.fd());
  FileDescriptor slave(name ? ::open(name, O_RDWR | O_NOCTTY) : -1);
  termios raw;
  ::tcgetattr(slave.fd(), &raw);
  ::cfmakeraw(&raw);
  ::tcsetattr(slave.fd(), TCSANOW, &raw);
  return std::pair<FileDescriptor, FileDescriptor>(std::move(master), std::move(slave));
}

bool has_terminals() { return static_cast<bool>(terminal().second); }
constexpr const char* kNoTerminals = "no pseudo-terminal can be had here: is /dev/pts mounted?";

// ── the reading end ──

// test_events.py: EventLoopTestsMixin.test_read_pipe
// test_unix_events.py: UnixReadPipeTransportTests.test_ctor
// test_unix_events.py: UnixReadPipeTransportTests.test__read_ready
// test_unix_events.py: UnixReadPipeTransportTests.test__read_ready_eof
TEST(ReadPipe, GivesWhatComesAndThenTheEndAndTheLossInOneTick) {
  run_io([]() -> Coro<> {
    auto pipe = co_await read_pipe();
    EXPECT_EQ(pipe.protocol->log, std::vector<std::string>{"connection_made"});
    pipe.end.write("1");
    co_await pipe.protocol->until_received(1);
    pipe.end.write("2345");
    co_await pipe.protocol->until_received(5);
    EXPECT_EQ(pipe.protocol->received, "12345");
    const TickCounter counter(Loop::running());
    int eof_tick = 0, lost_tick = 0;
    pipe.protocol->on_eof = [&] { eof_tick = counter.ticks(); };
    pipe.protocol->on_lost = [&] { lost_tick = counter.ticks(); };
    pipe.end.close();
    co_await pipe.protocol->until_lost();
    EXPECT_EQ(pipe.protocol->log, (std::vector<std::string>{"connection_made", "eof_received", "connection_lost"}));
    EXPECT_EQ(eof_tick, lost_tick);
    EXPECT_EQ(pipe.protocol->error, nullptr);
    EXPECT_EQ(pipe.transport->fileno(), -1);
  });
}

// test_unix_events.py: UnixReadPipeTransportTests.test_pause_reading
// test_unix_events.py: UnixReadPipeTransportTests.test_resume_reading
// test_unix_events.py: UnixReadPipeTransportTests.test_pause_reading_on_closed_pipe
// test_unix_events.py: UnixReadPipeTransportTests.test_resume_reading_on_paused_pipe
// test_unix_events.py: UnixReadPipeTransportTests.test_close
// test_unix_events.py: UnixReadPipeTransportTests.test_close_already_closing
// test_unix_events.py: UnixReadPipeTransportTests.test_pause_reading_on_paused_pipe
// test_unix_events.py: UnixReadPipeTransportTests.test_resume_reading_on_closed_pipe
// test_unix_events.py: UnixReadPipeTransportTests.test__call_connection_lost
TEST(ReadPipe, PausesAndResumes) {
  run_io([]() -> Coro<> {
    auto pipe = co_await read_pipe();
    pipe.transport->pause_reading();
    pipe.transport->pause_reading();
    pipe.end.write("x");
    co_await sleep(2ms);
    EXPECT_EQ(pipe.protocol->received, "");
    EXPECT_FALSE(pipe.transport->is_reading());
    pipe.transport->resume_reading();
    pipe.transport->resume_reading();
    co_await pipe.protocol->until_received(1);
    pipe.transport->close();
    pipe.transport->close();
    EXPECT_TRUE(pipe.transport->is_closing());
    pipe.transport->pause_reading();
    pipe.transport->resume_reading();
    EXPECT_FALSE(pipe.transport->is_reading());
    co_await ticks(1);
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 1);
    EXPECT_EQ(pipe.protocol->count("eof_received"), 0);
  });
}

TEST(ReadPipe, DoesNotWrite) {
  run_io([]() -> Coro<> {
    auto pipe = co_await read_pipe();
    EXPECT_THROW(pipe.protocol->transport->write("x"), std::logic_error);
    EXPECT_THROW(pipe.protocol->transport->write_eof(), std::logic_error);
    EXPECT_FALSE(pipe.protocol->transport->can_write_eof());
    pipe.transport->close();
  });
}

// test_events.py: EventLoopTestsMixin.test_read_pty_output
// test_unix_events.py: UnixReadPipeTransportTests.test__read_ready_error
TEST(ReadPipe, ATerminalWhoseOtherSideHasGoneIsLostWithoutAReport) {
  if (!has_terminals()) GTEST_SKIP() << kNoTerminals;
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto [master, slave] = terminal();
    auto [transport, protocol] = co_await connect_read_pipe(make<LogProtocol>, std::move(master));
    End end(std::move(slave));
    end.write("from the terminal");
    co_await protocol->until_received(17);
    end.close();
    co_await protocol->until_lost();
    EXPECT_EQ(protocol->received, "from the terminal");
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_unix_events.py: UnixReadPipeTransportTests.test__read_ready_error
// test_unix_events.py: UnixReadPipeTransportTests.test__close
// test_unix_events.py: UnixReadPipeTransportTests.test__call_connection_lost_with_err
TEST(ReadPipe, AnErrorIsReportedAndTold) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto [one, other] = Socket::pair();  // a socket works too, and can be reset
    auto [transport, protocol] = co_await connect_read_pipe(make<LogProtocol>, FileDescriptor(one.release()));
    EXPECT_EQ(::write(transport->fileno(), "x", 1), 1);
    other.close();
    co_await protocol->until_lost();
    EXPECT_NE(protocol->error, nullptr);
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"Fatal read error on pipe transport"});
    EXPECT_TRUE(transport->is_closing());
    EXPECT_FALSE(watching());
    EXPECT_EQ(transport->fileno(), -1);
    EXPECT_EQ(transport->get_protocol(), nullptr);
  });
}

// ── the writing end ──

// test_events.py: EventLoopTestsMixin.test_write_pipe
// test_unix_events.py: UnixWritePipeTransportTests.test_write
// test_unix_events.py: UnixWritePipeTransportTests.test_close
// test_unix_events.py: UnixWritePipeTransportTests.test_ctor
// test_unix_events.py: UnixWritePipeTransportTests.test_can_write_eof
// test_unix_events.py: UnixWritePipeTransportTests.test_write_no_data
// test_unix_events.py: UnixWritePipeTransportTests.test_close_closing
// test_unix_events.py: UnixWritePipeTransportTests.test__call_connection_lost
TEST(WritePipe, WritesAtOnceAndCloses) {
  run_io([]() -> Coro<> {
    auto pipe = co_await write_pipe();
    EXPECT_TRUE(pipe.transport->can_write_eof());
    pipe.transport->write("");
    pipe.transport->write("1");
    EXPECT_EQ(pipe.end.read(), "1");
    pipe.transport->write("2345");
    EXPECT_EQ(pipe.end.read(), "2345");
    pipe.transport->close();
    pipe.transport->close();
    EXPECT_TRUE(pipe.transport->is_closing());
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 0);
    co_await ticks(1);
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 1);
    EXPECT_EQ(pipe.protocol->error, nullptr);
  });
}

// test_unix_events.py: UnixWritePipeTransportTests.test_write_partial
// test_unix_events.py: UnixWritePipeTransportTests.test_write_buffer
// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready
// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready_closing
// test_unix_events.py: UnixWritePipeTransportTests.test_write_eof
// test_unix_events.py: UnixWritePipeTransportTests.test_write_eof_pending
// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready_partial
// test_unix_events.py: UnixWritePipeTransportTests.test__write_ready_again
// test_unix_events.py: UnixWritePipeTransportTests.test_write_again
TEST(WritePipe, WriteEofSendsTheRestAndEndsRightBehindIt) {
  run_io([]() -> Coro<> {
    auto pipe = co_await write_pipe();
    const std::string data = pattern(1 << 20);
    pipe.transport->write(data);
    EXPECT_GT(pipe.transport->get_write_buffer_size(), 0u);
    EXPECT_EQ(pipe.protocol->count("pause_writing"), 1);
    pipe.transport->write_eof();
    EXPECT_TRUE(pipe.transport->is_closing());
    pipe.transport->write("dropped: it is closed");
    co_await ticks(3);
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 0);
    std::string received;
    while (received.size() < data.size()) {
      received += pipe.end.read();
      co_await sleep(0s);
    }
    co_await pipe.protocol->until_lost();
    EXPECT_EQ(pipe.end.read(), "");
    EXPECT_TRUE(received == data);
    EXPECT_EQ(pipe.protocol->count("resume_writing"), 1);
    EXPECT_EQ(pipe.protocol->error, nullptr);
  });
}

// test_events.py: EventLoopTestsMixin.test_write_pipe_disconnect_on_close
// test_unix_events.py: UnixWritePipeTransportTests.test__read_ready
// test_unix_events.py: UnixWritePipeTransportTests.test__call_connection_lost_with_err
TEST(WritePipe, HearsThatItsReaderHasGone) {
  for (const bool unsent : {false, true}) {
    run_io([unsent]() -> Coro<> {
      ErrorLog errors(Loop::running());
      auto pipe = co_await write_pipe();
      if (unsent) pipe.transport->write(pattern(1 << 20));
      pipe.end.close();
      co_await pipe.protocol->until_lost();
      EXPECT_EQ(pipe.protocol->count("connection_lost"), 1);
      std::error_code code;
      try {
        if (pipe.protocol->error) std::rethrow_exception(pipe.protocol->error);
      } catch (const std::system_error& error) {
        code = error.code();
      }
      EXPECT_EQ(code == std::errc::broken_pipe, unsent) << code.message();
      EXPECT_TRUE(errors.contexts.empty());
      EXPECT_EQ(pipe.transport->fileno(), -1);
      EXPECT_EQ(pipe.transport->get_protocol(), nullptr);
    });
  }
}

// As CPython 3.13 prints it: after a pipe is lost or closing, the sixth write is the first to be reported.
TEST(WritePipe, TheSixthWriteToAPipeThatIsLostIsReported) {
  for (const bool unsent : {false, true}) {
    run_io([unsent]() -> Coro<> {
      ErrorLog errors(Loop::running());
      auto pipe = co_await write_pipe();
      if (unsent) {
        pipe.transport->write(pattern(1 << 20));
        pipe.transport->close();  // while still sending
      } else {
        pipe.end.close();
        co_await pipe.protocol->until_lost();
      }
      for (int i = 0; i < 5; ++i) pipe.transport->write("x");
      EXPECT_TRUE(errors.contexts.empty());
      for (int i = 0; i < 3; ++i) pipe.transport->write("x");
      EXPECT_EQ(errors.messages(),
                std::vector<std::string>(3, "pipe closed by peer or os.write(pipe, data) raised exception."));
      pipe.transport->abort();
    });
  }
}

// test_unix_events.py: UnixWritePipeTransportTests.test_write_err
// test_unix_events.py: UnixWritePipeTransportTests.test_write_close
TEST(WritePipe, WritingToAPipeWithoutAReaderIsNoSignalAndTheFifthTimeAReport) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pipe = co_await write_pipe();
    pipe.end.close();
    for (int i = 0; i < 5; ++i) pipe.transport->write("x");
    EXPECT_TRUE(errors.contexts.empty());
    EXPECT_TRUE(pipe.transport->is_closing());
    pipe.transport->write("x");
    EXPECT_EQ(errors.messages(),
              std::vector<std::string>{"pipe closed by peer or os.write(pipe, data) raised exception."});
    co_await ticks(1);
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 1);
    EXPECT_NE(pipe.protocol->error, nullptr);
  });
}

// test_unix_events.py: UnixWritePipeTransportTests.test_abort
TEST(WritePipe, AbortDropsTheBuffer) {
  run_io([]() -> Coro<> {
    auto pipe = co_await write_pipe();
    pipe.transport->write(pattern(1 << 20));
    pipe.transport->abort();
    EXPECT_EQ(pipe.transport->get_write_buffer_size(), 0u);
    co_await ticks(1);
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 1);
    EXPECT_EQ(pipe.protocol->error, nullptr);
  });
}

// As CPython 3.13 prints it, for any exception: a callback failed, and the pipe stays open.
TEST(ReadPipe, WhatTheProtocolThrowsIsReportedAndThePipeGoesOn) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pipe = co_await read_pipe();
    pipe.protocol->on_data = [p = pipe.protocol.get()] {
      if (p->received == "1") throw std::runtime_error("broken");
      if (p->received == "12") throw std::system_error(std::make_error_code(std::errc::io_error), "a file");
    };
    std::size_t size = 0;
    for (const char* text : {"1", "2", "3"}) {
      pipe.end.write(text);
      ++size;
      co_await pipe.protocol->until_received(size);
    }
    EXPECT_EQ(pipe.protocol->received, "123");
    EXPECT_EQ(errors.contexts.size(), 2u);
    for (const ErrorContext& context : errors.contexts) {
      EXPECT_TRUE(context.message.starts_with("Exception in callback")) << context.message;
    }
    EXPECT_EQ(describe(errors.contexts.at(0).exception), "std::runtime_error: broken");
    EXPECT_EQ(pipe.protocol->count("connection_lost"), 0);
    pipe.end.close();
    co_await pipe.protocol->until_lost();
    EXPECT_EQ(pipe.protocol->error, nullptr);
  });
}

// test_events.py: EventLoopTestsMixin.test_write_pty
// test_events.py: EventLoopTestsMixin.test_bidirectional_pty
TEST(WritePipe, ATerminalReadsAndWrites) {
  if (!has_terminals()) GTEST_SKIP() << kNoTerminals;
  run_io([]() -> Coro<> {
    auto [master, slave] = terminal();
    FileDescriptor copy(::dup(master.fd()));
    auto [in, received] = co_await connect_read_pipe(make<LogProtocol>, std::move(master));
    auto [out, sent] = co_await connect_write_pipe(make<LogProtocol>, std::move(copy));
    End end(std::move(slave));
    out->write("question");
    std::string question;  // a thread of the kernel's carries it from one side to the other
    while (question.size() < 8) {
      co_await sleep(1ms);
      question += end.read();
    }
    EXPECT_EQ(question, "question");
    end.write("answer");
    co_await received->until_received(6);
    EXPECT_EQ(received->received, "answer");
    out->close();
    in->close();
    co_await sent->until_lost();
    co_await received->until_lost();
  });
}

// ── both ──

TEST(Pipes, OnlyPipesSocketsAndCharacterDevicesWill) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    const auto file = [] {
      char path[] = "/tmp/asyncio-pipe-test-XXXXXX";
      FileDescriptor made(::mkstemp(path));
      ::unlink(path);
      return made;
    };
    std::vector<std::string> whats;
    try {
      co_await connect_read_pipe(make<LogProtocol>, file());
    } catch (const std::invalid_argument& error) {
      whats.push_back(error.what());
    }
    try {
      co_await connect_write_pipe(make<LogProtocol>, file());
    } catch (const std::invalid_argument& error) {
      whats.push_back(error.what());
    }
    EXPECT_EQ(whats, (std::vector<std::string>{"Pipe transport is for pipes/sockets only.",
                                               "Pipe transport is only for pipes, sockets and character devices"}));
    EXPECT_EQ(co_await error_of(connect_read_pipe(make<LogProtocol>, FileDescriptor())),
              std::errc::bad_file_descriptor);
    EXPECT_EQ(open_descriptors(), before);
  });
}

// From a pipe to a StreamReader, and from a StreamWriter to a pipe.
TEST(Pipes, CarryStreams) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    {
      auto [reading, writing] = FileDescriptor::pipe();
      const StreamReader reader;
      auto to_reader = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
      auto [in, in_protocol] = co_await connect_read_pipe(to_reader, std::move(reading));
      auto [out, out_protocol] = co_await connect_write_pipe(make<FlowControlProtocol>, std::move(writing));
      const StreamWriter writer(out, out_protocol);
      const std::string data = pattern(2 << 20);
      auto sending = create_task([&]() -> Coro<> {
        for (std::size_t at = 0; at < data.size(); at += 100'000) {
          writer.write(std::string_view(data).substr(at, 100'000));
          co_await writer.drain();
        }
        writer.close();
        co_await writer.wait_closed();
      });
      const std::string received = co_await reader.read();
      EXPECT_TRUE(received == data);
      co_await sending;
    }
    co_await ticks(3);
    EXPECT_LE(open_descriptors(), before + 1);  // the loop's own, at the most
  });
}

TEST(Pipes, ADrainHearsThatTheReaderHasGone) {
  run_io([]() -> Coro<> {
    auto [reading, writing] = FileDescriptor::pipe();
    auto [out, protocol] = co_await connect_write_pipe(make<FlowControlProtocol>, std::move(writing));
    const StreamWriter writer(out, protocol);
    writer.write(pattern(1 << 20));
    auto draining = create_task(error_of(writer.drain()));
    co_await ticks(3);
    EXPECT_FALSE(draining.done());
    reading.close();
    EXPECT_EQ(co_await draining, std::errc::broken_pipe);
    EXPECT_EQ(co_await error_of(writer.wait_closed()), std::errc::broken_pipe);
    EXPECT_EQ(co_await error_of(writer.drain()), std::errc::connection_reset);
  });
}

}  // namespace
}  // namespace asyncio::testing
