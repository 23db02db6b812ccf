// Done-callbacks: always scheduled, never called inline, in the order they were added.
#include <asyncio/future.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using Log = std::vector<int>;

auto adds(Log& log, int number) {
  return [&log, number](Future<int>&) { log.push_back(number); };
}

// test_futures.py: BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_result
TEST(DoneCallback, RunsInTheNextTickInTheOrderOfAdding) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  for (const int number : {42, 17, 100}) future.add_done_callback(adds(log, number));
  EXPECT_EQ(log, Log());
  future.set_result(1);
  EXPECT_EQ(log, Log());  // not inline
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{42, 17, 100}));
  loop.run_ticks(1);
  EXPECT_EQ(log.size(), 3u);
}

// test_futures.py: BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_exception
TEST(DoneCallback, RunsForAnExceptionToo) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  for (const int number : {42, 17}) future.add_done_callback(adds(log, number));
  future.set_exception(std::runtime_error("x"));
  EXPECT_EQ(log, Log());
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{42, 17}));
  EXPECT_NE(future.exception(), nullptr);
}

// test_futures.py: BaseFutureTests.test_cancel
TEST(DoneCallback, RunsForACancellationToo) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  for (const int number : {1, 2}) future.add_done_callback(adds(log, number));
  future.cancel();
  future.cancel();
  EXPECT_EQ(log, Log());
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{1, 2}));
}

TEST(DoneCallback, OfADoneFutureIsScheduledAsWell) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  future.set_result(1);
  future.add_done_callback(adds(log, 1));
  loop.call_soon([&] { log.push_back(2); });
  EXPECT_EQ(log, Log());
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{1, 2}));
}

TEST(DoneCallback, OnesAddedByACallbackRunOneTickLater) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  future.add_done_callback([&](Future<int>& done) {
    log.push_back(1);
    done.add_done_callback(adds(log, 3));
  });
  future.add_done_callback(adds(log, 2));
  future.set_result(0);
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{1, 2}));
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{1, 2, 3}));
}

TEST(DoneCallback, KeepsItsPlaceAmongCallSoon) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  future.add_done_callback(adds(log, 2));
  loop.call_soon([&] { log.push_back(1); });
  future.set_result(0);
  loop.call_soon([&] { log.push_back(3); });
  loop.run_ticks(1);
  EXPECT_EQ(log, (Log{1, 2, 3}));
}

TEST(DoneCallback, GetsTheFuture) {
  VirtualLoop loop;
  const Future<int> future(loop);
  int typed = 0, untyped = 0;
  future.add_done_callback([&](Future<int>& done) {
    typed = done.result();
    EXPECT_EQ(done, future);
  });
  AnyFuture(future).add_done_callback([&](AnyFuture& done) { untyped = done.done(); });
  future.add_done_callback([&](auto done) { typed += done.result(); });
  future.set_result(20);
  loop.run_ticks(1);
  EXPECT_EQ(typed, 40);
  EXPECT_EQ(untyped, 1);
}

void doubled(Future<int>& done) { EXPECT_EQ(done.result(), 21); }

TEST(DoneCallback, MayBeAFunctionAPointerOrMoveOnly) {
  VirtualLoop loop;
  const Future<int> future(loop);
  int sum = 0;
  future.add_done_callback(doubled);
  future.add_done_callback(&doubled);
  future.add_done_callback(
      [&sum, owned = std::make_unique<int>(2)](Future<int>& done) { sum = done.result() * *owned; });
  future.set_result(21);
  loop.run_ticks(1);
  EXPECT_EQ(sum, 42);
}

TEST(DoneCallback, AnEmptyOneIsRefused) {
  VirtualLoop loop;
  const Future<int> future(loop);
  void (*null)(Future<int>&) = nullptr;
  const std::string message = "a callable object was expected, got an empty one";
  EXPECT_EQ(thrown<std::invalid_argument>([&] { future.add_done_callback(null); }), message);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { future.add_done_callback(std::function<void(Future<int>&)>()); }),
            message);
}

// ── removing ────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_futures.py: BaseFutureDoneCallbackTests.test_callbacks_remove_first_callback
// test_futures.py: BaseFutureDoneCallbackTests.test_callbacks_remove_first_and_second_callback
// test_futures.py: BaseFutureDoneCallbackTests.test_callbacks_remove_third_callback
TEST(DoneCallback, RemovalKeepsTheOrderOfTheOthers) {
  for (unsigned removed = 0; removed < 8; ++removed) {  // every subset of three
    VirtualLoop loop;
    Log log, expected;
    const Future<std::string> future(loop);
    std::vector<CallbackId> ids;
    for (int i = 0; i < 3; ++i) {
      ids.push_back(future.add_done_callback([&log, i](Future<std::string>&) { log.push_back(i); }));
    }
    for (unsigned i = 0; i < 3; ++i) {
      if (removed >> i & 1) {
        EXPECT_EQ(future.remove_done_callback(ids[i]), 1u);
        EXPECT_EQ(future.remove_done_callback(ids[i]), 0u);  // twice is harmless
      } else {
        expected.push_back(static_cast<int>(i));
      }
    }
    future.add_done_callback([&log](Future<std::string>&) { log.push_back(9); });  // the list is in order after it
    expected.push_back(9);
    future.set_result("foo");
    loop.run_ticks(1);
    EXPECT_EQ(log, expected);
    EXPECT_EQ(future.result(), "foo");
  }
}

// test_futures.py: BaseFutureDoneCallbackTests.test_remove_done_callback
TEST(DoneCallback, RemovalIsByIdAndSaysHowMany) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop), other(loop);
  const auto callback = adds(log, 1);
  const CallbackId first = future.add_done_callback(callback);
  const CallbackId second = future.add_done_callback(callback);  // the same one again: an id of its own
  EXPECT_NE(first, second);
  EXPECT_EQ(other.remove_done_callback(first), 0u);
  EXPECT_EQ(future.remove_done_callback(CallbackId{}), 0u);
  EXPECT_EQ(future.remove_done_callback(first), 1u);
  future.set_result(1);
  loop.run_ticks(1);
  EXPECT_EQ(log, Log{1});
}

// test_futures.py: BaseFutureDoneCallbackTests.test_schedule_callbacks_list_mutation_1
TEST(DoneCallback, RemovalAfterCompletionHasNoEffect) {
  VirtualLoop loop;
  Log log;
  const Future<int> future(loop);
  CallbackId second{};
  future.add_done_callback([&](Future<int>& done) { EXPECT_EQ(done.remove_done_callback(second), 0u); });
  second = future.add_done_callback(adds(log, 2));
  future.set_result(1);
  EXPECT_EQ(future.remove_done_callback(second), 0u);
  loop.run_ticks(1);
  EXPECT_EQ(log, Log{2});
}

TEST(DoneCallback, ARemovedOneIsDestroyedAtOnce) {
  VirtualLoop loop;
  Counted::reset();
  const Future<int> future(loop);
  const CallbackId id = future.add_done_callback([held = Counted()](Future<int>&) {});
  EXPECT_EQ(Counted::alive, 1);
  future.remove_done_callback(id);
  EXPECT_EQ(Counted::alive, 0);
}

// ── lives ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(DoneCallback, DoesNotKeepAPendingFutureAlive) {
  VirtualLoop loop;
  Counted::reset();
  {
    const Future<Counted> future(loop);
    future.add_done_callback([held = Counted()](Future<Counted>&) { FAIL(); });
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);  // both are gone, and nothing runs
  loop.run_ticks(1);
}

TEST(DoneCallback, KeepsTheFutureAliveOnceItIsScheduled) {
  VirtualLoop loop;
  Counted::reset();
  int seen = 0;
  {
    const Future<Counted> future(loop);
    future.add_done_callback([&](Future<Counted>& done) { seen = done.result().value; });
    future.set_result(Counted(5));
  }
  EXPECT_EQ(Counted::alive, 1);
  loop.run_ticks(1);
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(DoneCallback, IsDestroyedRightAfterItsRun) {
  VirtualLoop loop;
  Counted::reset();
  const Future<int> future(loop);
  int alive_in_second = -1;
  future.add_done_callback([held = Counted()](Future<int>&) {});
  future.add_done_callback([&](Future<int>&) { alive_in_second = Counted::alive; });
  future.set_result(1);
  loop.run_ticks(1);
  EXPECT_EQ(alive_in_second, 0);
}

TEST(DoneCallback, IsMovedNotCopied) {
  VirtualLoop loop;
  Counted::reset();
  const Future<int> future(loop);
  future.add_done_callback([held = Counted()](Future<int>&) {});
  EXPECT_EQ(Counted::copies, 0);
}

TEST(DoneCallback, AFutureThatHoldsItselfThroughItsCallbackIsFreedWhenDone) {
  VirtualLoop loop;
  Counted::reset();
  {
    const Future<Counted> future(loop);
    future.add_done_callback([future](Future<Counted>&) {});  // a cycle, until it is scheduled and has run
    future.set_result(Counted());
  }
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, 0);
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(DoneCallback, AnExceptionInItReachesTheHandlerAndTheOthersRun) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Log log;
  const Future<int> future(loop);
  const std::string line = std::to_string(__LINE__ + 1);
  future.add_done_callback([](Future<int>&) { throw std::runtime_error("in callback"); });
  future.add_done_callback(adds(log, 2));
  future.set_result(1);
  loop.run_ticks(1);
  EXPECT_EQ(log, Log{2});
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(errors.contexts[0].message, "Exception in callback scheduled at done_callback_test.cpp:" + line);
  EXPECT_EQ(errors.contexts[0].detail("handle"), "<Future finished result=1>");
  EXPECT_EQ(describe(errors.contexts[0].exception), "std::runtime_error: in callback");
}

TEST(DoneCallback, KeyboardInterruptInItLeavesTheLoopAndTheOthersRunNextTime) {
  VirtualLoop loop;
  Counted::reset();
  Log log;
  {
    const Future<int> future(loop);
    future.add_done_callback([held = Counted()](Future<int>&) { throw KeyboardInterrupt(); });
    future.add_done_callback(adds(log, 2));
    future.set_result(1);
  }
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(log, Log());
  loop.run_ticks(1);
  EXPECT_EQ(log, Log{2});
}

}  // namespace
}  // namespace asyncio::testing
