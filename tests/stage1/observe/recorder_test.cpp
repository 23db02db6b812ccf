// The last events of a loop, in memory.
#include <asyncio/loop.h>
#include <asyncio/recorder.h>
#include <asyncio/virtual_core.h>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Loop;
using asyncio::RecordedEvent;
using asyncio::Recorder;

namespace {

void run_a_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

std::vector<std::string_view> names(const auto& events) {
  std::vector<std::string_view> found;
  for (const RecordedEvent& event : events) found.push_back(event.event);
  return found;
}

TEST(Recorder, KeepsWhatHappenedWhereAndByWhom) {
  Loop loop(std::make_unique<asyncio::VirtualCore>());
  const auto recorder = std::make_shared<Recorder>();
  loop.add_observer(recorder);
  unsigned line = 0;
  loop.call_soon([&] {
    line = __LINE__ + 1;
    loop.call_later(1500ms, [&] { loop.stop(); });
  });
  loop.run_forever();
  const auto& events = recorder->events();
  EXPECT_EQ(names(events),
            (std::vector<std::string_view>{"callback_scheduled", "tick_begins", "callback_begins", "timer_armed",
                                           "callback_ends", "tick_ends", "tick_begins", "core_waits", "core_woke",
                                           "timer_due", "callback_begins", "callback_ends", "tick_ends"}));
  const RecordedEvent& armed = events[3];
  EXPECT_EQ(armed.name, "timer");
  EXPECT_EQ(armed.by, events[0].id);
  EXPECT_EQ(armed.place.line, line);
  EXPECT_TRUE(std::string_view(armed.place.file).ends_with("recorder_test.cpp"));
  EXPECT_EQ(events[9].id, armed.id);
  EXPECT_EQ(events[9].time - armed.time, 1500ms);
  EXPECT_EQ(events[6].number, 2);
  EXPECT_EQ(events[8].number, 0);

  EXPECT_EQ(recorder->count("tick_begins"), 2u);
  EXPECT_EQ(recorder->count("task_made"), 0u);
  EXPECT_EQ(names(recorder->of(armed.id)),
            (std::vector<std::string_view>{"timer_armed", "timer_due", "callback_begins", "callback_ends"}));
  EXPECT_EQ(names(recorder->of(events[0].id)),
            (std::vector<std::string_view>{"callback_scheduled", "callback_begins", "timer_armed", "callback_ends"}));
}

TEST(Recorder, ForgetsTheOldestBeyondItsLimit) {
  Loop loop(std::make_unique<asyncio::VirtualCore>());
  const auto recorder = std::make_shared<Recorder>(3);
  loop.add_observer(recorder);
  for (int i = 0; i < 100; ++i) run_a_tick(loop);
  EXPECT_EQ(names(recorder->events()), (std::vector<std::string_view>{"tick_ends", "tick_begins", "tick_ends"}));
  EXPECT_EQ(recorder->events().back().number, 100);
  EXPECT_EQ(recorder->total(), 200u);
}

TEST(Recorder, ItsTextIsALineForEachEvent) {
  Loop loop(std::make_unique<asyncio::VirtualCore>());
  const auto recorder = std::make_shared<Recorder>();
  loop.add_observer(recorder);
  loop.call_later(1500ms, [&] { loop.stop(); });
  const unsigned line = __LINE__ - 1;
  loop.run_forever();
  const std::string timer = "#" + std::to_string(recorder->events().front().id) + " timer";
  const std::string armed = "0.000 s  " + timer + "  timer_armed  recorder_test.cpp:" + std::to_string(line) + "\n";
  const std::string due = "1.500 s  " + timer + "  timer_due  recorder_test.cpp:" + std::to_string(line) + "\n";
  const std::string text = recorder->text();
  EXPECT_NE(text.find(armed), text.npos) << text;
  EXPECT_NE(text.find("0.000 s  tick_begins 1\n"), text.npos) << text;
  EXPECT_NE(text.find(due), text.npos) << text;
}

TEST(Recorder, OutlivesItsLoopAndIsOfOneLoopOnly) {
  const auto recorder = std::make_shared<Recorder>();
  {
    Loop loop(std::make_unique<asyncio::VirtualCore>());
    loop.add_observer(recorder);
    run_a_tick(loop);
    Loop other(std::make_unique<asyncio::VirtualCore>());
    EXPECT_THROW(other.add_observer(recorder), std::logic_error);
  }
  EXPECT_EQ(recorder->count("tick_begins"), 1u);
  EXPECT_THROW(Recorder(0), std::invalid_argument);
}

}  // namespace
