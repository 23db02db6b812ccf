// Exercise 2: a gather() that runs at most n coroutines at a time.
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::Task;

/// Waits until one of the tasks is done, and removes the done tasks.
template <class T>
Coro<> wait_for_one(std::vector<Task<T>>& running) {
  asyncio::WaitOptions first;
  first.return_when = asyncio::FIRST_COMPLETED;
  auto waited = co_await asyncio::wait(running, first);
  running = std::move(waited.pending);
  for (const Task<T>& task : waited.done) task.result();  // throws what the task threw
}

template <class T>
Coro<std::vector<T>> gather_at_most(std::size_t n, std::vector<Coro<T>> coroutines) {
  std::vector<Task<T>> tasks, running;
  for (Coro<T>& coroutine : coroutines) {
    if (running.size() == n) co_await wait_for_one(running);
    tasks.push_back(asyncio::create_task(std::move(coroutine)));
    running.push_back(tasks.back());
  }
  while (!running.empty()) co_await wait_for_one(running);

  std::vector<T> results;
  for (const Task<T>& task : tasks) results.push_back(task.result());
  co_return results;
}

int at_work = 0, most = 0;

Coro<int> square(int number) {
  most = std::max(most, ++at_work);
  co_await asyncio::sleep((number % 3 + 1) * 10ms);
  --at_work;
  co_return number* number;
}

Coro<int> fail() {
  co_await asyncio::sleep(1ms);
  throw std::runtime_error("one of them failed");
}

Coro<> main_program() {
  std::vector<Coro<int>> coroutines;
  for (int number = 1; number <= 10; ++number) coroutines.push_back(square(number));
  const auto results = co_await gather_at_most(3, std::move(coroutines));
  for (const int result : results) std::cout << result << ' ';
  std::cout << "with " << most << " at a time\n";

  std::vector<Coro<int>> failing;
  failing.push_back(fail());
  failing.push_back(square(1));
  failing.push_back(square(2));
  try {
    co_await gather_at_most(2, std::move(failing));
  } catch (const std::runtime_error& error) {
    std::cout << error.what() << "; " << at_work << " still at work\n";
  }
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }
