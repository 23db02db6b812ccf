// The cores that watch descriptors: the contract of all cores, and their own, which is the same for both.
#include "support/core_contract.h"
#include "support/io.h"
#include "support/selector_cores.h"
#include "support/thrown.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace asyncio::testing {

INSTANTIATE_TEST_SUITE_P(Poll, CoreContract, CORE("PollCore", std::make_unique<PollCore>()), core_name);
INSTANTIATE_TEST_SUITE_P(Poll, RealTimeCoreContract, CORE("PollCore", std::make_unique<PollCore>()), core_name);
#ifdef __linux__
INSTANTIATE_TEST_SUITE_P(Epoll, CoreContract, CORE("EpollCore", std::make_unique<EpollCore>()), core_name);
INSTANTIATE_TEST_SUITE_P(Epoll, RealTimeCoreContract, CORE("EpollCore", std::make_unique<EpollCore>()), core_name);
#endif

namespace {

/// A core that counts its polls of the kernel.
template <class SomeCore>
class Counting final : public SomeCore {
 public:
  explicit Counting(int& polls) : polls_(polls) {}

 protected:
  void select(int timeout_ms, std::vector<SelectorCore::Found>& found) override {
    ++polls_;
    SomeCore::select(timeout_ms, found);
  }

 private:
  int& polls_;
};

template <class SomeCore>
class Selector : public ::testing::Test {};
TYPED_TEST_SUITE(Selector, SelectorCores, CoreNames);

template <class SomeCore>
class SelectorThreads : public ::testing::Test {};
TYPED_TEST_SUITE(SelectorThreads, SelectorCores, CoreNames);

// test_events.py: EventLoopTestsMixin.test_reader_callback
TYPED_TEST(Selector, ReaderRunsWhenThereAreDataAndAtTheEnd) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] {
    char byte;
    ++runs;
    if (::read(pipe.read_end(), &byte, 1) == 0) {
      remove_reader(loop, pipe.read_end());
      loop.stop();
    }
  });
  loop.call_soon([&] { pipe.fill(); });
  loop.call_later(1ms, [&] { pipe.fill(); });
  loop.call_later(2ms, [&] { pipe.close_write(); });
  loop.run_forever();
  EXPECT_EQ(runs, 3);
}

// test_events.py: EventLoopTestsMixin.test_writer_callback
TYPED_TEST(Selector, WriterRunsInEachTickInWhichThereIsRoom) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  int runs = 0;
  add_writer(loop, pipe.write_end(), [&] {
    if (++runs == 3) loop.stop();
  });
  loop.run_forever();
  EXPECT_TRUE(remove_writer(loop, pipe.write_end()));
  EXPECT_EQ(runs, 3);
}

// A tick runs older callbacks, then descriptors, then timers.
TYPED_TEST(Selector, ATickRunsOlderCallbacksThenDescriptorsThenTimers) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  std::string order;
  pipe.fill();
  add_reader(loop, pipe.read_end(), [&] {
    order += 'i';
    remove_reader(loop, pipe.read_end());
  });
  loop.call_later(0ms, [&] { order += 't'; });
  loop.call_soon([&] { order += 's'; });
  loop.call_soon_threadsafe([&] { order += 'x'; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "sxit");
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_add_reader_existing
// test_selector_events.py: BaseSelectorEventLoopTests.test_add_writer_existing
TYPED_TEST(Selector, ANewReaderCancelsTheOldOne) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  auto captured = std::make_shared<int>();
  Handle first = add_reader(loop, pipe.read_end(), [captured] { ADD_FAILURE() << "was replaced"; });
  add_reader(loop, pipe.read_end(), [&] { loop.stop(); });
  EXPECT_TRUE(first.cancelled());
  EXPECT_EQ(captured.use_count(), 1);
  loop.run_forever();
}

TYPED_TEST(Selector, AReaderReplacedAfterItWasFoundReadyDoesNotRun) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  bool second = false;
  add_reader(loop, pipe.read_end(), [] { ADD_FAILURE() << "was replaced"; });
  loop.call_soon([&] {
    add_reader(loop, pipe.read_end(), [&] {
      second = true;
      loop.stop();
    });
  });
  loop.run_forever();
  EXPECT_TRUE(second);
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_add_reader
// test_selector_events.py: BaseSelectorEventLoopTests.test_add_reader_existing_writer
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_reader
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_reader_read_write
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_reader_unknown
// test_selector_events.py: BaseSelectorEventLoopTests.test_add_writer
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_writer
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_writer_read_write
// test_selector_events.py: BaseSelectorEventLoopTests.test_remove_writer_unknown
TYPED_TEST(Selector, RemoveSaysWhetherThereWasOne) {
  Loop loop(std::make_unique<TypeParam>());
  const auto [one, other] = Socket::pair();
  EXPECT_FALSE(remove_reader(loop, one.fd()));
  add_reader(loop, one.fd(), [] {});
  EXPECT_FALSE(remove_writer(loop, one.fd()));
  add_writer(loop, one.fd(), [] {});
  EXPECT_TRUE(loop.core().watching());
  EXPECT_TRUE(remove_reader(loop, one.fd()));
  EXPECT_FALSE(remove_reader(loop, one.fd()));
  EXPECT_TRUE(remove_writer(loop, one.fd()));
  EXPECT_FALSE(remove_writer(loop, one.fd()));
  EXPECT_FALSE(loop.core().watching());
  EXPECT_FALSE(remove_reader(loop, 1 << 28));
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_process_events_read_cancelled
// test_selector_events.py: BaseSelectorEventLoopTests.test_process_events_write_cancelled
TYPED_TEST(Selector, AReaderOrWriterCancelledByItsHandleIsForgotten) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  Handle reader = add_reader(loop, pipe.read_end(), [] { ADD_FAILURE() << "was cancelled"; });
  Handle writer = add_writer(loop, pipe.write_end(), [] { ADD_FAILURE() << "was cancelled"; });
  reader.cancel();
  writer.cancel();
  EXPECT_TRUE(loop.core().watching());  // until the next event
  loop.stop();
  loop.run_forever();
  EXPECT_FALSE(loop.core().watching());
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_process_events_read
// test_selector_events.py: BaseSelectorEventLoopTests.test_process_events_write
TYPED_TEST(Selector, ReaderAndWriterOfOneDescriptorBothRun) {
  Loop loop(std::make_unique<TypeParam>());
  const auto [one, other] = Socket::pair();
  ASSERT_EQ(::write(other.fd(), "x", 1), 1);
  std::string order;
  add_writer(loop, one.fd(), [&] { order += 'w'; });
  add_reader(loop, one.fd(), [&] { order += 'r'; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "rw");
}

TYPED_TEST(Selector, TheEndOfTheOtherSideIsReadinessOfWhatIsWatchedAndNoMore) {
  Loop loop(std::make_unique<TypeParam>());
  auto [one, other] = Socket::pair();
  other.close();  // POLLHUP
  std::string order;
  const Handle reader = add_reader(loop, one.fd(), [&] { order += 'r'; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "r");
  remove_reader(loop, one.fd());
  add_writer(loop, one.fd(), [&] { order += 'w'; });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "rw");
}

TYPED_TEST(Selector, ManyDescriptorsComeAndGo) {
  Loop loop(std::make_unique<TypeParam>());
  std::vector<std::pair<Socket, Socket>> pairs;
  std::vector<int> runs(100, 0);
  for (int i = 0; i < 100; ++i) {
    pairs.push_back(Socket::pair());
    ASSERT_EQ(::write(pairs.back().second.fd(), "x", 1), 1);
    add_reader(loop, pairs.back().first.fd(), [&runs, i] { ++runs[static_cast<std::size_t>(i)]; });
  }
  for (std::size_t i = 0; i < 100; i += 3) remove_reader(loop, pairs[i].first.fd());
  loop.stop();
  loop.run_forever();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(runs[i], i % 3 == 0 ? 0 : 1) << i;
  for (std::size_t i = 1; i < 100; ++i) remove_reader(loop, pairs[i].first.fd());
  EXPECT_FALSE(loop.core().watching());
}

// ── the bound on polling ──

TYPED_TEST(Selector, AReadyDescriptorDoesNotStarveBesideABusyLoop) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  TickCounter counter(loop);  // so every tick has work
  int ticks = -1;
  add_reader(loop, pipe.read_end(), [&] { loop.stop(); });
  loop.run_forever();

  // The busy tick after a find does not poll; the next one does, if kPollInterval is over. This makes ticks that long.
  const int before = counter.ticks();
  add_reader(loop, pipe.read_end(), [&] {
    ticks = counter.ticks() - before;
    loop.stop();
  });
  std::function<void()> slow = [&] {
    const TimePoint until = Clock::now() + SelectorCore::kPollInterval;
    while (Clock::now() < until) {
    }
    if (ticks < 0) loop.call_soon([&] { slow(); });
  };
  slow();
  loop.run_forever();
  EXPECT_GE(ticks, 0);
  EXPECT_LE(ticks, 2);
}

TYPED_TEST(Selector, ABusyLoopPollsAtIntervalsAndNotInEveryTick) {
  int polls = 0;
  Loop loop(std::make_unique<Counting<TypeParam>>(polls));
  Pipe pipe;
  add_reader(loop, pipe.read_end(), [] {});
  int ticks = 0;
  std::function<void()> work = [&] {
    if (++ticks == 20'000) return loop.stop();
    loop.call_soon([&] { work(); });
  };
  loop.call_soon([&] { work(); });
  const TimePoint start = Clock::now();
  loop.run_forever();
  const auto intervals = (Clock::now() - start) / SelectorCore::kPollInterval;
  EXPECT_GE(polls, 1);
  EXPECT_LE(polls, intervals + 2);
}

TYPED_TEST(Selector, ALoopThatWatchesNothingDoesNotPollWhileItIsBusy) {
  int polls = 0;
  Loop loop(std::make_unique<Counting<TypeParam>>(polls));
  int ticks = 0;
  std::function<void()> work = [&] {
    if (++ticks == 100) return loop.stop();
    loop.call_soon([&] { work(); });
  };
  loop.call_soon([&] { work(); });
  loop.run_forever();
  EXPECT_EQ(polls, 0);
}

// stop() before a run gives one tick, with a poll.
TYPED_TEST(Selector, ATickThatHasNothingElseToDoAlwaysLooks) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] { ++runs; });
  for (int i = 0; i < 100; ++i) {
    loop.stop();
    loop.run_forever();
  }
  EXPECT_EQ(runs, 100);
}

// test_base_events.py: BaseEventLoopTests.test_single_selecter_event_callback_after_stopping
TYPED_TEST(Selector, AReaderDoesNotRunTwiceBecauseTheLoopWasStoppedBetween) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] {
    ++runs;
    loop.call_soon([&] {
      pipe.empty();
      remove_reader(loop, pipe.read_end());
    });
  });
  for (int i = 0; i < 2; ++i) {
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(runs, 1) << i;
  }
}

// ── bad input ──

// test_unix_events.py: TestFunctional.test_add_reader_invalid_argument
TYPED_TEST(Selector, RefusesADescriptorThatIsNone) {
  Loop loop(std::make_unique<TypeParam>());
  const std::string none = "Invalid file descriptor: -1";
  EXPECT_EQ(thrown<std::invalid_argument>([&] { add_reader(loop, -1, [] {}); }), none);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { add_writer(loop, -1, [] {}); }), none);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { remove_reader(loop, -1); }), none);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { remove_writer(loop, -1); }), none);
  EXPECT_THROW(add_writer(loop, 1 << 28, [] {}), std::system_error);
  Pipe pipe;
  const int fd = pipe.read_end();
  pipe.close_read();
  try {
    add_reader(loop, fd, [] {});
    ADD_FAILURE() << "it is closed";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::bad_file_descriptor);
    EXPECT_NE(std::string(error.what()).find(std::to_string(fd)), std::string::npos);
  }
  EXPECT_FALSE(loop.core().watching());
}

TYPED_TEST(Selector, RefusesAnEmptyCallback) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  EXPECT_THROW(add_reader(loop, pipe.read_end(), static_cast<void (*)()>(nullptr)), std::invalid_argument);
  EXPECT_THROW(add_reader(pipe.read_end(), [] {}), std::runtime_error);  // no running loop
}

// test_events.py: EventLoopTestsMixin.test_remove_fds_after_closing
// test_events.py: EventLoopTestsMixin.test_add_fds_after_closing
// test_selector_events.py: BaseSelectorEventLoopTests.test_close
TYPED_TEST(Selector, AClosedLoopWatchesNothing) {
  Loop loop(std::make_unique<TypeParam>());
  const auto [one, other] = Socket::pair();
  add_reader(loop, one.fd(), [] {});
  add_writer(loop, other.fd(), [] {});
  loop.close();
  loop.close();
  EXPECT_TRUE(loop.is_closed());
  EXPECT_FALSE(loop.core().watching());
  EXPECT_FALSE(remove_reader(loop, one.fd()));
  EXPECT_FALSE(remove_writer(loop, other.fd()));
  const std::string closed = "Event loop is closed";
  EXPECT_EQ(thrown<std::runtime_error>([&] { add_reader(loop, one.fd(), [] {}); }), closed);
  EXPECT_EQ(thrown<std::runtime_error>([&] { add_writer(loop, other.fd(), [] {}); }), closed);
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_forever(); }), closed);
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_until_complete(nothing()); }), closed);
}

// test_events.py: EventLoopTestsMixin.test_internal_fds
TYPED_TEST(Selector, TheDescriptorsOfALoopGoWithIt) {
  const int before = open_descriptors();
  {
    Loop loop(std::make_unique<TypeParam>());
    EXPECT_GT(open_descriptors(), before);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TYPED_TEST(Selector, AClosedLoopHasNoDescriptorOpen) {
  const int before = open_descriptors();
  Loop loop(std::make_unique<TypeParam>());
  loop.close();
  EXPECT_EQ(open_descriptors(), before);
  const Pipe pipe;  // gets the number that the loop was woken by
  loop.core().wake();
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.call_soon_threadsafe([] {}); }), "Event loop is closed");
  loop.close();
  loop.time();
  EXPECT_EQ(open_descriptors(), before + 2);
}

// A wake-up that came too late would be written into the pipe, or into what has its number by then.
TYPED_TEST(SelectorThreads, WakeNothingElseWhileTheLoopIsClosed) {
  for (int round = 0; round < 50; ++round) {
    auto loop = std::make_unique<Loop>(std::make_unique<TypeParam>());
    std::atomic<int> posted = 0;
    std::atomic<bool> refused = false;
    std::thread other([&] {
      while (!refused) {
        try {
          loop->call_soon_threadsafe([] {});
          ++posted;
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "Event loop is closed");
          refused = true;
        }
      }
    });
    while (posted < 3) std::this_thread::yield();
    if (round % 2 == 0) {
      loop->stop();
      loop->run_forever();
    }
    loop->close();
    const auto [one, same_number] = Socket::pair();
    while (!refused) std::this_thread::yield();
    other.join();
    char byte;
    EXPECT_EQ(::read(one.fd(), &byte, 1), -1);
    EXPECT_EQ(::read(same_number.fd(), &byte, 1), -1);
  }
}

TYPED_TEST(Selector, ADescriptorClosedBehindItsBackIsReportedOnceAndForgotten) {
  Loop loop(std::make_unique<TypeParam>());
  ErrorLog errors(loop);
  Pipe pipe;
  const int fd = pipe.read_end();
  int runs = 0;
  add_reader(loop, fd, [&] {
    if (++runs == 1) loop.call_later(5ms, [&] { loop.stop(); });
  });
  pipe.close_read();
  const Watchdog watchdog(loop);  // poll() reports it at once, epoll never: EpollCore checks by itself
  loop.run_forever();
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(errors.contexts[0].detail("fd"), std::to_string(fd));
  EXPECT_EQ(runs, 1);  // so a task that waits for it is woken
  EXPECT_FALSE(loop.core().watching());
}

TYPED_TEST(Selector, AnExceptionInAReaderIsReportedAndTheReaderStays) {
  Loop loop(std::make_unique<TypeParam>());
  ErrorLog errors(loop);
  Pipe pipe;
  pipe.fill();
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] {
    if (++runs == 2) loop.stop();
    throw std::runtime_error("oops");
  });
  loop.run_forever();
  EXPECT_EQ(errors.contexts.size(), 2u);
}

// ── life ──

TYPED_TEST(Selector, ClosingTheLoopDropsTheReaders) {
  Pipe pipe;
  auto captured = std::make_shared<int>();
  Loop loop(std::make_unique<TypeParam>());
  pipe.fill();
  add_reader(loop, pipe.read_end(), [captured] { ADD_FAILURE() << "never ran"; });
  EXPECT_EQ(captured.use_count(), 2);
  loop.close();
  EXPECT_EQ(captured.use_count(), 1);
}

TYPED_TEST(Selector, AReaderMayRemoveItselfAndOthersAndCloseItsDescriptor) {
  Loop loop(std::make_unique<TypeParam>());
  ErrorLog errors(loop);
  Pipe one, other;
  one.fill();
  other.fill();
  int runs = 0;
  const auto end_both = [&] {
    ++runs;
    remove_reader(loop, one.read_end());
    remove_reader(loop, other.read_end());
    one.close_read();
    other.close_read();
  };
  add_reader(loop, one.read_end(), end_both);
  add_reader(loop, other.read_end(), end_both);
  loop.call_later(2ms, [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(errors.contexts.empty());
}

// ── other threads ──

TYPED_TEST(SelectorThreads, AThreadThatPostsWithoutEndDoesNotStarveADescriptor) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  const Watchdog watchdog(loop);
  std::atomic<bool> stop = false;
  std::atomic<int> waiting = 0;
  loop.call_soon([&] { add_reader(pipe.read_end(), [&] { loop.stop(); }); });
  std::thread poster([&] {
    while (!stop) {
      if (waiting > 100) continue;
      ++waiting;
      loop.call_soon_threadsafe([&] { --waiting; });
    }
  });
  loop.run_forever();
  stop = true;
  poster.join();
}

TYPED_TEST(SelectorThreads, APostWakesALoopThatPolls) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  const Watchdog watchdog(loop);
  add_reader(loop, pipe.read_end(), [] {});
  std::thread poster([&] {
    std::this_thread::sleep_for(2ms);
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  poster.join();
}

}  // namespace
}  // namespace asyncio::testing
