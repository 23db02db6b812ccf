// Barrier: fills, drains, and is reusable; only abort() and reset() break it.
#include <asyncio/barrier.h>
#include <support/barriers.h>
#include <support/counted.h>
#include <support/tasks.h>

#include <algorithm>
#include <memory>

namespace asyncio {
namespace {

using testing::expect_empty;
using testing::finished;
using testing::in_tasks;
using testing::kParties;
using testing::run_virtual;
using testing::thrown;
using testing::tick;
using testing::ticks_of;
using namespace std::chrono_literals;

// ── filling and draining ────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: BarrierTests.test_barrier_parties
TEST(Barrier, NeedsAtLeastOneParty) {
  EXPECT_EQ(thrown<std::invalid_argument>([] { Barrier barrier(0); }), "parties must be >= 1");
  EXPECT_EQ(thrown<std::invalid_argument>([] { Barrier barrier(-4); }), "parties must be >= 1");
  EXPECT_EQ(Barrier(3).parties(), 3u);
}

// test_locks.py: BarrierTests.test_filling_one_task_twice
// test_locks.py: BarrierTests.test_filling_one_task
TEST(Barrier, OfOnePartyTakesNoTick) {
  auto main = []() -> Coro<> {
    Barrier barrier(1);
    for (int round = 0; round < 2; ++round) {
      const int ticks = co_await ticks_of(barrier.wait());
      EXPECT_EQ(ticks, 0);
      expect_empty(barrier);
    }
  };
  run_virtual(main);
}

TEST(Barrier, OfTwoWithThePartnerCreatedBeforeTakesTwoTicks) {
  auto main = []() -> Coro<int> {
    Barrier barrier(2);
    const testing::TickCounter counter(Loop::running());
    auto partner = create_task(barrier.wait());
    co_await barrier.wait();
    const int ticks = counter.ticks();
    co_await partner;
    co_return ticks;
  };
  EXPECT_EQ(run_virtual(main), 2);
}

// test_locks.py: BarrierTests.test_filling_task_by_task
TEST(Barrier, CountsThoseWhoWait) {
  auto main = []() -> Coro<> {
    Barrier barrier(3);
    auto t1 = create_task(barrier.wait());
    co_await tick();
    EXPECT_EQ(barrier.n_waiting(), 1u);
    auto t2 = create_task(barrier.wait());
    co_await tick();
    EXPECT_EQ(barrier.n_waiting(), 2u);
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:2/3]>");
    auto t3 = create_task(barrier.wait());
    co_await t3;
    co_await t2;
    co_await t1;
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_filling_tasks_check_return_value
// test_locks.py: BarrierTests.test_filling_tasks_wait_twice
// test_locks.py: BarrierTests.test_context_manager
TEST(Barrier, GivesEveryoneAPlaceOfTheirOwn) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    std::vector<std::size_t> first;
    std::vector<std::size_t> second;
    auto work = [&]() -> Coro<> {
      const auto place = co_await barrier.wait();
      first.push_back(place);
      const auto next_place = co_await barrier.wait();
      second.push_back(next_place);
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(first, (std::vector<std::size_t>{4, 0, 1, 2, 3})) << "the last to come does not wait";
    std::sort(second.begin(), second.end());
    EXPECT_EQ(second, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_draining_state
TEST(Barrier, DrainsUntilTheLastHasLeft) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    std::vector<bool> draining;
    auto work = [&]() -> Coro<> {
      co_await barrier.wait();
      draining.push_back(barrier.repr().find("draining") != std::string::npos);
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(draining, (std::vector<bool>{true, true, true, true, false}));
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_blocking_tasks_while_draining
TEST(Barrier, WhoComesBackEarlyWaitsUntilItIsDrained) {
  auto main = []() -> Coro<> {
    Barrier barrier(kParties);
    Barrier others(kParties - 2);
    int early = 2;
    int done = 0;
    auto work = [&]() -> Coro<> {
      co_await barrier.wait();
      if (early-- > 0) {
        co_await barrier.wait();
      } else {
        co_await others.wait();
        co_await barrier.wait();
      }
      ++done;
    };
    co_await in_tasks(kParties, work);
    EXPECT_EQ(done, kParties);
    expect_empty(barrier);
  };
  run_virtual(main);
}

// test_locks.py: BarrierTests.test_filling_tasks_cancel_one
TEST(Barrier, ACancelledTaskJustLeaves) {
  auto main = []() -> Coro<> {
    Barrier barrier(3);
    auto t1 = create_task(barrier.wait());
    co_await tick();
    auto t2 = create_task(barrier.wait());
    co_await tick();
    EXPECT_EQ(barrier.n_waiting(), 2u);
    t1.cancel();
    co_await tick();
    EXPECT_EQ(barrier.n_waiting(), 1u);
    EXPECT_FALSE(barrier.broken());
    co_await finished(t1);
    EXPECT_TRUE(t1.cancelled());
    auto t3 = create_task(barrier.wait());
    co_await tick();
    EXPECT_EQ(barrier.n_waiting(), 2u);
    auto t4 = create_task(barrier.wait());
    co_await t2;
    co_await t3;
    co_await t4;
    expect_empty(barrier);
  };
  run_virtual(main);
}

// ── printing, lives ─────────────────────────────────────────────────────────────────────────────────────────────────

// test_locks.py: BarrierTests.test_repr
TEST(Barrier, PrintsAsInPython) {
  auto main = []() -> Coro<> {
    Barrier barrier(2);
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:0/2]>");
    std::vector<Task<std::size_t>> tasks;
    tasks.push_back(create_task(barrier.wait()));
    co_await tick();
    EXPECT_EQ(barrier.repr(), "<Barrier [filling, waiters:1/2]>");
    tasks.push_back(create_task(barrier.wait()));
    co_await tick();
    EXPECT_EQ(barrier.repr(), "<Barrier [draining, waiters:0/2]>");
    co_await barrier.reset();
    EXPECT_EQ(barrier.repr(), "<Barrier [resetting, waiters:0/2]>");
    co_await barrier.abort();
    EXPECT_EQ(barrier.repr(), "<Barrier [broken]>");
    for (auto& task : tasks) co_await finished(task);
  };
  run_virtual(main);
}

TEST(Barrier, MayBeDestroyedWhileTasksWait) {
  auto main = []() -> Coro<> {
    auto barrier = std::make_unique<Barrier>(2);
    auto wait = create_task(barrier->wait());
    co_await tick();
    barrier.reset();
    wait.cancel();
    co_await finished(wait);
    EXPECT_TRUE(wait.cancelled());
  };
  run_virtual(main);
}

TEST(Barrier, ClosingTheLoopEarlyLeaksNothing) {
  using testing::Counted;
  Counted::reset();
  testing::VirtualLoop loop;
  const testing::ErrorLog errors(loop);
  {
    Barrier barrier(4);
    auto work = [&barrier](Counted) -> Coro<> { co_await barrier.wait(); };
    for (int i = 0; i < 3; ++i) create_task(work(Counted(i)), {.loop = &loop});
    loop.run_ticks(2);
    EXPECT_EQ(barrier.n_waiting(), 3u);
  }
  loop.close();  // the barrier is gone already
  EXPECT_EQ(errors.contexts.size(), 3u);
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace
}  // namespace asyncio
