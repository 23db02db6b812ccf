// The notes' hand-written Loop (003), forty lines by hand, beside the real one; and what the real one can do besides:
// timers, callbacks from other threads, hours in no time, errors that do not end the program.
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>

#include <cstdio>
#include <deque>
#include <functional>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

// ── the Loop of the notes, line by line ─────────────────────────────────────────────────────────────────────────────

class ToyLoop {
 public:
  void call_soon(std::function<void()> callback) { ready_.push_back(std::move(callback)); }

  void run_forever() {
    for (;;) {
      run_once();
      if (stopping_) break;
    }
    stopping_ = false;
  }

  void stop() { stopping_ = true; }
  void close() { ready_.clear(); }

 private:
  // The heart of it: run what is ready now. What these callbacks schedule is run the next time round.
  void run_once() {
    const std::size_t todo = ready_.size();
    for (std::size_t i = 0; i < todo; ++i) {
      const auto callback = std::move(ready_.front());
      ready_.pop_front();
      callback();
    }
  }

  std::deque<std::function<void()>> ready_;
  bool stopping_ = false;
};

void foo() { std::puts("Hello Foo"); }
void bar() { std::puts("Hello Bar"); }

// The same program for both loops. (With coroutines it returns in stage 3.)
template <class AnyLoop>
void hello(AnyLoop& loop) {
  loop.call_soon(foo);
  loop.call_soon(bar);
  loop.call_soon([&loop] { loop.stop(); });
  loop.run_forever();
  loop.close();
}

// ── what the toy cannot do ──────────────────────────────────────────────────────────────────────────────────────────

void timers() {
  asyncio::Loop loop;
  loop.call_later(20ms, foo);
  loop.call_later(10ms, bar);  // due first, runs first
  asyncio::TimerHandle never = loop.call_later(15ms, [] { std::puts("never printed"); });
  never.cancel();
  loop.call_later(30ms, [&loop] { loop.stop(); });
  loop.run_forever();  // asleep between the timers: no processor is used
}

void ticks() {
  asyncio::Loop loop;
  loop.call_later(-1s, [] { std::puts("tick 1: a timer that was due already"); });
  loop.call_soon([&loop] {
    std::puts("tick 1: a callback, which schedules another");
    loop.call_soon([&loop] {
      std::puts("tick 2: the other");
      loop.stop();
    });
  });
  loop.run_forever();
}

void other_thread() {
  asyncio::Loop loop;
  std::thread worker([&loop] {
    for (int part = 1; part <= 3; ++part) {
      loop.call_soon_threadsafe([part] { std::printf("part %d of 3, in the loop's thread\n", part); });
    }
    loop.call_soon_threadsafe([&loop] { loop.stop(); });
  });
  loop.run_forever();  // nothing to do, no timer: it sleeps until the worker wakes it
  worker.join();
}

void an_hour() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  const auto report = [&loop] {
    const auto passed = std::chrono::duration_cast<std::chrono::minutes>(loop.time().time_since_epoch());
    std::printf("%2d minutes have passed\n", static_cast<int>(passed.count()));
  };
  loop.call_later(1min, report);
  loop.call_later(1h, [&] {
    report();
    loop.stop();
  });
  loop.run_forever();
}

void errors() {
  asyncio::Loop loop;
  loop.set_exception_handler([](asyncio::Loop&, const asyncio::ErrorContext& context) {
    std::printf("%s\n  %s\n", context.message.c_str(), asyncio::describe(context.exception).c_str());
  });
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  loop.call_soon([&loop] {
    std::puts("the loop goes on");
    loop.stop();
  });
  loop.run_forever();
}

int main() {
  std::puts("--- the notes' Loop, by hand");
  ToyLoop toy;
  hello(toy);

  std::puts("--- the same callbacks on asyncio::Loop");
  asyncio::Loop loop;
  hello(loop);

  std::puts("--- timers: call_later(20 ms, foo), call_later(10 ms, bar)");
  timers();

  std::puts("--- ticks");
  ticks();

  std::puts("--- another thread");
  other_thread();

  std::puts("--- an hour in virtual time");
  an_hour();

  std::puts("--- an error in a callback");
  errors();
}
