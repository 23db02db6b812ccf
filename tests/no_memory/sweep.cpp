#include "no_memory/sweep.h"

#include <asyncio/async_generator.h>
#include <asyncio/run.h>
#include <asyncio/sleep.h>
#include <asyncio/task.h>
#include <asyncio/virtual_core.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "no_memory/no_memory.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

enum class How { once, three_times, until_it_ends, until_all_ends };

const char* name(How how) {
  switch (how) {
    case How::once:
      return "once";
    case How::three_times:
      return "three times";
    case How::until_it_ends:
      return "until it ends";
    case How::until_all_ends:
      return "until all ends";
  }
  return "";
}

/// Tells which case it is that hangs or crashes.
char now_running[200];
extern "C" void tell_and_abort(int signal) {
  static_cast<void>(!write(STDERR_FILENO, now_running, std::strlen(now_running)));
  std::signal(signal, SIG_DFL);
  raise(signal);
}

int open_files() {
  DIR* const folder = opendir("/proc/self/fd");
  if (!folder) return 0;
  int count = 0;
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

bool has_children() { return waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

/// Threads of a pool may end a little later than their loop.
template <class Condition>
bool soon(Condition condition) {
  for (const auto end = Clock::now() + 10s; !condition();) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

std::string all_of(Loop& loop) {
  std::string text;
  for (const AnyTask& task : all_tasks(loop)) text += "\n  " + task.repr();
  return text;
}

class Trial {
 public:
  Trial(MakeCore make_core, How how, long k) : how_(how), k_(k) {
    make_core ? loop_.emplace(make_core()) : loop_.emplace();
    loop_->set_exception_handler([](Loop&, const ErrorContext&) {});
    virtual_ = dynamic_cast<VirtualCore*>(&loop_->core());
  }

  /// Whether there was an allocation k.
  bool run(Scenario scenario) {
    const Duration soon = virtual_ ? Duration(24h) : Duration(50ms), late = virtual_ ? Duration(72h) : Duration(20s);
    loop_->run_until_complete(sleep(0s));  // so that the loop has what each loop needs
    if (how_ == How::until_it_ends) first_ = loop_->call_later(soon, [] { NoMemory::restore(); });
    if (how_ == How::until_all_ends) first_ = loop_->call_later(soon, [this] { loop_->stop(); });
    last_ = loop_->call_later(late, [this] {
      NoMemory::restore();
      ADD_FAILURE() << "hangs:" << all_of(*loop_);
      loop_->stop();
    });
    // (Not for ever: a scenario may try again and again, and virtual time then stands still.)
    const NoMemory none(k_, how_ == How::once ? 1 : how_ == How::three_times ? 3 : 1000);
    run_main(scenario);
    NoMemory::restore();
    const bool reached = NoMemory::any_failed();
    if (how_ == How::until_all_ends) {
      const NoMemory still_none;
      loop_.reset();
    } else {
      end_as_a_runner_does();
    }
    return reached;
  }

 private:
  void run_main(Scenario scenario) {
    Task<> main;
    try {
      main = create_task(scenario(), {.loop = &*loop_});
      main.add_done_callback([this](const Task<>&) {
        if (!std::exchange(over_, true)) loop_->stop();
      });
    } catch (const std::bad_alloc&) {
      return;
    }
    try {
      loop_->run_forever();
    } catch (...) {
      NoMemory::restore();
      ADD_FAILURE() << "leaves the loop: " << describe(std::current_exception());
    }
    over_ = true;
    if (main.done() && !main.cancelled()) main.exception();
  }

  void end_as_a_runner_does() {
    first_.cancel();
    for (int i = 0; i < 1000 && !all_tasks(*loop_).empty(); ++i) {
      for (const AnyTask& task : all_tasks(*loop_)) task.cancel();
      loop_->run_until_complete(sleep(1ms));
    }
    EXPECT_TRUE(all_tasks(*loop_).empty()) << "cannot be cancelled:" << all_of(*loop_);
    loop_->run_until_complete(shutdown_asyncgens(*loop_));
    loop_->shut_down_services();
    last_ = first_ = {};
    loop_->close();
  }

  How how_;
  long k_;
  std::optional<Loop> loop_;
  bool virtual_ = false;
  bool over_ = false;  // the main task has ended, or has had its time
  TimerHandle first_, last_;
};

/// Calls `trial`, which returns whether there was an allocation k; and so does this.
template <class TrialOfK>
bool runs_without(How how, long k, TrialOfK trial) {
  const char* const test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::snprintf(now_running, sizeof now_running, "%s: fails %s, from allocation %ld on\n", test, name(how), k);
  const long before = blocks();
  const int files_before = open_files();
  alarm(60);
  const bool reached = trial(how, k);
  EXPECT_TRUE(soon([] { return !has_children(); })) << "a child is left";
  EXPECT_TRUE(soon([&] { return open_files() <= files_before; })) << open_files() - files_before << " descriptors";
  EXPECT_TRUE(soon([&] { return blocks() <= before; })) << blocks() - before << " blocks are left";
  alarm(0);
  if (::testing::Test::HasFailure()) ADD_FAILURE() << now_running;
  return reached;
}

template <class TrialOfK>
void sweep_trials(std::initializer_list<How> hows, bool in_real_time, TrialOfK trial) {
  for (const int signal : {SIGALRM, SIGSEGV, SIGABRT}) std::signal(signal, tell_and_abort);
  if (blocks() == 0) GTEST_SKIP() << "operator new is not ours: valgrind has its own";
  alarm(60);
  trial(How::once, NoMemory::kForEver);  // what is made once is made now
  const char* const all = std::getenv("ASYNCIO_NO_MEMORY");
  const long step = in_real_time && !(all && std::string(all) == "all") ? 23 : 1;
  for (const How how : hows) {
    long k = 1 + static_cast<long>(how) * step / 4;
    for (; runs_without(how, k, trial); k += step) {
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(k, 1) << "nothing allocates";
  }
}

}  // namespace

void sweep(Scenario scenario, MakeCore make_core) {
  const bool in_real_time = !make_core || !dynamic_cast<VirtualCore*>(make_core().get());
  sweep_trials({How::once, How::three_times, How::until_it_ends, How::until_all_ends}, in_real_time,
               [&](How how, long k) { return Trial(make_core, how, k).run(scenario); });
}

void sweep_program(void (*program)()) {
  sweep_trials({How::once, How::three_times, How::until_all_ends}, false, [&](How how, long k) {
    const NoMemory none(k, how == How::once ? 1 : how == How::three_times ? 3 : 1000);
    try {
      program();
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(NoMemory::any_failed());
    }
    return NoMemory::any_failed();
  });
}

void sweep_virtual(Scenario scenario) {
  sweep(scenario, []() -> std::unique_ptr<Core> { return std::make_unique<VirtualCore>(); });
}

}  // namespace asyncio::testing
