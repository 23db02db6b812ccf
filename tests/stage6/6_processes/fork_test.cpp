// fork(): the child has a copy of the loop, but does not run it. It may run its own loop.
// As in CPython since 3.12: os.register_at_fork(after_in_child=…) in asyncio/events.py.
#include "support/io.h"

#include <asyncio/processes.h>
#include <asyncio/signals.h>
#include <asyncio/threads.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

namespace asyncio::testing {
namespace {

/// The exit code of a child that calls `program`; 99 if that throws; minus the signal that ended it.
int in_child(const std::function<int()>& program) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    try {
      ::_exit(program());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
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
    const pid_t child = ::fork();
    if (child == 0) co_return 6;
    int status = 0;
    ::waitpid(child, &status, 0);
    co_await sleep(1ms);
    co_return WIFEXITED(status) ? 10 + WEXITSTATUS(status) : 0;
  };
  EXPECT_EQ(in_child([&] { return run(program); }), 16);
}

// It closes its copy of the loop, which has the descriptors of its parent's children.
TEST(Fork, AChildThatReturnsDoesNotKillItsParentsChildren) {
  const auto program = []() -> Coro<int> {
    const Process cat = co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
    const pid_t child = ::fork();
    if (child == 0) {
      cat.kill();
      co_return 6;
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto output = co_await cat.communicate("meow");
    const int code = co_await cat.wait();
    EXPECT_EQ(code, 0);
    co_return output.first == "meow" && WIFEXITED(status) ? 10 + WEXITSTATUS(status) : 0;
  };
  EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 16);
}

// 'R' if the thread of this process runs, 'S' if it sleeps: proc(5), stat.
char state_of(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return text.at(text.rfind(')') + 2);
}

// The threads of the pool are the parent's. A lock that one of them held at the fork would stay locked in the child, as under
// CPython: so the thread sleeps first.
TEST(Fork, AChildThatReturnsDoesNotWaitForItsParentsThreads) {
  const auto program = []() -> Coro<int> {
    const pid_t thread = co_await to_thread([] { return ::gettid(); });
    while (state_of(thread) != 'S') co_await sleep(1ms);
    const pid_t child = ::fork();
    if (child == 0) co_return 6;
    int status = 0;
    ::waitpid(child, &status, 0);
    co_return WIFEXITED(status) ? 10 + WEXITSTATUS(status) : 0;
  };
  EXPECT_EQ(in_child([&] { return run(program, make_io_core()); }), 16);
}

}  // namespace
}  // namespace asyncio::testing
