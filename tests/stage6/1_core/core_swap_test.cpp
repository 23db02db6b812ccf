// A loop changes its core: from the first one when a descriptor is added, from poll to epoll when many are idle, and
// by set_core(). No pending event is lost.
#include "support/io.h"
#include "support/selector_cores.h"
#include "support/threads.h"

#include <asyncio/detail/auto_core.h>
#include <asyncio/sleep_core.h>
#include <asyncio/virtual_core.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

namespace asyncio::testing {
namespace {

/// Many watched descriptors that never become ready.
class Crowd {
 public:
  explicit Crowd(Loop& loop, int size = 400) : loop_(loop) {
    for (int i = 0; i < size; ++i) {
      numbers_.push_back(::dup(pipe_.read_end()));
      add_reader(loop_, numbers_.back(), [] { ADD_FAILURE() << "never ready"; });
    }
  }
  ~Crowd() {
    for (const int fd : numbers_) {
      if (!loop_.is_closed()) remove_reader(loop_, fd);
      ::close(fd);
    }
  }
  void look(int times) {
    for (; times > 0; --times) {
      loop_.stop();
      loop_.run_forever();
    }
  }

 private:
  Loop& loop_;
  Pipe pipe_;
  std::vector<int> numbers_;
};

bool on_poll(Loop& loop) { return dynamic_cast<PollCore*>(&loop.core()) != nullptr; }

TEST(SwapOfTheCore, OpensNothingThatItDoesNotClose) {
  const int before = open_descriptors();
  {
    Loop loop;
    EXPECT_EQ(open_descriptors(), before);  // the core opens none before the first use
    Pipe pipe;
    add_reader(loop, pipe.read_end(), [] {});
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(SwapOfTheCore, KeepsCallbacksTimersAndWakeUpsUnderWay) {
  Loop loop;
  Pipe pipe;
  pipe.fill();
  std::string order;
  const auto run = [&](char name) {
    order += name;
    if (order.size() == 6) loop.stop();
  };
  const Watchdog watchdog(loop);
  loop.call_later(50ms, [&] { run('t'); });  // the last, but on a machine that stands still meanwhile
  loop.call_soon([&] {
    run('a');
    loop.call_soon([&] { run('b'); });
    loop.call_soon_threadsafe([&] { run('x'); });
    add_reader(pipe.read_end(), [&] {
      run('i');
      remove_reader(pipe.read_end());
    });
    loop.call_soon([&] { run('c'); });
  });
  loop.run_forever();
  EXPECT_EQ(std::erase(order, 't'), 1u);
  EXPECT_EQ(order, "abxci");
  EXPECT_NE(dynamic_cast<PollCore*>(&loop.core()), nullptr);
}

TEST(SwapOfTheCore, DoesNotTouchACoreThatWasChosen) {
  Loop loop(std::make_unique<PollCore>());
  Core* const chosen = &loop.core();
  Crowd crowd(loop);
  crowd.look(1000);
  EXPECT_EQ(&loop.core(), chosen);
  run_io(
      []() -> Coro<> {
        Core* const core = &Loop::running().core();
        Crowd around(Loop::running());
        for (int i = 0; i < 1000; ++i) co_await sleep(1ns);
        EXPECT_EQ(&Loop::running().core(), core);
      },
      std::make_unique<PollCore>());
}

TEST(SwapOfTheCore, RefusesVirtualTimeAndSaysWhy) {
  Loop loop(std::make_unique<VirtualCore>());
  Pipe pipe;
  try {
    add_reader(loop, pipe.read_end(), [] {});
    ADD_FAILURE();
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("VirtualCore"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(remove_reader(loop, pipe.read_end()));
}

// ── from one selector to another ──

template <class SomeCore>
class SwapOfSelectors : public ::testing::Test {};
TYPED_TEST_SUITE(SwapOfSelectors, SelectorCores, CoreNames);

template <class SomeCore>
std::unique_ptr<Core> other_than() {
#ifdef __linux__
  if (std::is_same_v<SomeCore, PollCore>) return std::make_unique<EpollCore>();
#endif
  return std::make_unique<PollCore>();
}

TYPED_TEST(SwapOfSelectors, CarriesReadersWritersAndTheirHandles) {
  Loop loop(std::make_unique<TypeParam>());
  auto [one, other] = Socket::pair();
  Pipe pipe, cancelled;
  std::string order;
  add_reader(loop, one.fd(), [&] { order += 'r'; });
  add_writer(loop, one.fd(), [&] { order += 'w'; });
  Handle handle = add_reader(loop, pipe.read_end(), [&] { order += 'p'; });
  Handle dead = add_reader(loop, cancelled.read_end(), [&] { order += 'x'; });
  cancelled.fill();
  EXPECT_EQ(::write(other.fd(), "x", 1), 1);

  loop.set_core(other_than<TypeParam>());
  EXPECT_FALSE(handle.cancelled());
  dead.cancel();
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "rw");

  pipe.fill();
  EXPECT_TRUE(remove_reader(loop, one.fd()));
  EXPECT_TRUE(remove_writer(loop, one.fd()));
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(order, "rwp");
  EXPECT_TRUE(remove_reader(loop, pipe.read_end()));
  EXPECT_TRUE(handle.cancelled());
  EXPECT_FALSE(loop.core().watching());
}

TYPED_TEST(SwapOfSelectors, MayHappenInAReaderWhileOthersWaitForTheirTurn) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe one, other;
  one.fill();
  other.fill();
  std::string order;
  const auto run = [&](char name, int fd) {
    order += name;
    remove_reader(fd);
    loop.set_core(other_than<TypeParam>());
    if (order.size() == 2) loop.stop();
  };
  add_reader(loop, one.read_end(), [&] { run('a', one.read_end()); });
  add_reader(loop, other.read_end(), [&] { run('b', other.read_end()); });
  const Watchdog watchdog(loop);
  loop.run_forever();
  EXPECT_EQ(order.size(), 2u);
}

TYPED_TEST(SwapOfSelectors, ReportsWhatWasClosedBehindItsBack) {
  Loop loop(std::make_unique<TypeParam>());
  ErrorLog errors(loop);
  Pipe pipe, other;
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] { ++runs; });
  add_reader(loop, other.read_end(), [] {});
  std::unique_ptr<Core> next = other_than<TypeParam>();
  pipe.close_read();
  loop.set_core(std::move(next));
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(errors.contexts.size(), 1u);
  EXPECT_TRUE(remove_reader(loop, other.read_end()));
  EXPECT_FALSE(loop.core().watching());
}

TYPED_TEST(SwapOfSelectors, ANumberThatTheNewCoreItselfUsesByNowIsReportedAsWell) {
  Loop loop(std::make_unique<TypeParam>());
  ErrorLog errors(loop);
  Pipe pipe;
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] { ++runs; });
  pipe.close_read();
  loop.set_core(other_than<TypeParam>());  // its wake descriptor gets the smallest free number
  const Watchdog watchdog(loop);
  loop.call_soon_threadsafe([&] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(errors.contexts.size(), 1u);
  loop.call_later(1ms, [&] { loop.call_soon_threadsafe([&] { loop.stop(); }); });
  loop.run_forever();
}

TYPED_TEST(SwapOfSelectors, ThatFailsHalfWayLeavesTheLoopWhereItWas) {
  struct Full final : PollCore {
    int left = 2;
    void add_interest(int fd, Readiness ways) override {
      if (left-- == 0) throw std::system_error(ENOMEM, std::generic_category(), "no more");
      PollCore::add_interest(fd, ways);
    }
  };
  Loop loop(std::make_unique<TypeParam>());
  Core* const before = &loop.core();
  std::vector<Pipe> pipes(5);
  int runs = 0;
  for (Pipe& pipe : pipes) {
    pipe.fill();
    add_reader(loop, pipe.read_end(), [&] { ++runs; });
  }
  EXPECT_THROW(loop.set_core(std::make_unique<Full>()), std::system_error);
  EXPECT_EQ(&loop.core(), before);
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(runs, 5);
}

TYPED_TEST(SwapOfSelectors, ToACoreThatCannotWatchIsRefusedWhileThereIsSomethingToWatch) {
  Loop loop(std::make_unique<TypeParam>());
  Pipe pipe;
  pipe.fill();
  int runs = 0;
  add_reader(loop, pipe.read_end(), [&] { ++runs; });
  EXPECT_THROW(loop.set_core(std::make_unique<SleepCore>()), std::logic_error);
  EXPECT_THROW(loop.set_core(std::make_unique<VirtualCore>()), std::logic_error);
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(runs, 1);
  remove_reader(loop, pipe.read_end());
  loop.set_core(std::make_unique<SleepCore>());
  loop.stop();
  loop.run_forever();
}

// ── from poll to epoll, by itself ──

#ifdef __linux__

TEST(MoveToEpoll, HappensWhenManyIdleDescriptorsStandBesideOneThatIsBusy) {
  Loop loop;
  Crowd crowd(loop);
  Pipe busy;
  int runs = 0;
  add_reader(loop, busy.read_end(), [&] { ++runs; });
  EXPECT_TRUE(on_poll(loop));
  busy.fill();
  crowd.look(20);
  EXPECT_TRUE(on_poll(loop)) << "a passing state is no reason";
  crowd.look(980);
  EXPECT_FALSE(on_poll(loop));
  EXPECT_EQ(runs, 1000);  // no event was lost
}

TEST(MoveToEpoll, DoesNotHappenWhileAllAreBusyAndNeverGoesBack) {
  Loop loop;
  std::vector<Pipe> busy(100);
  int runs = 0;
  for (Pipe& pipe : busy) {
    pipe.fill();
    add_reader(loop, pipe.read_end(), [&] { ++runs; });
  }
  {
    Crowd few(loop, 100);
    few.look(3000);
    EXPECT_TRUE(on_poll(loop));
  }
  {
    Crowd crowd(loop, 1000);
    crowd.look(1000);
    EXPECT_FALSE(on_poll(loop));
  }
  Core* const epoll = &loop.core();
  for (int i = 0; i < 1000; ++i) {
    loop.stop();
    loop.run_forever();
  }
  EXPECT_EQ(&loop.core(), epoll);
  EXPECT_EQ(runs, 100 * 5000);
}

TEST(MoveToEpoll, WithoutADescriptorToBeHadTheLoopStaysAndTriesAgain) {
  if (kSanitizerNeedsDescriptors) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  Loop loop;
  Crowd crowd(loop);
  {
    const NoDescriptorsLeft none;
    crowd.look(1000);
    EXPECT_TRUE(on_poll(loop));
  }
  crowd.look(1000);
  EXPECT_FALSE(on_poll(loop));
}

#endif

// ── with other threads ──

TEST(SwapOfTheCoreThreads, ThreadsThatPostDuringTheSwapAreAllHeard) {
  for (int round = 0; round < 50; ++round) {
    Loop loop;
    Pipe pipe;
    const Watchdog watchdog(loop);
    bool swapped = false;
    expect_complete_and_in_order(receive_from_threads(loop, 4, 100,
                                                      [&] {
                                                        if (!std::exchange(swapped, true)) {
                                                          add_reader(loop, pipe.read_end(), [] {});
                                                        }
                                                      }),
                                 4, 100);
    EXPECT_TRUE(swapped);
  }
}

TEST(SwapOfTheCoreThreads, APostRightBeforeTheFirstWaitOfTheNewCoreIsHeard) {
  for (int round = 0; round < 300; ++round) {
    Loop loop;
    Pipe pipe;
    const Watchdog watchdog(loop);
    std::thread poster;
    loop.call_soon([&] {
      poster = std::thread([&] { loop.call_soon_threadsafe([&] { loop.stop(); }); });
      add_reader(loop, pipe.read_end(), [] {});
    });
    loop.run_forever();
    poster.join();
  }
}

#ifdef __linux__

/// Everything at once, from the first core to the third: threads that post, timers, and tasks that pass a ball between
/// sockets.
TEST(SwapOfTheCoreThreads, FromSleepToPollToEpollWithEverythingInFlight) {
  for (int round = 0; round < 5; ++round) {
    run_io(
        []() -> Coro<> {
          Loop& loop = Loop::running();
          EXPECT_NE(dynamic_cast<SleepCore*>(&loop.core()), nullptr);
          constexpr int kPosts = 2000;
          std::atomic<int> heard = 0;
          std::vector<std::thread> threads;
          for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
              for (int post = 0; post < kPosts; ++post) {
                loop.call_soon_threadsafe([&] { ++heard; });
                if (post % 50 == 0) std::this_thread::sleep_for(100us);
              }
            });
          }
          int timers = 0;
          for (int i = 0; i < 100; ++i) loop.call_later(i * 300us, [&] { ++timers; });

          auto [one, other] = Socket::pair();
          auto throw_ball = [](Socket& socket) -> Coro<> {
            for (int i = 0; i < 1500; ++i) {
              const std::string ball = co_await sock_recv(socket, 1);
              EXPECT_EQ(ball, "o");
              co_await sock_sendall(socket, ball);
            }
          };
          auto left = create_task(throw_ball(one));
          auto right = create_task(throw_ball(other));
          co_await sock_sendall(one, "o");
          co_await sleep(1ms);
          Crowd crowd(loop, 300);
          co_await left;
          co_await right;
          while (heard < 2 * kPosts || timers < 100) co_await sleep(1ms);
          for (std::thread& thread : threads) thread.join();
          EXPECT_EQ(heard, 2 * kPosts);
          EXPECT_EQ(timers, 100);
          EXPECT_NE(dynamic_cast<EpollCore*>(&loop.core()), nullptr);
        },
        nullptr);
  }
}

TEST(SwapOfTheCoreThreads, ToAndFroBetweenPollAndEpollWhileThreadsPostAndSocketsTalk) {
  run_io([]() -> Coro<> {
    Loop& loop = Loop::running();
    std::atomic<bool> stop = false;
    std::atomic<int> posted = 0, heard = 0;
    std::thread poster([&] {
      while (!stop) {
        ++posted;
        loop.call_soon_threadsafe([&] { ++heard; });
        std::this_thread::sleep_for(20us);
      }
    });
    auto [one, other] = Socket::pair();
    const std::string data = pattern(4 << 20);
    auto sending = create_task(sock_sendall(one, data));
    std::string received;
    int swaps = 0;
    while (received.size() < data.size()) {
      const std::string part = co_await sock_recv(other, 50'000);
      received += part;
      std::unique_ptr<Core> next = std::make_unique<PollCore>();
      if (++swaps % 2 == 0) next = std::make_unique<EpollCore>();
      loop.set_core(std::move(next));
    }
    co_await sending;
    EXPECT_TRUE(received == data);
    stop = true;
    poster.join();
    while (heard < posted) co_await sleep(1ms);
    EXPECT_GE(swaps, 80);
  });
}

#endif

}  // namespace
}  // namespace asyncio::testing
