// Loop::run_until_complete() with futures: the loop of stage 1 meets what it knows nothing of.
#include <asyncio/future.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

// test_events.py: EventLoopTestsMixin.test_run_until_complete
TEST(RunUntilComplete, ReturnsTheResultOfAFuture) {
  VirtualLoop loop;
  const Future<int> future(loop);
  loop.call_later(1h, [&] { future.set_result(42); });
  EXPECT_EQ(loop.run_until_complete(future), 42);
  EXPECT_EQ(loop.time(), TimePoint{} + 1h);
  EXPECT_EQ(loop.run_until_complete(future), 42);  // done already
  EXPECT_EQ(loop.run_until_complete(Future<int>(future)), 42);
}

TEST(RunUntilComplete, WorksForVoidAndMoveOnlyResults) {
  VirtualLoop loop;
  const Future<> nothing(loop);
  const Future<std::unique_ptr<int>> move_only(loop);
  loop.call_soon([&] {
    nothing.set_result();
    move_only.set_result(std::make_unique<int>(5));
  });
  loop.run_until_complete(nothing);
  EXPECT_TRUE(std::is_void_v<decltype(loop.run_until_complete(nothing))>);
  EXPECT_EQ(*loop.run_until_complete(move_only), 5);
  EXPECT_THROW(move_only.result(), InvalidStateError);  // moved out: it could not be copied
}

TEST(RunUntilComplete, CopiesAResultOnlyIfSomebodyElseCanSeeIt) {
  VirtualLoop loop;
  Counted::reset();
  Future<Counted> kept(loop), given(loop);
  kept.set_result(Counted(1));
  given.set_result(Counted(2));
  EXPECT_EQ(loop.run_until_complete(std::move(given)).value, 2);
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(loop.run_until_complete(kept).value, 1);
  EXPECT_EQ(Counted::copies, 1);
  EXPECT_EQ(kept.result().value, 1);
}

TEST(RunUntilComplete, ThrowsTheExceptionOfTheFuture) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  {
    const Future<int> failed(loop), cancelled(loop);
    failed.set_exception(std::runtime_error("disk full"));
    cancelled.cancel();
    EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_until_complete(failed); }), "disk full");
    EXPECT_THROW(loop.run_until_complete(cancelled), CancelledError);
  }
  EXPECT_TRUE(errors.contexts.empty());  // it was looked at
}

TEST(RunUntilComplete, StopsOneTickAfterTheFutureIsDone) {
  VirtualLoop loop;
  std::string order;
  const Future<> future(loop);
  loop.call_soon([&] {
    future.set_result();
    loop.call_soon([&] {
      order += 'b';
      loop.call_soon([&] { order += 'c'; });
    });
    order += 'a';
  });
  loop.run_until_complete(future);
  EXPECT_EQ(order, "ab");  // the tick of the stop runs to its end; what that tick scheduled waits
  loop.run_ticks(1);
  EXPECT_EQ(order, "abc");
}

TEST(RunUntilComplete, OfADoneFutureTakesOneTick) {
  VirtualLoop loop;
  const Future<> future(loop);
  future.set_result();
  const TickCounter counter(loop);
  loop.run_until_complete(future);
  EXPECT_EQ(counter.ticks(), 1);
}

// test_events.py: EventLoopTestsMixin.test_run_until_complete_stopped
TEST(RunUntilComplete, StoppedTooEarlyIsAnError) {
  VirtualLoop loop;
  const Future<int> future(loop);
  loop.call_soon([&] { loop.stop(); });
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_until_complete(future); }),
            "Event loop stopped before Future completed.");
  EXPECT_FALSE(future.done());
  future.set_result(1);
  EXPECT_EQ(loop.run_until_complete(future), 1);
}

// test_base_events.py: BaseEventLoopTests.test_run_until_complete_loop_orphan_future_close_loop
TEST(RunUntilComplete, AnAbortedRunLeavesNoCallbackThatStopsTheNext) {
  VirtualLoop loop;
  const Future<int> orphan(loop), next(loop);
  loop.call_soon([] { throw KeyboardInterrupt(); });
  EXPECT_THROW(loop.run_until_complete(orphan), KeyboardInterrupt);
  orphan.set_result(1);
  bool reached = false;
  loop.call_later(1s, [&] {
    reached = true;
    next.set_result(2);
  });
  EXPECT_EQ(loop.run_until_complete(next), 2);
  EXPECT_TRUE(reached);
}

TEST(RunUntilComplete, StoppedAndDoneInTheSameTickReturnsTheResult) {
  VirtualLoop loop;
  const Future<int> future(loop);
  loop.call_soon([&] {
    loop.stop();
    future.set_result(3);
  });
  EXPECT_EQ(loop.run_until_complete(future), 3);  // the stop came first, yet the future is done
  int ticks = 0;
  loop.call_soon([&] { loop.call_soon([&] { ++ticks, loop.stop(); }); });
  loop.run_forever();  // its callback, scheduled already, stops this run after a tick: as in CPython
  EXPECT_EQ(ticks, 0);
}

// test_base_events.py: BaseEventLoopTests.test_run_until_complete_loop
TEST(RunUntilComplete, AFutureOfAnotherLoopIsRefused) {
  VirtualLoop loop, other;
  const Future<int> future(other);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { loop.run_until_complete(future); }),
            "The future belongs to a different loop than the one specified as the loop argument");
  Future<int> orphan;
  {
    VirtualLoop gone;
    orphan = Future<int>(gone);
  }
  EXPECT_THROW(loop.run_until_complete(orphan), std::invalid_argument);
}

// test_events.py: EventLoopTestsMixin.test_run_until_complete_nesting
TEST(RunUntilComplete, NestedIsRefusedAndDoesNoHarm) {
  VirtualLoop loop, other;
  const Future<int> future(loop), inner(loop), foreign(other);
  foreign.set_result(1);
  loop.call_soon([&] {
    EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_until_complete(inner); }),
              "This event loop is already running");
    EXPECT_EQ(thrown<std::runtime_error>([&] { other.run_until_complete(foreign); }),
              "Cannot run the event loop while another loop is running");
    loop.call_soon([&] { future.set_result(1); });
  });
  EXPECT_EQ(loop.run_until_complete(future), 1);
}

// test_base_events.py: BaseEventLoopTests.test_close
TEST(RunUntilComplete, AClosedLoopRefuses) {
  VirtualLoop loop;
  const Future<int> future(loop);
  future.set_result(1);
  loop.close();
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.run_until_complete(future); }), "Event loop is closed");
}

TEST(RunUntilComplete, AThreadCompletesTheFuture) {
  Loop loop;  // a real core: it waits for the other thread
  const Future<std::string> future(loop);
  std::thread other([&] { loop.call_soon_threadsafe([&] { future.set_result("from a thread"); }); });
  EXPECT_EQ(loop.run_until_complete(future), "from a thread");
  other.join();
}

}  // namespace
}  // namespace asyncio::testing
