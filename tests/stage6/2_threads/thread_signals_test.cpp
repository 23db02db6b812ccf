// Signals and the library's threads: a new thread blocks the signals that its creator blocks, and no others.
#include "support/io.h"

#include <asyncio/threads.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <vector>

namespace asyncio::testing {
namespace {

std::vector<int> blocked_now() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  std::vector<int> blocked;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (sigismember(&mask, signal) == 1) blocked.push_back(signal);
  }
  return blocked;
}

/// Runs with one signal blocked.
class WithBlocked {
 public:
  explicit WithBlocked(int signal) {
    sigset_t mask;
    sigemptyset(&mask);
    if (signal != 0) sigaddset(&mask, signal);
    pthread_sigmask(SIG_BLOCK, &mask, &before_);
  }
  ~WithBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithBlocked(const WithBlocked&) = delete;
  WithBlocked& operator=(const WithBlocked&) = delete;

 private:
  sigset_t before_;
};

// No signal, or those that the program blocks because another thread waits for them.
TEST(ThreadSignals, AJobBlocksWhatTheThreadBlocksThatMadeItsThread) {
  for (const int signal : {0, SIGUSR2, SIGRTMAX}) {
    const WithBlocked with_blocked(signal);
    const std::vector<int> ours = blocked_now();
    run_io([&]() -> Coro<> {
      const std::vector<int> blocked = co_await to_thread(blocked_now);
      EXPECT_EQ(blocked, ours) << signal;
    });
  }
}

// A program that a job starts inherits its blocked signals.
TEST(ThreadSignals, WhatAJobStartsCanBeKilled) {
  run_io([]() -> Coro<> {
    const int status = co_await to_thread([] { return std::system("kill -TERM $$; exit 3"); });
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
  });
}

char* page = nullptr;

void map_on_demand(int, siginfo_t* info, void*) {
  char* const at = static_cast<char*>(info->si_addr);
  if (at < page || at >= page + 4096) ::_exit(99);
  ::mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int touch() {
  volatile char* const memory = page;
  memory[10] = 7;
  return memory[10];
}

// A SIGSEGV handler that repairs the access, as in garbage collectors. Crash reporters need this too.
TEST(ThreadSignals, ACrashHandlerIsCalledInAJobAsInTheMainThread) {
  for (const bool in_thread : {false, true}) {
    const pid_t child = ::fork();
    if (child == 0) {
      struct sigaction action = {};
      action.sa_sigaction = map_on_demand;
      action.sa_flags = SA_SIGINFO;
      sigaction(SIGSEGV, &action, nullptr);
      page = static_cast<char*>(::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      const auto job = []() -> Coro<int> {
        const int result = co_await to_thread(touch);
        co_return result;
      };
      ::_exit(in_thread ? run(job) : touch());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << "in a thread: " << in_thread << ", signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 7);
  }
}

}  // namespace
}  // namespace asyncio::testing
