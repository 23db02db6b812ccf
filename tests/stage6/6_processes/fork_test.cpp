// fork(): the child has a copy of the loop, but does not run it. It may run its own loop.
// As in CPython since 3.12: os.register_at_fork(after_in_child=…) in asyncio/events.py.
#include "support/io.h"

#include <asyncio/poll_core.h>
#include <asyncio/processes.h>
#include <asyncio/signals.h>
#include <asyncio/threads.h>
#include <asyncio/watchdog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace asyncio::testing {
namespace {

/// fork(), of a child that hangs for 20 seconds at most.
pid_t fork_child() {
  const pid_t child = ::fork();
  if (child == 0) ::alarm(20);
  return child;
}

/// The exit code of the child, or minus the signal that ended it; 98 if fork() has failed.
int end_of(pid_t child) {
  int status = 0;
  if (child == -1 || ::waitpid(child, &status, 0) != child) return 98;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// How a child ends that calls `program`; 99 if that throws.
int in_child(const std::function<int()>& program) {
  const pid_t child = fork_child();
  if (child == 0) {
    try {
      ::_exit(program());
    } catch (...) {
      ::_exit(99);
    }
  }
  return end_of(child);
}

Coro<int> answer() {
  co_await sleep(1ms);
  co_return 42;
}

// test_unix_events.py: TestFork.test_fork_not_share_event_loop
TEST(Fork, AChildHasNoRunningLoopAndNoCurrentTask) {
  run_io([]() -> Coro<> {
    EXPECT_EQ(in_child([] {
                if (Loop::running_or_null()) return 1;
                try {
                  Loop::running();
                  return 2;
                } catch (const std::runtime_error& error) {
                  if (std::string(error.what()) != "no running event loop") return 3;
                }
                try {
                  current_task();
                  return 4;
                } catch (const std::runtime_error&) {
                }
                return detail::TaskBase::current() ? 5 : 0;
              }),
              0);
    EXPECT_TRUE(current_task());
    co_await sleep(1ms);  // the parent's loop still runs
  });
}

// test_unix_events.py: TestFork.test_fork_asyncio_run
TEST(Fork, AChildMayRunALoopOfItsOwn) {
  run_io([]() -> Coro<> {
    auto [near, far] = Socket::pair();
    auto reading = create_task(sock_recv(near, 100));
    co_await ticks(2);
    EXPECT_EQ(in_child([] { return run(answer(), make_io_core()); }), 42);
    const auto echo = []() -> Coro<int> {
      auto [a, b] = Socket::pair();
      auto received = create_task(sock_recv(a, 100));
      co_await sock_sendall(b, "four");
      const std::string data = co_await received;
      co_return static_cast<int>(data.size());
    };
    EXPECT_EQ(in_child([&] { return run(echo, make_io_core()); }), 4);
    const auto thread = []() -> Coro<int> {
      const int result = co_await to_thread([] { return 7; });
      co_return result;
    };
    EXPECT_EQ(in_child([&] { return run(thread, make_io_core()); }), 7);
    co_await sock_sendall(far, "for the parent");
    const std::string data = co_await reading;
    EXPECT_EQ(data, "for the parent");
  });
}

// test_unix_events.py: TestFork.test_fork_asyncio_subprocess
TEST(Fork, AChildMayHaveChildren) {
  run_io([]() -> Coro<> {
    const auto program = []() -> Coro<int> {
      const Process process = co_await create_subprocess_exec("sh", "-c", "exit 3");
      const int code = co_await process.wait();
      co_return code;
    };
    EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 3);
    const Process process = co_await create_subprocess_exec("sh", "-c", "exit 4");
    const int code = co_await process.wait();
    EXPECT_EQ(code, 4);
  });
}

// test_unix_events.py: TestFork.test_fork_signal_handling
TEST(Fork, ASignalToTheChildIsNotTheParentsBusiness) {
  run_io([]() -> Coro<> {
    int heard = 0;
    add_signal_handler(SIGTERM, [&] { ++heard; });
    EXPECT_EQ(in_child([] {
                std::signal(SIGTERM, [](int) { ::_exit(5); });
                std::raise(SIGTERM);
                return 0;
              }),
              5);
    EXPECT_EQ(in_child([] {  // SIGTERM's default
                std::raise(SIGTERM);
                return 0;
              }),
              -SIGTERM);
    co_await ticks(3);
    EXPECT_EQ(heard, 0);
    auto task = create_task(answer());
    const int result = co_await task;
    EXPECT_EQ(result, 42);
    std::raise(SIGTERM);
    co_await ticks(3);
    EXPECT_EQ(heard, 1);
  });
}

TEST(Fork, SignalsReachTheLoopOfTheChild) {
  run_io([]() -> Coro<> {
    add_signal_handler(SIGUSR1, [] { ADD_FAILURE(); });
    const auto program = []() -> Coro<int> {
      int heard = 0;
      add_signal_handler(SIGUSR1, [&] { ++heard; });
      std::raise(SIGUSR1);
      std::raise(SIGUSR1);
      co_await ticks(3);
      co_return heard;
    };
    const auto child = [&] { return in_child([&] { return run(program, make_io_core()); }); };
    EXPECT_EQ(child(), 2);
    const int from_a_thread = co_await to_thread(child);  // the child's main thread
    EXPECT_EQ(from_a_thread, 2);
    const auto interrupted = []() -> Coro<int> {
      std::raise(SIGINT);
      co_await sleep(1h);
      co_return 0;
    };
    EXPECT_EQ(in_child([&] {
                try {
                  return run(interrupted, make_io_core());
                } catch (const KeyboardInterrupt&) {
                  return 8;
                }
              }),
              8);
  });
}

// As in CPython, the child ends without an error.
TEST(Fork, AChildMayReturnFromTheCoroutineThatForked) {
  const auto program = []() -> Coro<int> {
    const pid_t child = fork_child();
    if (child == 0) co_return 6;
    const int end = end_of(child);
    co_await sleep(1ms);
    co_return 10 + end;
  };
  EXPECT_EQ(in_child([&] { return run(program); }), 16);
}

// It closes its copy of the loop, which has the descriptors of its parent's children.
TEST(Fork, AChildThatReturnsDoesNotKillItsParentsChildren) {
  const auto program = []() -> Coro<int> {
    const Process cat = co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
    const pid_t child = fork_child();
    if (child == 0) {
      cat.kill();
      co_return 6;
    }
    const int end = end_of(child);
    const auto output = co_await cat.communicate("meow");
    const int code = co_await cat.wait();
    EXPECT_EQ(code, 0);
    co_return output.first == "meow" ? 10 + end : 0;
  };
  EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 16);
}

TEST(Fork, AChildThatReturnsDoesNotWaitForItsParentsThreads) {
  const auto program = []() -> Coro<int> {
    co_await to_thread([] {});
    const pid_t child = fork_child();
    if (child == 0) co_return 6;
    co_return 10 + end_of(child);
  };
  EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 16);
}

TEST(Fork, AChildThatReturnsDoesNotWaitForItsParentsWatchdog) {
  const auto program = []() -> Coro<int> {
    const Watchdog watchdog({.limit = 1h});
    const pid_t child = fork_child();
    if (child == 0) co_return 6;
    co_return 10 + end_of(child);
  };
  EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 16);
}

/// Another thread that wakes it waits there, with the locks of the way into the loop, until it is let go.
class SlowToWake final : public PollCore {
 public:
  void wake() noexcept override {
    if (std::this_thread::get_id() != owner_) {
      entered = true;
      entered.notify_all();
      let_go.wait(false);
    }
    PollCore::wake();
  }
  std::atomic<bool> entered = false;
  std::atomic<bool> let_go = false;

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
};

TEST(Fork, AChildThatReturnsDoesNotWaitForALockOfItsParentsThreads) {
  auto core = std::make_unique<SlowToWake>();
  SlowToWake& slow = *core;
  const auto program = [&]() -> Coro<int> {
    std::atomic<bool> go = false;
    auto job = create_task(to_thread([&go] {
      go.wait(false);  // until the loop waits for the result, and does not tick any more
      return 42;
    }));
    co_await ticks(2);
    go = true;
    go.notify_all();
    slow.entered.wait(false);
    const pid_t child = fork_child();
    if (child == 0) co_return 6;
    const int end = end_of(child);
    slow.let_go = true;
    slow.let_go.notify_all();
    const int result = co_await job;
    co_return result == 42 ? 10 + end : 0;
  };
  EXPECT_EQ(in_child([&] { return run(program, std::move(core)); }), 16);
}

}  // namespace
}  // namespace asyncio::testing
