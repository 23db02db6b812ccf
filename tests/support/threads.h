// Helpers for tests of other threads: a timer, a watchdog, and threads that post callbacks.
#pragma once

#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

namespace asyncio::testing {

using namespace std::chrono_literals;

/// A timer that never ends. VirtualCore can only wait for timers: a loop that waits for other threads needs one, or its
/// core throws.
class Ticking {
 public:
  explicit Ticking(Loop& loop) : loop_(loop) { next(); }
  ~Ticking() { timer_.cancel(); }

 private:
  void next() {
    timer_ = loop_.call_later(1ms, [this] {
      std::this_thread::yield();
      next();
    });
  }
  Loop& loop_;
  TimerHandle timer_;
};

/// Ends a loop that hangs because a wake-up was lost, and reports it.
class Watchdog {
 public:
  explicit Watchdog(Loop& loop)
      : timer_(loop.call_later(20s, [&loop] {
          ADD_FAILURE() << "the loop slept through a wake-up";
          loop.stop();
        })) {}
  ~Watchdog() { timer_.cancel(); }

 private:
  TimerHandle timer_;
};

struct Received {
  std::size_t thread;
  int number;
};

/// `threads` threads post `count` callbacks each; returns which ran, in order. `sometimes` runs after each 50th.
inline std::vector<Received> receive_from_threads(Loop& loop, std::size_t threads, int count,
                                                  std::function<void()> sometimes = nullptr) {
  std::vector<Received> received;
  std::vector<std::thread> posters;
  const std::size_t all = threads * static_cast<std::size_t>(count);
  for (std::size_t thread = 0; thread < threads; ++thread) {
    posters.emplace_back([&, thread] {
      for (int number = 0; number < count; ++number) {
        loop.call_soon_threadsafe([&, thread, number] {
          received.push_back({thread, number});
          if (received.size() == all) loop.stop();
          if (sometimes && received.size() % 50 == 0) sometimes();
        });
        if (number % 100 == 0) std::this_thread::yield();
      }
    });
  }
  loop.run_forever();
  for (auto& poster : posters) poster.join();
  return received;
}

inline void expect_complete_and_in_order(const std::vector<Received>& received, std::size_t threads, int count) {
  EXPECT_EQ(received.size(), threads * static_cast<std::size_t>(count));
  std::vector<int> next(threads, 0);
  for (const Received& callback : received) EXPECT_EQ(callback.number, next[callback.thread]++);
}

}  // namespace asyncio::testing
