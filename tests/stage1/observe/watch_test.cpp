// The file that watch() writes. How a browser shows it: tests/browser.
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>
#include <asyncio/watch.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Loop;

namespace {

class Watch : public testing::Test {
 protected:
  Watch() {
    char name[] = "/tmp/watch-test-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  ~Watch() override {
    asyncio::stop_watching();
    unlink(path.c_str());
  }

  std::string page() const {
    std::ifstream file(path);
    return (std::ostringstream() << file.rdbuf()).str();
  }
  /// The lines of the log, without the sources.
  std::vector<std::string> log() const {
    const std::string text = page();
    std::istringstream lines(text.substr(text.find("id=\"log\"")));
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('[') && !line.starts_with("[\"file\"")) found.push_back(line);
    }
    return found;
  }
  /// How many lines begin with these words.
  long count(const std::string& begin) const {
    const std::vector<std::string> lines = log();
    return std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.starts_with(begin); });
  }

  std::string path;
};

void run_a_tick(Loop& loop) {
  loop.stop();
  loop.run_forever();
}

void run_a_tick() {
  Loop loop;
  run_a_tick(loop);
}

TEST_F(Watch, ThePageHasThePlayerAndTheLogOfEachLoop) {
  asyncio::watch(path, {.title = "a \"title\""});
  for (int i = 0; i < 2; ++i) {
    Loop loop(std::make_unique<asyncio::VirtualCore>());
    loop.call_later(1ms, [] {});
    loop.call_later(2ms, [] {}).cancel();
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
  }
  asyncio::stop_watching();

  EXPECT_TRUE(page().starts_with("<!doctype html>"));
  EXPECT_NE(page().find("class Player"), std::string::npos);
  EXPECT_NE(page().find("data-program=\"a &quot;title&quot;\""), std::string::npos);
  EXPECT_TRUE(page().ends_with("</html>\n"));
  EXPECT_EQ(log().front(), "[\"str\",\"VirtualCore\"]");
  EXPECT_EQ(count("[\"loop\",1,0,1]"), 1);
  EXPECT_EQ(count("[\"loop\",2,0,1]"), 1);
  EXPECT_EQ(count("[\"arm\",1,0,"), 3);
  EXPECT_EQ(count("[\"off\",1,0,"), 1);
  EXPECT_EQ(count("[\"sleep\",1,0,1000]"), 1);
  EXPECT_EQ(count("[\"due\",1,1000,"), 2);
  EXPECT_EQ(count("[\"run\",1,1000,"), 2);
  EXPECT_EQ(count("[\"ran\",1,1000,"), 2);
  EXPECT_EQ(count("[\"close\",2,1000]"), 1);
}

TEST_F(Watch, AfterStopWatchingNothingIsWritten) {
  asyncio::watch(path);
  Loop old;
  run_a_tick(old);
  asyncio::stop_watching();
  const std::string before = page();
  run_a_tick(old);
  run_a_tick();
  EXPECT_EQ(page(), before);
  EXPECT_EQ(count("[\"tick\""), 1);
}

TEST_F(Watch, AnotherWatchEndsTheFirst) {
  asyncio::watch(path);
  asyncio::watch("/dev/null");
  run_a_tick();
  asyncio::stop_watching();
  EXPECT_TRUE(page().ends_with("</html>\n"));
  EXPECT_EQ(count("[\"tick\""), 0);
}

TEST_F(Watch, TheLoopThatRunsIsWatchedFromItsNextTickOn) {
  Loop loop;
  loop.call_soon([&] {
    asyncio::watch(path);
    loop.call_soon([&] { loop.stop(); });
  });
  loop.run_forever();
  asyncio::stop_watching();
  EXPECT_EQ(count("[\"loop\""), 1);
  EXPECT_EQ(count("[\"run\""), 1);
}

TEST_F(Watch, AFileThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(asyncio::watch("/nowhere/page.html"), std::system_error);
  run_a_tick();  // and nobody watches
}

TEST_F(Watch, AFullDiskIsAnErrorAtOnceOrReportedOnceLater) {
  EXPECT_THROW(asyncio::watch("/dev/full"), std::system_error);

  asyncio::watch(path);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit room = before;
  room.rlim_cur = page().size() + 65536;  // for the player, for this source, and for some events
  setrlimit(RLIMIT_FSIZE, &room);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  std::vector<std::string> errors;
  {
    Loop loop, other;
    loop.set_exception_handler(
        [&](Loop&, const asyncio::ErrorContext& context) { errors.push_back(asyncio::describe(context.exception)); });
    for (int i = 0; i < 10000; ++i) {
      loop.call_soon([] {});
      run_a_tick(loop);
    }
    other.call_soon([] {});
    run_a_tick(other);  // it says nothing more
    asyncio::stop_watching();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("watch: " + path + ": "), std::string::npos) << errors[0];
  EXPECT_GT(count("[\"tick\""), 10);
}

TEST_F(Watch, IfTheEndOfThePageFindsNoRoomStopWatchingThrows) {
  asyncio::watch(path);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit room = before;
  room.rlim_cur = page().size() + 10;
  setrlimit(RLIMIT_FSIZE, &room);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  EXPECT_THROW(asyncio::stop_watching(), std::system_error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  asyncio::stop_watching();
}

TEST_F(Watch, TheLogEndsAfterTheMostEvents) {
  asyncio::watch(path, {.most_events = 20});
  for (int i = 0; i < 100; ++i) run_a_tick();
  asyncio::stop_watching();
  EXPECT_EQ(log().size(), 1 + 20);  // the core's name
  EXPECT_TRUE(log().back().starts_with("[\"full\""));
  EXPECT_TRUE(page().ends_with("</html>\n"));
}

TEST_F(Watch, ACallbackThatEndsTheProcessIsTheLastLine) {
  if (const pid_t child = fork(); child == 0) {
    asyncio::watch(path);
    Loop loop;
    loop.call_soon([] { _exit(0); });
    loop.run_forever();
  } else {
    waitpid(child, nullptr, 0);
  }
  ASSERT_FALSE(log().empty());
  EXPECT_TRUE(log().back().starts_with("[\"run\""));
}

TEST_F(Watch, AForkedChildLeavesItsParentsPageAlone) {
  asyncio::watch(path, {.output = true});
  Loop loop;
  run_a_tick(loop);
  if (const pid_t child = fork(); child == 0) {
    run_a_tick(loop);
    run_a_tick();
    asyncio::stop_watching();
    _exit(0);
  } else {
    waitpid(child, nullptr, 0);
  }
  run_a_tick(loop);
  asyncio::stop_watching();
  EXPECT_EQ(count("[\"tick\""), 2);
  EXPECT_TRUE(page().ends_with("</html>\n"));
}

TEST_F(Watch, WhatIsPrintedIsInTheLogAndCannotEndIt) {
  testing::internal::CaptureStdout();
  asyncio::watch(path, {.output = true});
  Loop loop;
  loop.call_soon([] { std::cout << "</script>\t\"a\\b\"\n"; });
  run_a_tick(loop);
  std::puts("behind the loop");
  asyncio::stop_watching();
  std::puts("not watched");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "</script>\t\"a\\b\"\nbehind the loop\nnot watched\n");

  EXPECT_EQ(count("[\"out\",0,0,\"behind the loop\\n\"]"), 1);
  bool found = false;
  for (const std::string& line : log()) {
    found = found || line.ends_with(",\"\\u003c/script>\\u0009\\\"a\\\\b\\\"\\n\"]");
  }
  EXPECT_TRUE(found);
}

TEST_F(Watch, WhatIsNoTextIsReplaced) {
  testing::internal::CaptureStdout();
  asyncio::watch(path, {.title = "<!-- \"&'", .output = true});
  Loop loop;
  // Letters of one to four bytes; then one cut off, one too long, half a pair, one beyond the last, and a byte alone.
  loop.call_soon([] { std::cout << "a\u00e9\u534f\U0001f600 \xc3( \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff\n"; });
  run_a_tick(loop);
  asyncio::stop_watching();
  testing::internal::GetCapturedStdout();
  const std::string bad = "\xef\xbf\xbd";
  const std::string expected = ",\"a\u00e9\u534f\U0001f600 " + bad + "( " + bad + bad + " " + bad + bad + bad + " " +
                               bad + bad + bad + bad + " " + bad + "\\n\"]";
  EXPECT_EQ(count("[\"out\""), 1);
  bool found = false;
  for (const std::string& line : log()) found = found || line.ends_with(expected);
  EXPECT_TRUE(found) << page().substr(page().find("id=\"log\""));
  EXPECT_NE(page().find("data-program=\"&lt;!-- &quot;&amp;'\""), std::string::npos);
}

TEST_F(Watch, LoopsOfSeveralThreadsWriteWholeLines) {
  asyncio::watch(path);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 50; ++j) run_a_tick();
    });
  }
  for (std::thread& thread : threads) thread.join();
  asyncio::stop_watching();
  EXPECT_EQ(count("[\"tick\""), 200);
  for (const std::string& line : log()) {
    EXPECT_TRUE(line.starts_with("[\"") && line.ends_with("]") && line.find("[\"", 1) == line.npos) << line;
  }
}

}  // namespace
