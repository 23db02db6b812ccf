// A reaped child's process id may be reused by another process. The library must never signal that other process.
#include "stage6/faults/faults.h"
#include "support/io.h"

#include <asyncio/processes.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace asyncio::testing {
namespace {

/// Kernels: one with everything; with pidfds, but without signals or without waitid() through them; without pidfds.
class Children : public ::testing::TestWithParam<std::string_view> {
 protected:
  /// Counts all calls, and fails the one that this kernel lacks.
  Faults::Decide kernel() {
    return [this](std::string_view call) {
      ++calls_[std::string(call)];
      const int error = call == "waitid_pidfd" ? EINVAL : ENOSYS;
      return call == GetParam() ? Fault{.error = error} : Fault();
    };
  }
  /// Waits for the child's end and reaps it. Without pidfds a thread of the library waits too: false if that was first.
  static bool reap_before_the_library(const Process& process) {
    const bool first = ::waitpid(process.pid(), nullptr, 0) == process.pid();
    EXPECT_TRUE(first || (errno == ECHILD && GetParam() == "pidfd_open"));
    return first;
  }
  std::map<std::string, int> calls_;
};

INSTANTIATE_TEST_SUITE_P(Kernels, Children,
                         ::testing::Values("everything", "pidfd_send_signal", "waitid_pidfd", "pidfd_open"),
                         [](const auto& info) { return std::string(info.param); });

// Others may reap it: another library's waitpid(-1), or the kernel if SIGCHLD is ignored.
TEST_P(Children, NoNumberIsSignalledThatWasReapedByOthers) {
  const Faults faults(kernel());
  run_io([this]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const Process process = co_await create_subprocess_exec("true");
    const bool first = reap_before_the_library(process);
    for (const int signal : {SIGTERM, SIGKILL, 0}) process.send_signal(signal);
    EXPECT_EQ(calls_["kill"], 0);
    const int code = co_await process.wait();
    EXPECT_EQ(code, first ? 255 : 0);
    EXPECT_EQ(calls_["kill"], 0);
  });
  EXPECT_EQ(calls_["kill"], 0);
  EXPECT_EQ(calls_["pidfd_send_signal"] > 0, GetParam() != "pidfd_open");
}

TEST_P(Children, ClosingTheLoopSignalsNoNumberThatWasReapedByOthers) {
  const Faults faults(kernel());
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_exec("true");
    reap_before_the_library(process);
  });
  EXPECT_EQ(calls_["kill"], 0);
}

TEST_P(Children, ThoseThatAreOursAreSignalledAndReaped) {
  const Faults faults(kernel());
  run_io([]() -> Coro<> {
    const Process ended = co_await create_subprocess_exec("sh", "-c", "exit 7");
    int code = co_await ended.wait();
    EXPECT_EQ(code, 7);
    const Process killed = co_await create_subprocess_exec("sleep", "60");
    killed.kill();
    code = co_await killed.wait();
    EXPECT_EQ(code, -SIGKILL);
    const Process dumped = co_await create_subprocess_exec("sh", "-c", "kill -QUIT $$");
    code = co_await dumped.wait();
    EXPECT_EQ(code, -SIGQUIT);
    co_await create_subprocess_exec("sleep", "60");  // killed with the loop
    auto cancelled = create_task(create_subprocess_exec("sleep", "60"));
    co_await sleep(0s);
    cancelled.cancel();
  });
  EXPECT_TRUE(no_children());
  const bool by_number = GetParam() == "pidfd_open" || GetParam() == "pidfd_send_signal";
  EXPECT_EQ(calls_["kill"] > 0, by_number);
}

/// As kill(), which throws only if all is over: ProcessLookupError in CPython.
void kill_if_there(const Process& process) {
  try {
    process.kill();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_process);
    EXPECT_TRUE(process.returncode());
  }
}

TEST_P(Children, TheKernelReapsThemAllIfSIGCHLDIsIgnored) {
  const Faults faults(kernel());
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  run_io([]() -> Coro<> {
    std::vector<std::string> messages;
    Loop::running().set_exception_handler(
        [&](Loop&, const ErrorContext& context) { messages.push_back(context.message); });
    const Process killed = co_await create_subprocess_exec("sleep", "60");
    killed.kill();
    int code = co_await killed.wait();
    EXPECT_EQ(code, 255);
    kill_if_there(killed);
    const Process ended = co_await create_subprocess_exec("true");
    kill_if_there(ended);
    code = co_await ended.wait();
    EXPECT_EQ(code, 255);
    const Process cat = co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
    const auto output = co_await cat.communicate("meow");
    EXPECT_EQ(output.first, "meow");
    EXPECT_EQ(cat.returncode(), 255);
    EXPECT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages.at(0),
              "Unknown child process pid " + std::to_string(killed.pid()) + ", will report returncode 255");
    Loop::running().set_exception_handler(nullptr);
  });
  std::signal(SIGCHLD, before);
}

// As a library does that waits for all children, whosever they are.
TEST_P(Children, AThreadMayReapThemAtAnyMoment) {
  const Faults faults(kernel());
  std::atomic<bool> stop = false;
  std::thread other([&stop] {
    while (!stop) {
      if (::waitpid(-1, nullptr, WNOHANG) <= 0) std::this_thread::yield();
    }
  });
  run_io([]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    for (int i = 0; i < 40; ++i) {
      const Process process = co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE));
      if (i % 2 == 0) process.stdin_()->close();
      for (int tick = 0; tick < i % 4; ++tick) co_await sleep(0s);
      if (i % 2 == 1) kill_if_there(process);
      const int code = co_await process.wait();
      EXPECT_TRUE(code == 255 || code == (i % 2 == 0 ? 0 : -SIGKILL)) << code;
      EXPECT_THROW(co_await create_subprocess_exec("/nonexistent"), std::system_error);
    }
    co_await create_subprocess_exec("sleep", "60");  // killed with the loop
  });
  stop = true;
  other.join();
}

// Of Faults itself: another thread may be deciding a call's fate at the moment of the fork.
TEST(ForkUnderFaults, TheChildsCallsRun) {
  const Faults faults([](std::string_view) { return Fault(); });
  std::atomic<bool> stop = false;
  std::thread other([&stop] {
    while (!stop) ::kill(0, 0);
  });
  int ended_well = 0;
  constexpr int kForks = 200;
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      ::_exit(::kill(0, 0));
    }
    int status = -1;
    if (child > 0 && ::waitpid(child, &status, 0) == child && status == 0) ++ended_well;
  }
  stop = true;
  other.join();
  EXPECT_EQ(ended_well, kForks);
}

/// A process with the number `wanted` that is not our child, because its parent is gone. 0 if that is impossible here.
pid_t stranger_with(pid_t wanted) {
  for (int i = 0; i < 30; ++i) {
    int ends[2];
    if (::pipe(ends) != 0) return 0;
    const pid_t between = ::fork();
    if (between == 0) {
      ::alarm(20);
      if (const int file = ::open("/proc/sys/kernel/ns_last_pid", O_WRONLY); file != -1) {
        ::dprintf(file, "%d", wanted - 1);
        ::close(file);
      }
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(ends[0]);
        ::close(ends[1]);
        ::alarm(20);
        for (;;) ::pause();
      }
      if (child > 0 && child != wanted) ::kill(child, SIGKILL);  // -1, of a fork() that failed, would be all processes
      ::_exit(::write(ends[1], &child, sizeof child) < 0);
    }
    ::close(ends[1]);
    if (between == -1) {
      ::close(ends[0]);
      return 0;
    }
    pid_t got = 0;
    const bool told = ::read(ends[0], &got, sizeof got) == sizeof got;
    ::close(ends[0]);
    ::waitpid(between, nullptr, 0);
    if (told && got == wanted) return got;
  }
  return 0;
}

/// The state in /proc: R, S, Z …; X if there is no such process.
char state_of(pid_t pid) {
  char state = 'X';
  if (FILE* const file = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r")) {
    if (std::fscanf(file, "%*d %*s %c", &state) != 1) state = 'X';
    std::fclose(file);
  }
  return state;
}

TEST_P(Children, AStrangerWithTheSameNumberLives) {
  const Faults faults(kernel());
  pid_t stranger = 0;
  run_io([&]() -> Coro<> {
    Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
    const Process process = co_await create_subprocess_exec("true");
    reap_before_the_library(process);
    stranger = stranger_with(process.pid());
    if (stranger == 0) co_return;
    process.kill();
    process.terminate();
  });  // closing the loop kills children too
  if (stranger == 0) GTEST_SKIP() << "one has to be root, on Linux, to choose a process's number";
  ::usleep(20'000);  // for a signal that is on its way
  for (int i = 0; i < 1000 && state_of(stranger) == 'R'; ++i) ::usleep(10'000);
  EXPECT_EQ(state_of(stranger), 'S');
  ::kill(stranger, SIGKILL);
}

}  // namespace
}  // namespace asyncio::testing
