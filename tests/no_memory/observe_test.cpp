// Allocation k fails, for each k, while a loop is observed: see sweep.h.
#include "no_memory/no_memory.h"
#include "no_memory/sweep.h"

#include <asyncio/observer.h>
#include <asyncio/recorder.h>
#include <asyncio/sleep.h>
#include <asyncio/task.h>
#include <asyncio/trace.h>
#include <asyncio/virtual_core.h>
#include <asyncio/watch.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <new>
#include <string>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// ── one observer ──

class Counting final : public Observer {
 public:
  void added(Loop&) override { ++of_loops; }
  void removed(Loop&) override { --of_loops; }
  int of_loops = 0;
};

TEST(NoMemoryWhileObserved, AnObserverIsOnOrNot) {
  sweep_program([] {
    Loop loop(std::make_unique<VirtualCore>());
    const auto observer = std::make_shared<Counting>();
    try {
      loop.add_observer(observer);
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(observer->of_loops, 0);
      EXPECT_EQ(loop.observers(), nullptr);
      return;
    }
    EXPECT_EQ(observer->of_loops, 1);
    loop.remove_observer(observer);
    EXPECT_EQ(observer->of_loops, 0);
  });
}

TEST(NoMemoryWhileObserved, ALoopThatIsNotMadeHasNoObservers) {
  sweep_program([] {
    const auto first = std::make_shared<Counting>(), second = std::make_shared<Counting>();
    struct Ids {
      ~Ids() {
        stop_observing_new_loops(first);
        stop_observing_new_loops(second);
      }
      std::uint64_t first = 0, second = 0;
    } ids;
    ids.first = observe_new_loops([&](Loop&) { return first; });
    ids.second = observe_new_loops([&](Loop&) {
      auto once_more = std::make_shared<Counting>();
      return second;
    });
    try {
      Loop loop(std::make_unique<VirtualCore>());
      EXPECT_EQ(first->of_loops + second->of_loops, 2);
    } catch (const std::bad_alloc&) {
    }
    EXPECT_EQ(first->of_loops, 0);
    EXPECT_EQ(second->of_loops, 0);
  });
}

// Each event allocates in the observer; then it is removed, and the loop's handler hears of it, or nobody does.
TEST(NoMemoryWhileObserved, WhatALoopDoes) {
  sweep_virtual([]() -> Coro<> {
    const auto recorder = std::make_shared<Recorder>();
    Loop::running().add_observer(recorder);
    const Task<> other = create_task(sleep(1ms), {.name = "a name that is too long for the string's own room"});
    Loop::running().call_later(1h, [] {}).cancel();
    Loop::running().call_soon_threadsafe([] {});
    const Task<> cancelled = create_task(sleep(1h));
    co_await sleep(1ms);
    cancelled.cancel();
    co_await other;
    Loop::running().remove_observer(recorder);
  });
}

// ── files ──

/// What records all that loops do into a file.
struct FileOfEvents {
  FileOfEvents() : path("/tmp/asyncio-no-memory-" + std::to_string(getpid())) {}
  ~FileOfEvents() { unlink(path.c_str()); }
  long size() const {
    struct stat file = {};
    return stat(path.c_str(), &file) == 0 ? static_cast<long>(file.st_size) : 0;
  }
  std::string path;
};

void run_a_tick(Loop& loop) {
  loop.call_soon([] {});
  loop.stop();
  loop.run_forever();
}

/// `begin` records the running loop and the new ones, or throws and records neither.
template <class Begin, class End>
void is_whole_or_not_at_all(Begin begin, End end) {
  const FileOfEvents file;
  Loop running(std::make_unique<VirtualCore>());
  bool on = false;
  running.call_soon([&] {
    try {
      begin(file.path);
      on = true;
    } catch (const std::bad_alloc&) {
    }
    NoMemory::restore();
    running.stop();
  });
  running.run_forever();
  const auto grows = [&](auto action) {
    const long before = file.size();
    action();
    return file.size() > before;
  };
  EXPECT_EQ(grows([&] { run_a_tick(running); }), on);
  EXPECT_EQ(running.observers() != nullptr, on);
  EXPECT_EQ(grows([] {
              Loop other(std::make_unique<VirtualCore>());
              run_a_tick(other);
              EXPECT_TRUE(true);
            }),
            on);
  end();
}

TEST(NoMemoryWhileObserved, ATraceIsWholeOrNotAtAll) {
  sweep_program([] { is_whole_or_not_at_all([](const std::string& path) { trace_to(path); }, stop_tracing); });
}

TEST(NoMemoryWhileObserved, APageIsWholeOrNotAtAll) {
  sweep_program([] { is_whole_or_not_at_all([](const std::string& path) { watch(path); }, stop_watching); });
}

TEST(NoMemoryWhileObserved, APageWithWhatIsPrinted) {
  sweep_program([] {
    struct stat before = {}, after = {};
    fstat(STDOUT_FILENO, &before);
    is_whole_or_not_at_all([](const std::string& path) { watch(path, {.output = true}); }, stop_watching);
    fstat(STDOUT_FILENO, &after);
    EXPECT_EQ(before.st_ino, after.st_ino);
  });
}

// Without memory in the midst of it, or at its end.
TEST(NoMemoryWhileObserved, ATraceOfAProgram) {
  sweep_program([] {
    const FileOfEvents file;
    struct Stop {
      ~Stop() { stop_tracing(); }
    } const stop;
    trace_to(file.path);
    Loop loop(std::make_unique<VirtualCore>());
    loop.set_exception_handler([](Loop&, const ErrorContext&) {});
    run_a_tick(loop);
    run_a_tick(loop);
  });
}

TEST(NoMemoryWhileObserved, APageOfAProgram) {
  sweep_program([] {
    const FileOfEvents file;
    struct Stop {
      ~Stop() {
        try {
          stop_watching();
        } catch (const std::bad_alloc&) {
        }
      }
    } const stop;
    watch(file.path, {.title = "a title that is too long for the string's own room", .output = true});
    Loop loop(std::make_unique<VirtualCore>());
    loop.set_exception_handler([](Loop&, const ErrorContext&) {});
    run_a_tick(loop);
    run_a_tick(loop);
  });
}

}  // namespace
}  // namespace asyncio::testing
