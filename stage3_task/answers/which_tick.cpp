// Exercise 3: in which tick does a task go on, and before whom?
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <iostream>

using asyncio::Coro;

int tick = 0;

Coro<> count_ticks() {
  for (;;) {
    ++tick;
    co_await asyncio::sleep(std::chrono::seconds(0));
  }
}

Coro<> wait_for(asyncio::Future<> future) {
  co_await future;
  std::cout << "tick " << tick << ": the task goes on\n";
}

Coro<> main_program() {
  auto counter = asyncio::create_task(count_ticks());
  const asyncio::Future<> future = asyncio::create_future();
  auto waiter = asyncio::create_task(wait_for(future));
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(std::chrono::seconds(0));

  const auto callback = [] { std::cout << "tick " << tick << ": a callback that was scheduled after set_result()\n"; };
  future.set_result();
  asyncio::Loop::running().call_soon(callback);
  std::cout << "tick " << tick << ": the future is done\n";
  co_await waiter;
  counter.cancel();
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }
