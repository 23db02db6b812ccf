// The loop: a deque of callbacks, timers by their deadlines, and a place to sleep in. Read run_once() first.
// Mirrors: the notes' Loop; Lib/asyncio/base_events.py. Read next: future.h
// All is public, to be looked at; what ends in _ is not for users. A [step] is for you to write, in the course.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <utility>
namespace by_hand {
using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using TimePoint = Clock::time_point;
using Callback = std::function<void()>;
struct Finally {  // Python's `finally`: the function runs when the scope is left, in whichever way
  Callback function;
  ~Finally() { function(); }
};

/// Where a loop waits, and what time it is there. Stage 6 waits in poll(), and tests in virtual time.
struct Core {
  virtual ~Core() = default;
  virtual TimePoint now() { return Clock::now(); }
  /// Sleeps until the deadline or until wake(); without a deadline, until wake().
  virtual void wait(std::optional<TimePoint> deadline) {  // [step 1.5]
    deadline ? void(wakes_.try_acquire_until(*deadline)) : wakes_.acquire();
  }
  virtual void poll() {}  // comes in place of wait() when there is work to do already
  /// Ends the wait() under way or, if there is none, the next one: no wake-up is lost. From any thread.
  virtual void wake() { wakes_.release(); }  // [step 1.7]
  std::counting_semaphore<> wakes_{0};
};

struct Handle {  // a callback that can be cancelled until it runs; copies stand for the same one
  explicit Handle(Callback callback) : callback_(std::make_shared<Callback>(std::move(callback))) {}
  void cancel() const { *callback_ = nullptr; }  // [step 1.3]
  bool cancelled() const { return !*callback_; }
  std::shared_ptr<Callback> callback_;
};

struct Loop {
  using ExceptionHandler = std::function<void(Loop&, std::exception_ptr)>;
  explicit Loop(std::unique_ptr<Core> core = std::make_unique<Core>()) : core(std::move(core)) {}
  ~Loop() { close(); }
  /// Runs the callback in the next tick, after those that were scheduled before it.
  Handle call_soon(Callback callback) { return ready_.emplace_back(std::move(callback)); }  // [step 1.1]
  /// Runs the callback when its time has come; of several with one deadline, the first made comes first.
  Handle call_at(TimePoint when, Callback callback) {  // [step 1.4]
    return timers_.emplace(when, std::move(callback))->second;
  }
  Handle call_later(Duration delay, Callback callback) { return call_at(time() + delay, std::move(callback)); }
  /// For other threads: they must not touch ready_, and may find the loop asleep.
  Handle call_soon_threadsafe(Callback callback) {  // [step 1.7]
    const std::lock_guard lock(mutex_);
    core->wake();
    return inbox_.emplace_back(std::move(callback));
  }
  TimePoint time() const { return core->now(); }

  /// A tick: wait if there is nothing to do, collect what is due, and run what is ready now. What these callbacks
  /// schedule is for the next tick: otherwise one that schedules itself would starve all others.
  void run_once() {     // [step 1.1]
    wait_for_work_();   // [step 1.5]
    collect_inbox_();   // [step 1.7]
    collect_timers_();  // [step 1.4]
    for (const Handle& handle : std::exchange(ready_, {})) {
      try {
        if (const Callback callback = std::exchange(*handle.callback_, nullptr)) callback();
      } catch (...) {
        exception_handler_(*this, std::current_exception());  // [step 1.6]
      }
    }
  }
  void wait_for_work_() {  // [step 1.5]
    while (!timers_.empty() && timers_.begin()->second.cancelled()) timers_.erase(timers_.begin());
    if (stopping_ || !ready_.empty()) return core->poll();
    core->wait(timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first));
  }
  void collect_inbox_() {  // [step 1.7]
    const std::lock_guard lock(mutex_);
    for (Handle& handle : std::exchange(inbox_, {})) ready_.push_back(std::move(handle));
  }
  void collect_timers_() {                         // [step 1.4]
    const auto due = timers_.upper_bound(time());  // asked once: what falls due from here on is for the next tick
    for (auto timer = timers_.begin(); timer != due; timer = timers_.erase(timer)) ready_.push_back(timer->second);
  }

  /// Ticks until stop(). That tick runs to its end; a stop() before the run allows one tick.
  void run_forever() {  // [step 1.2]
    if (running_) throw std::runtime_error("Cannot run the event loop while another loop is running");
    const Finally leave{[this] { running_ = nullptr, stopping_ = false; }};
    for (running_ = this; run_once(), !stopping_;) continue;
  }
  void stop() { stopping_ = true; }
  /// Until a future of stage 2 is done, and one tick longer: its done-callback stops the loop.
  void run_until_done(const auto& future) {  // [step 2.6]
    const int id = future.add_done_callback([this](auto&) { stop(); });
    const Finally remove{[&] { future.remove_done_callback(id); }};
    run_forever();
    if (!future.done()) throw std::runtime_error("Event loop stopped before Future completed.");
  }
  /// The result of anything that a stage has an ensure_future() for; or throws its exception.
  auto run_until_complete(auto awaitable) {
    const auto future = ensure_future(std::move(awaitable), *this);
    run_until_done(future);
    return future.result();
  }
  /// What is scheduled will not run. The tasks go first: their destructors may schedule more.
  void close() { tasks.clear(), ready_.clear(), timers_.clear(); }
  static Loop& running() { return running_ ? *running_ : throw std::runtime_error("no running event loop"); }

  void set_exception_handler(ExceptionHandler handler) { exception_handler_ = std::move(handler); }
  static void default_exception_handler(Loop&, std::exception_ptr exception) try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    std::cerr << "Exception in callback: " << error.what() << '\n';
  } catch (...) {
    std::cerr << "Exception in callback\n";
  }

  const std::unique_ptr<Core> core;
  std::map<int, std::shared_ptr<struct TaskState>> tasks;  // of stage 3: a task lives here until it is done
  std::deque<Handle> ready_;                               // what runs in the next tick
  std::multimap<TimePoint, Handle> timers_;                // equal keys stay in the order in which they came
  std::deque<Handle> inbox_;                               // from other threads; mutex_ guards it
  std::mutex mutex_;
  bool stopping_ = false;
  ExceptionHandler exception_handler_ = default_exception_handler;
  static inline thread_local Loop* running_ = nullptr;
};
}  // namespace by_hand
