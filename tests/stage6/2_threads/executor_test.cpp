// ThreadPool, run_in_executor() and the loop's default executor.
#include "support/counted.h"
#include "support/io.h"
#include "support/thrown.h"

#include <asyncio/executor.h>
#include <asyncio/gather.h>
#include <asyncio/poll_core.h>
#include <asyncio/sleep_core.h>
#include <asyncio/thread_pool.h>

#include <atomic>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace asyncio::testing {
namespace {

// ── ThreadPool ──────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(ThreadPool, ThatGetsNoJobHasNoThread) {
  ThreadPool pool(4);
  EXPECT_EQ(pool.threads(), 0u);
  EXPECT_EQ(pool.max_workers(), 4u);
  pool.shutdown();
  EXPECT_TRUE(pool.ended().done());
}

TEST(ThreadPool, NeedsAtLeastOneWorker) {
  EXPECT_EQ(thrown<std::invalid_argument>([] { ThreadPool pool(0); }), "max_workers must be greater than 0");
  EXPECT_GE(ThreadPool::default_workers(), 5u);
  EXPECT_LE(ThreadPool::default_workers(), 32u);
}

// A thread that has just given its result may not be idle yet: the next job may get a second thread, and so on. But of a
// hundred threads one is idle.
TEST(ThreadPool, MakesAThreadOnlyIfNoneIsIdle) {
  ThreadPool pool(100);
  pool.submit([] {}).result();
  EXPECT_EQ(pool.threads(), 1u);
  for (int job = 0; job < 200; ++job) pool.submit([] {}).result();
  EXPECT_LT(pool.threads(), 100u);
}

TEST(ThreadPool, NeverMakesMoreThreadsThanItMay) {
  ThreadPool pool(2);
  std::latch both_run(2);
  const ConcurrentFuture<> go;
  const auto job = [&both_run, go] {
    both_run.count_down();
    go.result();
  };
  pool.submit(job);
  pool.submit(job);
  both_run.wait();
  EXPECT_EQ(pool.threads(), 2u);
  const auto third = pool.submit([] { return 3; });
  EXPECT_EQ(pool.threads(), 2u);
  EXPECT_FALSE(third.done());
  go.set_result();
  EXPECT_EQ(third.result(), 3);
}

TEST(ThreadPool, OneWorkerRunsTheJobsInTheirOrder) {
  std::string order;
  {
    ThreadPool pool(1);
    for (const char name : {'a', 'b', 'c', 'd'}) pool.submit([&order, name] { order += name; });
  }  // the destructor waits for all
  EXPECT_EQ(order, "abcd");
}

TEST(ThreadPool, TakesArgumentsMovesThemAndGivesMoveOnlyResults) {
  ThreadPool pool(1);
  const auto add = [](MoveOnly a, const std::string& b) { return MoveOnly(a.value + static_cast<int>(b.size())); };
  EXPECT_EQ(pool.submit(add, MoveOnly(40), std::string("ab")).result().value, 42);
  EXPECT_EQ(pool.submit([owned = std::make_unique<int>(5)] { return *owned; }).result(), 5);
  std::string text = "text";
  EXPECT_EQ(pool.submit(&std::string::size, text).result(), 4u);
}

TEST(ThreadPool, AnExceptionCrossesOver) {
  ThreadPool pool(1);
  const auto failed = pool.submit([]() -> int { throw std::runtime_error("disk full"); });
  EXPECT_EQ(thrown<std::runtime_error>([&] { failed.result(); }), "disk full");
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);  // the thread survives
}

TEST(ThreadPool, WhatAJobHoldsIsDestroyedBeforeItsFutureIsDone) {
  Counted::reset();
  ThreadPool pool(1);
  for (int i = 0; i < 50; ++i) {
    pool.submit([counted = Counted(1)] {}).result();
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_THROW(pool.submit([counted = Counted(1)] { throw std::runtime_error(""); }).result(), std::runtime_error);
    EXPECT_EQ(Counted::alive, 0);
  }
}

TEST(ThreadPool, ACancelledJobDoesNotRun) {
  const ConcurrentFuture<> go;
  bool ran = false;
  ThreadPool pool(1);
  const auto first = pool.submit([go] { go.result(); });
  const auto second = pool.submit([&ran] { ran = true; });
  while (!first.running()) std::this_thread::yield();
  EXPECT_FALSE(first.cancel());
  EXPECT_TRUE(second.cancel());
  go.set_result();
  pool.shutdown();
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(ran);
}

TEST(ThreadPool, TakesNoMoreJobsAfterItsShutdownButRunsThoseItHas) {
  std::atomic<int> ran = 0;
  const ConcurrentFuture<> go;
  ThreadPool pool(1);
  pool.submit([go] { go.result(); });
  for (int i = 0; i < 3; ++i) pool.submit([&ran] { ++ran; });
  pool.shutdown(false);  // does not wait
  EXPECT_EQ(ran, 0);
  EXPECT_FALSE(pool.ended().done());
  EXPECT_FALSE(pool.ended().cancel());
  EXPECT_EQ(thrown<std::runtime_error>([&] { pool.submit([] {}); }), "cannot schedule new futures after shutdown");
  go.set_result();
  pool.shutdown();
  EXPECT_EQ(ran, 3);
  EXPECT_TRUE(pool.ended().done());
  pool.shutdown();
}

TEST(ThreadPool, ShutDownWithoutWaitingItMayGoBeforeItsJobs) {
  const ConcurrentFuture<> go, done;
  {
    ThreadPool pool(1);
    pool.submit([go, done] {
      go.result();
      done.set_result();
    });
    pool.shutdown(false);
  }
  go.set_result();
  done.result();
}

TEST(ThreadPool, ManyThreadsMaySubmitAndNoJobIsLost) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(3);
    std::vector<std::thread> submitters;
    for (int i = 0; i < 4; ++i) {
      submitters.emplace_back([&] {
        for (int n = 0; n < 500; ++n) pool.submit([&ran] { ++ran; });
      });
    }
    for (std::thread& submitter : submitters) submitter.join();
  }
  EXPECT_EQ(ran, 2000);
}

TEST(ThreadPool, AJobMayHoldTheLastReferenceToItsPool) {
  auto pool = std::make_shared<ThreadPool>(1);
  const ConcurrentFuture<> go;
  const auto job = pool->submit([pool, go] { go.result(); });
  pool.reset();
  go.set_result();
  job.result();
}

// ── run_in_executor ─────────────────────────────────────────────────────────────────────────────────────────────────

// test_events.py: EventLoopTestsMixin.test_run_in_executor
TEST(RunInExecutorThread, TheResultComesBackOnTheLoopsThread) {
  run_io([]() -> Coro<> {
    const auto loop_thread = std::this_thread::get_id();
    const auto run = [](std::string arg) { return std::make_pair(arg, std::this_thread::get_id()); };
    const auto [arg, job_thread] = co_await run_in_executor(run, "yo");
    EXPECT_EQ(arg, "yo");
    EXPECT_NE(job_thread, loop_thread);
    EXPECT_EQ(std::this_thread::get_id(), loop_thread);
  });
}

TEST(RunInExecutorThread, TheLoopRunsMeanwhile) {
  run_io([]() -> Coro<> {
    const ConcurrentFuture<> go;
    Future<> job = run_in_executor([go] { go.result(); });
    co_await sleep(1ms);
    EXPECT_FALSE(job.done());
    go.set_result();
    co_await job;
  });
}

TEST(RunInExecutorThread, APoolOfOnesOwnAndALoopThatDoesNotRunYet) {
  Loop loop;
  ThreadPool pool(1);
  Future<int> first = run_in_executor(loop, pool, [] { return 1; });
  Future<int> second = run_in_executor(
      loop, [](int n) { return n; }, 2);
  EXPECT_EQ(loop.run_until_complete(first), 1);
  EXPECT_EQ(loop.run_until_complete(second), 2);
  loop.close();
  EXPECT_EQ(thrown<std::runtime_error>([&] { run_in_executor(loop, pool, [] {}); }), "Event loop is closed");
}

TEST(RunInExecutorThread, ExceptionsAndMoveOnlyResultsCrossOver) {
  run_io([]() -> Coro<> {
    auto job = [owned = MoveOnly(7)]() mutable { return std::move(owned); };
    const MoveOnly value = co_await run_in_executor(std::move(job));
    EXPECT_EQ(value.value, 7);
    try {
      co_await run_in_executor([] { throw std::runtime_error("disk full"); });
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "disk full");
    }
  });
}

TEST(RunInExecutorThread, TheResultIsMovedAndNotCopied) {
  Counted::reset();
  run_io([]() -> Coro<> {
    const Counted value = co_await run_in_executor([] { return Counted(3); });
    EXPECT_EQ(value.value, 3);
    EXPECT_EQ(Counted::copies, 0);
  });
  EXPECT_EQ(Counted::alive, 0);
}

// test_events.py: EventLoopTestsMixin.test_run_in_executor_cancel
TEST(RunInExecutorThread, CancelledItDoesNotTouchALoopThatIsClosedWhenTheJobEnds) {
  const ConcurrentFuture<> go;
  const auto pool = std::make_shared<ThreadPool>(1);
  {
    Loop loop;
    ErrorLog errors(loop);
    set_default_executor(loop, pool);
    const Future<> job = run_in_executor(loop, [go] { go.result(); });
    job.cancel();
    loop.close();
    EXPECT_TRUE(errors.contexts.empty());
  }  // the pool is gone
  go.set_result();
  pool->ended().result();
}

TEST(RunInExecutorThread, CancelledBeforeItBeginsTheJobDoesNotRun) {
  run_io([]() -> Coro<> {
    ThreadPool pool(1);
    const ConcurrentFuture<> go;
    std::atomic<bool> ran = false;
    const Future<> first = run_in_executor(pool, [go] { go.result(); });
    const Future<> second = run_in_executor(pool, [&ran] { ran = true; });
    second.cancel();
    co_await sleep(0s);  // a callback cancels in the pool
    go.set_result();
    co_await first;
    pool.shutdown();
    EXPECT_FALSE(ran);
  });
}

TEST(RunInExecutorThread, ManyAtOnceAllComeBack) {
  run_io([]() -> Coro<> {
    std::vector<Future<int>> jobs;
    for (int i = 0; i < 500; ++i) jobs.push_back(run_in_executor([i] { return i; }));
    const std::vector<int> results = co_await gather(jobs);
    for (int i = 0; i < 500; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  });
}

TEST(RunInExecutorThread, WorksOnEitherCore) {
  for (const bool poll : {false, true}) {
    const auto main = []() -> Coro<> {
      const int result = co_await run_in_executor([] { return 1; });
      EXPECT_EQ(result, 1);
    };
    run_io(main, poll ? std::make_unique<PollCore>() : std::unique_ptr<Core>(std::make_unique<SleepCore>()));
  }
}

// ── the default executor ────────────────────────────────────────────────────────────────────────────────────────────

// test_base_events.py: BaseEventLoopTests.test_set_default_executor
TEST(DefaultExecutorThread, IsTheOneThatWasSet) {
  run_io([]() -> Coro<> {
    const auto pool = std::make_shared<ThreadPool>(1);
    set_default_executor(Loop::running(), pool);
    co_await run_in_executor([] {});
    EXPECT_EQ(pool->threads(), 1u);
    EXPECT_THROW(set_default_executor(Loop::running(), nullptr), std::invalid_argument);
  });
}

TEST(DefaultExecutorThread, AnotherInItsPlaceLeavesTheJobsOfTheFirst) {
  run_io([]() -> Coro<> {
    const ConcurrentFuture<> go;
    const Future<int> job = run_in_executor([go] { return go.result(), 4; });
    set_default_executor(Loop::running(), std::make_shared<ThreadPool>(1));
    const int other = co_await run_in_executor([] { return 5; });
    EXPECT_EQ(other, 5);
    go.set_result();
    const int result = co_await job;
    EXPECT_EQ(result, 4);
  });
}

TEST(DefaultExecutorThread, ShutdownWaitsForTheJobsAndNoneIsTakenAnyMore) {
  run_io([]() -> Coro<> {
    std::atomic<int> ran = 0;
    for (int i = 0; i < 10; ++i) {
      run_in_executor([&ran] {
        std::this_thread::sleep_for(1ms);
        ++ran;
      });
    }
    co_await shutdown_default_executor();
    EXPECT_EQ(ran, 10);
    EXPECT_EQ(thrown<std::runtime_error>([] { run_in_executor([] {}); }), "Executor shutdown has been called");
    co_await shutdown_default_executor();  // the second call has nothing to wait for
  });
}

TEST(DefaultExecutor, ShutdownOfOneThatWasNeverUsedTakesNoTick) {
  run_io([]() -> Coro<> {
    const TickCounter counter(Loop::running());
    co_await shutdown_default_executor();
    EXPECT_EQ(counter.ticks(), 0);
  });
}

// test_base_events.py: BaseEventLoopTests.test_shutdown_default_executor_timeout
TEST(DefaultExecutorThread, ShutdownThatTakesTooLongSaysSoAndGivesUp) {
  const ConcurrentFuture<> go;
  const auto pool = std::make_shared<ThreadPool>(1);
  run_io([&]() -> Coro<> {
    ErrorLog errors(Loop::running());
    set_default_executor(Loop::running(), pool);
    run_in_executor([go] { go.result(); });
    co_await shutdown_default_executor(10ms);
    EXPECT_EQ(errors.messages(),
              std::vector<std::string>(1, "The executor did not finishing joining its threads within 0.01 seconds."));
    go.set_result();  // otherwise run() would wait again
    Loop::running().set_exception_handler(nullptr);
  });
  pool->ended().result();
}

TEST(DefaultExecutorThread, ShutdownMayBeCancelled) {
  run_io([]() -> Coro<> {
    const ConcurrentFuture<> go;
    run_in_executor([go] { go.result(); });
    auto shutdown = create_task(shutdown_default_executor());
    co_await ticks(2);
    shutdown.cancel();
    EXPECT_THROW(co_await shutdown, CancelledError);
    go.set_result();
  });
}

TEST(DefaultExecutorThread, ARunnerWaitsForTheJobsBeforeItClosesTheLoop) {
  std::atomic<bool> ran = false;
  std::string order;
  run([&]() -> Coro<> {
    create_task([&]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        order += "task ";
      }
      co_await run_in_executor([&order] { order += "job "; });  // during cleanup a task may still use it
    });
    run_in_executor([&ran] {
      std::this_thread::sleep_for(20ms);
      ran = true;
    });
    co_await sleep(0s);
  });
  EXPECT_TRUE(ran);
  EXPECT_EQ(order, "task job ");
}

TEST(DefaultExecutorThread, ALoopThatIsClosedWithoutARunnerDoesNotWait) {
  const ConcurrentFuture<> go, done;
  {
    Loop loop;
    run_in_executor(loop, [go, done] {
      go.result();
      done.set_result();
    });
    loop.close();
    EXPECT_THROW(run_in_executor(loop, [] {}), std::runtime_error);
  }
  go.set_result();
  done.result();
}

}  // namespace
}  // namespace asyncio::testing
