// The notes' programs about coroutines and tasks, printing what the notes print. The seconds are scaled down by ten:
// what sleeps 2 s in the notes sleeps 0.2 s here, and a measured time is printed times ten.
// They run on asyncio or, compiled with -DBY_HAND, on the small asyncio of by_hand/: see demo_lib.h.
#include "demo_lib.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using std::cout;

namespace {
void heading(const char* text) { cout << "--- " << text << "\n"; }
}  // namespace

// ── notes 003: the Task and the Loop ────────────────────────────────────────────────────────────────────────────────

lib::Coro<> foo() {
  co_await lib::sleep(200ms);
  cout << "Hello Foo\n";
}
lib::Coro<> bar() {
  co_await lib::sleep(100ms);
  cout << "Hello Bar\n";
}

void task_py() {
  heading("003 task.py");
  lib::Loop loop;
  lib::Task<> first = lib::create_task(foo(), {.loop = &loop});
  lib::Task<> second = lib::create_task(bar(), {.loop = &loop});
  loop.run_until_complete(first);
  loop.run_until_complete(second);
  loop.close();
}

lib::Coro<> say(std::string text) {
  cout << text << "\n";
  co_return;
}

void loop_py() {
  heading("003 loop.py");
  lib::Loop loop;
  lib::Task<> first = lib::create_task(say("Hello Foo"), {.loop = &loop});
  lib::Task<> second = lib::create_task(say("Hello Bar"), {.loop = &loop});
  loop.run_until_complete(first);
  loop.run_until_complete(second);
  loop.close();
}

// ── notes 002: a coroutine is started ───────────────────────────────────────────────────────────────────────────────

lib::Coro<> hello() {
  cout << "这是一个协程\n";
  co_return;
}

void start_a_coroutine() {
  heading("002 启动一个协程");
  lib::Loop loop;
  cout << "开始运行协程\n";
  lib::Coro<> coro = hello();
  cout << "进入事件循环\n";
  loop.run_until_complete(std::move(coro));
  cout << "关闭事件循环\n";
  loop.close();
}

// ── notes 000: task, result, cancel ─────────────────────────────────────────────────────────────────────────────────

lib::Coro<std::string> task_func() {
  cout << "in task_func\n";
  co_return "the result";
}

lib::Coro<> wait_to_be_cancelled() {
  try {
    co_await lib::sleep(1h);
  } catch (const lib::CancelledError&) {
    cout << "CancelledError\n";
    throw;
  }
}

lib::Coro<> cancel_a_task() {
  lib::Task<> task = lib::create_task(wait_to_be_cancelled());
  co_await lib::sleep(0s);  // it begins to wait
  task.cancel();
  try {
    co_await task;
  } catch (const lib::CancelledError&) {
    cout << "cancelled: " << std::boolalpha << task.cancelled() << "\n";
  }
}

lib::Coro<std::string> await_a_future(lib::Future<std::string> future) {
  std::string result = co_await future;
  co_return result;
}

void future_and_task() {
  heading("000 Future, Task, cancel");
  lib::Loop loop;
  lib::Future<std::string> future(loop);
  loop.call_soon([future] { future.set_result("a future's result"); });
  cout << loop.run_until_complete(await_a_future(future)) << "\n";

  lib::Task<std::string> task = lib::create_task(task_func(), {.loop = &loop});
  cout << loop.run_until_complete(task) << "\n";
  loop.run_until_complete(cancel_a_task());
  loop.close();
}

// ── notes 004: coroutine, create_task, ensure_future, callback, result ──────────────────────────────────────────────

namespace first_program {
lib::Coro<> execute(int x) {
  cout << "x =  " << x << "\n";
  co_return;
}
}  // namespace first_program

void define_a_coroutine() {
  heading("004 1) 定义协程");
  lib::Coro<> coroutine = first_program::execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  lib::Loop loop;
  loop.run_until_complete(std::move(coroutine));
  cout << "After calling loop\n";
}

lib::Coro<int> execute(int x) {
  cout << "Number: " << x << "\n";
  co_return x;
}

void with_create_task() {
  heading("004 2) create_task");
  lib::Coro<int> coroutine = execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  lib::Loop loop;
  lib::Task<int> task = lib::create_task(std::move(coroutine), {.loop = &loop});
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "After calling loop\n";
}

void with_ensure_future() {
  heading("004 3) ensure_future");
  lib::Coro<int> coroutine = execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  lib::Loop loop;
  lib::Task<int> task = lib::ensure_future(std::move(coroutine), loop);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "After calling loop\n";
}

lib::Coro<std::string> request() { co_return "<Response [200]>"; }  // real requests: stage 6

void callback(const lib::Task<std::string>& task) { cout << "Status: " << task.result() << "\n"; }

void with_a_callback() {
  heading("004 4) 绑定回调函数");
  lib::Loop loop;
  lib::Task<std::string> task = lib::ensure_future(request(), loop);
  task.add_done_callback(callback);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
}

void with_result() {
  heading("004 5) result()");
  lib::Loop loop;
  lib::Task<std::string> task = lib::ensure_future(request(), loop);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "Task Result: " << task.result() << "\n";
}

// ── notes 001: say_after, and how long it takes ─────────────────────────────────────────────────────────────────────

lib::Coro<> say_after(std::chrono::milliseconds delay, std::string what) {
  co_await lib::sleep(delay);
  cout << what << "\n";
}

lib::Coro<> main1() {
  co_await say_after(200ms, "2s");
  co_await say_after(100ms, "1s");
}

lib::Coro<> main4() {
  lib::Task<> task1 = lib::create_task(say_after(200ms, "2s"));
  lib::Task<> task2 = lib::create_task(say_after(100ms, "1s"));
  co_await task1;
  cout << "--\n";
  co_await task2;
}

lib::Coro<> main5() {
  lib::create_task(say_after(200ms, "2s"));
  lib::create_task(say_after(100ms, "1s"));
  co_await lib::sleep(300ms);  // sleep(2) in the notes' text; the output they show is that of sleep(3)
}

lib::Coro<std::string> cancel_me(std::chrono::milliseconds delay) {
  struct Finally {
    ~Finally() { cout << "cancel_me(): after sleep\n"; }
  } finally;
  cout << "cancel_me(): before sleep\n";
  try {
    co_await lib::sleep(delay);
  } catch (const lib::CancelledError&) {
    cout << "cancel_me(): cancel sleep\n";
    throw;
  }
  co_return "I hate be canceled";
}

lib::Coro<> cancel_after(std::chrono::milliseconds sleep_for, std::chrono::milliseconds cancel_at) {
  lib::Task<std::string> task = lib::create_task(cancel_me(sleep_for));
  co_await lib::sleep(cancel_at);
  task.cancel();
  try {
    co_await task;
  } catch (const lib::CancelledError&) {
    cout << "main(): cancel_me is cancelled now\n";
  }
  try {
    cout << task.result() << "\n";
  } catch (const lib::CancelledError&) {
    cout << "main(): cancel_me is cancelled now\n";
  }
}

lib::Coro<> main6() {
  co_await cancel_after(200ms, 100ms);
  co_await cancel_after(100ms, 200ms);
}

template <class Entry>
void runtime(Entry entry, const char* name, lib::Coro<> (*function)()) {
  cout << "----------" << name << "\n";
  const auto start = std::chrono::steady_clock::now();
  entry(function());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  char text[32];
  std::snprintf(text, sizeof text, "%.5f", seconds.count() * 10);
  cout << "==========" << text << "\n";
}

void say_after_programs() {
  heading("001 say_after");
  cout << "########### 用 loop 入口协程 ###########\n";
  lib::Loop loop;
  runtime([&](lib::Coro<> main) { loop.run_until_complete(std::move(main)); }, "main1", main1);
  loop.close();
  cout << "########### 用 run 入口协程 ###########\n";
  const auto with_run = [](lib::Coro<> main) { lib::run(std::move(main)); };
  runtime(with_run, "main1", main1);
  runtime(with_run, "main4", main4);
  runtime(with_run, "main5", main5);
  runtime(with_run, "main6", main6);
}

#ifndef BY_HAND
// ── three programs that hang ────────────────────────────────────────────────────────────────────────────────────────

namespace hanging {

using namespace asyncio;

Coro<> wait_for_other(const Task<>& other) { co_await other; }

Coro<> circle() {
  Task<> ping, pong;
  ping = create_task(wait_for_other(pong), {.name = "ping"});
  pong = create_task(wait_for_other(ping), {.name = "pong"});
  co_await ping;
}

Coro<> read(const Future<>& reply) { co_await reply; }

Coro<> forgotten() {
  const auto reply = create_future();  // nobody calls reply.set_result()
  const auto reader = create_task(read(reply), {.name = "reader"});
  co_await reader;
}

Coro<> stubborn(const Future<>& stop) {
  try {
    co_await sleep(1h);
  } catch (...) {  // CancelledError, too
  }
  co_await stop;
}

Coro<> swallowed() {
  const auto stop = create_future();
  const auto task = create_task(stubborn(stop), {.name = "stubborn"});
  co_await sleep(1s);
  task.cancel();
  co_await task;
}

void why_does_it_hang(Coro<> program) {
  Loop loop(std::make_unique<VirtualCore>());
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});  // to close it ends tasks, which would be reported
  const auto main = create_task(std::move(program), {.name = "main", .loop = &loop});
  try {
    loop.run_until_complete(main);
  } catch (const NeverWakes& error) {
    cout << error.what() << "\n";
  }
  loop.close();
}

Coro<> idle() { co_await sleep(1h); }

void debug_mode_says() {
  Loop loop(std::make_unique<VirtualCore>());
  loop.set_debug(true);
  loop.set_exception_handler([](Loop& own, const ErrorContext& error) {
    cout << error.to_string() << "\n";
    own.stop();
  });
  const auto sleeper = create_task(idle(), {.name = "sleeper", .loop = &loop});
  sleeper.cancel();
  cout << sleeper << "\n";
  const auto main = create_task(circle(), {.name = "main", .loop = &loop});
  loop.run_forever();
  loop.set_exception_handler([](Loop&, const ErrorContext&) {});
  loop.close();
}

// Addresses are others each time.
std::string without_ids(std::string text) {
  for (std::size_t at = text.find("id=0x"); at != text.npos; at = text.find("id=0x", at + 1)) {
    const std::size_t begin = at + 3;
    text.replace(begin, text.find_first_not_of("0123456789abcdefx", begin) - begin, "…");
  }
  return text;
}

Coro<> answer() {
  const std::string graph = co_await format_call_graph();
  cout << without_ids(graph) << "\n";
}

Coro<> ask() { co_await answer(); }

Coro<> where_am_i() {
  const auto asker = create_task(ask(), {.name = "asker"});
  co_await asker;
}

void print_where() {
  Loop loop(std::make_unique<VirtualCore>());
  loop.run_until_complete(create_task(where_am_i(), {.name = "main", .loop = &loop}));
}

}  // namespace hanging
#endif

int main() {
  task_py();
  loop_py();
  start_a_coroutine();
  future_and_task();
  define_a_coroutine();
  with_create_task();
  with_ensure_future();
  with_a_callback();
  with_result();
  say_after_programs();
#ifndef BY_HAND
  heading("asyncio only: why does it hang?");
  hanging::why_does_it_hang(hanging::circle());
  hanging::why_does_it_hang(hanging::forgotten());
  hanging::why_does_it_hang(hanging::swallowed());
  heading("asyncio only: what debug mode says");
  hanging::debug_mode_says();
  heading("asyncio only: the call graph");
  hanging::print_where();
#endif
}
