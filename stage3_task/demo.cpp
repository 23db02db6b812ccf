// The notes' programs about coroutines and tasks, printing what the notes print. The seconds are scaled down by ten:
// what sleeps 2 s in the notes sleeps 0.2 s here, and a measured time is printed times ten.
#include "demo_by_hand.h"

#include <asyncio/run.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using std::cout;

namespace {
void heading(const char* text) { cout << "--- " << text << "\n"; }
}  // namespace

// ── notes 003: the Task and the Loop, first by hand ─────────────────────────────────────────────────────────────────

by_hand::Coro foo_by_hand(by_hand::Loop& loop) {
  co_await by_hand::Sleep(loop, 200ms);
  cout << "Hello Foo\n";
}
by_hand::Coro bar_by_hand(by_hand::Loop& loop) {
  co_await by_hand::Sleep(loop, 100ms);
  cout << "Hello Bar\n";
}

void task_py_by_hand() {
  heading("003 task.py, by hand");
  by_hand::Loop loop;
  by_hand::Task foo(foo_by_hand(loop), loop);
  by_hand::Task bar(bar_by_hand(loop), loop);
  loop.run_until_complete(foo);
  loop.run_until_complete(bar);
}

by_hand::Coro say_by_hand(std::string text) {
  cout << text << "\n";
  co_return;
}

void loop_py_by_hand() {
  heading("003 loop.py, by hand");
  by_hand::Loop loop;
  by_hand::Task foo(say_by_hand("Hello Foo"), loop);
  by_hand::Task bar(say_by_hand("Hello Bar"), loop);
  loop.run_until_complete(foo);
  loop.run_until_complete(bar);
}

// ── … and on the real classes ───────────────────────────────────────────────────────────────────────────────────────

asyncio::Coro<> foo() {
  co_await asyncio::sleep(200ms);
  cout << "Hello Foo\n";
}
asyncio::Coro<> bar() {
  co_await asyncio::sleep(100ms);
  cout << "Hello Bar\n";
}

void task_py() {
  heading("003 task.py");
  asyncio::Loop loop;
  asyncio::Task<> first = asyncio::create_task(foo(), {.loop = &loop});
  asyncio::Task<> second = asyncio::create_task(bar(), {.loop = &loop});
  loop.run_until_complete(first);
  loop.run_until_complete(second);
  loop.close();
}

asyncio::Coro<> say(std::string text) {
  cout << text << "\n";
  co_return;
}

void loop_py() {
  heading("003 loop.py");
  asyncio::Loop loop;
  asyncio::Task<> first = asyncio::create_task(say("Hello Foo"), {.loop = &loop});
  asyncio::Task<> second = asyncio::create_task(say("Hello Bar"), {.loop = &loop});
  loop.run_until_complete(first);
  loop.run_until_complete(second);
  loop.close();
}

// ── notes 002: a coroutine is started ───────────────────────────────────────────────────────────────────────────────

asyncio::Coro<> hello() {
  cout << "这是一个协程\n";
  co_return;
}

void start_a_coroutine() {
  heading("002 启动一个协程");
  asyncio::Loop loop;
  cout << "开始运行协程\n";
  asyncio::Coro<> coro = hello();
  cout << "进入事件循环\n";
  loop.run_until_complete(std::move(coro));
  cout << "关闭事件循环\n";
  loop.close();
}

// ── notes 000: task, result, cancel ─────────────────────────────────────────────────────────────────────────────────

asyncio::Coro<std::string> task_func() {
  cout << "in task_func\n";
  co_return "the result";
}

asyncio::Coro<> wait_to_be_cancelled() {
  try {
    co_await asyncio::sleep(1h);
  } catch (const asyncio::CancelledError&) {
    cout << "CancelledError\n";
    throw;
  }
}

asyncio::Coro<> cancel_a_task() {
  asyncio::Task<> task = asyncio::create_task(wait_to_be_cancelled());
  co_await asyncio::sleep(0s);  // it begins to wait
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    cout << "cancelled: " << std::boolalpha << task.cancelled() << "\n";
  }
}

asyncio::Coro<std::string> await_a_future(asyncio::Future<std::string> future) {
  std::string result = co_await future;
  co_return result;
}

void future_and_task() {
  heading("000 Future, Task, cancel");
  asyncio::Loop loop;
  asyncio::Future<std::string> future(loop);
  loop.call_soon([future] { future.set_result("a future's result"); });
  cout << loop.run_until_complete(await_a_future(future)) << "\n";

  asyncio::Task<std::string> task = asyncio::create_task(task_func(), {.loop = &loop});
  cout << loop.run_until_complete(task) << "\n";
  loop.run_until_complete(cancel_a_task());
  loop.close();
}

// ── notes 004: coroutine, create_task, ensure_future, callback, result ──────────────────────────────────────────────

namespace first_program {
asyncio::Coro<> execute(int x) {
  cout << "x =  " << x << "\n";
  co_return;
}
}  // namespace first_program

void define_a_coroutine() {
  heading("004 1) 定义协程");
  asyncio::Coro<> coroutine = first_program::execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  asyncio::Loop loop;
  loop.run_until_complete(std::move(coroutine));
  cout << "After calling loop\n";
}

asyncio::Coro<int> execute(int x) {
  cout << "Number: " << x << "\n";
  co_return x;
}

void with_create_task() {
  heading("004 2) create_task");
  asyncio::Coro<int> coroutine = execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  asyncio::Loop loop;
  asyncio::Task<int> task = asyncio::create_task(std::move(coroutine), {.loop = &loop});
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "After calling loop\n";
}

void with_ensure_future() {
  heading("004 3) ensure_future");
  asyncio::Coro<int> coroutine = execute(1);
  cout << "协程: <coroutine object execute>\n";
  cout << "After calling execute\n";
  asyncio::Loop loop;
  asyncio::Task<int> task = asyncio::ensure_future(std::move(coroutine), loop);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "After calling loop\n";
}

asyncio::Coro<std::string> request() { co_return "<Response [200]>"; }  // real requests: stage 6

void callback(const asyncio::Task<std::string>& task) { cout << "Status: " << task.result() << "\n"; }

void with_a_callback() {
  heading("004 4) 绑定回调函数");
  asyncio::Loop loop;
  asyncio::Task<std::string> task = asyncio::ensure_future(request(), loop);
  task.add_done_callback(callback);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
}

void with_result() {
  heading("004 5) result()");
  asyncio::Loop loop;
  asyncio::Task<std::string> task = asyncio::ensure_future(request(), loop);
  cout << "Task: " << task << "\n";
  loop.run_until_complete(task);
  cout << "Task: " << task << "\n";
  cout << "Task Result: " << task.result() << "\n";
}

// ── notes 001: say_after, and how long it takes ─────────────────────────────────────────────────────────────────────

asyncio::Coro<> say_after(std::chrono::milliseconds delay, std::string what) {
  co_await asyncio::sleep(delay);
  cout << what << "\n";
}

asyncio::Coro<> main1() {
  co_await say_after(200ms, "2s");
  co_await say_after(100ms, "1s");
}

asyncio::Coro<> main4() {
  asyncio::Task<> task1 = asyncio::create_task(say_after(200ms, "2s"));
  asyncio::Task<> task2 = asyncio::create_task(say_after(100ms, "1s"));
  co_await task1;
  cout << "--\n";
  co_await task2;
}

asyncio::Coro<> main5() {
  asyncio::create_task(say_after(200ms, "2s"));
  asyncio::create_task(say_after(100ms, "1s"));
  co_await asyncio::sleep(300ms);  // sleep(2) in the notes' text; the output they show is that of sleep(3)
}

asyncio::Coro<std::string> cancel_me(std::chrono::milliseconds delay) {
  struct Finally {
    ~Finally() { cout << "cancel_me(): after sleep\n"; }
  } finally;
  cout << "cancel_me(): before sleep\n";
  try {
    co_await asyncio::sleep(delay);
  } catch (const asyncio::CancelledError&) {
    cout << "cancel_me(): cancel sleep\n";
    throw;
  }
  co_return "I hate be canceled";
}

asyncio::Coro<> cancel_after(std::chrono::milliseconds sleep_for, std::chrono::milliseconds cancel_at) {
  asyncio::Task<std::string> task = asyncio::create_task(cancel_me(sleep_for));
  co_await asyncio::sleep(cancel_at);
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    cout << "main(): cancel_me is cancelled now\n";
  }
  try {
    cout << task.result() << "\n";
  } catch (const asyncio::CancelledError&) {
    cout << "main(): cancel_me is cancelled now\n";
  }
}

asyncio::Coro<> main6() {
  co_await cancel_after(200ms, 100ms);
  co_await cancel_after(100ms, 200ms);
}

template <class Entry>
void runtime(Entry entry, const char* name, asyncio::Coro<> (*function)()) {
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
  asyncio::Loop loop;
  runtime([&](asyncio::Coro<> main) { loop.run_until_complete(std::move(main)); }, "main1", main1);
  loop.close();
  cout << "########### 用 run 入口协程 ###########\n";
  const auto with_run = [](asyncio::Coro<> main) { asyncio::run(std::move(main)); };
  runtime(with_run, "main1", main1);
  runtime(with_run, "main4", main4);
  runtime(with_run, "main5", main5);
  runtime(with_run, "main6", main6);
}

int main() {
  task_py_by_hand();
  loop_py_by_hand();
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
}
