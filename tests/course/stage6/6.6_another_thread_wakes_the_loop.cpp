// wake(): poll(2) cannot see a variable, so a byte in a pipe ends the wait.
#include "sockets.h"

namespace course {

void step() {
  {
    expecting("call_soon_threadsafe() to end a wait in poll(2) that has no other end");
    by_hand::Loop loop(std::make_unique<PollCore>());
    std::thread other([&] {
      std::this_thread::sleep_for(20ms);
      loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    other.join();
  }
  {
    expecting("a wake() before the wait not to be lost");
    by_hand::Loop loop(std::make_unique<PollCore>());
    loop.call_soon_threadsafe([&] { loop.stop(); });
    loop.run_forever();
  }
  {
    expecting("a hundred thousand calls of wake() not to block, and to fail for no one, though nobody reads the pipe");
    PollCore core;
    for (int i = 0; i < 100'000; ++i) core.wake();

    expecting("the bytes in the pipe to be read, so that the next wait, of 20 ms, takes its time");
    core.wait(by_hand::Clock::now());
    const auto begin = by_hand::Clock::now();
    core.wait(begin + 20ms);
    const std::chrono::nanoseconds passed = by_hand::Clock::now() - begin;
    check(passed >= 20ms, "it was over after " + show(passed) + ", for there was another byte");
  }
  {
    expecting("four threads to be heard, 1,000 times each");
    by_hand::Loop loop(std::make_unique<PollCore>());
    int heard = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) {
          loop.call_soon_threadsafe([&] {
            if (++heard == 4000) loop.stop();
          });
        }
      });
    }
    loop.call_later(4s, [&] { fail(show(heard) + " of 4000 calls were"); });
    loop.run_forever();
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace course
