// Shared by the tests of stages 3 to 6: coroutines in virtual time, small coroutines, and outcomes of an await.
#pragma once

#include <asyncio/run.h>
#include <asyncio/task_factory.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test_core.h"
#include "thrown.h"

namespace asyncio::testing {

using namespace std::chrono_literals;

using Log = std::vector<std::string>;
using Ints = std::vector<int>;

// ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Runs a coroutine function to its end in virtual time. A lost wake-up throws std::logic_error, as the loop would wait
/// for ever.
template <class Main>
auto run_virtual(Main&& main) {
  return run(std::forward<Main>(main), make_core());
}

/// As run_virtual(), but tasks start eagerly.
template <class Main>
auto run_eagerly(Main main) {
  auto program = [&]() -> Coro<typename decltype(main())::value_type> {
    set_task_factory(Loop::running(), eager_task_factory);
    co_return co_await main();
  };
  return run_virtual(program);
}

// ── ticks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The next tick.
inline auto tick() { return sleep(0s); }

/// Waits that many ticks.
inline Coro<> ticks(int count) {
  for (; count > 0; --count) co_await tick();
}

/// The number of ticks between the line before the await and the line after it, if call_soon schedules `callback` (may
/// be empty) just before.
template <class Awaitable>
Coro<int> ticks_of(Awaitable awaitable, std::function<void()> callback = {}) {
  const TickCounter counter(Loop::running());  // created first, so it counts a tick before other callbacks run
  if (callback) Loop::running().call_soon(callback);
  co_await std::move(awaitable);
  co_return counter.ticks();
}

/// Seconds since the loop's epoch.
inline double now() { return std::chrono::duration<double>(Loop::running().time().time_since_epoch()).count(); }

// ── small coroutines ────────────────────────────────────────────────────────────────────────────────────────────────

inline Coro<> nothing() { co_return; }

template <class T>
Coro<T> value_after(Duration delay, T value) {
  co_await sleep(delay);
  co_return value;
}

inline Coro<> fail(std::string what = "failed") {
  throw std::runtime_error(what);
  co_return;
}

inline Coro<> fail_after(Duration delay, std::string what = "failed") {
  co_await sleep(delay);
  throw std::runtime_error(what);
}

// ── outcomes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Awaits the task, whatever its outcome.
template <class T>
Coro<> finished(Task<T> task) {
  try {
    co_await task;
  } catch (...) {
  }
}

/// Whether the await throws an E. Any other exception passes.
template <class E, class A>
Coro<bool> throws(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const E&) {
    co_return true;
  }
  co_return false;
}

/// The what() of the E that the await throws; a note if it throws nothing. Any other exception passes.
template <class E = std::exception, class A>
Coro<std::string> thrown_by(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const E& error) {
    co_return error.what();
  }
  co_return std::string("(nothing was thrown)");
}

/// The message of the CancelledError that the await throws; a note if it throws none.
template <class A>
Coro<std::string> cancel_message(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const CancelledError& error) {
    co_return std::string(error.message());
  }
  co_return std::string("not cancelled");
}

}  // namespace asyncio::testing
