// Barrier: reset() and abort() while tasks wait inside, leave, or wait to enter.
#include <asyncio/barrier.h>
#include <support/barriers.h>
#include <support/tasks.h>

#include <vector>

namespace asyncio {
namespace {

using testing::expect_empty;
using testing::finished;
using testing::in_tasks;
using testing::kParties;
using testing::run_virtual;
using testing::tick;
using namespace std::chrono_literals;

// test_locks.py: BarrierTests.test_reset_barrier
// test_locks.py: BarrierTests.test_abort_barrier
TEST(Barrier, CanBeResetAndAbortedWhenEmpty) {
  auto main = []() -> Coro<> {
    Barrier barrier(1);
    co_await barrier.reset();
    expect_empty(barrier);
    co_await barrier.abort();
    EXPECT_EQ(barrier.n_waiting(), 0u);
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.repr(), "<Barrier [broken]>");
    std::string message;
    try {
      co_await barrier.wait();
    } catch (const BrokenBarrierError& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "Barrier aborted");
    co_await barrier.reset();
    expect_empty(barrier);
    co_await barrier.wait();
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_reset_barrier_while_tasks_waiting
TEST(Barrier, AResetThrowsAtThoseWhoWait) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    std::vector<std::string> messages;
    auto work = [&]() -> Coro<> {
      try {
        co_await barrier.wait();
      } catch (const BrokenBarrierError& error) {
        messages.push_back(error.what());
      }
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < kParties - 1; ++i) tasks.push_back(create_task(work));
    co_await tick();
    auto reset = create_task(barrier.reset());
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(messages, (std::vector<std::string>(kParties - 1, "Abort or reset of barrier")));
    expect_empty(barrier);
    co_await reset;
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_reset_barrier_when_tasks_half_draining_half_blocking
TEST(Barrier, AResetHalfWayThroughTheDrainThrowsAtThoseStillInside) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    const int blocking = kParties / 2;
    int count = 0;
    int thrown_inside = 0;
    int thrown_in_front = 0;
    auto work = [&]() -> Coro<> {
      bool was_inside = false;
      try {
        co_await barrier.wait();
      } catch (const BrokenBarrierError&) {
        was_inside = true;
      }
      if (was_inside) {
        ++thrown_inside;
        co_await barrier.wait();
      } else if (++count > blocking) {
        co_await barrier.reset();
        co_await barrier.wait();
      } else {
        try {
          co_await barrier.wait();
        } catch (const BrokenBarrierError&) {
          ++thrown_in_front;
        }
      }
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(thrown_inside, blocking);
    EXPECT_EQ(thrown_in_front, 0);
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_reset_barrier_while_tasks_waiting_and_waiting_again
TEST(Barrier, AfterAResetTheSameTasksMayMeetAgain) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    int broken = 0;
    int through = 0;
    auto work = [&]() -> Coro<> {
      try {
        co_await barrier.wait();
      } catch (const BrokenBarrierError&) {
        ++broken;
      }
      co_await barrier.wait();
      ++through;
    };
    auto last = [&]() -> Coro<> {
      co_await barrier.wait();
      ++through;
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < kParties - 1; ++i) tasks.push_back(create_task(work));
    auto reset = create_task(barrier.reset());
    co_await tick();
    tasks.push_back(create_task(last));
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(broken, kParties - 1);
    EXPECT_EQ(through, kParties);
    expect_empty(barrier);
    co_await reset;
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_abort_barrier_when_tasks_half_draining_half_blocking
TEST(Barrier, AnAbortThrowsAtThoseInsideAndAtThoseInFront) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    const int blocking = kParties / 2;
    int count = 0;
    int inside = 0;
    int in_front = 0;
    auto work = [&]() -> Coro<> {
      bool was_inside = false;
      try {
        co_await barrier.wait();
      } catch (const BrokenBarrierError&) {
        was_inside = true;
      }
      if (was_inside) {
        ++inside;
      } else if (++count > blocking) {
        co_await barrier.abort();
      } else {
        try {
          co_await barrier.wait();
        } catch (const BrokenBarrierError&) {
          ++in_front;
        }
      }
    };
    co_await in_tasks(kParties, work);
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(inside, blocking);
    EXPECT_EQ(in_front, kParties - blocking - 1);
    EXPECT_EQ(barrier.n_waiting(), 0u);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_abort_barrier_when_exception_then_resetting
TEST(Barrier, StaysBrokenAfterAnAbortUntilReset) {
  auto main = []() -> Coro<> {
    Barrier first(kParties);
    Barrier second(kParties);
    int passed = 0;
    int broken = 0;
    int through = 0;
    auto work = [&]() -> Coro<> {
      bool abort = false;
      try {
        const auto place = co_await first.wait();
        abort = place == kParties / 2;
        if (!abort) {
          co_await first.wait();
          ++passed;
        }
      } catch (const BrokenBarrierError&) {
        ++broken;
      }
      if (abort) co_await first.abort();
      const auto next_place = co_await second.wait();
      if (next_place == kParties / 2) co_await first.reset();
      co_await second.wait();
      co_await first.wait();
      ++through;
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(passed, 0);
    EXPECT_EQ(broken, kParties - 1);
    EXPECT_EQ(through, kParties);
    expect_empty(first);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_reset_barrier_when_tasks_half_draining
TEST(Barrier, AResetHalfWayThroughTheDrainLetsThoseOutsideGo) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    const int inside = kParties / 2;
    int left = 0;
    int thrown = 0;
    auto work = [&]() -> Coro<> {
      try {
        co_await barrier.wait();
      } catch (const BrokenBarrierError&) {
        ++thrown;
        co_return;
      }
      if (++left == kParties - inside) co_await barrier.reset();
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(thrown, inside);
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_reset_barrier_while_tasks_draining
TEST(Barrier, AResetByTheLastWhoLeavesDisturbsNobody) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    int left = 0;
    int second = 0;
    int third = 0;
    auto work = [&]() -> Coro<> {
      co_await barrier.wait();
      if (++left == kParties) co_await barrier.reset();
      co_await barrier.wait();
      ++second;
      co_await barrier.wait();
      ++third;
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(second, kParties);
    EXPECT_EQ(third, kParties);
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_abort_barrier_when_exception
TEST(Barrier, ATaskThatFailsInsideMayAbortItForAll) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    int through = 0;
    int broken = 0;
    auto work = [&]() -> Coro<> {
      try {
        const auto place = co_await barrier.wait();
        if (place == kParties / 2) {
          co_await barrier.abort();
          co_return;
        }
        co_await barrier.wait();
        ++through;
      } catch (const BrokenBarrierError&) {
        ++broken;
      }
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(through, 0);
    EXPECT_EQ(broken, kParties - 1);
    EXPECT_EQ(barrier.n_waiting(), 0u);
    EXPECT_TRUE(barrier.broken());
  };
  run_virtual(main);
}

}  // namespace
}  // namespace asyncio
