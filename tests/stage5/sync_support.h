// What the tests of stage 5 share.
#pragma once

#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {

using namespace std::chrono_literals;

using Log = std::vector<std::string>;
using Ints = std::vector<int>;

/// Runs `main` on a loop in virtual time. A lost wake-up shows as std::logic_error: the loop would wait for ever.
template <class Main>
auto run_virtual(Main&& main) {
  return run(std::forward<Main>(main), make_core());
}

/// The what() of the exception that `function` throws; "" if none.
template <class Exception, class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

/// The next tick.
inline auto tick() { return sleep(0s); }

/// Awaits the task, whatever its outcome.
template <class T>
Coro<> finished(Task<T> task) {
  try {
    co_await task;
  } catch (...) {
  }
}

/// How many ticks pass between the line before the await and the line after it, if `callback` (may be empty) is
/// scheduled by call_soon just before.
template <class Awaitable>
Coro<int> ticks_of(Awaitable awaitable, std::function<void()> callback = {}) {
  const TickCounter counter(Loop::running());  // first, so that it counts a tick before anything else happens in it
  if (callback) Loop::running().call_soon(callback);
  co_await std::move(awaitable);
  co_return counter.ticks();
}

}  // namespace asyncio::testing
