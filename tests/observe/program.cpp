// Programs of which trace_test.py knows the events. They call nothing of asyncio::observe: ASYNCIO_TRACE is enough.
//
//   program            the one in the lesson of stage 3
//   program crash      the same; it crashes
//   program kill       the same; it kills itself, and nothing can run after that
//   program names      tasks with names that do not belong into a file of JSON, in a language that writes 1,5 for 1.5
//   program fork       a child that a callback forks runs a loop of its own
//   program threads    twenty loops in each of four threads
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<int> answer(Future<int> question) { co_return co_await question; }

Coro<> sleeper() {
  for (int i = 0; i < 3; ++i) co_await sleep(1s);
}

Coro<> run_all(int signal) {
  Future<int> question = create_future<int>();
  Task<int> first = create_task(answer(question), {.name = "first \"quoted\""});
  Task<> second = create_task(sleeper(), {.name = "second"});
  co_await sleep(500ms);
  question.set_result(42);
  co_await first;
  if (signal != 0) std::raise(signal);
  Task<> never = create_task(sleep(1h), {.name = "never"});
  co_await second;
  never.cancel();
}

Coro<> strange_names() {
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // if there is one
  for (const char* const name :
       {"\"quoted\" \\", "</script><!--", "two\nlines\t\x01", "协程", "no UTF-8: \xff\xc3(\xed\xa0\x80"}) {
    co_await create_task(sleep(0s), {.name = name});
  }
}

// On a clock that goes on by itself: a timer is late, and not by whole milliseconds.
Coro<> late() {
  Loop::running().call_later(1ms, [] {});
  std::this_thread::sleep_for(3ms);
  co_await sleep(1ms);
}

Coro<> yields() {
  for (int i = 0; i < 10; ++i) co_await sleep(0s);
}

void fork_in_a_callback() {
  Loop loop(std::make_unique<VirtualCore>());
  loop.call_soon([&] {
    const pid_t child = fork();
    if (child == 0) {
      run(yields());
      std::exit(0);  // and what watches the loops ends, too
    }
    waitpid(child, nullptr, 0);
    loop.stop();
  });
  loop.run_forever();
}

void run_in_threads() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 20; ++j) run(yields());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "names") {
    run(strange_names(), std::make_unique<VirtualCore>());
    run(late());
  } else if (what == "fork") {
    fork_in_a_callback();
  } else if (what == "threads") {
    run_in_threads();
  } else {
    run(run_all(what == "crash" ? SIGSEGV : what == "kill" ? SIGKILL : 0), std::make_unique<VirtualCore>());
  }
}
