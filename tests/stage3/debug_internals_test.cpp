// Debug mode looks for circles of tasks at a price that does not grow with the tasks that only wait.
#include <asyncio/detail/frame_future.h>
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/tasks.h>

#include <cstddef>

namespace asyncio {
namespace {

using namespace testing;

/// Waits until the end of the test, and counts how often somebody asks what it is.
class CountedWait final : public detail::FrameFuture {
 public:
  explicit CountedWait(std::size_t& asked) : asked_(asked) {}
  detail::Holder held_by() const override {
    ++asked_;
    return {};
  }

 private:
  std::size_t& asked_;
};

struct Waits {
  std::size_t& asked;
  CountedWait operator co_await() const { return CountedWait(asked); }
};

Coro<> wait_counted(std::size_t& asked) { co_await Waits{asked}; }

TEST(DebugModeCircle, TasksThatOnlyWaitAreNotLookedAtInEachTick) {
  VirtualLoop loop;
  const ErrorLog errors(loop);  // the tasks are pending at the end
  loop.set_debug(true);
  std::size_t asked = 0;
  const auto main = [&]() -> Coro<> {
    for (int i = 0; i < 1000; ++i) create_task(wait_counted(asked));
    co_await sleep(1s);
    const std::size_t at_first = asked;
    EXPECT_GE(at_first, 1000u);
    for (int i = 0; i < 1000; ++i) co_await sleep(1s);
    EXPECT_EQ(asked, at_first);
  };
  loop.run_until_complete(main);
  loop.close();
}

/// Counts how often somebody asks who waits for the future.
class CountedLook final : public detail::DoneCallback {
 public:
  void add_awaiters(detail::Awaiters&) override { ++looks; }
  void run(Loop&) override {}
  void drop() noexcept override {}
  std::size_t looks = 0;
};

// Each step of the last one could have closed a circle, and to see that it has not, one passes all of them.
TEST(DebugModeCircle, ASearchThatIsLongIsNotMadeAtEachWait) {
  constexpr int kTasks = 1000, kSteps = 3000;
  VirtualLoop loop;
  const ErrorLog errors(loop);
  loop.set_debug(true);
  CountedLook counted;
  const auto last = []() -> Coro<> {
    for (int i = 0; i < kSteps; ++i) {
      const Future<> future = create_future();
      Loop::running().call_later(1s, [future] { future.set_result(); });
      co_await future;
    }
  };
  const auto main = [&]() -> Coro<> {
    Task<> task = create_task(last);
    for (int i = 0; i < kTasks; ++i) task = create_task([](Task<> next) -> Coro<> { co_await next; }(task));
    task.state().add_callback(counted);
    co_await task;
  };
  loop.run_until_complete(main);
  EXPECT_EQ(errors.messages(), Log{});
  EXPECT_GT(counted.looks, 50u);
  EXPECT_LT(counted.looks, 500u);
}

}  // namespace
}  // namespace asyncio
