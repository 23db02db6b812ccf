// A result goes from thread to thread, and its k-th copy or move throws, for every k. Whoever waits for it gets it or
// the exception; nothing is lost, and nobody sleeps for ever.
#include "support/fragile.h"

#include <asyncio/threads.h>
#include <asyncio/wrap_future.h>
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "support/io.h"

namespace asyncio::testing {
namespace {

/// Runs the scenario with the k-th copy or move throwing, for each k until there is no k-th. The scenario gives the
/// value that came through, or throws Broken.
template <class Scenario>
void fail_each_step(Scenario scenario) {
  for (const bool moves_throw : {true, false}) {
    Fragile::moves_throw = moves_throw;
    for (int k = 1;; ++k) {
      SCOPED_TRACE("step " + std::to_string(k) + " throws");
      ASSERT_LT(k, 1000) << "the scenario has no end";
      int got = 0;
      Fragile::throws_in = k;
      try {
        run_io([&]() -> Coro<> { got = co_await scenario(); });
        EXPECT_EQ(got, 42);
      } catch (const Fragile::Broken&) {
        EXPECT_EQ(Fragile::throws_in, 0);
      }
      EXPECT_EQ(Fragile::alive, 0);
      if (Fragile::throws_in.exchange(0) > 0) break;  // there was no k-th operation
      if (::testing::Test::HasFailure()) return;
    }
    Fragile::moves_throw = true;
  }
}

Fragile answer() { return Fragile(42); }

TEST(ThrowingValues, ThatAThreadReturns) {
  fail_each_step([]() -> Coro<int> {
    const Fragile got = co_await to_thread(answer);
    co_return got.value;
  });
}

TEST(ThrowingValues, ThatAThreadTakesAsAnArgument) {
  fail_each_step([]() -> Coro<int> {
    const Fragile given(42);
    const Fragile got = co_await to_thread([](const Fragile& argument) { return Fragile(argument.value); }, given);
    co_return got.value;
  });
}

TEST(ThrowingValues, ThatALambdaCarriesIntoAThread) {
  fail_each_step([]() -> Coro<int> {
    const Fragile carried(42);
    auto job = [carried] { return carried.value; };
    Future<int> future = run_in_executor(std::move(job));
    const int got = co_await std::move(future);
    co_return got;
  });
}

// The await copies, because the handle remains.
TEST(ThrowingValues, ThatSeveralTasksAwait) {
  fail_each_step([]() -> Coro<int> {
    const Future<Fragile> future = run_in_executor(answer);
    const auto wait = [&future]() -> Coro<int> {
      const Fragile copy = co_await future;
      co_return copy.value;
    };
    const auto first = create_task(wait), second = create_task(wait);
    int got = 0;
    std::exception_ptr error;
    for (const Task<int>& task : {first, second}) {
      try {
        got = co_await task;
      } catch (const Fragile::Broken&) {
        error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    co_return got;
  });
}

/// A coroutine on the loop, for another thread, which takes the result by `take`.
template <class Take>
Coro<int> run_for_a_thread(Take take) {
  Loop& loop = Loop::running();
  Future<int> done(loop);
  std::thread thread([&] {
    int got = 0;
    std::exception_ptr error;
    try {
      auto future = run_coroutine_threadsafe(
          []() -> Coro<Fragile> {
            co_await sleep(0s);
            co_return Fragile(42);
          },
          loop);
      got = take(std::move(future));
    } catch (...) {
      error = std::current_exception();
    }
    loop.call_soon_threadsafe([&done, got, error] { error ? done.set_exception(error) : done.set_result(got); });
  });
  std::exception_ptr error;
  int got = 0;
  try {
    got = co_await done;
  } catch (...) {
    error = std::current_exception();
  }
  thread.join();
  if (error) std::rethrow_exception(error);
  co_return got;
}

TEST(ThrowingValues, ThatACoroutineReturnsToAThread) {
  fail_each_step([] {
    return run_for_a_thread([](ConcurrentFuture<Fragile> future) { return std::move(future).result(30s).value; });
  });
  fail_each_step([] {
    return run_for_a_thread([](const ConcurrentFuture<Fragile>& future) { return future.result(30s).value; });
  });
  fail_each_step([] {
    return run_for_a_thread([](ConcurrentFuture<Fragile> future) {
      const ConcurrentFuture<Fragile> other = future;  // so that the result is copied
      return std::move(future).result(30s).value;
    });
  });
}

TEST(ThrowingValues, ThatAThreadSetsInAWrappedFuture) {
  for (const bool keep_a_handle : {false, true}) {
    fail_each_step([=]() -> Coro<int> {
      ConcurrentFuture<Fragile> source;
      ConcurrentFuture<Fragile> kept;
      if (keep_a_handle) kept = source;
      std::thread thread([ours = source] {
        try {
          ours.set_result(Fragile(42));
        } catch (...) {
          ours.set_exception(std::current_exception());
        }
      });
      std::exception_ptr error;
      int got = 0;
      try {
        Future<Fragile> wrapped = wrap_future(std::move(source));
        const Fragile value = co_await std::move(wrapped);
        got = value.value;
      } catch (...) {
        error = std::current_exception();
      }
      thread.join();
      if (error) std::rethrow_exception(error);
      co_return got;
    });
  }
}

}  // namespace
}  // namespace asyncio::testing
