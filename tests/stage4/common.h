// What the tests of this stage share.
#pragma once

#include <asyncio/run.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../support/counted.h"
#include "../support/test_core.h"

namespace asyncio::testing {

using namespace std::chrono_literals;

/// Runs a test's coroutine in virtual time, to its end.
template <class F>
auto run_virtual(F body) {
  return asyncio::run(std::move(body), make_core());
}

/// Whether the await throws an E; another exception goes on.
template <class E, class A>
Coro<bool> throws(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const E&) {
    co_return true;
  }
  co_return false;
}

/// "" or the message of the CancelledError that the await throws.
template <class A>
Coro<std::string> cancel_message(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const CancelledError& error) {
    co_return std::string(error.message());
  }
  co_return std::string("not cancelled");
}

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

/// Runs the loop's ticks as CPython's test utils do: an empty coroutine takes two.
inline Coro<> run_briefly() {
  co_await sleep(0s);
  co_await sleep(0s);
}

/// Seconds since the loop's epoch.
inline double now() { return std::chrono::duration<double>(Loop::running().time().time_since_epoch()).count(); }

inline std::string what_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (const CancelledError&) {
    return "CancelledError";
  } catch (...) {
    return "?";
  }
}

}  // namespace asyncio::testing
