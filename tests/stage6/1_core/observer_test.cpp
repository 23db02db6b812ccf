// What an observer hears of descriptors: watched, ready, and not watched any more.
#include <asyncio/observer.h>

#include "support/event_log.h"
#include "support/io.h"
#include "support/selector_cores.h"
#include "support/test_core.h"

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace asyncio::testing {
namespace {

/// What was said of descriptors, with their numbers.
struct DescriptorLog final : Observer {
  using Event = std::tuple<std::string, int, bool>;
  void core_woke(std::size_t descriptors) override { woke.push_back(descriptors); }
  void descriptor_watched(const Observed& callback, int fd, bool writing) override {
    EXPECT_EQ(callback.kind(), Observed::Kind::descriptor);
    events.emplace_back("watched", fd, writing);
  }
  void descriptor_unwatched(ObservedId, int fd, bool writing) override {
    events.emplace_back("unwatched", fd, writing);
  }
  void descriptor_ready(const Observed& callback, int fd, bool writing) override {
    EXPECT_EQ(callback.kind(), Observed::Kind::descriptor);
    events.emplace_back("ready", fd, writing);
  }
  std::vector<Event> events;
  std::vector<std::size_t> woke;
};

template <class SomeCore>
class ObservedDescriptor : public ::testing::Test {};
TYPED_TEST_SUITE(ObservedDescriptor, SelectorCores, CoreNames);

TYPED_TEST(ObservedDescriptor, IsWatchedReadyAndUnwatched) {
  Pipe pipe;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  pipe.fill();
  add_reader(loop, pipe.read_end(), [&] { loop.stop(); });
  loop.run_forever();
  remove_reader(loop, pipe.read_end());
  EXPECT_EQ(log->text(), R"(added
a watched for reading
waits
woke, 1
a ready
a begins
a ends
a not watched
)");
}

TYPED_TEST(ObservedDescriptor, EachIsToldWithItsNumberAndAWakeUpWithHowManyAreReady) {
  Pipe full, empty, room;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<DescriptorLog>();
  loop.add_observer(log);
  full.fill();
  add_reader(loop, full.read_end(), [&] { loop.stop(); });
  add_reader(loop, empty.read_end(), [] { ADD_FAILURE() << "never ready"; });
  add_writer(loop, room.write_end(), [] {});
  loop.run_forever();
  remove_reader(loop, full.read_end());
  EXPECT_EQ(log->woke, (std::vector<std::size_t>{2}));
  ASSERT_EQ(log->events.size(), 6u);
  if (std::get<1>(log->events[3]) == room.write_end()) std::swap(log->events[3], log->events[4]);  // the kernel's order
  EXPECT_EQ(log->events, (std::vector<DescriptorLog::Event>{{"watched", full.read_end(), false},
                                                            {"watched", empty.read_end(), false},
                                                            {"watched", room.write_end(), true},
                                                            {"ready", full.read_end(), false},
                                                            {"ready", room.write_end(), true},
                                                            {"unwatched", full.read_end(), false}}));
}

TYPED_TEST(ObservedDescriptor, IfATimerEndsTheWaitNoneIsReady) {
  Pipe pipe;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<DescriptorLog>();
  loop.add_observer(log);
  add_reader(loop, pipe.read_end(), [] { ADD_FAILURE() << "never ready"; });
  loop.call_later(1ms, [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_FALSE(log->woke.empty());
  EXPECT_TRUE(std::all_of(log->woke.begin(), log->woke.end(), [](std::size_t ready) { return ready == 0; }));
  EXPECT_EQ(log->events.size(), 1u);
}

TYPED_TEST(ObservedDescriptor, ANewReaderTakesThePlaceOfTheOldOne) {
  Pipe pipe;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  add_reader(loop, pipe.read_end(), [] {});
  add_reader(loop, pipe.read_end(), [] {});
  EXPECT_EQ(log->text(), "added\na watched for reading\na not watched\nb watched for reading\n");
}

// The number is never used again, and it stays the same as long as the callback waits for its turn.
TYPED_TEST(ObservedDescriptor, OneRemovedBeforeItsTurnIsSkippedUnderItsOwnId) {
  Pipe pipe;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  pipe.fill();
  add_reader(loop, pipe.read_end(), [] { ADD_FAILURE() << "was removed"; });
  loop.call_soon([&] { remove_reader(loop, pipe.read_end()); });
  loop.stop();
  loop.run_forever();
  add_reader(loop, pipe.read_end(), [] { ADD_FAILURE() << "does not run"; });  // perhaps in the place of the first
  EXPECT_EQ(log->text(), R"(added
a watched for reading
b scheduled
a ready
b begins
a not watched
b ends
a skipped
c watched for reading
)");
}

TYPED_TEST(ObservedDescriptor, ClosingTheLoopEndsTheWatching) {
  Pipe pipe;
  Loop loop(std::make_unique<TypeParam>());
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  add_reader(loop, pipe.read_end(), [] {});
  loop.close();
  EXPECT_EQ(log->text(), "added\na watched for reading\na not watched\nremoved\n");
}

TEST(ObservedDescriptorOnPoll, OneThatWasClosedIsReadyOnceMoreUnderItsNumber) {
  Pipe pipe;
  Loop loop(std::make_unique<PollCore>());
  ErrorLog errors(loop);
  const auto log = std::make_shared<EventLog>();
  const auto numbers = std::make_shared<DescriptorLog>();
  loop.add_observer(log);
  loop.add_observer(numbers);
  const int fd = pipe.read_end();
  add_reader(loop, fd, [&] { loop.stop(); });
  pipe.close_read();
  loop.run_forever();
  EXPECT_EQ(numbers->events, (std::vector<DescriptorLog::Event>{
                                 {"watched", fd, false}, {"unwatched", fd, false}, {"ready", fd, false}}));
  EXPECT_EQ(log->text(), R"(added
a watched for reading
waits
a not watched
woke, 1
b scheduled
a ready
b begins
b ends
a begins
a ends
)");
  EXPECT_EQ(errors.contexts.size(), 1u);
}

// The loop begins with a core that watches nothing.
TEST(ObservedDescriptorInALoop, IsHeardOfAfterTheLoopHasChangedItsCore) {
  Pipe pipe;
  Loop loop;
  const auto log = std::make_shared<EventLog>();
  loop.add_observer(log);
  pipe.fill();
  add_reader(loop, pipe.read_end(), [&] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(log->text(), "added\na watched for reading\nwaits\nwoke, 1\na ready\na begins\na ends\n");
}

}  // namespace
}  // namespace asyncio::testing
