// Programs whose pages the browser's tests look at.
//
//   state PAGE LOG   stops watching while tasks wait, and writes into LOG what it knows of itself then
//   crash PAGE       aborts in a callback
//   full PAGE        its log has 50 events
#include <asyncio/loop.h>
#include <asyncio/run.h>
#include <asyncio/sleep.h>
#include <asyncio/task.h>
#include <asyncio/virtual_core.h>
#include <asyncio/watch.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

using namespace std::chrono_literals;
using asyncio::Loop;

namespace {

std::string page, log_file;

asyncio::Coro<> sleeper(asyncio::Duration delay) { co_await asyncio::sleep(delay); }
asyncio::Coro<> waiter(asyncio::Future<> future) { co_await future; }

const std::string strange = "</script>\"<b title='協程'>\\\n&amp;";  // a task's name

std::string json(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c == '\n' ? "\\n" : std::string(1, c);
  }
  return escaped;
}

void write_what_is_known(int ready, int timers) {
  std::ofstream log(log_file);
  log << "{\"ready\": " << ready << ", \"timers\": " << timers << ", \"tasks\": [";
  const std::string running = asyncio::current_task().get_name();
  const char* separator = "";
  for (const auto& task : asyncio::all_tasks()) {
    const std::string name = task.get_name();
    log << separator << "[\"" << json(name) << "\", \"" << (name == running ? "running" : "waiting") << "\"]";
    separator = ", ";
  }
  log << "]}\n";
}

asyncio::Coro<> leave_some_waiting() {
  asyncio::watch(page, {.output = true});
  const auto long_sleep = asyncio::create_task(sleeper(1h), {.name = "long sleep"});
  const auto short_sleep = asyncio::create_task(sleeper(1ms), {.name = "short sleep"});
  const asyncio::Future<> never(Loop::running());
  const auto waits = asyncio::create_task(waiter(never), {.name = strange});
  Loop::running().call_later(2h, [] {});
  Loop::running().call_later(3h, [] {}).cancel();
  co_await asyncio::sleep(10ms);
  std::puts("</script><b>\\ \"协程\"\t<!--");
  Loop::running().call_soon([] {});
  write_what_is_known(1, 2);  // that callback; the long sleep's timer, and that of two hours
  asyncio::stop_watching();
  waits.cancel();
}

void crash() {
  asyncio::watch(page, {.output = true});
  Loop loop;
  loop.call_soon([] { std::puts("before the crash"); });
  loop.call_soon([] { std::abort(); });
  loop.run_forever();
}

asyncio::Coro<> yield_often() {
  for (int i = 0; i < 100; ++i) co_await asyncio::sleep(0s);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what.empty()) return 2;
  page = argv[2];
  if (what == "state" && argc > 3) {
    log_file = argv[3];
    asyncio::run(leave_some_waiting(), std::make_unique<asyncio::VirtualCore>());
  } else if (what == "crash") {
    crash();
  } else if (what == "full") {
    asyncio::watch(page, {.most_events = 50});
    asyncio::run(yield_often());
  } else {
    return 2;
  }
}
