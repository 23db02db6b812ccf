// Long chains and long loops of awaits must not use stack.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>
#include <sys/resource.h>

#include <cstdint>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::VirtualLoop;

constexpr int kDepth = 100'000;
constexpr int kAwaits = 1'000'000;

[[gnu::noinline]] std::uintptr_t stack_position() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

Coro<std::uintptr_t> position_at(int depth) {
  if (depth == 0) co_return stack_position();
  std::uintptr_t position = co_await position_at(depth - 1);
  co_return position;
}

Coro<std::uintptr_t> position_after(int awaits) {
  std::uintptr_t position = 0;
  for (int i = 0; i < awaits; ++i) position = co_await position_at(0);
  co_return position;
}

/// Whether the stack can hold `times` awaits, if 100 use the difference of the positions. (g++ makes no tail call of
/// symmetric transfer under AddressSanitizer, nor below -O2 without -foptimize-sibling-calls.)
bool stack_holds(int times, std::uintptr_t shallow, std::uintptr_t deep) {
  rlimit limit = {};
  getrlimit(RLIMIT_STACK, &limit);
  const double bytes_each = (static_cast<double>(shallow) - static_cast<double>(deep)) / 100;
  return bytes_each * times < static_cast<double>(limit.rlim_cur) / 2;
}

bool chain_fits() {
  static const bool fits = stack_holds(kDepth, run(position_at(1), make_core()), run(position_at(101), make_core()));
  return fits;
}

bool loop_fits() {
  static const bool fits =
      stack_holds(kAwaits, run(position_after(1), make_core()), run(position_after(101), make_core()));
  return fits;
}

#define SKIP_UNLESS(fits) \
  if (!(fits)) GTEST_SKIP() << "this build makes no tail call of symmetric transfer: the stack would overflow"

Coro<int> ready(int value) { co_return value; }

TEST(Deep, AMillionAwaitsOfAReadyCoroutineCostNoStack) {
  SKIP_UNLESS(loop_fits());
  auto main = []() -> Coro<std::int64_t> {
    std::int64_t sum = 0;
    for (int i = 0; i < kAwaits; ++i) {
      int value = co_await ready(i);
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(run(main, make_core()), std::int64_t{kAwaits} * (kAwaits - 1) / 2);
}

TEST(Deep, AMillionAwaitsOfADoneFutureCostNoStack) {
  auto main = []() -> Coro<std::int64_t> {
    Future<int> future = create_future<int>();
    future.set_result(2);
    std::int64_t sum = 0;
    for (int i = 0; i < kAwaits; ++i) {
      int value = co_await future;
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(run(main, make_core()), 2 * kAwaits);
}

/// Counts the frames alive; suspends at the bottom.
Coro<int> dive(int depth, bool fail) {
  Counted frame(depth);
  if (depth == 0) {
    co_await sleep(1s);
    if (fail) throw std::runtime_error("the bottom");
    co_return 0;
  }
  int below = co_await dive(depth - 1, fail);
  co_return below + 1;
}

TEST(Deep, AChainOfNestedAwaitsSuspendsAndReturns) {
  SKIP_UNLESS(chain_fits());
  Counted::reset();
  EXPECT_EQ(run(dive(kDepth, false), make_core()), kDepth);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Deep, AnExceptionPassesThroughAChainOfNestedAwaits) {
  SKIP_UNLESS(chain_fits());
  Counted::reset();
  EXPECT_THROW(run(dive(kDepth, true), make_core()), std::runtime_error);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Deep, ACancelPassesThroughAChainOfNestedAwaits) {
  SKIP_UNLESS(chain_fits());
  Counted::reset();
  VirtualLoop loop;
  Task<int> task = create_task(dive(kDepth, false), {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, kDepth + 1);
  task.cancel();
  loop.run_ticks(1);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Deep, AChainStillPendingWhenTheLoopIsClosedIsDestroyed) {
  SKIP_UNLESS(chain_fits());
  Counted::reset();
  VirtualLoop loop;
  testing::ErrorLog errors(loop);
  Task<int> task = create_task(dive(kDepth, false), {.loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(Counted::alive, kDepth + 1);
  loop.close();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(errors.contexts.size(), 1u);
}

Task<int> chain_of_tasks(int length) {
  Task<int> task = create_task(ready(0));
  for (int i = 0; i < length; ++i) {
    auto link = [previous = std::move(task)]() -> Coro<int> {
      int value = co_await previous;
      co_return value + 1;
    };
    task = create_task(std::move(link));
  }
  return task;
}

TEST(Deep, AChainOfTasksRunsToItsEnd) {
  auto main = []() -> Coro<int> {
    Task<int> last = chain_of_tasks(kDepth);
    int value = co_await last;
    co_return value;
  };
  EXPECT_EQ(run(main, make_core()), kDepth);
}

TEST(Deep, ManyTasksMayWaitForOneFuture) {
  auto main = []() -> Coro<int> {
    Future<> future = create_future();
    int woken = 0;
    for (int i = 0; i < kDepth; ++i) {
      auto wait = [&]() -> Coro<> {
        co_await future;
        ++woken;
      };
      create_task(wait);
    }
    co_await sleep(0s);
    future.set_result();
    co_await sleep(0s);
    co_return woken;
  };
  EXPECT_EQ(run(main, make_core()), kDepth);
}

}  // namespace
}  // namespace asyncio
