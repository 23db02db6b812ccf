// The seed: a Loop, a Future, a Task and a coroutine type, small enough to be written by hand in one sitting.
// Mirrors: loop.py and task.py of the notes, name by name. Stages 1 to 3 grew out of these lines. Read next: demo.cpp
#pragma once

#include <chrono>
#include <coroutine>
#include <deque>
#include <functional>
#include <map>
#include <thread>
#include <utility>

namespace by_hand {
struct Loop {
  using Callback = std::function<void()>;
  using Clock = std::chrono::steady_clock;
  void call_soon(Callback callback) { ready_.push_back(std::move(callback)); }
  void call_later(Clock::duration delay, Callback callback) {
    timers_.emplace(Clock::now() + delay, std::move(callback));
  }
  void stop() { stopping_ = true; }
  void run_until_complete(auto& future) {
    future.add_done_callback([this] { stop(); });
    for (stopping_ = false; !stopping_;) run_once();
  }

 private:
  void run_once() {
    if (ready_.empty() && !timers_.empty()) std::this_thread::sleep_until(timers_.begin()->first);
    while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
      ready_.push_back(timers_.extract(timers_.begin()).mapped());
    }
    for (std::size_t todo = ready_.size(); todo > 0; --todo) {
      const Callback callback = std::move(ready_.front());
      ready_.pop_front();
      callback();
    }
  }
  std::deque<Callback> ready_;
  std::multimap<Clock::time_point, Callback> timers_;
  bool stopping_ = false;
};

struct Future {
  explicit Future(Loop& loop) : loop_(loop) {}
  void set_result() {
    done_ = true;
    for (Loop::Callback& callback : std::exchange(callbacks_, {})) loop_.call_soon(std::move(callback));
  }
  void add_done_callback(Loop::Callback callback) {
    done_ ? loop_.call_soon(std::move(callback)) : callbacks_.push_back(std::move(callback));
  }
  // `co_await future` is Python's `yield future`: the coroutine leaves the future where its Task finds it, and stops.
  bool await_ready() const { return done_; }
  void await_suspend(auto coroutine) { coroutine.promise().yielded = this; }
  void await_resume() const {}

 private:
  Loop& loop_;
  bool done_ = false;
  std::deque<Loop::Callback> callbacks_;
};

struct Coro {
  struct promise_type {
    Future* yielded = nullptr;
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }  // the real Task stores it
  };
  std::coroutine_handle<promise_type> frame;
};

struct Task : Future {
  Task(Coro coro, Loop& loop) : Future(loop), frame_(coro.frame) {
    loop.call_soon([this] { step(); });
  }
  ~Task() { frame_.destroy(); }

 private:
  void step() {
    frame_.resume();  // gen.send(None)
    if (frame_.done()) {
      set_result();
    } else {
      frame_.promise().yielded->add_done_callback([this] { wakeup(); });
    }
  }
  void wakeup() { step(); }
  std::coroutine_handle<Coro::promise_type> frame_;
};

struct Sleep : Future {
  Sleep(Loop& loop, Loop::Clock::duration delay) : Future(loop) {
    loop.call_later(delay, [this] { set_result(); });
  }
};
}  // namespace by_hand
