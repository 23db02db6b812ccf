// Exercise 1: a task can be cancelled at four moments of its life. Who throws CancelledError, and where?
#include <by_hand/task.h>

#include <iostream>

using namespace std::chrono_literals;
using by_hand::Coro;
using by_hand::Future;
using by_hand::Task;

Coro<> wait_for(Future<> future) {
  std::cout << "  it begins\n";
  try {
    co_await future;
    std::cout << "  it has got the result\n";
  } catch (const by_hand::CancelledError&) {
    std::cout << "  CancelledError at the await\n";
    throw;
  }
}

Coro<> cancel_itself() {
  std::cout << "  it begins, cancels itself, and ends\n";
  by_hand::TaskState::current->cancel();
  co_return;
}

Coro<> show_end(Task<> task) {
  try {
    co_await task;
    std::cout << "  done\n";
  } catch (const by_hand::CancelledError&) {
    std::cout << "  the task is cancelled\n";
  }
}

Coro<> main_program() {
  by_hand::Loop& loop = by_hand::Loop::running();

  std::cout << "before its first step\n";
  const auto unborn = by_hand::create_task(wait_for(Future<>(loop)));
  unborn.cancel();
  co_await show_end(unborn);

  std::cout << "as it waits\n";
  const Future<> never(loop);
  const auto waiting = by_hand::create_task(wait_for(never));
  co_await by_hand::sleep(10ms);
  waiting.cancel();
  std::cout << "  the future is " << (never.cancelled() ? "cancelled" : "pending") << ", the task is not done yet\n";
  co_await show_end(waiting);

  std::cout << "in the tick of the result\n";
  const Future<> ready(loop);
  const auto woken = by_hand::create_task(wait_for(ready));
  co_await by_hand::sleep(10ms);
  ready.set_result();
  woken.cancel();
  co_await show_end(woken);

  std::cout << "in its last step\n";
  co_await show_end(by_hand::create_task(cancel_itself()));
}

int main() { by_hand::run(main_program()); }
