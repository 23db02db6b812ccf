// Ctrl-C: a timer or a thread sends a real SIGINT to this process. These tests run on SleepCore in real time, because a
// signal must end a wait.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

/// Restores SIGINT's default for the tests: a shell may have started us with SIGINT ignored.
class Interrupt : public ::testing::Test {
 protected:
  void SetUp() override { before_ = std::signal(SIGINT, SIG_DFL); }
  void TearDown() override { std::signal(SIGINT, before_); }

  using Handler = void (*)(int);
  static Handler handler() {
    struct sigaction now = {};
    sigaction(SIGINT, nullptr, &now);
    return now.sa_handler;
  }

 private:
  Handler before_ = nullptr;
};

/// Sends SIGINT to the process from another thread, a moment after the loop went to sleep.
class InterruptFromThread {
 public:
  ~InterruptFromThread() { thread_.join(); }

 private:
  std::thread thread_{[] {
    std::this_thread::sleep_for(20ms);
    kill(getpid(), SIGINT);
  }};
};

// test_runners.py: RunnerTests.test_interrupt_wait
TEST_F(Interrupt, EndsASleepAndCancelsTheMainTask) {
  std::string log;
  auto main = [&]() -> Coro<> {
    InterruptFromThread interrupt;
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      log += "cleaning up";
      throw;
    }
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
  EXPECT_EQ(log, "cleaning up");
  EXPECT_EQ(handler(), SIG_DFL);
}

// test_runners.py: RunnerTests.test_interrupt_call_soon
TEST_F(Interrupt, IsHeardByALoopThatIsAlwaysBusy) {
  auto main = []() -> Coro<> {
    InterruptFromThread interrupt;
    for (;;) co_await sleep(0s);
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
}

TEST_F(Interrupt, RaisedOnTheLoopsOwnThreadCancelsInTheNextTick) {
  std::string log;
  auto main = [&]() -> Coro<> {
    Loop::running().call_soon([] { std::raise(SIGINT); });
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      log += "cancelled";
      throw;
    }
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
  EXPECT_EQ(log, "cancelled");
}

TEST_F(Interrupt, SwallowedByTheMainTaskIsNoKeyboardInterrupt) {
  auto main = []() -> Coro<int> {
    Loop::running().call_soon([] { std::raise(SIGINT); });
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    co_await sleep(1ms);  // the task continues
    co_return 5;
  };
  EXPECT_EQ(run(main), 5);
  EXPECT_EQ(handler(), SIG_DFL);
}

TEST_F(Interrupt, ATaskThatFailsWhileCleaningUpThrowsItsOwnError) {
  auto main = []() -> Coro<> {
    Loop::running().call_soon([] { std::raise(SIGINT); });
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      throw std::runtime_error("cleaning up failed");
    }
  };
  EXPECT_THROW(run(main), std::runtime_error);
}

TEST_F(Interrupt, ASecondOneLeavesAtOnceAndTheMainTaskIsCancelledAgain) {
  std::string log;
  auto main = [&]() -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      Loop::running().call_soon([] { std::raise(SIGINT); });
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        log += std::to_string(i);
      }
    }
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
  EXPECT_EQ(log, "01");  // the shutdown cancels the second time
  EXPECT_EQ(handler(), SIG_DFL);
}

// test_runners.py: RunnerTests.test_interrupt_cancelled_task
TEST_F(Interrupt, OnATaskThatIsCancelledOtherwiseTooIsACancelledError) {
  auto main = []() -> Coro<> {
    AnyTask self = current_task();
    Loop::running().call_soon([self] {
      self.cancel();
      std::raise(SIGINT);
    });
    co_await sleep(1h);
  };
  EXPECT_THROW(run(main), CancelledError);
}

TEST_F(Interrupt, OnlyTheMainTaskIsCancelledTheOthersInTheShutdown) {
  std::string log;
  auto main = [&]() -> Coro<> {
    create_task([&]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        log += "other ";
        throw;
      }
    });
    Loop::running().call_later(1ms, [] { std::raise(SIGINT); });
    bool interrupted = false;
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      interrupted = true;
    }
    co_await sleep(1ms);
    log += "main ";
    if (interrupted) throw CancelledError();
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
  EXPECT_EQ(log, "main other ");
}

TEST_F(Interrupt, IsCaughtInEveryRunOfARunner) {
  Runner runner;
  auto main = []() -> Coro<> {
    std::raise(SIGINT);
    co_await sleep(1h);
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(runner.run(main), KeyboardInterrupt);
    EXPECT_EQ(handler(), SIG_DFL);
  }
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return 1; }), 1);
}

std::atomic<int> own_handler_called = 0;

TEST_F(Interrupt, AHandlerOfTheProgramsOwnStaysAndIsCalled) {
  own_handler_called = 0;
  const Handler own = [](int) { ++own_handler_called; };
  std::signal(SIGINT, own);
  auto main = [&]() -> Coro<int> {
    EXPECT_EQ(handler(), own);
    std::raise(SIGINT);
    co_await sleep(1ms);
    co_return 1;
  };
  EXPECT_EQ(run(main), 1);
  EXPECT_EQ(own_handler_called, 1);
  EXPECT_EQ(handler(), own);
}

TEST_F(Interrupt, StaysIgnoredIfTheProgramIgnoresIt) {
  std::signal(SIGINT, SIG_IGN);
  auto main = []() -> Coro<int> {
    std::raise(SIGINT);
    co_await sleep(1ms);
    co_return 1;
  };
  EXPECT_EQ(run(main), 1);
  EXPECT_EQ(handler(), SIG_IGN);
}

TEST_F(Interrupt, IsLeftAloneByARunInAnotherThread) {
  Handler seen = nullptr;
  std::thread([&] { seen = run([]() -> Coro<Handler> { co_return handler(); }); }).join();
  EXPECT_EQ(seen, SIG_DFL);
}

TEST_F(Interrupt, TwoThatTheLoopCannotHearEndTheProgram) {
  auto main = []() -> Coro<> {
    std::raise(SIGINT);
    std::raise(SIGINT);  // no tick between the two: as if a callback blocked the loop
    co_return;
  };
  EXPECT_EXIT(run(main), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace asyncio
