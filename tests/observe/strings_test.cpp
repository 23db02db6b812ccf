// Every public string parameter of asyncio::observe: with '\0', line breaks, empty, too long, and invalid UTF-8.
#include "stage6/string_parameters.h"

#include <asyncio/trace.h>
#include <asyncio/watch.h>
#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace asyncio::testing {
namespace {

/// Whether there is a file of that name, which is not the folder.
bool is_there(const TemporaryFolder& folder, const std::string& name) {
  return !name.empty() && std::filesystem::exists(folder / name);
}

Coro<bool> use_trace_path(std::string text) {
  const TemporaryFolder folder;
  trace_to(text.empty() ? text : folder / text);
  stop_tracing();
  co_return is_there(folder, text);
}
Coro<bool> use_watch_path(std::string text) {
  const TemporaryFolder folder;
  watch(text.empty() ? text : folder / text);
  stop_watching();
  co_return is_there(folder, text);
}
Coro<bool> use_title(std::string text) {
  const TemporaryFolder folder;
  watch(folder / "page", {.title = "<" + text + ">"});
  stop_watching();
  std::ostringstream page;
  page << std::ifstream(folder / "page").rdbuf();
  if (const std::size_t nul = text.find('\0'); nul != text.npos) text.replace(nul, 1, "\xef\xbf\xbd");
  co_return page.str().find("data-program=\"&lt;" + text + ">\"") != std::string::npos;
}

TEST(ObserveStrings, NoneIsCutShort) {
  constexpr Fate W = Fate::whole, R = Fate::refused, F = Fate::failed;
  std::vector<StringParameter> table = {
      // name, its use, and the fate of NUL, CR, LF, "", 64 KiB, invalid UTF-8
      {"trace_to(path)", use_trace_path, R, W, W, F, F, W},
      {"watch(path)", use_watch_path, R, W, W, F, F, W},
      {"(title)", use_title},
  };
  const std::set<std::string> others = {// what a Recorder tells
                                        "(event)", "(name)", "(waits_for)", "add(event)",
                                        // compared
                                        "count(event)"};
  check_string_parameters(ASYNCIO_OBSERVE_SOURCE_DIR, std::move(table), others);
}

// What was refused has had no effect: the trace and the page go on.
TEST(ObserveStrings, ARefusedPathEndsNothing) {
  const TemporaryFolder folder;
  const std::string nul = folder / std::string("a\0b", 3);
  trace_to(folder / "trace");
  watch(folder / "page");
  EXPECT_THROW(trace_to(nul), std::invalid_argument);
  EXPECT_THROW(watch(nul), std::invalid_argument);
  run_io([]() -> Coro<> { co_await sleep(std::chrono::seconds(0)); });
  stop_tracing();
  stop_watching();
  const auto text_of = [&](const char* name) {
    std::ostringstream text;
    text << std::ifstream(folder / name).rdbuf();
    return text.str();
  };
  EXPECT_NE(text_of("trace").find("Task-"), std::string::npos);
  EXPECT_NE(text_of("page").find("Task-"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

/// The descriptors that a child would inherit.
std::set<int> inherited() {
  std::set<int> found;
  for (int fd = 3; fd < 256; ++fd) {
    if (const int flags = ::fcntl(fd, F_GETFD); flags != -1 && (flags & FD_CLOEXEC) == 0) found.insert(fd);
  }
  return found;
}

TEST(ObserveDescriptors, NoChildInheritsThem) {
  const std::set<int> before = inherited();
  const TemporaryFolder folder;
  trace_to(folder / "trace");
  watch(folder / "page", {.output = true});
  EXPECT_EQ(inherited(), before);
  run_io([before]() -> Coro<> {
    EXPECT_EQ(inherited(), before);
    co_return;
  });
  stop_watching();
  stop_tracing();
}

}  // namespace
}  // namespace asyncio::testing
