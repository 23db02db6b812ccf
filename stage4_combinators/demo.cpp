// The notes' programs that run several things at the same time (000, 001, 002, 003, 004). All times are a tenth of
// theirs, or less; the programs that measure print ten times the measured time. A sleep takes the place of network
// requests, which come with stage 6.
// Runs on asyncio or, compiled with -DBY_HAND, on the small asyncio of by_hand/: see demo_lib.h.
#include "demo_lib.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace lib;

/// Python's repr of a list of texts: ['a', 'b']
std::string repr(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "'" : ", '") + text + "'";
  return "[" + list + "]";
}

// ── 002: a list of tasks, and wait() ────────────────────────────────────────────────────────────────────────────────

Coro<std::string> request() {
  co_await sleep(10ms);
  co_return "<Response [200]>";
}

void list_of_tasks() {
  Loop loop;
  std::vector<Task<std::string>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(ensure_future(request(), loop));
  std::cout << "Tasks: [";
  for (int i = 0; i < 5; ++i) std::cout << (i == 0 ? "" : ", ") << tasks[i];
  std::cout << "]\n";
  loop.run_until_complete(wait(tasks));
  for (const auto& task : tasks) std::cout << "Task Result: " << task.result() << "\n";
}

// ── 000: asyncio.wait ───────────────────────────────────────────────────────────────────────────────────────────────

namespace wait_program {

Coro<std::string> phase(int i) {
  std::cout << "在步骤 " << i << "\n";
  try {
    co_await sleep(10ms * i);
  } catch (const CancelledError&) {
    std::cout << "步骤 " << i << " 被取消\n";
    throw;
  }
  std::cout << "步骤 " << i << " 完成\n";
  co_return "步骤 " + std::to_string(i) + " 的结果";
}

Coro<> main(int num_phases) {
  std::vector<Task<std::string>> phases;  // wait() takes tasks: create_task() makes one of each coroutine
  for (int i = 0; i < num_phases; ++i) phases.push_back(create_task(phase(i)));
  std::cout << "等待所有步骤完成\n";
  auto [completed, pending] = co_await wait(phases, {.timeout = 30ms});
  std::cout << completed.size() << " completed and " << pending.size() << " pending\n";

  std::vector<std::string> results;
  for (const auto& task : completed) results.push_back(task.result());
  std::cout << "结果: " << repr(results) << "\n";
  if (!pending.empty()) {
    std::cout << "取消任务\n";
    for (const auto& task : pending) task.cancel();
  }
}

}  // namespace wait_program

// ── 000: asyncio.gather ─────────────────────────────────────────────────────────────────────────────────────────────

namespace gather_program {

Coro<std::string> phase1() {
  co_await sleep(20ms);
  co_return "phase1 result";
}

Coro<std::string> phase2() {
  co_await sleep(10ms);
  co_return "phase2 result";
}

Coro<> main() {
  std::cout << "waiting for phases to complete\n";
  auto [first, second] = co_await gather(phase1(), phase2());
  std::vector<std::string> results;
  results.push_back(first);
  results.push_back(second);
  std::cout << "results: " << repr(results) << "\n";
}

}  // namespace gather_program

// ── 000: asyncio.as_completed ───────────────────────────────────────────────────────────────────────────────────────

namespace as_completed_program {

Coro<std::string> phase(int i) {
  std::cout << "在步骤 " << i << "\n";
  co_await sleep(20ms * i);
  std::cout << "步骤 " << i << " 完成\n";
  co_return "步骤 " + std::to_string(i) + " 的结果";
}

Coro<> main(int num_phases) {
  std::vector<Coro<std::string>> phases;
  for (int i = 0; i < num_phases; ++i) phases.push_back(phase(i));
  std::cout << "等待所有步骤完成\n";
  std::vector<std::string> results;
  for (auto& next_to_complete : as_completed(std::move(phases))) {
    std::string answer = co_await next_to_complete;
    std::cout << "收到的结果: '" << answer << "'\n";
    results.push_back(answer);
  }
}

}  // namespace as_completed_program

// ── 001: say_after, at the same time (main1, one after the other, is in stage 3's demo) ─────────────────────────────

namespace say_after_program {

Coro<> say_after(Duration delay, std::string what) {
  co_await sleep(delay);
  std::cout << what << "\n";
}

Coro<> main2() { co_await gather(say_after(200ms, "2s"), say_after(100ms, "1s")); }

Coro<> main3() {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(say_after(200ms, "2s")));
  tasks.push_back(create_task(say_after(100ms, "1s")));
  co_await wait(tasks);
}

template <class Entry>
void runtime(Entry entry, Coro<> (*func)(), const char* name) {
  std::cout << "----------" << name << "\n";
  const auto start = std::chrono::steady_clock::now();
  entry(func());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  char text[32];
  std::snprintf(text, sizeof text, "%.5f", 10 * seconds.count());
  std::cout << "==========" << text << "\n";
}

void main() {
  std::cout << "########### 用 loop 入口协程 ###########\n";
  Loop loop;
  const auto run_until_complete = [&](Coro<> coroutine) { loop.run_until_complete(std::move(coroutine)); };
  runtime(run_until_complete, main2, "main2");
  runtime(run_until_complete, main3, "main3");
  loop.close();

  std::cout << "########### 用 run 入口协程 ###########\n";
  const auto run = [](Coro<> coroutine) { lib::run(std::move(coroutine)); };
  runtime(run, main2, "main2");
  runtime(run, main3, "main3");
}

}  // namespace say_after_program

// ── 002: gather(*tasks) ─────────────────────────────────────────────────────────────────────────────────────────────

namespace task_abc_program {

Coro<> task(std::string name, Duration delay) {
  std::cout << "Task " << name << " started\n";
  co_await sleep(delay);
  std::cout << "Task " << name << " completed\n";
}

Coro<> main() {
  std::vector<Coro<>> tasks;
  tasks.push_back(task("A", 40ms));
  tasks.push_back(task("B", 20ms));
  tasks.push_back(task("C", 60ms));
  co_await gather(std::move(tasks));
}

}  // namespace task_abc_program

// ── 003: two tasks, and wait() ──────────────────────────────────────────────────────────────────────────────────────

namespace hello_program {

Coro<> hello(Duration delay, std::string name) {
  if (delay > 0s) co_await sleep(delay);
  std::cout << "Hello " << name << "\n";
}

void main(Duration foo_delay, Duration bar_delay) {
  Loop loop;
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(hello(foo_delay, "Foo"), {.loop = &loop}));
  tasks.push_back(create_task(hello(bar_delay, "Bar"), {.loop = &loop}));
  loop.run_until_complete(wait(tasks));
  loop.close();
}

}  // namespace hello_program

// ── 004: the difference between gather and wait ─────────────────────────────────────────────────────────────────────

namespace comparison_program {

Coro<int> get_page(Duration delay) {
  co_await sleep(delay);
  std::cout << "200\n";
  co_return 200;
}

Coro<> main() {
  // wait() returns two lists: the tasks that are done, and the pending ones. It takes tasks of any type, and a timeout,
  // after which they keep running.
  std::vector<AnyTask> tasks;
  tasks.push_back(create_task(get_page(20ms)));
  tasks.push_back(create_task(sleep(50ms)));
  tasks.push_back(create_task(get_page(10ms)));
  auto [done, pending] = co_await wait(tasks, {.timeout = 35ms});
  std::cout << "wait: " << done.size() << " done, " << pending.size() << " pending\n";
  auto [rest, none] = co_await wait(pending);
  std::cout << "wait: " << rest.size() << " done, " << none.size() << " pending\n";

  // gather() returns the results in the order of the arguments. It takes sleep(5), too: the notes' error came from
  // passing the list itself.
  auto [first, slept, last] = co_await gather(get_page(20ms), sleep(5ms), get_page(10ms));
  static_cast<void>(slept);
  std::cout << "gather: " << first << " and " << last << "\n";

  // "gather 任务无法取消" (cannot be cancelled): it can, and then cancels all that it gathers. wait() never cancels.
  auto gathered = gather(get_page(20ms), get_page(10ms));
  Loop::running().call_later(5ms, [=] { gathered.cancel(); });
  try {
    co_await gathered;
  } catch (const CancelledError&) {
    std::cout << "gather: cancelled\n";
  }
}

}  // namespace comparison_program

#ifndef BY_HAND
// ── what came into asyncio after the notes were written ─────────────────────────────────────────────────────────────

namespace later_program {

Coro<> fail_after(Duration delay, std::string what) {
  co_await sleep(delay);
  throw std::runtime_error(what);
}

Coro<> main() {
  try {
    co_await timeout(10ms, []() -> Coro<> { co_await sleep(1h); });
  } catch (const TimeoutError& error) {
    std::cout << "TimeoutError: " << error.what() << "\n";
  }
  try {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(10ms, "disk full"));
      group.create_task(fail_after(1h, "never reached: cancelled"));
      co_return;
    });
  } catch (const ExceptionGroup& errors) {
    std::cout << errors.to_string() << "\n";
  }
}

}  // namespace later_program
#endif

int main() {
  std::cout << "--- 002: a list of tasks\n";
  list_of_tasks();
  std::cout << "--- 000: asyncio.wait\n";
  run(wait_program::main(6));
  std::cout << "--- 000: asyncio.gather\n";
  run(gather_program::main());
  std::cout << "--- 000: asyncio.as_completed\n";
  run(as_completed_program::main(3));
  std::cout << "--- 001: say_after\n";
  say_after_program::main();
  std::cout << "--- 002: gather(*tasks)\n";
  run(task_abc_program::main());
  std::cout << "--- 003: task.py\n";
  hello_program::main(20ms, 10ms);
  std::cout << "--- 003: loop.py\n";
  hello_program::main(0ms, 0ms);
  std::cout << "--- 004: wait and gather\n";
  run(comparison_program::main());
#ifndef BY_HAND
  std::cout << "--- asyncio only: timeout and task_group\n";
  run(later_program::main());
#endif
}
