// StreamReader, fed by hand: the data that each read returns, and the reads that it refuses.
#include "support/io.h"

#include <asyncio/stream_protocol.h>

#include <functional>
#include <optional>
#include <vector>

namespace asyncio::testing {
namespace {

// test_streams.py: StreamTests.test_read_zero
// test_streams.py: StreamTests.test_read
// test_streams.py: StreamTests.test_read_line_breaks
// test_streams.py: StreamTests.test_read_eof
TEST(StreamReader, ReadGivesWhatIsThere) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("line1\nline2");
    EXPECT_EQ(co_await reader.read(0), "");
    EXPECT_EQ(co_await reader.read(5), "line1");
    EXPECT_EQ(co_await reader.read(100), "\nline2");
    auto waiting = create_task(reader.read(1024));
    co_await ticks(2);
    EXPECT_FALSE(waiting.done());
    reader.feed_eof();
    EXPECT_EQ(co_await waiting, "");
    EXPECT_TRUE(reader.at_eof());
    EXPECT_EQ(co_await reader.read(1), "");
  });
}

// test_streams.py: StreamTests.test_read_until_eof
TEST(StreamReader, ReadWithoutACountReadsUntilTheEnd) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto all = create_task(reader.read());
    for (const char* chunk : {"chunk1\n", "chunk2"}) {
      reader.feed_data(chunk);
      co_await ticks(2);
    }
    EXPECT_FALSE(all.done());
    reader.feed_eof();
    EXPECT_EQ(co_await all, "chunk1\nchunk2");
  });
}

// test_streams.py: StreamTests.test_read_limit
// test_streams.py: StreamTests.test_invalid_limit
TEST(StreamReader, ReadDoesNotMindTheLimit) {
  EXPECT_THROW(StreamReader(0), std::invalid_argument);
  run_virtual([]() -> Coro<> {
    const StreamReader reader(3);
    reader.feed_data("chunk");
    EXPECT_EQ(co_await reader.read(5), "chunk");
    reader.feed_data("exactly");
    EXPECT_EQ(co_await reader.readexactly(7), "exactly");
  });
}

// test_streams.py: StreamTests.test_readexactly_limit
TEST(StreamReader, ReadexactlyDoesNotMindTheLimit) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader(3);
    reader.feed_data("chunk");
    EXPECT_EQ(co_await reader.readexactly(5), "chunk");
    EXPECT_EQ(reader.repr(), "<StreamReader limit=3>");
  });
}

const char* const kLines = "line1\nline2\nline3\n";

// test_streams.py: StreamTests.test_feed_empty_data
// test_streams.py: StreamTests.test_feed_nonempty_data
TEST(StreamReader, KeepsWhatItIsFed) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("");
    EXPECT_EQ(reader.repr(), "<StreamReader>");
    reader.feed_data(kLines);
    EXPECT_EQ(reader.repr(), "<StreamReader 18 bytes>");
    EXPECT_EQ(co_await reader.read(100), kLines);
  });
}

// test_streams.py: StreamTests.test_at_eof
TEST(StreamReader, IsAtItsEndWhenThatCameAndAllIsRead) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    EXPECT_FALSE(reader.at_eof());
    reader.feed_data("some data\n");
    EXPECT_FALSE(reader.at_eof());
    EXPECT_EQ(co_await reader.readline(), "some data\n");
    EXPECT_FALSE(reader.at_eof());
    reader.feed_data("some data\n");
    reader.feed_eof();
    EXPECT_FALSE(reader.at_eof());
    EXPECT_EQ(co_await reader.readline(), "some data\n");
    EXPECT_TRUE(reader.at_eof());
  });
}

// test_streams.py: StreamTests.test_streamreader_constructor_use_running_loop
// test_streams.py: StreamTests.test_streamreaderprotocol_constructor_use_running_loop
TEST(StreamReader, BelongsToTheLoopOfTheTaskThatWaits) {
  const StreamReader reader;
  const auto protocol = std::make_shared<StreamReaderProtocol>(reader);
  for (int i = 0; i < 2; ++i) {  // one loop after the other
    run_virtual([&]() -> Coro<> {
      auto line = create_task(reader.readline());
      co_await ticks(1);
      const std::span<char> room = protocol->get_buffer(2);
      room[0] = 'x';
      room[1] = '\n';
      protocol->buffer_updated(2);
      EXPECT_EQ(co_await line, "x\n");
    });
  }
}

// test_streams.py: StreamTests.test_readexactly_zero_or_less
// test_streams.py: StreamTests.test_readexactly
TEST(StreamReader, ReadexactlyWaitsForAll) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    EXPECT_EQ(co_await reader.readexactly(0), "");
    EXPECT_EQ(co_await thrown_by(reader.readexactly(-1)), "readexactly size can not be less than zero");
    auto exactly = create_task(reader.readexactly(6));
    for (const char* part : {"ab", "cd", "efgh"}) {
      co_await ticks(2);
      EXPECT_FALSE(exactly.done());
      reader.feed_data(part);
    }
    EXPECT_EQ(co_await exactly, "abcdef");
    EXPECT_EQ(co_await reader.read(10), "gh");
  });
}

// test_streams.py: StreamTests.test_readexactly_eof
TEST(StreamReader, ReadexactlyAtTheEndGivesThePart) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("part");
    reader.feed_eof();
    try {
      co_await reader.readexactly(10);
      ADD_FAILURE();
    } catch (const IncompleteReadError& error) {
      EXPECT_EQ(error.partial(), "part");
      EXPECT_EQ(error.expected(), 10u);
      EXPECT_STREQ(error.what(), "4 bytes read on a total of 10 expected bytes");
    }
    EXPECT_TRUE(reader.at_eof());
  });
}

// test_streams.py: StreamTests.test_readline
TEST(StreamReader, ReadlineWaitsForItsEnd) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("chunk1 ");
    auto line = create_task(reader.readline());
    co_await ticks(1);
    for (const char* part : {"chunk2 ", "chunk3 ", "\n chunk4"}) reader.feed_data(part);
    EXPECT_EQ(co_await line, "chunk1 chunk2 chunk3 \n");
    EXPECT_EQ(co_await reader.read(100), " chunk4");
  });
}

// test_streams.py: StreamTests.test_readline_nolimit_nowait
// test_streams.py: StreamTests.test_readline_read_byte_count
TEST(StreamReader, ReadlineLeavesTheRestWhereItIs) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("line1\n");
    reader.feed_data("line2\nline3\n");
    const TickCounter counter(Loop::running());
    EXPECT_EQ(co_await reader.readline(), "line1\n");
    EXPECT_EQ(counter.ticks(), 0);
    EXPECT_EQ(reader.repr(), "<StreamReader 12 bytes>");
    EXPECT_EQ(co_await reader.read(7), "line2\nl");
    EXPECT_EQ(co_await reader.read(100), "ine3\n");
  });
}

// test_streams.py: StreamTests.test_readline_eof
// test_streams.py: StreamTests.test_readline_empty_eof
TEST(StreamReader, ReadlineAtTheEndGivesWhatIsLeft) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("some data");
    reader.feed_eof();
    EXPECT_EQ(co_await reader.readline(), "some data");
    EXPECT_EQ(co_await reader.readline(), "");
  });
}

// test_streams.py: StreamTests.test_readline_limit_with_existing_data
TEST(StreamReader, ReadlineOverTheLimitDropsTheLineOrAllThereIs) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader(3);
    reader.feed_data("li");
    reader.feed_data("ne1\nline2\n");
    const std::string found = "Separator is found, but chunk is longer than limit";
    EXPECT_EQ(co_await thrown_by(reader.readline()), found);
    EXPECT_EQ(co_await thrown_by(reader.readline()), found);  // the first line was dropped; this is the second

    const StreamReader other(3);
    for (const char* part : {"li", "ne1", "li"}) other.feed_data(part);
    EXPECT_EQ(co_await thrown_by(other.readline()), "Separator is not found, and chunk exceed the limit");
    other.feed_data("ok\n");  // the earlier data is gone
    EXPECT_EQ(co_await other.readline(), "ok\n");
  });
}

// test_streams.py: StreamTests.test_readline_limit
TEST(StreamReader, ReadlineOverTheLimitIsThrownToATaskThatWaits) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader(7);
    auto line = create_task(thrown_by(reader.readline()));
    co_await ticks(1);
    for (const char* part : {"chunk1", "chunk2", "chunk3\n"}) reader.feed_data(part);
    reader.feed_eof();
    EXPECT_EQ(co_await line, "Separator is found, but chunk is longer than limit");
    EXPECT_TRUE(reader.at_eof());
  });
}

// test_streams.py: StreamTests.test_readuntil_separator
TEST(StreamReader, ReaduntilNeedsASeparator) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    EXPECT_EQ(co_await thrown_by(reader.readuntil("")), "Separator should be at least one-byte string");
    EXPECT_EQ(co_await thrown_by(reader.readuntil("a", "")), "Separator should be at least one-byte string");
    EXPECT_EQ(co_await thrown_by(reader.readuntil(std::vector<std::string>())),
              "Separator should contain at least one element");
  });
}

// test_streams.py: StreamTests.test_readuntil_multi_chunks
// test_streams.py: StreamTests.test_readuntil_multi_chunks_1
TEST(StreamReader, ReaduntilFindsASeparatorThatCameInPieces) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("lineAAA");
    EXPECT_EQ(co_await reader.readuntil("AAA"), "lineAAA");
    reader.feed_data("lineAAAxxx");
    EXPECT_EQ(co_await reader.readuntil("AAA"), "lineAAA");
    EXPECT_EQ(co_await reader.read(3), "xxx");

    const std::vector<std::vector<const char*>> pieces = {
        {"QWEaa", "XYaa", "a"}, {"QWEaa", "XYa", "aa"}, {"aaa"}, {"Xa", "a", "a"}, {"aaX", "aaa", "aa"}};
    for (const auto& chunks : pieces) {
      const StreamReader other;
      auto until = create_task(other.readuntil("aaa"));
      std::string all;
      for (const char* chunk : chunks) {
        co_await ticks(1);
        other.feed_data(chunk);
        all += chunk;
      }
      EXPECT_EQ(co_await until, all.substr(0, all.find("aaa") + 3));
    }
  });
}

// test_streams.py: StreamTests.test_readuntil_bytearray
TEST(StreamReader, ReaduntilTakesBytesOfAnyKind) {
  run_virtual([]() -> Coro<> {
    const std::vector<char> end(1, '\0');
    const StreamReader reader;
    reader.feed_data(std::string_view("some data\0", 10));
    const std::string data = co_await reader.readuntil(std::string_view(end.data(), end.size()));
    EXPECT_EQ(data, std::string_view("some data\0", 10));
    EXPECT_EQ(reader.repr(), "<StreamReader>");
  });
}

// test_streams.py: StreamTests.test_readuntil_eof
TEST(StreamReader, ReaduntilAtTheEndGivesThePartAndKeepsNothing) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("some dataAA");
    reader.feed_eof();
    try {
      co_await reader.readuntil("AAA");
      ADD_FAILURE();
    } catch (const IncompleteReadError& error) {
      EXPECT_EQ(error.partial(), "some dataAA");
      EXPECT_FALSE(error.expected());
      EXPECT_STREQ(error.what(), "11 bytes read on a total of undefined expected bytes");
    }
    EXPECT_TRUE(reader.at_eof());
  });
}

// test_streams.py: StreamTests.test_readuntil_limit_found_sep
TEST(StreamReader, ReaduntilOverTheLimitKeepsWhatItFound) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader(3);
    reader.feed_data("some dataAA");
    try {
      co_await reader.readuntil("AAA");
      ADD_FAILURE();
    } catch (const LimitOverrunError& error) {
      EXPECT_STREQ(error.what(), "Separator is not found, and chunk exceed the limit");
      EXPECT_EQ(error.consumed(), 9u);
    }
    reader.feed_data("A");
    try {
      co_await reader.readuntil("AAA");
      ADD_FAILURE();
    } catch (const LimitOverrunError& error) {
      EXPECT_STREQ(error.what(), "Separator is found, but chunk is longer than limit");
      EXPECT_EQ(error.consumed(), 9u);
    }
    EXPECT_EQ(co_await reader.read(100), "some dataAAA");
  });
}

// test_streams.py: StreamTests.test_readuntil_multi_separator
TEST(StreamReader, ReaduntilOneOfSeveralTakesTheOneThatEndsFirst) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("some data: AAA more data: BBBB rest");
    EXPECT_EQ(co_await reader.readuntil("BBBB", "AAA"), "some data: AAA");
    EXPECT_EQ(co_await reader.readuntil("BBBB", "AAA"), " more data: BBBB");
    const StreamReader overlapping;
    overlapping.feed_data("xABCD");
    EXPECT_EQ(co_await overlapping.readuntil("ABCD", "BC"), "xABC");
  });
}

// test_streams.py: StreamTests.test_readuntil_multi_separator_limit
TEST(StreamReader, ReaduntilOneOfSeveralMindsTheLimit) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader(3);
    reader.feed_data("some dataA");
    EXPECT_EQ(co_await thrown_by(reader.readuntil("A", "ome dataA")),
              "Separator is found, but chunk is longer than limit");
    EXPECT_EQ(co_await reader.read(100), "some dataA");
  });
}

// test_streams.py: StreamTests.test_readuntil_multi_separator_negative_offset
TEST(StreamReader, ReaduntilOneOfSeveralFindsAShortOneBeforeALongOneFits) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("data");
    auto until = create_task(reader.readuntil("A", "long sep"));
    co_await ticks(1);
    reader.feed_data("Z");
    co_await ticks(1);
    reader.feed_data("Aaaaaaa");
    EXPECT_EQ(co_await until, "dataZA");
  });
}

// test_streams.py: StreamTests.test_exception
// test_streams.py: StreamTests.test_read_exception
// test_streams.py: StreamTests.test_exception_waiter
TEST(StreamReader, AnErrorIsThrownToWhoReadsAndToWhoWaits) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    EXPECT_EQ(reader.exception(), nullptr);
    auto waiting = create_task(thrown_by(reader.read(2)));
    co_await ticks(1);
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_EQ(co_await waiting, "oops");
    EXPECT_NE(reader.exception(), nullptr);
    EXPECT_EQ(co_await thrown_by(reader.readline()), "oops");
    EXPECT_EQ(co_await thrown_by(reader.readexactly(1)), "oops");
    EXPECT_EQ(co_await thrown_by(reader.readuntil("x")), "oops");
    EXPECT_EQ(co_await thrown_by(reader.read()), "oops");
  });
}

// test_streams.py: StreamTests.test_readline_exception
// test_streams.py: StreamTests.test_readexactly_exception
TEST(StreamReader, AnErrorIsThrownToTheReadsThatComeBehindIt) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    reader.feed_data("line\nmore");
    EXPECT_EQ(co_await reader.readline(), "line\n");
    EXPECT_EQ(co_await reader.readexactly(2), "mo");
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_EQ(co_await thrown_by(reader.readline()), "oops");
    EXPECT_EQ(co_await thrown_by(reader.readexactly(2)), "oops");
    EXPECT_EQ(reader.repr(), "<StreamReader 2 bytes exception=std::runtime_error: oops>");
  });
}

class SomeTransport final : public ReadTransport {
 public:
  void close() override {}
  bool is_closing() const noexcept override { return false; }
  void set_protocol(std::shared_ptr<BaseProtocol>) override {}
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }
  bool is_reading() const noexcept override { return true; }
  void pause_reading() override {}
  void resume_reading() override {}
  std::string repr() const override { return "<Transport>"; }
};

// test_streams.py: StreamTests.test___repr__
// test_streams.py: StreamTests.test___repr__nondefault_limit
// test_streams.py: StreamTests.test___repr__eof
// test_streams.py: StreamTests.test___repr__data
// test_streams.py: StreamTests.test___repr__exception
// test_streams.py: StreamTests.test___repr__waiter
// test_streams.py: StreamTests.test___repr__transport
TEST(StreamReader, SaysWhatItHas) {
  run_virtual([]() -> Coro<> {
    const StreamReader plain;
    EXPECT_EQ(plain.repr(), "<StreamReader>");
    EXPECT_EQ(StreamReader(123).repr(), "<StreamReader limit=123>");
    plain.feed_data("data");
    EXPECT_EQ(plain.repr(), "<StreamReader 4 bytes>");
    plain.feed_eof();
    EXPECT_EQ(plain.repr(), "<StreamReader 4 bytes eof>");
    const StreamReader at_end;
    at_end.feed_eof();
    EXPECT_EQ(at_end.repr(), "<StreamReader eof>");
    const StreamReader failed;
    failed.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_EQ(failed.repr(), "<StreamReader exception=std::runtime_error: oops>");
    const StreamReader awaited;
    auto line = create_task(awaited.readline());
    co_await ticks(1);
    EXPECT_EQ(awaited.repr(), "<StreamReader waiter=<Future pending>>");
    awaited.feed_data("x\n");
    co_await line;
    EXPECT_EQ(awaited.repr(), "<StreamReader>");
    awaited.set_transport(std::make_shared<SomeTransport>());
    EXPECT_EQ(awaited.repr(), "<StreamReader transport=<Transport>>");
  });
}

// As in CPython, the event that woke the read counts, not a later one.
TEST(StreamReader, AnErrorBehindDataIsForTheNextRead) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(reader.read(10));
    co_await ticks(1);
    reader.feed_data("ab");
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_EQ(co_await waiting, "ab");
    EXPECT_EQ(co_await thrown_by(reader.read(10)), "oops");
  });
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(thrown_by(reader.read(10)));
    co_await ticks(1);
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    reader.feed_data("ab");
    EXPECT_EQ(co_await waiting, "oops");
  });
  run_virtual([]() -> Coro<> {  // too few bytes: CPython waits for ever, ours throws the error
    const StreamReader reader;
    auto waiting = create_task(thrown_by(reader.readexactly(10)));
    co_await ticks(1);
    reader.feed_data("ab");
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_EQ(co_await waiting, "oops");
  });
}

TEST(StreamReader, ReaduntilDoesNotSearchAgainAlthoughAnotherReadHasTakenTheBytes) {  // as in CPython
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(reader.readuntil("$"));
    co_await ticks(1);
    reader.feed_data("ab");
    co_await ticks(2);  // it has searched these two
    reader.feed_data("c");
    const std::string taken = co_await reader.read(3);
    EXPECT_EQ(taken, "abc");
    co_await ticks(2);
    reader.feed_data("x$");
    co_await ticks(2);
    EXPECT_FALSE(waiting.done());
    reader.feed_data("$");
    EXPECT_EQ(co_await waiting, "x$$");
  });
}

TEST(StreamReader, OfTwoErrorsInOneTickTheWaitingReadThrowsTheFirst) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(thrown_by(reader.read(10)));
    co_await ticks(1);
    reader.set_exception(std::make_exception_ptr(std::runtime_error("first")));
    reader.set_exception(std::make_exception_ptr(std::runtime_error("second")));
    EXPECT_EQ(co_await waiting, "first");
    EXPECT_EQ(co_await thrown_by(reader.read(10)), "second");
  });
}

// test_streams.py: StreamTests.test_exception_cancel
TEST(StreamReader, AnErrorAfterTheReaderWasCancelledDoesNoHarm) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(reader.readline());
    co_await ticks(1);
    waiting.cancel();
    reader.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    co_await ticks(1);
    EXPECT_TRUE(waiting.cancelled());
  });
}

TEST(StreamReader, ACancelledReadLosesNothing) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto waiting = create_task(reader.read(10));
    co_await ticks(1);
    reader.feed_data("kept");  // wakes the task
    waiting.cancel();          // before it runs
    co_await ticks(1);
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_EQ(co_await reader.read(10), "kept");
  });
}

TEST(StreamReader, OnlyOneTaskMayWait) {
  run_virtual([]() -> Coro<> {
    const StreamReader reader;
    auto first = create_task(reader.read(1));
    co_await ticks(1);
    EXPECT_EQ(co_await thrown_by(reader.readline()),
              "readuntil() called while another coroutine is already waiting for incoming data");
    reader.feed_data("x");
    EXPECT_EQ(co_await first, "x");
  });
}

TEST(StreamReader, NothingIsFedAfterTheEnd) {
  const StreamReader reader;
  reader.feed_eof();
  EXPECT_THROW(reader.feed_data("x"), std::logic_error);
}

TEST(StreamReader, TheHandleMayGoWhileATaskReads) {
  run_virtual([]() -> Coro<> {
    std::optional<StreamReader> reader(std::in_place);
    const StreamReader source = *reader;
    auto line = create_task(reader->readline());
    reader.reset();
    co_await ticks(1);
    source.feed_data("line\n");
    EXPECT_EQ(co_await line, "line\n");
  });
}

}  // namespace
}  // namespace asyncio::testing
