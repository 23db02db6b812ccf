// Exercise 2: a function that is called again and again until the task is cancelled, and a test of it in virtual time.
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <functional>
#include <iostream>

using namespace std::chrono_literals;

asyncio::Coro<> every(asyncio::Duration interval, std::function<void()> function) {
  for (;;) {
    co_await asyncio::sleep(interval);
    function();
  }
}

asyncio::Coro<> test() {
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  auto counting = asyncio::create_task(every(1min, count));
  co_await asyncio::sleep(24h + 1s);
  std::cout << "calls in a day: " << calls << '\n';

  counting.cancel();
  try {
    co_await counting;
  } catch (const asyncio::CancelledError&) {
  }
  co_await asyncio::sleep(24h);
  std::cout << "calls in two: " << calls << '\n';
}

int main() { asyncio::run(test(), std::make_unique<asyncio::VirtualCore>()); }
