// Exercise 3: end a TaskGroup from inside, by a special exception and by TaskGroup::cancel().
#include <asyncio/run.h>
#include <asyncio/task_group.h>
#include <asyncio/virtual_core.h>

#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::TaskGroup;

struct EndOfGroup {};

Coro<> end_group() {
  throw EndOfGroup();
  co_return;  // makes this a coroutine: otherwise the call would throw
}

/// task_group(), but a task that throws EndOfGroup only ends the group. Other errors leave it as usual.
template <class Body>
Coro<> group_that_can_end(Body body) {
  try {
    co_await asyncio::task_group(std::move(body));
  } catch (const asyncio::ExceptionGroup& errors) {
    if (errors.matching<EndOfGroup>().size() != errors.exceptions().size()) throw;
  }
}

Coro<> work(const char* name) {
  try {
    co_await asyncio::sleep(1h);
  } catch (const asyncio::CancelledError&) {
    std::cout << "  " << name << " is cancelled\n";
    throw;
  }
}

Coro<> fail_on_the_way_out() {
  try {
    co_await asyncio::sleep(1h);
  } catch (const asyncio::CancelledError&) {
    throw std::runtime_error("could not clean up");
  }
}

Coro<> main_program() {
  std::cout << "by an exception\n";
  const auto by_exception = [](TaskGroup& group) -> Coro<> {
    group.create_task(work("a"));
    group.create_task(work("b"));
    co_await asyncio::sleep(1s);
    group.create_task(end_group());
  };
  co_await group_that_can_end(by_exception);

  std::cout << "by cancel()\n";
  const auto by_cancel = [](TaskGroup& group) -> Coro<> {
    group.create_task(work("a"));
    group.create_task(work("b"));
    co_await asyncio::sleep(1s);
    group.cancel();
  };
  co_await asyncio::task_group(by_cancel);

  std::cout << "by cancel(), and a task fails as it is cancelled\n";
  const auto failing = [](TaskGroup& group) -> Coro<> {
    group.create_task(fail_on_the_way_out());
    co_await asyncio::sleep(1s);
    group.cancel();
  };
  try {
    co_await asyncio::task_group(failing);
  } catch (const asyncio::ExceptionGroup& errors) {
    std::cout << errors.to_string() << '\n';
  }

  std::cout << "by cancel(), and the caller is cancelled as well\n";
  auto caller = asyncio::create_task(asyncio::task_group(by_cancel));
  const auto cancel_caller = [caller] { caller.cancel(); };
  asyncio::Loop::running().call_later(1s, cancel_caller);  // in the tick of group.cancel()
  try {
    co_await caller;
  } catch (const asyncio::CancelledError&) {
    std::cout << "  and so is the caller\n";
  }
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }
