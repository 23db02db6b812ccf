// trace_to(): what becomes of its file. What stands in it, a parser of JSON reads: tests/observe.
#include <asyncio/loop.h>
#include <asyncio/observer.h>
#include <asyncio/trace.h>
#include <asyncio/virtual_core.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

using namespace std::chrono_literals;
using asyncio::Loop;

namespace {

class Trace : public testing::Test {
 protected:
  Trace() {
    char name[] = "/tmp/trace-test-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  ~Trace() override {
    asyncio::stop_tracing();
    unlink(path.c_str());
  }

  std::string text() const {
    std::ifstream file(path);
    return (std::ostringstream() << file.rdbuf()).str();
  }
  std::size_t count(std::string_view part) const {
    const std::string all = text();
    std::size_t found = 0;
    for (std::size_t at = all.find(part); at != all.npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

  std::string path;
};

void run_a_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

void run_a_tick() {
  Loop loop(std::make_unique<asyncio::VirtualCore>());
  run_a_tick(loop);
}

TEST_F(Trace, HasLoopsThatAreMadeUntilItStops) {
  run_a_tick();
  asyncio::trace_to(path);
  Loop old(std::make_unique<asyncio::VirtualCore>());
  run_a_tick(old);
  run_a_tick();
  asyncio::stop_tracing();
  const std::string before = text();
  run_a_tick(old);
  run_a_tick();
  EXPECT_EQ(text(), before);
  EXPECT_EQ(count("\"name\":\"tick 1\""), 2u);
  EXPECT_EQ(count("\"name\":\"tick 2\""), 0u);
  EXPECT_TRUE(before.ends_with("]\n"));
}

TEST_F(Trace, AFileThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(asyncio::trace_to("/nowhere/run.json"), std::system_error);
  EXPECT_THROW(asyncio::trace_to("/dev/full"), std::system_error);
  run_a_tick();  // and nobody traces
}

TEST_F(Trace, IntoTheSameFileBeginsItAnew) {
  asyncio::trace_to(path);
  run_a_tick();
  run_a_tick();
  asyncio::trace_to(path);
  run_a_tick();
  asyncio::stop_tracing();
  EXPECT_TRUE(text().starts_with("[\n{"));
  EXPECT_EQ(count("\"name\":\"tick 1\""), 1u);
  EXPECT_EQ(count("]\n"), 1u);
}

TEST_F(Trace, EndsAfterTheMostBytesAndSaysSo) {
  asyncio::trace_to(path, {.most_bytes = 1000});
  for (int i = 0; i < 100; ++i) run_a_tick();
  EXPECT_NE(text().find("the trace is full"), std::string::npos);
  EXPECT_TRUE(text().ends_with("]\n"));
  EXPECT_LT(text().size(), 1100u);
}

// Somebody else observes the loop already, so that the end is told of what began before the trace.
TEST_F(Trace, BegunInACallbackItHasNoEndWithoutABeginning) {
  Loop loop(std::make_unique<asyncio::VirtualCore>());
  loop.add_observer(std::make_shared<asyncio::Observer>());
  loop.call_soon([&] { asyncio::trace_to(path); });
  loop.call_soon([] {});
  loop.call_later(1s, [&] { loop.stop(); });
  loop.run_forever();
  asyncio::stop_tracing();
  EXPECT_EQ(count("\"ph\":\"B\""), 4u);  // the other callback; a tick, its wait, and the timer
  EXPECT_EQ(count("\"ph\":\"E\""), 4u);
}

}  // namespace
