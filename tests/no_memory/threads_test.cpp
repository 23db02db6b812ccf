// Allocation k fails, for each k, in the loop's thread or in another one: see sweep.h.
#include "no_memory/no_memory.h"
#include "no_memory/sweep.h"

#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

const char* const kLong = "a text that is too long for the string's own room";

/// A thread that is joined when the scenario ends. It has its memory before anything fails in it.
class Beside {
 public:
  template <class F>
  explicit Beside(F function) : thread_(std::move(function)) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() { thread_.join(); }

 private:
  std::thread thread_;
};

/// Calls until there is memory for it; not for ever, as the loop may be closed without memory.
template <class F>
void insist(F function) {
  for (int i = 0; i < 5'000; ++i) {
    try {
      function();
      return;
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
}

TEST(NoMemoryInThreads, ToThread) {
  sweep_io([]() -> Coro<> {
    const std::string text =
        co_await to_thread([](const std::string& what) { return what + what; }, std::string(kLong));
    EXPECT_EQ(text.size(), 2 * std::string(kLong).size());
  });
}

TEST(NoMemoryInThreads, ToThreadThatFails) {
  sweep_io([]() -> Coro<> {
    try {
      co_await to_thread([] { throw std::runtime_error(kLong); });
    } catch (const std::runtime_error&) {
    }
  });
}

TEST(NoMemoryInThreads, ManyJobsOfAnExecutor) {
  sweep_io([]() -> Coro<> {
    ThreadPool pool(2);
    std::vector<Future<int>> jobs;
    for (int i = 0; i < 6; ++i) jobs.push_back(run_in_executor(pool, [i] { return i; }));
    int sum = 0;
    for (const Future<int>& job : jobs) {
      const int value = co_await job;
      sum += value;
    }
    EXPECT_EQ(sum, 15);
  });
}

TEST(NoMemoryInThreads, AJobThatIsCancelled) {
  sweep_io([]() -> Coro<> {
    ThreadPool pool(1);
    const Future<> first = run_in_executor(pool, [] { std::this_thread::sleep_for(1ms); });
    const Future<> second = run_in_executor(pool, [] {});
    second.cancel("a reason that is too long for the string's own room");
    co_await first;
    try {
      co_await second;
    } catch (const CancelledError&) {
    }
  });
}

TEST(NoMemoryInThreads, CallSoonThreadsafe) {
  sweep_io([]() -> Coro<> {
    Loop& loop = Loop::running();
    const auto called = std::make_shared<int>(0);
    const Future<> done = create_future();
    {
      const Beside thread([&loop, called, &done] {
        for (int i = 0; i < 5; ++i) {
          insist([&] {
            loop.call_soon_threadsafe([called, &done] {
              if (++*called == 5) done.set_result();
            });
          });
        }
      });
    }
    co_await done;
  });
}

TEST(NoMemoryInThreads, RunCoroutineThreadsafe) {
  sweep_io([]() -> Coro<> {
    Loop& loop = Loop::running();
    const auto over = std::make_shared<Event>();
    const Beside thread([&loop, over] {
      try {
        auto future = run_coroutine_threadsafe(
            []() -> Coro<std::string> {
              co_await sleep(1ms);
              co_return std::string(kLong);
            },
            loop);
        const std::string text = std::move(future).result();
        EXPECT_EQ(text, kLong);
      } catch (const std::bad_alloc&) {
      } catch (const CancelledError&) {
      }
      insist([&] { loop.call_soon_threadsafe([over] { over->set(); }); });
    });
    for (bool heard = false; !heard;) {  // the thread uses the loop until then
      try {
        co_await over->wait();
        heard = true;
      } catch (const std::bad_alloc&) {
      }
    }
  });
}

TEST(NoMemoryInThreads, ACoroutineThatTheThreadCancels) {
  sweep_io([]() -> Coro<> {
    Loop& loop = Loop::running();
    const auto over = std::make_shared<Event>();
    const Beside thread([&loop, over] {
      try {
        auto future = run_coroutine_threadsafe([]() -> Coro<> { co_await sleep(1h); }, loop);
        std::this_thread::sleep_for(1ms);
        future.cancel();
        future.result();
      } catch (const std::bad_alloc&) {
      } catch (const CancelledError&) {
      }
      insist([&] { loop.call_soon_threadsafe([over] { over->set(); }); });
    });
    co_await over->wait();
    co_await sleep(1ms);
  });
}

TEST(NoMemoryInThreads, WrapFuture) {
  sweep_io([]() -> Coro<> {
    const ConcurrentFuture<std::string> ours;
    const Future<std::string> wrapped = wrap_future(ours);
    const Beside thread([ours] {
      try {
        ours.set_result(std::string(kLong));
      } catch (const std::bad_alloc&) {
        ours.set_exception(std::current_exception());
      }
    });
    const std::string text = co_await wrapped;
    EXPECT_EQ(text, kLong);
  });
}

TEST(NoMemoryInThreads, TheDefaultExecutorIsShutDown) {
  sweep_io([]() -> Coro<> {
    const Future<> job = run_in_executor([] { std::this_thread::sleep_for(1ms); });
    co_await shutdown_default_executor(10s);
    co_await job;
  });
}

TEST(NoMemoryInThreads, GetAddrInfo) {
  sweep_io([]() -> Coro<> {
    const std::vector<Address> found = co_await getaddrinfo("localhost", 80);
    EXPECT_FALSE(found.empty());
    const auto name = co_await getnameinfo(found.front());
    EXPECT_FALSE(name.first.empty());
    try {
      co_await getaddrinfo("no such host", 80);
    } catch (const std::system_error&) {
    }
  });
}

// Its own thread lives on, and reports when there is memory again.
TEST(NoMemoryInThreads, AWatchdogAndWhatBlocksTheLoop) {
  sweep_io([]() -> Coro<> {
    static std::atomic<int> reports;
    reports = 0;
    const auto report = [](const WatchdogReport& seen) {
      const std::string text = seen.to_string();
      ++reports;
    };
    const Watchdog watchdog({.limit = 1ms, .steps_without_a_wait = 3, .report = report});
    for (int i = 0; i < 5; ++i) co_await sleep(0s);  // it is busy
    Loop::running().call_soon([] {
      for (int i = 0; i < 20 && reports < 2; ++i) std::this_thread::sleep_for(1ms);
    });
    co_await sleep(0s);
    co_await sleep(1ms);
  });
}

// Events are lost, and begin without an end or end without a beginning; what runs then is told right all the same.
TEST(NoMemoryInThreads, AWatchdogHearsOnAfterwards) {
  sweep_io([]() -> Coro<> {
    static std::atomic<int> reports;
    reports = 0;
    const auto report = [](const WatchdogReport& seen) {
      if (seen.what.find("Task-blocks") != seen.what.npos) ++reports;
    };
    const Watchdog watchdog({.limit = 1ms, .with_stack = false, .report = report});
    co_await gather(sleep(0s), sleep(1ms));
    NoMemory::restore();
    const auto blocks = create_task(
        []() -> Coro<> {
          for (int i = 0; i < 1000 && reports == 0; ++i) std::this_thread::sleep_for(1ms);
          co_return;
        },
        {.name = "Task-blocks"});
    co_await blocks;
    EXPECT_GT(reports, 0);
  });
}

// The queue of the loop is just full when the thread's result comes.
TEST(NoMemoryInThreads, TheQueueIsFull) {
  sweep_io([]() -> Coro<> {
    const Future<int> job = run_in_executor([] { return 1; });
    Loop& loop = Loop::running();
    static int ran;  // without memory, callbacks run after this coroutine has ended
    ran = 0;
    for (int i = 0; i < 64; ++i) loop.call_soon([] { ++ran; });
    const int value = co_await job;
    EXPECT_EQ(value, 1);
    co_await sleep(0s);
    EXPECT_EQ(ran, 64);
  });
}

}  // namespace
}  // namespace asyncio::testing
