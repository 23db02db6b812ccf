// Exercise 1: return the result of the first task that is done; cancel the others, and wait for them.
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>

#include <iostream>
#include <string>

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::Task;

template <class T>
Coro<T> first_of(std::vector<Task<T>> tasks) {
  asyncio::WaitOptions first;
  first.return_when = asyncio::FIRST_COMPLETED;
  std::exception_ptr cancelled;
  try {
    co_await asyncio::wait(tasks, first);
  } catch (const asyncio::CancelledError&) {
    cancelled = std::current_exception();
  }

  Task<T> winner;
  for (const Task<T>& task : tasks) {
    if (task.done() && !winner && !cancelled) {
      winner = task;
    } else {
      task.cancel();
    }
  }
  co_await asyncio::wait(tasks);  // the losers may have something to clean up
  for (const Task<T>& task : tasks) {
    if (task != winner && !task.cancelled()) task.exception();  // retrieved, so that it is not reported
  }
  if (cancelled) std::rethrow_exception(cancelled);
  co_return winner.result();
}

Coro<std::string> fetch(std::string mirror, asyncio::Duration delay) {
  try {
    co_await asyncio::sleep(delay);
  } catch (const asyncio::CancelledError&) {
    std::cout << mirror << " is cancelled\n";
    throw;
  }
  co_return "a page from " + mirror;
}

std::vector<Task<std::string>> fetch_from_all() {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(asyncio::create_task(fetch("Oslo", 30ms)));
  tasks.push_back(asyncio::create_task(fetch("Rome", 10ms)));
  tasks.push_back(asyncio::create_task(fetch("Bern", 20ms)));
  return tasks;
}

Coro<> main_program() {
  const std::string page = co_await first_of(fetch_from_all());
  std::cout << page << '\n';

  auto caller = asyncio::create_task(first_of(fetch_from_all()));
  co_await asyncio::sleep(5ms);
  caller.cancel();
  try {
    co_await caller;
  } catch (const asyncio::CancelledError&) {
    std::cout << "first_of is cancelled, and nothing runs any more: " << asyncio::all_tasks().size() << " task\n";
  }
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }
