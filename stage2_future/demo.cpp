// What the notes say of a Future (000, 004), and their callback programs (002) as far as they go without coroutines.
// On asyncio::Future or, compiled with -DBY_HAND, on by_hand::Future: see demo_lib.h.
#include "demo_lib.h"

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using lib::Future;

// 000: once set_result() was called, a future is done.
void set_result_makes_it_done(lib::Loop& loop) {
  const Future<std::string> future(loop);
  std::cout << future << " done: " << future.done() << '\n';
  future.set_result("the result");
  std::cout << future << " done: " << future.done() << '\n';
}

// 000: given a future, run_until_complete() returns its result.
void run_until_complete_returns_it(lib::Loop& loop) {
  const Future<std::string> future(loop);
  loop.call_later(10ms, [future] {
    std::cout << "setting the result\n";
    future.set_result("the result");
  });
  std::cout << "entering the loop\n";
  const std::string result = loop.run_until_complete(future);
  std::cout << "the loop returned: " << result << '\n';
}

// 002: callback(task) prints task.result(). Here a timer stands for the request.
void callback(Future<int>& future) { std::cout << "Status: " << future.result() << '\n'; }

void a_callback_gets_the_result(lib::Loop& loop) {
  const Future<int> request(loop);
  request.add_done_callback(callback);
  std::cout << "Future: " << request << '\n';
  loop.call_later(10ms, [request] { request.set_result(200); });
  loop.run_until_complete(request);
  std::cout << "Future: " << request << '\n';
  std::cout << "Future Result: " << request.result() << '\n';
}

// Callbacks run in the order they were added, by call_soon: never inside set_result().
void callbacks_are_scheduled(lib::Loop& loop) {
  const Future<> future(loop);
  future.add_done_callback([](auto&) { std::cout << "first callback\n"; });
  const auto second = future.add_done_callback([](auto&) { std::cout << "second callback\n"; });
  future.add_done_callback([](auto&) { std::cout << "third callback\n"; });
  future.remove_done_callback(second);
  std::cout << "before set_result()\n";
  future.set_result();
  std::cout << "after set_result()\n";
  loop.run_until_complete(future);
}

// 004 lists the states; a failed future throws from result(), a cancelled one throws CancelledError.
void other_ends(lib::Loop& loop) {
  const Future<int> failed(loop), cancelled(loop);
  failed.set_exception(std::make_exception_ptr(std::runtime_error("connection refused")));
  cancelled.cancel();
  std::cout << failed << '\n' << cancelled << '\n';
  try {
    failed.result();
  } catch (const std::runtime_error& error) {
    std::cout << "result() threw: " << error.what() << '\n';
  }
  try {
    cancelled.result();
  } catch (const lib::CancelledError&) {
    std::cout << "result() threw CancelledError\n";
  }
  try {
    failed.set_result(1);
  } catch (const lib::InvalidStateError&) {
    std::cout << "set_result() threw InvalidStateError\n";
  }
}

// 003, main(): `asyncio.wait(tasks)` ends when both are done. By hand: count them down.
void say_after(lib::Loop& loop, std::chrono::milliseconds delay, const char* text, const Future<>& done) {
  loop.call_later(delay, [text, done] {
    std::cout << text << '\n';
    done.set_result();
  });
}

void wait_for_both(lib::Loop& loop) {
  const Future<> foo(loop), bar(loop), both(loop);
  int left = 2;
  const auto count_down = [&left, both](Future<>&) {
    if (--left == 0) both.set_result();
  };
  foo.add_done_callback(count_down);
  bar.add_done_callback(count_down);
  say_after(loop, 20ms, "Hello Foo", foo);
  say_after(loop, 10ms, "Hello Bar", bar);
  loop.run_until_complete(both);
}

#ifndef BY_HAND
// What is wrong, in words; and an exception that nobody looked at.
void messages(asyncio::Loop& loop) {
  loop.set_exception_handler(
      [](asyncio::Loop&, const asyncio::ErrorContext& context) { std::cout << context.to_string() << '\n'; });
  const Future<int> cancelled(loop);
  cancelled.cancel("nobody waits any more");
  try {
    cancelled.result();
  } catch (const asyncio::CancelledError& error) {
    std::cout << "CancelledError: " << error.message() << '\n';
  }
  try {
    cancelled.set_result(1);
  } catch (const asyncio::InvalidStateError& error) {
    std::cout << "InvalidStateError: " << error.what() << '\n';
  }
  Future<int>(loop).set_exception(std::runtime_error("lost"));
}
#endif

int main() {
  std::cout << std::boolalpha;
  lib::Loop loop;

  std::cout << "--- set_result() makes it done\n";
  set_result_makes_it_done(loop);

  std::cout << "--- run_until_complete(future) returns its result\n";
  run_until_complete_returns_it(loop);

  std::cout << "--- a done-callback\n";
  a_callback_gets_the_result(loop);

  std::cout << "--- callbacks are scheduled, not called\n";
  callbacks_are_scheduled(loop);

  std::cout << "--- the other ends: an exception, a cancellation\n";
  other_ends(loop);

  std::cout << "--- foo after 20 ms, bar after 10 ms, until both are done\n";
  wait_for_both(loop);

#ifndef BY_HAND
  std::cout << "--- asyncio only: messages, and an exception that nobody looked at\n";
  messages(loop);
#endif
}
