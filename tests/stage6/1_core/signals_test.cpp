// add_signal_handler(): real signals, on the loop's thread and from others.
#include "support/io.h"
#include "support/thrown.h"

#include <asyncio/poll_core.h>
#include <asyncio/signals.h>
#include <asyncio/sleep_core.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace asyncio::testing {
namespace {

using Handler = void (*)(int);

Handler handler_of(int signal) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler;
}

std::unique_ptr<Core> core(bool poll) {
  if (poll) return std::make_unique<PollCore>();
  return std::make_unique<SleepCore>();
}

// test_events.py: EventLoopTestsMixin.test_add_signal_handler
// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler
TEST(Signal, TheHandlerRunsInTheLoopAndNotBefore) {
  Loop loop;
  int caught = 0;
  add_signal_handler(loop, SIGUSR1, [&] { ++caught; });
  std::raise(SIGUSR1);
  EXPECT_EQ(caught, 0);
  loop.run_until_complete(ticks(3));
  EXPECT_EQ(caught, 1);
  EXPECT_TRUE(remove_signal_handler(loop, SIGUSR1));
  EXPECT_FALSE(remove_signal_handler(loop, SIGUSR1));
  EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
}

// test_events.py: EventLoopTestsMixin.test_signal_handling_while_selecting
// test_events.py: EventLoopTestsMixin.test_signal_handling_args
TEST(Signal, EndsAWait) {
  for (const bool poll : {false, true}) {
    Loop loop(core(poll));
    int caught = 0;
    add_signal_handler(loop, SIGALRM, [&] {
      ++caught;
      loop.stop();
    });
    itimerval soon = {};
    soon.it_value.tv_usec = 10'000;
    setitimer(ITIMER_REAL, &soon, nullptr);
    loop.call_later(20s, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(caught, 1);
  }
}

TEST(SignalThread, ThatAnotherThreadGetsReachesTheLoop) {
  for (const bool poll : {false, true}) {
    Loop loop(core(poll));
    bool caught = false;
    add_signal_handler(loop, SIGUSR2, [&] {
      caught = true;
      loop.stop();
    });
    std::thread other([] {
      std::this_thread::sleep_for(5ms);
      pthread_kill(pthread_self(), SIGUSR2);
    });
    loop.call_later(20s, [&] { loop.stop(); });
    loop.run_forever();
    other.join();
    EXPECT_TRUE(caught);
  }
}

// One tick finds the signal, after the ready callbacks. The next runs its handler, after those that the first
// scheduled. As CPython 3.13 prints it.
TEST(Signal, TakesTwoTicks) {
  Loop loop;
  std::string log;
  add_signal_handler(loop, SIGUSR1, [&] {
    log += "handler ";
    loop.stop();
  });
  loop.call_soon([&] {
    std::raise(SIGUSR1);
    loop.call_soon([&] {
      log += "1 ";
      loop.call_soon([&] {
        log += "2 ";
        loop.call_soon([&] { log += "3 "; });
      });
    });
  });
  loop.run_forever();
  EXPECT_EQ(log, "1 2 handler ");
}

TEST(Signal, SeveralSignalsEachHaveTheirHandlerAndCanComeAgain) {
  run_io([]() -> Coro<> {
    std::string log;
    add_signal_handler(SIGUSR1, [&] { log += "1"; });
    add_signal_handler(SIGUSR2, [&] { log += "2"; });
    add_signal_handler(SIGRTMAX, [&] { log += "R"; });
    for (const int signal : {SIGUSR1, SIGUSR2, SIGRTMAX, SIGUSR1}) {
      std::raise(signal);
      co_await ticks(3);
    }
    EXPECT_EQ(log, "12R1");
  });
  EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
  EXPECT_EQ(handler_of(SIGUSR2), SIG_DFL);
}

// As CPython 3.13 prints it.
TEST(Signal, CountsAndKeepsItsPlaceAmongOthers) {
  run_io([]() -> Coro<> {
    std::string log;
    add_signal_handler(SIGUSR1, [&] { log += "1"; });
    add_signal_handler(SIGUSR2, [&] { log += "2"; });
    for (const int signal : {SIGUSR1, SIGUSR1, SIGUSR2, SIGUSR1, SIGUSR2}) std::raise(signal);
    co_await ticks(3);
    EXPECT_EQ(log, "11212");
  });
}

// CPython's pipe to itself is full after 278, and loses all further signals.
TEST(Signal, OfThoseBeyond256EachNumberStillCounts) {
  for (const bool poll : {false, true}) {
    Loop loop(core(poll));
    int first = 0, second = 0;
    add_signal_handler(loop, SIGUSR1, [&] { ++first; });
    add_signal_handler(loop, SIGUSR2, [&] { ++second; });
    for (int round = 1; round <= 3; ++round) {
      for (int i = 0; i < 1000; ++i) std::raise(SIGUSR1);
      for (int i = 0; i < 10; ++i) std::raise(SIGUSR2);
      loop.run_until_complete(ticks(3));
      EXPECT_EQ(first, round * 257);
      EXPECT_EQ(second, round);
    }
  }
}

TEST(Signal, ACallbackMayBeMoveOnly) {
  run_io([]() -> Coro<> {
    int caught = 0;
    auto step = std::make_unique<int>(5);
    add_signal_handler(SIGUSR1, [&caught, step = std::move(step)] { caught += *step; });
    for (int i = 0; i < 2; ++i) {
      std::raise(SIGUSR1);
      co_await ticks(3);
    }
    EXPECT_EQ(caught, 10);
  });
}

TEST(Signal, ANewHandlerTakesThePlaceOfTheOld) {
  run_io([]() -> Coro<> {
    std::string log;
    add_signal_handler(SIGUSR1, [&] { log += "old"; });
    add_signal_handler(SIGUSR1, [&] { log += "new"; });
    std::raise(SIGUSR1);
    co_await ticks(3);
    EXPECT_EQ(log, "new");
  });
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_check_signal
// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler_setup_error
TEST(Signal, WhatIsNoSignalAndWhatCannotBeCaughtIsRefused) {
  Loop loop;
  for (const int signal : {-1, 0, 32, 33, 65, 1000}) {  // 32 and 33 belong to the C library
    EXPECT_EQ(thrown<std::invalid_argument>([&] { add_signal_handler(loop, signal, [] {}); }),
              "invalid signal number " + std::to_string(signal));
    EXPECT_THROW(remove_signal_handler(loop, signal), std::invalid_argument);
  }
  EXPECT_EQ(thrown<std::runtime_error>([&] { add_signal_handler(loop, SIGKILL, [] {}); }), "sig 9 cannot be caught");
  EXPECT_EQ(thrown<std::runtime_error>([&] { add_signal_handler(loop, SIGSTOP, [] {}); }), "sig 19 cannot be caught");
  EXPECT_FALSE(remove_signal_handler(loop, SIGKILL));
  EXPECT_THROW(add_signal_handler(loop, SIGUSR1, std::function<void()>()), std::invalid_argument);
  EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler_install_error2
// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler_install_error3
TEST(Signal, ARefusalLeavesTheOtherHandlersAlone) {
  for (const bool another : {false, true}) {
    Loop loop;
    std::string log;
    if (another) add_signal_handler(loop, SIGUSR1, [&] { log += "1"; });
    EXPECT_THROW(add_signal_handler(loop, SIGKILL, [] {}), std::runtime_error);
    add_signal_handler(loop, SIGUSR2, [&] { log += "2"; });
    if (another) std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    loop.run_until_complete(ticks(3));
    EXPECT_EQ(log, another ? "12" : "2");
  }
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_handle_signal_no_handler
TEST(Signal, OneThatIsRemovedBeforeTheLoopLooksIsForgotten) {
  Loop loop;
  bool caught = false;
  add_signal_handler(loop, SIGUSR1, [&] { caught = true; });
  std::raise(SIGUSR1);
  EXPECT_TRUE(remove_signal_handler(loop, SIGUSR1));
  loop.run_until_complete(ticks(3));
  EXPECT_FALSE(caught);
}

TEST(Signal, AnExceptionOfTheHandlerIsReported) {
  Loop loop;
  ErrorLog errors(loop);
  add_signal_handler(loop, SIGUSR1, [] { throw std::runtime_error("oops"); });
  std::raise(SIGUSR1);
  loop.run_until_complete(ticks(3));
  EXPECT_EQ(errors.contexts.size(), 1u);
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_close
TEST(Signal, CloseRemovesAllHandlers) {
  Loop loop;
  add_signal_handler(loop, SIGHUP, [] {});
  add_signal_handler(loop, SIGCHLD, [] {});
  EXPECT_NE(handler_of(SIGHUP), SIG_DFL);
  loop.close();
  EXPECT_EQ(handler_of(SIGHUP), SIG_DFL);
  EXPECT_EQ(handler_of(SIGCHLD), SIG_DFL);
  EXPECT_EQ(thrown<std::runtime_error>([&] { add_signal_handler(loop, SIGHUP, [] {}); }), "Event loop is closed");
  EXPECT_FALSE(remove_signal_handler(loop, SIGHUP));
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_remove_signal_handler
TEST(Signal, RemovedTheProgramsOwnHandlerIsBack) {
  const Handler own = [](int) {};
  const Handler before = std::signal(SIGUSR1, own);
  {
    Loop loop;
    add_signal_handler(loop, SIGUSR1, [] {});
    EXPECT_NE(handler_of(SIGUSR1), own);
    add_signal_handler(loop, SIGUSR1, [] {});
    EXPECT_TRUE(remove_signal_handler(loop, SIGUSR1));
    EXPECT_EQ(handler_of(SIGUSR1), own);
  }
  std::signal(SIGUSR1, before);
}

// Another library may have set a handler meanwhile. CPython sets its own with each add_signal_handler().
TEST(Signal, AddedAgainItIsHeardThoughTheProgramHasSetAHandlerInBetween) {
  const Handler before = std::signal(SIGUSR1, SIG_DFL);
  {
    int heard = 0;
    Loop loop(make_io_core() ? make_io_core() : std::make_unique<PollCore>());
    add_signal_handler(loop, SIGUSR1, [&] { heard += 100; });
    const Handler own = [](int) {};
    std::signal(SIGUSR1, own);
    add_signal_handler(loop, SIGUSR1, [&] { ++heard; });
    std::raise(SIGUSR1);
    loop.run_until_complete(ticks(3));
    EXPECT_EQ(heard, 1);
    EXPECT_TRUE(remove_signal_handler(loop, SIGUSR1));
    EXPECT_EQ(handler_of(SIGUSR1), own);
  }
  std::signal(SIGUSR1, before);
}

TEST(SignalThread, HandlersAreForTheMainThread) {
  std::thread([] {
    Loop loop;
    EXPECT_EQ(thrown<std::runtime_error>([&] { add_signal_handler(loop, SIGUSR1, [] {}); }),
              "add_signal_handler() works only in the main thread");
  }).join();
}

// ── SIGINT, which a Runner handles too ──────────────────────────────────────────────────────────────────────────────

class SignalInRunner : public ::testing::Test {
 protected:
  void SetUp() override { before_ = std::signal(SIGINT, SIG_DFL); }
  void TearDown() override {
    EXPECT_EQ(handler_of(SIGINT), SIG_DFL);
    std::signal(SIGINT, before_);
  }

 private:
  Handler before_ = nullptr;
};

TEST_F(SignalInRunner, AHandlerForSigintIsCalledInPlaceOfTheCancel) {
  int caught = 0;
  run([&]() -> Coro<> {
    add_signal_handler(SIGINT, [&] { ++caught; });
    for (int i = 0; i < 2; ++i) {
      std::raise(SIGINT);
      std::raise(SIGINT);  // two pending ones do not end the program: it has a handler
      co_await ticks(3);
    }
  });
  EXPECT_EQ(caught, 4);
}

// test_unix_events.py: SelectorEventLoopSignalTests.test_remove_signal_handler_2
TEST_F(SignalInRunner, RemovedSigintIsCtrlCAgain) {
  const auto main = []() -> Coro<> {
    add_signal_handler(SIGINT, [] { ADD_FAILURE(); });
    EXPECT_TRUE(remove_signal_handler(SIGINT));
    std::raise(SIGINT);
    co_await sleep(1h);
  };
  EXPECT_THROW(run(main), KeyboardInterrupt);
}

TEST_F(SignalInRunner, AHandlerThatWasThereBeforeTheRunStays) {
  Runner runner;
  bool caught = false;
  add_signal_handler(runner.get_loop(), SIGINT, [&] { caught = true; });
  runner.run([]() -> Coro<> {
    std::raise(SIGINT);
    co_await ticks(3);
  });
  EXPECT_TRUE(caught);
  runner.close();
}

TEST_F(SignalInRunner, AHandlerOfARunStaysWithTheLoopUntilItIsClosed) {
  Runner runner;
  bool caught = false;
  runner.run([&]() -> Coro<> {
    add_signal_handler(SIGINT, [&] { caught = true; });
    co_return;
  });
  runner.run([]() -> Coro<> {
    std::raise(SIGINT);
    co_await ticks(3);
  });
  EXPECT_TRUE(caught);
  runner.close();
}

}  // namespace
}  // namespace asyncio::testing
