// Descriptor numbers that are closed, reused or dup'ed; files that epoll refuses; many descriptors. Both cores must
// behave alike.
#include "support/io.h"
#include "support/refusing.h"
#include "support/selector_cores.h"
#include "support/threads.h"

#include <asyncio/detail/auto_core.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

namespace asyncio::testing {
namespace {

template <class SomeCore>
class DescriptorNumbers : public ::testing::Test {
 protected:
  void run_for(Duration time) {
    loop_.call_later(time, [this] { loop_.stop(); });
    loop_.run_forever();
  }
  void run_tick() {
    loop_.stop();
    loop_.run_forever();
  }
  Loop loop_{std::make_unique<SomeCore>()};
  ErrorLog errors_{loop_};
};
TYPED_TEST_SUITE(DescriptorNumbers, SelectorCores, CoreNames);

/// A reader that is removed and added again, as by every sock_recv().
TYPED_TEST(DescriptorNumbers, AReaderThatComesAndGoesHearsEachTime) {
  Pipe pipe;
  int runs = 0;
  for (int round = 0; round < 10; ++round) {
    add_reader(this->loop_, pipe.read_end(), [&] {
      pipe.empty();
      ++runs;
    });
    pipe.fill();
    this->run_tick();
    remove_reader(this->loop_, pipe.read_end());
    if (round % 3 == 0) this->run_tick();
  }
  EXPECT_EQ(runs, 10);
}

TYPED_TEST(DescriptorNumbers, AnEventThatNobodyWantsAnyMoreIsDropped) {
  Pipe pipe, other;
  add_reader(this->loop_, pipe.read_end(), [] { ADD_FAILURE() << "was removed"; });
  add_reader(this->loop_, other.read_end(), [] {});
  remove_reader(this->loop_, pipe.read_end());
  pipe.fill();
  pipe.close_write();  // the end of data would be reported in every tick
  this->run_for(2ms);
  int runs = 0;
  add_reader(this->loop_, pipe.read_end(), [&] { ++runs; });
  this->run_tick();
  EXPECT_EQ(runs, 1);
}

TYPED_TEST(DescriptorNumbers, ANumberThatIsReusedAfterItsReaderWasRemovedIsWatchedAnew) {
  for (int round = 0; round < 3; ++round) {
    Pipe before;
    const int number = before.read_end();
    add_reader(this->loop_, number, [] { ADD_FAILURE() << "was removed"; });
    this->run_tick();
    remove_reader(this->loop_, number);
    before.close_read();

    Pipe after;
    ASSERT_EQ(after.read_end(), number) << "the smallest number that is free";
    int runs = 0;
    add_reader(this->loop_, number, [&] { ++runs; });
    after.fill();
    this->run_tick();
    EXPECT_EQ(runs, 1);
    remove_reader(this->loop_, number);
  }
  EXPECT_TRUE(this->errors_.contexts.empty());
}

TYPED_TEST(DescriptorNumbers, ANewReaderForANumberThatWasReusedBehindOurBackHearsOfTheNewFile) {
  Pipe before;
  const int number = before.read_end();
  add_reader(this->loop_, number, [] { ADD_FAILURE() << "was replaced"; });
  before.close_read();
  Pipe after;
  ASSERT_EQ(after.read_end(), number);
  int runs = 0;
  add_reader(this->loop_, number, [&] { ++runs; });
  after.fill();
  this->run_tick();
  EXPECT_EQ(runs, 1);
}

TYPED_TEST(DescriptorNumbers, AnOldReaderOfANumberThatWasReusedBehindOurBackHearsOfTheNewFile) {
  Pipe before;
  const int number = before.read_end();
  int runs = 0;
  add_reader(this->loop_, number, [&] {
    ++runs;
    this->loop_.stop();
  });
  before.close_read();
  Pipe after;
  ASSERT_EQ(after.read_end(), number);
  after.fill();
  const Watchdog watchdog(this->loop_);
  this->loop_.run_forever();  // EpollCore finds it after a quiet while
  EXPECT_EQ(runs, 1);
}

// The kernel keeps the registration as long as the open file, under a number that is no longer valid.
TYPED_TEST(DescriptorNumbers, ADupThatOutlivesItsWatchedNumberDoesNotDisturb) {
  Pipe pipe, other;
  const int number = pipe.read_end();
  add_reader(this->loop_, number, [] { ADD_FAILURE() << "was removed"; });
  add_reader(this->loop_, other.read_end(), [&] { this->loop_.stop(); });
  this->run_tick();
  remove_reader(this->loop_, number);
  const int kept = ::dup(number);
  pipe.close_read();
  pipe.fill();

  const TimePoint start = Clock::now();
  this->run_for(30ms);
  EXPECT_GE(Clock::now() - start, 30ms);
  other.fill();  // the others are still watched
  const Watchdog watchdog(this->loop_);
  this->loop_.run_forever();
  ::close(kept);
}

TYPED_TEST(DescriptorNumbers, ADupOfTheOldFileDoesNotSpeakForTheNewOneOfItsNumber) {
  Pipe before;
  const int number = before.read_end();
  add_reader(this->loop_, number, [] {});
  this->run_tick();
  remove_reader(this->loop_, number);
  const int kept = ::dup(number);
  before.close_read();
  Pipe after;
  ASSERT_EQ(after.read_end(), number);
  int runs = 0;
  add_reader(this->loop_, number, [&] {
    after.empty();
    ++runs;
  });
  before.fill();
  this->run_for(2ms);
  EXPECT_EQ(runs, 0);
  after.fill();
  this->run_for(2ms);
  EXPECT_EQ(runs, 1);
  ::close(kept);
}

TYPED_TEST(DescriptorNumbers, BothNumbersOfADupAreWatchedEachByItself) {
  Pipe pipe;
  const int dup = ::dup(pipe.read_end());
  int one_runs = 0, other_runs = 0;
  add_reader(this->loop_, pipe.read_end(), [&] { ++one_runs; });
  add_reader(this->loop_, dup, [&] { ++other_runs; });
  pipe.fill();
  this->run_tick();
  EXPECT_EQ(one_runs, 1);
  remove_reader(this->loop_, pipe.read_end());
  this->run_tick();
  EXPECT_EQ(one_runs, 1);
  EXPECT_EQ(other_runs, 2);
  ::close(dup);
}

TYPED_TEST(DescriptorNumbers, ARegularFileIsReadyAlways) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::tmpfile(), std::fclose);
  const int fd = ::fileno(file.get());
  int reads = 0, writes = 0;
  add_reader(this->loop_, fd, [&] { ++reads; });
  add_writer(this->loop_, fd, [&] { ++writes; });
  for (int i = 0; i < 3; ++i) this->run_tick();
  EXPECT_EQ(reads, 3);
  EXPECT_EQ(writes, 3);
  remove_writer(this->loop_, fd);
  this->run_tick();
  EXPECT_EQ(reads, 4);
  EXPECT_EQ(writes, 3);
  remove_reader(this->loop_, fd);
  EXPECT_FALSE(this->loop_.core().watching());
  const TimePoint start = Clock::now();
  this->run_for(2ms);
  EXPECT_GE(Clock::now() - start, 2ms);
}

TYPED_TEST(DescriptorNumbers, AWriterThatIsRemovedLeavesTheReader) {
  auto [one, other] = Socket::pair();
  int reads = 0, writes = 0;
  add_reader(this->loop_, one.fd(), [&] { ++reads; });
  add_writer(this->loop_, one.fd(), [&] { ++writes; });
  this->run_tick();
  remove_writer(this->loop_, one.fd());
  EXPECT_EQ(::write(other.fd(), "x", 1), 1);
  this->run_tick();
  add_writer(this->loop_, one.fd(), [&] { ++writes; });
  remove_reader(this->loop_, one.fd());
  this->run_tick();
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(writes, 2);
}

TYPED_TEST(DescriptorNumbers, ARefusedConnectionIsReadinessOfTheWriter) {
  Socket client = Socket::stream(AF_INET);
  const Address nobody = *Address::numeric("127.0.0.1", refusing_port());
  const int result = ::connect(client.fd(), nobody.data(), nobody.size());
  if (result == -1 && errno == EINPROGRESS) {
    add_writer(this->loop_, client.fd(), [&] { this->loop_.stop(); });
    const Watchdog watchdog(this->loop_);
    this->loop_.run_forever();
  }
}

// select(2) and fixed bitmaps only reach descriptor 1,023.
TYPED_TEST(DescriptorNumbers, MoreThanAThousandAtOnce) {
  const DescriptorLimit limit(2600);
  if (limit.now() < 2600) GTEST_SKIP() << "only " << limit.now() << " descriptors are allowed";
  std::vector<Pipe> pipes(1200);
  std::size_t runs = 0;
  for (Pipe& pipe : pipes) {
    add_reader(this->loop_, pipe.read_end(), [&] {
      ++runs;
      pipe.empty();
    });
  }
  EXPECT_GT(pipes.back().read_end(), 1024);
  pipes.back().fill();
  this->run_tick();
  EXPECT_EQ(runs, 1u);
  for (Pipe& pipe : pipes) pipe.fill();
  for (int tick = 0; tick < 10 && runs < 1201; ++tick) this->run_tick();
  EXPECT_EQ(runs, 1201u);
}

#ifdef __linux__

class CountingEpollCore final : public EpollCore {
 public:
  explicit CountingEpollCore(int& looks) : looks_(looks) {}

 protected:
  void select(int timeout_ms, std::vector<Found>& found) override {
    ++looks_;
    EpollCore::select(timeout_ms, found);
  }

 private:
  int& looks_;
};

TEST(EpollCore, AnIdleLoopIsDisturbedOnceAndThenSleeps) {
  int looks = 0;
  Loop loop(std::make_unique<CountingEpollCore>(looks));
  Pipe pipe;
  add_reader(loop, pipe.read_end(), [] {});
  loop.call_later(3 * EpollCore::kAuditAfter, [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_LE(looks, 3);  // until the audit, then until the timer; one more for rounding
}

TEST(EpollCore, TakesNoMoreThanItsShareInOneLookAndStarvesNobody) {
  const DescriptorLimit limit(3 * EpollCore::kMostEvents);
  if (limit.now() < 3 * EpollCore::kMostEvents) GTEST_SKIP() << "only " << limit.now() << " descriptors are allowed";
  Loop loop(std::make_unique<EpollCore>());
  std::vector<Pipe> pipes(EpollCore::kMostEvents + 10);
  std::vector<int> runs(pipes.size(), 0);
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    pipes[i].fill();  // stays ready
    add_reader(loop, pipes[i].read_end(), [&runs, i] { ++runs[i]; });
  }
  for (int tick = 0; tick < 3; ++tick) {
    loop.stop();
    loop.run_forever();
  }
  for (std::size_t i = 0; i < runs.size(); ++i) EXPECT_GE(runs[i], 1) << i;
}

#endif

}  // namespace
}  // namespace asyncio::testing
