// Cancels a task before each of its ticks: awaits of all kinds, cleanup that awaits, and the end of run().
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/cancel_sweep.h>

#include <exception>
#include <string>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::cancel_everywhere;
using testing::Cast;
using testing::Counted;

/// try: await body()  finally: await two more ticks.
template <class Body>
Coro<> with_cleaning_up(Body body) {
  const Counted local;
  std::exception_ptr error;
  try {
    co_await body();
  } catch (...) {
    error = std::current_exception();
  }
  co_await sleep(0s);
  co_await sleep(1ms);
  if (error) std::rethrow_exception(error);
}

TEST(CancelSweep, OfSleeps) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    int awake = 0;
    auto body = [&]() -> Coro<> {
      const Counted local;
      for (const auto delay : {0ms, 5ms, -1ms, 5ms}) co_await sleep(delay);
      ++awake;
    };
    for (int i = 0; i < 2; ++i) cast.start(body);
    co_await cast.all_ended();
    EXPECT_GE(awake, 2 - cast.disturbed());
    EXPECT_EQ(Loop::running().time().time_since_epoch() % 1ms, 0ns);
  });
}

TEST(CancelSweep, OfNestedAwaitsThatCleanUp) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto innermost = []() -> Coro<> {
      co_await sleep(0s);
      co_await sleep(1ms);
    };
    auto middle = [&]() -> Coro<> {
      co_await with_cleaning_up(innermost);
      co_await with_cleaning_up(innermost);
    };
    auto outermost = [&]() -> Coro<> { co_await with_cleaning_up(middle); };
    cast.start(outermost);
    cast.start(outermost);
    co_await cast.all_ended();
  });
}

TEST(CancelSweep, OfAChainOfTasksThatAwaitEachOther) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    Future<Counted> future = create_future<Counted>();
    auto first = cast.start([&]() -> Coro<Counted> {
      const Counted& value = co_await future;
      co_return Counted(value.value + 1);
    });
    auto second = cast.start([&]() -> Coro<Counted> {
      Counted value = co_await first;
      co_await sleep(0s);
      co_return value;
    });
    auto third = cast.start([&]() -> Coro<Counted> {
      co_await sleep(0s);
      Counted value = co_await second;
      co_return value;
    });
    Loop::running().call_later(3ms, [future] {
      if (!future.done()) future.set_result(Counted(1));  // a cancel cancels the future too
    });
    co_await cast.all_ended();
    if (cast.disturbed()) {
      EXPECT_TRUE(third.cancelled());
    } else {
      EXPECT_EQ(third.result().value, 2);
    }
  });
}

TEST(CancelSweep, OfATaskThatRefusesTwice) {
  cancel_everywhere([](Cast& cast) -> Coro<> {
    auto stubborn = cast.start([]() -> Coro<int> {
      int refused = 0;
      for (int round = 0; round < 4; ++round) {
        const Counted local;
        try {
          co_await sleep(1ms);
        } catch (const CancelledError&) {
          ++refused;
          current_task().uncancel();
        }
      }
      co_return refused;
    });
    co_await cast.all_ended();
    if (!stubborn.cancelled()) {
      EXPECT_LE(stubborn.result(), 2);
      EXPECT_EQ(stubborn.cancelling(), 0u);
    }
  });
}

// run() cancels the tasks that main leaves, once. Here each, and main, may be cancelled before or meanwhile too.
TEST(CancelSweep, OfTheEndOfRun) {
  int began = 0;
  int ended = 0;
  auto scenario = [&](Cast& cast) -> Coro<> {
    cast.join();
    auto worker = [&]() -> Coro<> {
      struct Count {
        explicit Count(int& ended) : ended(ended) {}
        ~Count() { ++ended; }
        int& ended;
      };
      ++began;
      const Count count(ended);
      auto work = []() -> Coro<> { co_await sleep(1h); };
      co_await with_cleaning_up(work);
    };
    for (int i = 0; i < 3; ++i) cast.start(worker);
    co_await sleep(2ms);
  };
  cancel_everywhere(std::move(scenario), true);
  EXPECT_EQ(began, ended);
}

}  // namespace
}  // namespace asyncio
