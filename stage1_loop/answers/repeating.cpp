// Exercise 3: a timer that repeats itself until it is cancelled, perhaps by its own function.
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>

#include <functional>
#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

class Repeating {
 public:
  Repeating(asyncio::Loop& loop, asyncio::Duration interval, std::function<void()> function)
      : state_(new State{loop, interval, loop.time(), std::move(function), {}}) {
    schedule(state_);
  }
  void cancel() { state_->timer.cancel(); }

 private:
  struct State {
    asyncio::Loop& loop;
    asyncio::Duration interval;
    asyncio::TimePoint due;
    std::function<void()> function;
    asyncio::TimerHandle timer;  // of the next time, never of the one that runs now
  };
  static void schedule(const std::shared_ptr<State>& state) {
    state->due += state->interval;
    state->timer = state->loop.call_at(state->due, [state] {
      schedule(state);  // first: then the function can cancel it, or throw
      state->function();
    });
  }
  std::shared_ptr<State> state_;
};

int main() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  loop.set_exception_handler([](asyncio::Loop&, const asyncio::ErrorContext&) { std::cout << "  it threw\n"; });

  int times = 0;
  std::optional<Repeating> repeating;
  repeating.emplace(loop, 1s, [&] {
    std::cout << "at " << loop.time().time_since_epoch() / 1s << " s\n";
    if (++times == 2) throw std::runtime_error("once");
    if (times == 4) repeating->cancel();
  });
  loop.call_later(1h, [&] { loop.stop(); });
  loop.run_forever();
  std::cout << "after an hour: " << times << " times\n";
}
