// ConcurrentFuture, a result that threads wait for, and wrap_future(), which makes it awaitable.
#include "support/counted.h"
#include "support/io.h"
#include "support/thrown.h"

#include <asyncio/concurrent_future.h>
#include <asyncio/wrap_future.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace asyncio::testing {
namespace {

TEST(ConcurrentFutureThread, WaitsForAResultOfAnotherThread) {
  const ConcurrentFuture<std::string> future;
  EXPECT_FALSE(future.done());
  std::thread other([future] {
    EXPECT_TRUE(future.set_running_or_notify_cancel());
    EXPECT_TRUE(future.running());
    future.set_result("here");
  });
  EXPECT_EQ(future.result(), "here");
  EXPECT_TRUE(future.done());
  EXPECT_EQ(future.exception(), nullptr);
  other.join();
}

TEST(ConcurrentFutureThread, ManyThreadsMayWaitForOneResult) {
  const ConcurrentFuture<int> future;
  std::vector<std::thread> waiters;
  std::atomic<int> sum = 0;
  for (int i = 0; i < 4; ++i) waiters.emplace_back([future, &sum] { sum += future.result(); });
  future.set_result(10);
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(sum, 40);
}

TEST(ConcurrentFuture, ThrowsWhatTheJobThrew) {
  const ConcurrentFuture<> future;
  future.set_exception(std::runtime_error("disk full"));
  EXPECT_EQ(thrown<std::runtime_error>([&] { future.result(); }), "disk full");
  EXPECT_NE(future.exception(), nullptr);
  EXPECT_FALSE(future.cancelled());
}

TEST(ConcurrentFuture, ATimeLimitThatIsOverIsATimeoutErrorAndTheFutureStaysPending) {
  const ConcurrentFuture<int> future;
  EXPECT_THROW(future.result(5ms), TimeoutError);
  EXPECT_THROW(future.exception(0s), TimeoutError);
  future.set_result(1);
  EXPECT_EQ(future.result(0s), 1);
}

TEST(ConcurrentFuture, CancelledBeforeItRunsItNeverWill) {
  const ConcurrentFuture<int> future;
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.set_running_or_notify_cancel());
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_THROW(future.exception(), CancelledError);
  EXPECT_THROW(future.set_result(1), InvalidStateError);
}

TEST(ConcurrentFuture, CannotBeCancelledOnceItRuns) {
  const ConcurrentFuture<int> future;
  EXPECT_TRUE(future.set_running_or_notify_cancel());
  EXPECT_FALSE(future.cancel());
  EXPECT_THROW(future.set_running_or_notify_cancel(), InvalidStateError);
  future.set_result(1);
  EXPECT_FALSE(future.cancel());
  EXPECT_THROW(future.set_result(2), InvalidStateError);
  EXPECT_THROW(future.set_exception(std::runtime_error("")), InvalidStateError);
  EXPECT_EQ(future.result(), 1);
}

TEST(ConcurrentFuture, ANullExceptionIsRefused) {
  const ConcurrentFuture<> future;
  EXPECT_THROW(future.set_exception(std::exception_ptr()), std::invalid_argument);
  EXPECT_FALSE(future.done());
}

TEST(ConcurrentFuture, AnRvalueGivesTheResultAwayIfNobodyElseCanSeeIt) {
  Counted::reset();
  {
    ConcurrentFuture<Counted> future;
    future.set_result(Counted(7));
    EXPECT_EQ(ConcurrentFuture<Counted>(future).result().value, 7);  // two handles: a copy
    EXPECT_EQ(Counted::copies, 1);
    EXPECT_EQ(future.result().value, 7);  // an lvalue: a reference
    EXPECT_EQ(Counted::copies, 1);
    const Counted taken = std::move(future).result();
    EXPECT_EQ(taken.value, 7);
    EXPECT_EQ(Counted::copies, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(ConcurrentFuture, AnRvalueGivesTheExceptionAwayIfNobodyElseCanSeeIt) {
  ConcurrentFuture<> future;
  future.set_exception(std::runtime_error("disk full"));
  {
    const ConcurrentFuture<> other = future;
    EXPECT_EQ(describe(std::move(future).exception()), "std::runtime_error: disk full");
    EXPECT_EQ(thrown<std::runtime_error>([&] { other.result(); }), "disk full");
  }
  EXPECT_EQ(describe(std::move(future).exception()), "std::runtime_error: disk full");
  EXPECT_THROW(future.result(), InvalidStateError);
}

TEST(ConcurrentFuture, WhatCannotBeCopiedIsMovedOutOnce) {
  ConcurrentFuture<MoveOnly> future;
  future.set_result(MoveOnly(3));
  ConcurrentFuture<MoveOnly> other = future;
  EXPECT_EQ(std::move(other).result().value, 3);
  EXPECT_THROW(future.result(), InvalidStateError);
}

TEST(ConcurrentFutureThread, CallbacksRunInTheThreadThatCompletesIt) {
  const ConcurrentFuture<int> future;
  std::thread::id ran_in;
  future.add_done_callback([&](const ConcurrentFuture<int>& done) {
    EXPECT_EQ(done.result(), 5);
    ran_in = std::this_thread::get_id();
  });
  std::thread other([&] { future.set_result(5); });
  const std::thread::id other_id = other.get_id();
  other.join();
  EXPECT_EQ(ran_in, other_id);

  int calls = 0;
  future.add_done_callback([&](const auto&) { ++calls; });  // already done: runs here, at once
  EXPECT_EQ(calls, 1);
}

TEST(ConcurrentFuture, ACallbackThatThrowsDoesNotKeepTheNextFromRunning) {
  const ConcurrentFuture<> future;
  bool second = false;
  future.add_done_callback([](const auto&) { throw std::runtime_error("oops"); });
  future.add_done_callback([&](const auto&) { second = true; });
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(future.cancel());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "exception calling callback\nstd::runtime_error: oops\n");
  EXPECT_TRUE(second);
}

// ── wrap_future ─────────────────────────────────────────────────────────────────────────────────────────────────────

void run_briefly(Loop& loop) {
  loop.run_until_complete([]() -> Coro<> { co_return; });
}

// test_futures.py: BaseFutureTests.test_wrap_future
// test_futures.py: BaseFutureTests.test_wrap_future_use_running_loop
TEST(WrapFutureThread, BringsAResultIntoTheLoopsThread) {
  run_io([]() -> Coro<> {
    ConcurrentFuture<std::string> source;
    Future<std::string> wrapped = wrap_future(source);
    EXPECT_EQ(&wrapped.get_loop(), &Loop::running());
    std::thread other([source] { source.set_result("oi"); });
    const std::string& result = co_await wrapped;
    EXPECT_EQ(result, "oi");
    other.join();
  });
}

// test_futures.py: BaseFutureTests.test_wrap_future_without_loop
TEST(WrapFuture, NeedsALoop) {
  const ConcurrentFuture<> source;
  EXPECT_EQ(thrown<std::runtime_error>([&] { wrap_future(source); }), "no running event loop");
  Loop loop;
  loop.close();
  EXPECT_EQ(thrown<std::runtime_error>([&] { wrap_future(source, loop); }), "Event loop is closed");
}

TEST(WrapFutureThread, BringsAnExceptionAndAMoveOnlyResult) {
  run_io([]() -> Coro<> {
    ConcurrentFuture<MoveOnly> good, bad;
    Future<MoveOnly> first = wrap_future(good);
    Future<MoveOnly> second = wrap_future(bad);
    std::thread other([good, bad] {
      good.set_result(MoveOnly(4));
      bad.set_exception(std::runtime_error("disk full"));
    });
    const MoveOnly value = co_await std::move(first);
    EXPECT_EQ(value.value, 4);
    try {
      co_await second;
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "disk full");
    }
    other.join();
  });
}

TEST(WrapFuture, OfOneThatIsDoneIsDoneInTheLoopsThread) {
  run_io([]() -> Coro<> {
    const ConcurrentFuture<int> source;
    source.set_result(3);
    const Future<int> wrapped = wrap_future(source);
    EXPECT_TRUE(wrapped.done());
    const int result = co_await wrapped;
    EXPECT_EQ(result, 3);
  });
}

// test_futures.py: BaseFutureTests.test_wrap_future_cancel
TEST(WrapFuture, CancelledItCancelsTheOther) {
  Loop loop;
  const ConcurrentFuture<int> source;
  const Future<int> wrapped = wrap_future(source, loop);
  wrapped.cancel();
  run_briefly(loop);
  EXPECT_TRUE(source.cancelled());
  EXPECT_TRUE(wrapped.cancelled());
}

// test_futures.py: BaseFutureTests.test_wrap_future_cancel2
TEST(WrapFuture, CancelledTooLateItDropsTheResult) {
  Loop loop;
  const ConcurrentFuture<int> source;
  const Future<int> wrapped = wrap_future(source, loop);
  source.set_result(42);
  wrapped.cancel();
  run_briefly(loop);
  EXPECT_FALSE(source.cancelled());
  EXPECT_EQ(source.result(), 42);
  EXPECT_TRUE(wrapped.cancelled());
}

TEST(WrapFutureThread, IsCancelledWhenTheOtherIs) {
  run_io([]() -> Coro<> {
    const ConcurrentFuture<> source;
    const Future<> wrapped = wrap_future(source);
    std::thread other([source] { source.cancel(); });
    EXPECT_THROW(co_await wrapped, CancelledError);
    EXPECT_TRUE(wrapped.cancelled());
    other.join();
  });
}

TEST(WrapFuture, MovesTheValueIfNobodyElseCanSeeIt) {
  Counted::reset();
  {
    Loop loop;
    ConcurrentFuture<Counted> seen, unseen;
    Future<Counted> first = wrap_future(seen, loop);
    seen.set_result(Counted(1));
    Future<Counted> second;
    {
      const ConcurrentFuture<Counted> handle = std::move(unseen);
      second = wrap_future(handle, loop);
      handle.set_result(Counted(2));
    }
    run_briefly(loop);
    EXPECT_EQ(Counted::copies, 1);  // of the first
    EXPECT_EQ(first.result().value, 1);
    EXPECT_EQ(seen.result().value, 1);
    EXPECT_EQ(second.result().value, 2);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(WrapFutureThread, ALoopThatIsClosedOrGoneIsLeftAlone) {
  const ConcurrentFuture<std::string> closed, gone, raced;
  Loop loop;
  Future<std::string> wrapped = wrap_future(closed, loop);
  loop.close();
  auto other = std::make_unique<Loop>();
  Future<std::string> orphan = wrap_future(gone, *other);
  other.reset();
  std::thread([=] {
    closed.set_result("too late");
    gone.set_exception(std::runtime_error("too late"));
  }).join();
  EXPECT_FALSE(wrapped.done());
  EXPECT_FALSE(orphan.done());

  for (int i = 0; i < 200; ++i) {  // both race
    const ConcurrentFuture<int> source;
    auto racing = std::make_unique<Loop>();
    wrap_future(source, *racing);
    std::thread thread([source] { source.set_result(1); });
    racing.reset();
    thread.join();
  }
}

}  // namespace
}  // namespace asyncio::testing
