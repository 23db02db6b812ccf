// call_soon_threadsafe(): the one door for other threads. It wakes the loop, which may be asleep.
#include "virtual.h"

#include <thread>

void course::step() {
  Log log;
  {
    expecting("a callback from another thread to run in the loop's thread");
    by_hand::Loop loop;
    std::thread::id ran_in;
    std::thread other([&] {
      loop.call_soon_threadsafe([&] {
        ran_in = std::this_thread::get_id();
        loop.stop();
      });
    });
    loop.run_forever();
    other.join();
    check(ran_in == std::this_thread::get_id(), "it ran in the other thread");
  }
  {
    expecting("call_soon_threadsafe() to wake the loop, which sleeps");
    by_hand::Loop loop;
    std::thread other([&] {
      std::this_thread::sleep_for(50ms);
      loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    other.join();
  }
  {
    by_hand::Core core;
    expecting("a wake() before the wait() not to be lost: the wait() without a deadline returns at once");
    core.wake();
    core.wait(std::nullopt);
    expecting("a wake() before the wait() to end it, though its deadline is in an hour");
    core.wake();
    core.wait(by_hand::Clock::now() + 1h);
    expecting("a wake() from another thread to end the wait() under way");
    std::thread waker([&] { core.wake(); });
    core.wait(std::nullopt);
    waker.join();
  }
  {
    expecting("call_soon_threadsafe() to call core->wake()");
    VirtualLoop loop;
    loop.virtual_core.idle = [] { course::fail("the loop sleeps on, with the callback in its hands"); };
    loop.call_soon_threadsafe([&] { loop.stop(); });
    loop.run_forever();
  }
  {
    expecting("callbacks of one thread to run in the order in which they came: a b c");
    VirtualLoop loop;
    for (const char* name : {"a", "b", "c"}) loop.call_soon_threadsafe([&log, name] { log(name); });
    loop.call_soon([] {});
    loop.run_once();
    log.check("a b c");
    expecting("each of them to run once");
    loop.call_soon([] {});
    loop.run_once();
    log.check("a b c");
  }
  {
    expecting("the handle that it returns to cancel the callback: kept");
    VirtualLoop loop;
    log.clear();
    by_hand::Handle cancelled = loop.call_soon_threadsafe([&] { log("cancelled"); });
    loop.call_soon_threadsafe([&] { log("kept"); });
    cancelled.cancel();
    loop.call_soon([] {});
    loop.run_once();
    log.check("kept");
  }
  {
    expecting("a callback to be able to call call_soon_threadsafe() itself: it runs in tick 2");
    VirtualLoop loop;
    log.clear();
    loop.call_soon_threadsafe([&] { loop.call_soon_threadsafe([&] { log("inner"); }); });
    loop.call_soon([] {});
    loop.run_once();
    log.check("", "in tick 1 there ran: ");
    loop.call_soon([] {});
    loop.run_once();
    log.check("inner");
  }
  {
    expecting("all of 4 times 20,000 callbacks of four threads to run, each once");
    by_hand::Loop loop;
    int ran = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 20000; ++k) {
          loop.call_soon_threadsafe([&] {
            if (++ran == 80000) loop.stop();
          });
        }
      });
    }
    std::function<void()> late = [&] { course::fail(show(ran) + " of 80000 ran"); };
    loop.call_later(4s, late);
    loop.run_forever();
    for (std::thread& thread : threads) thread.join();
  }
}
