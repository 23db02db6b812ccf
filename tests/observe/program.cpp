// A program of which trace_test.py knows every event. It calls nothing of asyncio::observe: ASYNCIO_TRACE is enough.
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <csignal>
#include <cstring>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<int> answer(Future<int> question) { co_return co_await question; }

Coro<> sleeper() {
  for (int i = 0; i < 3; ++i) co_await sleep(1s);
}

Coro<> run_all(bool crash) {
  Future<int> question = create_future<int>();
  Task<int> first = create_task(answer(question), {.name = "first \"quoted\""});
  Task<> second = create_task(sleeper(), {.name = "second"});
  co_await sleep(500ms);
  question.set_result(42);
  co_await first;
  if (crash) std::raise(SIGSEGV);
  Task<> never = create_task(sleep(1h), {.name = "never"});
  co_await second;
  never.cancel();
}

}  // namespace

int main(int argc, char** argv) {
  run(run_all(argc > 1 && std::strcmp(argv[1], "crash") == 0), std::make_unique<VirtualCore>());
}
