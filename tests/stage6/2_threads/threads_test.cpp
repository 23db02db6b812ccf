// to_thread() and run_coroutine_threadsafe(), and several loops in a thread each.
#include "support/counted.h"
#include "support/io.h"
#include "support/thrown.h"

#include <asyncio/gather.h>
#include <asyncio/threads.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace asyncio::testing {
namespace {

// ── to_thread ───────────────────────────────────────────────────────────────────────────────────────────────────────

// test_threads.py: ToThreadTests.test_to_thread
TEST(ToThread, GivesTheResult) {
  run_io([]() -> Coro<> {
    const int result = co_await to_thread([] { return 40 + 2; });
    EXPECT_EQ(result, 42);
  });
}

// test_threads.py: ToThreadTests.test_to_thread_exception
TEST(ToThread, ThrowsWhatTheFunctionThrows) {
  run_io([]() -> Coro<> {
    try {
      co_await to_thread([] { throw std::runtime_error("test"); });
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "test");
    }
  });
}

// test_threads.py: ToThreadTests.test_to_thread_once
TEST(ToThread, CallsTheFunctionOnceAndNotBeforeTheAwait) {
  run_io([]() -> Coro<> {
    int calls = 0;
    auto job = to_thread([&calls] { ++calls; });
    co_await sleep(1ms);
    EXPECT_EQ(calls, 0);
    co_await std::move(job);
    EXPECT_EQ(calls, 1);
  });
}

// test_threads.py: ToThreadTests.test_to_thread_concurrent
TEST(ToThread, SeveralRunAtTheSameTime) {
  run_io([]() -> Coro<> {
    std::atomic<int> calls = 0;
    std::vector<Coro<>> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(to_thread([&calls] { ++calls; }));
    co_await gather(std::move(jobs));
    EXPECT_EQ(calls, 10);
  });
}

// test_threads.py: ToThreadTests.test_to_thread_args_kwargs
TEST(ToThread, PassesItsArgumentsOn) {
  run_io([]() -> Coro<> {
    const auto concatenate = [](const std::string& a, MoveOnly b, const char* c) {
      return a + std::to_string(b.value) + c;
    };
    const std::string text = "something";
    const std::string result = co_await to_thread(concatenate, text, MoveOnly(1), "else");
    EXPECT_EQ(result, "something1else");
  });
}

const ContextVar<std::string> test_ctx("test_ctx");

// test_threads.py: ToThreadTests.test_to_thread_contextvars
TEST(ToThread, SeesACopyOfTheTasksContext) {
  run_io([]() -> Coro<> {
    test_ctx.set("parrot");
    const auto get_and_set = [] {
      const std::string seen = test_ctx.get();
      test_ctx.set("dead parrot");
      return seen;
    };
    const std::string seen = co_await to_thread(get_and_set);
    EXPECT_EQ(seen, "parrot");
    EXPECT_EQ(test_ctx.get(), "parrot");
    const bool bare = co_await run_in_executor([] { return test_ctx.get("none") == "none"; });
    EXPECT_TRUE(bare);  // run_in_executor does not copy the context
  });
}

TEST(ToThread, GivesAMoveOnlyResult) {
  run_io([]() -> Coro<> {
    const std::unique_ptr<int> result = co_await to_thread([] { return std::make_unique<int>(9); });
    EXPECT_EQ(*result, 9);
  });
}

TEST(ToThread, CancelledTheTaskEndsAtOnceAndTheJobInItsOwnTime) {
  std::atomic<bool> begun = false, ended = false;
  run_io([&]() -> Coro<> {
    const ConcurrentFuture<> go;
    auto task = create_task(to_thread([go, &begun, &ended] {
      begun = true;
      go.result();
      ended = true;
    }));
    while (!begun) co_await sleep(1ms);
    task.cancel();
    EXPECT_THROW(co_await task, CancelledError);
    EXPECT_FALSE(ended);
    go.set_result();
  });
  EXPECT_TRUE(ended);  // run() has waited for it
}

// ── run_coroutine_threadsafe ────────────────────────────────────────────────────────────────────────────────────────

Coro<int> add(int a, int b, bool fail = false, bool cancel = false) {
  co_await sleep(1ms);
  if (fail) throw std::runtime_error("Fail!");
  if (cancel) {
    current_task().cancel();
    co_await sleep(1ms);
  }
  co_return a + b;
}

/// Calls `outside(loop)` in a thread while the loop runs, and waits for it.
template <class F>
void run_beside(F outside) {
  run_io([&]() -> Coro<> { co_await to_thread([&outside, &loop = Loop::running()] { outside(loop); }); });
}

// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe
// test_free_threading.py: TestFreeThreading.test_run_coroutine_threadsafe
TEST(RunCoroutineThreadsafeThread, GivesTheResult) {
  run_beside([](Loop& loop) {
    EXPECT_EQ(run_coroutine_threadsafe(add(1, 2), loop).result(), 3);
    const auto callable = run_coroutine_threadsafe([n = 5]() -> Coro<int> { co_return n; }, loop);
    EXPECT_EQ(callable.result(), 5);
  });
}

// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_exception
// test_free_threading.py: TestFreeThreading.test_run_coroutine_threadsafe_exception
TEST(RunCoroutineThreadsafeThread, ThrowsWhatTheCoroutineThrows) {
  run_beside([](Loop& loop) {
    const auto future = run_coroutine_threadsafe(add(1, 2, true), loop);
    EXPECT_EQ(thrown<std::runtime_error>([&] { future.result(); }), "Fail!");
  });
}

// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_timeout
// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_and_cancel
TEST(RunCoroutineThreadsafeThread, CancelledByTheThreadTheTaskIsCancelledToo) {
  run_io([]() -> Coro<> {
    std::string log;
    const ConcurrentFuture<> begun;  // if cancelled earlier, the body would never run
    const auto slow = [&log, &begun]() -> Coro<> {
      begun.set_result();
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        log += "cancelled";
        throw;
      }
    };
    co_await to_thread([&slow, &begun, &loop = Loop::running()] {
      const auto future = run_coroutine_threadsafe(slow, loop);
      begun.result();
      EXPECT_THROW(future.result(5ms), TimeoutError);
      EXPECT_TRUE(future.cancel());
      EXPECT_THROW(future.result(), CancelledError);
    });
    co_await ticks(3);
    EXPECT_EQ(log, "cancelled");
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_cancelled
TEST(RunCoroutineThreadsafeThread, ATaskThatIsCancelledCancelsTheHandle) {
  run_beside([](Loop& loop) {
    const auto future = run_coroutine_threadsafe(add(1, 2, false, true), loop);
    EXPECT_THROW(future.result(), CancelledError);
    EXPECT_TRUE(future.cancelled());
  });
}

// test_tasks.py: RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_factory_exception
TEST(RunCoroutineThreadsafeThread, AnErrorWhileTheTaskIsMadeReachesTheHandleAndTheHandler) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    co_await to_thread([&loop = Loop::running()] {
      Coro<int> gone = add(1, 2);
      const Coro<int> taken = std::move(gone);
      const auto future = run_coroutine_threadsafe(std::move(gone), loop);
      EXPECT_THROW(future.result(), std::runtime_error);
    });
    EXPECT_EQ(errors.contexts.size(), 1u);
  });
}

TEST(RunCoroutineThreadsafeThread, ResultsAreMovedWhereTheyCanBe) {
  Counted::reset();
  run_beside([](Loop& loop) {
    auto owned =
        run_coroutine_threadsafe([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); }, loop);
    EXPECT_EQ(*std::move(owned).result(), 3);
    auto counted = run_coroutine_threadsafe([]() -> Coro<Counted> { co_return Counted(4); }, loop);
    EXPECT_EQ(std::move(counted).result().value, 4);
    EXPECT_EQ(Counted::copies, 0);
  });
  EXPECT_EQ(Counted::alive, 0);
}

TEST(RunCoroutineThreadsafe, CancelledBeforeTheLoopHeardOfItTheBodyNeverRuns) {
  Loop loop;
  bool ran = false;
  const auto future = run_coroutine_threadsafe(
      [&ran]() -> Coro<> {
        ran = true;
        co_return;
      },
      loop);
  future.cancel();
  loop.run_until_complete([]() -> Coro<> { co_await ticks(3); });
  EXPECT_FALSE(ran);
}

TEST(RunCoroutineThreadsafeThread, ALoopThatIsClosedFirstCancelsTheHandle) {
  auto loop = std::make_unique<Loop>();
  ErrorLog errors(*loop);
  const auto never_begun = run_coroutine_threadsafe([]() -> Coro<> { co_await sleep(1h); }, *loop);
  loop->close();
  EXPECT_TRUE(never_begun.cancelled());
  EXPECT_EQ(thrown<std::runtime_error>([&] { run_coroutine_threadsafe(add(1, 2), *loop); }), "Event loop is closed");

  loop = std::make_unique<Loop>();
  loop->set_exception_handler([](Loop&, const ErrorContext&) {});  // "destroyed but it is pending"
  const auto begun = run_coroutine_threadsafe([]() -> Coro<> { co_await sleep(1h); }, *loop);
  std::thread waiter([&begun] { EXPECT_THROW(begun.result(), CancelledError); });
  loop->run_until_complete(sleep(5ms));
  EXPECT_FALSE(begun.done());
  loop->close();
  waiter.join();
}

TEST(RunCoroutineThreadsafeThread, ManyThreadsManyCoroutinesSomeCancelled) {
  constexpr int kThreads = 4, kEach = 100;
  std::atomic<int> results = 0, cancels = 0;
  const auto never = []() -> Coro<int> {  // however late its cancel comes
    co_await sleep(1h);
    co_return 0;
  };
  run_io([&]() -> Coro<> {
    std::vector<Future<>> threads;
    ThreadPool pool(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.push_back(run_in_executor(pool, [&, &loop = Loop::running()] {
        for (int i = 0; i < kEach; ++i) {
          const bool cancel = i % 3 == 0;
          const auto future = run_coroutine_threadsafe(cancel ? never() : add(i, 1), loop);
          if (cancel) future.cancel();
          try {
            EXPECT_EQ(future.result(), i + 1);
            ++results;
          } catch (const CancelledError&) {
            ++cancels;
          }
        }
      }));
    }
    for (const Future<>& thread : threads) co_await thread;
  });
  EXPECT_EQ(results + cancels, kThreads * kEach);
  EXPECT_EQ(cancels, kThreads * 34);
}

// ── several loops ───────────────────────────────────────────────────────────────────────────────────────────────────

// test_free_threading.py: TestFreeThreading.test_all_tasks_different_thread
// test_free_threading.py: TestFreeThreading.test_task_different_thread_finalized
TEST(LoopInThread, EachHasItsOwnTasksAndFinishesThemInItsOwnThread) {
  std::vector<std::thread> threads;
  std::atomic<int> finished = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&finished] {
      run([&finished]() -> Coro<> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 50; ++i) tasks.push_back(create_task(add(i, 0)));
        EXPECT_EQ(all_tasks().size(), 51u);
        for (int i = 0; i < 50; ++i) {
          const int result = co_await tasks[static_cast<std::size_t>(i)];
          EXPECT_EQ(result, i);
          ++finished;
        }
        const int threaded = co_await to_thread([] { return 1; });
        EXPECT_EQ(threaded, 1);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(finished, 300);
}

TEST(LoopInThread, TwoLoopsCallEachOther) {
  run_io([]() -> Coro<> {
    Loop& here = Loop::running();
    const auto other = [&here]() -> Coro<int> {  // on its own loop
      const int sum = co_await wrap_future(run_coroutine_threadsafe(add(20, 1), here));
      co_return 2 * sum;
    };
    const int result = co_await to_thread([&other] { return run(other()); });
    EXPECT_EQ(result, 42);
  });
}

}  // namespace
}  // namespace asyncio::testing
