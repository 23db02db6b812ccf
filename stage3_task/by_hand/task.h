// Coro<T>: a function that can stop and go on later. Task<T>: a future that drives one. Read TaskState::step_() first.
// Mirrors: the notes' Task; Lib/asyncio/tasks.py. A primer on coroutines: ../coroutines.md. Read next: combinators.h
#pragma once
#include <by_hand/future.h>
#include <coroutine>
#include <source_location>
namespace by_hand {
/// When a coroutine ends, whoever awaits it goes on: by a jump (symmetric transfer), where a call would eat the stack.
struct FinalAwaiter : std::suspend_always {
  std::coroutine_handle<> await_suspend(auto ended) const noexcept { return ended.promise().caller; }  // [step 3.1]
};
struct PromiseBase {  // what the compiler asks for, by these names; it lies in the frame, beside the local variables
  std::suspend_always initial_suspend() const noexcept { return {}; }  // a call only makes the frame
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() { exception = std::current_exception(); }
  void check() const { exception ? std::rethrow_exception(exception) : void(); }
  std::coroutine_handle<> caller = std::noop_coroutine();  // whoever awaits it; nobody, if a task drives it
  std::exception_ptr exception;
  std::source_location where;
};
template <class T>
struct Promise : PromiseBase {
  void return_value(T result) { value = std::move(result); }  // [step 3.1]
  T result() { return check(), std::move(value).value(); }    // [step 3.1]
  std::optional<T> value;
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() {}
  std::monostate result() { return check(), std::monostate(); }
};

/// Owns the frame of a coroutine, which does nothing until it is awaited or made a task of.
template <class T = void>
struct [[nodiscard]] Coro {
  struct promise_type : Promise<T> {
    Coro get_return_object(std::source_location where = std::source_location::current()) {
      return this->where = where, Coro(std::coroutine_handle<promise_type>::from_promise(*this));
    }
  };
  std::coroutine_handle<promise_type> frame;
  explicit Coro(std::coroutine_handle<promise_type> frame) : frame(frame) {}
  Coro(Coro&& other) noexcept : frame(std::exchange(other.frame, nullptr)) {}
  ~Coro() { frame ? frame.destroy() : void(); }
  // `co_await coro()` jumps into the coroutine, without a task or a tick; FinalAwaiter jumps back.
  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {  // [step 3.2]
    return frame.promise().caller = caller, frame;
  }
  T await_resume() { return T(frame.promise().result()); }
};

struct TaskState : FutureState {
  using FutureState::FutureState;
  /// From here on the loop owns the task, until it is done. Therefore callbacks need no more than `this`.
  void start(std::coroutine_handle<> coroutine, std::function<std::any()> take_result) {  // [step 3.3]
    innermost_ = outermost_ = coroutine, take_result_ = std::move(take_result);
    loop_.tasks.emplace(number, std::static_pointer_cast<TaskState>(shared_from_this()));
    loop_.call_soon([this] { must_cancel_ ? end_() : step_(); });
  }
  /// The coroutine runs to its next await; then the task waits for what it awaits. Which coroutine awaits which is no
  /// concern of the task: it resumes the innermost, and sees when the outermost has ended.
  void step_() {  // [step 3.3]
    waits_for_ = nullptr;
    throw_now_ = std::exchange(must_cancel_, false);  // [step 3.7]
    current = this;
    innermost_.resume();
    current = nullptr;
    outermost_.done() ? end_() : wait_();
  }
  void wait_() {  // [step 3.4]
    if (!waits_for_) return void(loop_.call_soon([this] { step_(); }));
    waits_for_->add_done_callback([this](FutureState&) { step_(); });
    if (must_cancel_ && waits_for_->cancel()) must_cancel_ = false;  // [step 3.7]
  }
  /// The coroutine has returned or thrown, or was cancelled before it began. May be the end of *this.
  void end_() {  // [step 3.3]
    try {
      if (!outermost_.done()) throw CancelledError();  // [step 3.8]
      std::any result = take_result_();
      if (must_cancel_) throw CancelledError();  // [step 3.8]
      set_result(std::move(result));
    } catch (const CancelledError&) {
      FutureState::cancel();  // [step 3.7]
    } catch (...) {
      set_exception(std::current_exception());  // [step 3.5]
    }
    take_result_ = nullptr;  // the frame goes now, whoever keeps the task
    loop_.tasks.erase(number);
  }
  /// Throws CancelledError where the coroutine waits, or at its next step. The coroutine may catch it and live on.
  bool cancel() override {  // [step 3.7]
    if (done()) return false;
    return (waits_for_ && waits_for_->cancel()) || (must_cancel_ = true);
  }

  /// For awaiters. The coroutine stops: where to resume it, and after which future; if none, in the next tick.
  void suspend(std::coroutine_handle<> frame, std::shared_ptr<FutureState> s) { innermost_ = frame, waits_for_ = s; }
  void resume() { std::exchange(throw_now_, false) ? throw CancelledError() : void(); }

  static inline thread_local TaskState* current = nullptr;  // the one that makes a step now
  static inline int count = 0;
  const int number = ++count;  // Task-1, Task-2 …
  std::source_location where;
  std::coroutine_handle<> outermost_, innermost_;  // frames …
  std::function<std::any()> take_result_;          // … and their owner
  std::shared_ptr<FutureState> waits_for_;         // CPython's _fut_waiter
  bool must_cancel_ = false, throw_now_ = false;   // the next step throws CancelledError; and this is that step
};

template <class T = void>
using Task = Future<T>;  // whose state is a TaskState
struct TaskOptions {
  Loop* loop = nullptr;  // null: the one that runs
};
template <class T>  // the coroutine begins in the next tick
Task<T> create_task(Coro<T> coroutine, TaskOptions options = {}) {
  const auto task = std::make_shared<TaskState>(options.loop ? *options.loop : Loop::running());
  const auto owner = std::make_shared<Coro<T>>(std::move(coroutine));
  task->where = owner->frame.promise().where;
  task->start(owner->frame, [owner]() -> std::any { return owner->frame.promise().result(); });
  return Task<T>(task);
}
template <class T>
Task<T> ensure_future(Coro<T> coroutine, Loop& loop) {
  return create_task(std::move(coroutine), {&loop});
}

/// `co_await future` is Python's `yield future`: the coroutine leaves the future with its task, and stops.
template <class T>
struct FutureAwaiter {
  Future<T> future;
  explicit FutureAwaiter(Future<T> future) : future(std::move(future)) {}
  bool await_ready() const { return future.done(); }
  void await_suspend(std::coroutine_handle<> frame) const { TaskState::current->suspend(frame, future.state); }
  T await_resume() const { return TaskState::current->resume(), future.result(); }
};
template <class T>
FutureAwaiter<T> operator co_await(const Future<T>& future) {
  return FutureAwaiter<T>(future);
}
struct Yield : std::suspend_always {  // Python's bare `yield`: on with it in the next tick
  void await_suspend(std::coroutine_handle<> frame) const { TaskState::current->suspend(frame, nullptr); }
  void await_resume() const { TaskState::current->resume(); }
};

inline Coro<> sleep(Duration delay) {  // [step 3.6]
  if (delay <= Duration()) co_return co_await Yield();
  const Future<> over(Loop::running());
  const Handle timer = Loop::running().call_later(delay, [over] { over.done() ? void() : over.set_result(); });
  const Finally no_longer{[&] { timer.cancel(); }};
  co_await over;
}

/// A loop for one coroutine. Tasks that it leaves behind are cancelled, and run until they have ended.
template <class T>
T run(Coro<T> main, std::unique_ptr<Core> core = std::make_unique<Core>()) {  // [step 3.6]
  Loop loop(std::move(core));
  const Task<T> task = create_task(std::move(main), {&loop});
  loop.run_until_done(task);
  const auto left_behind = loop.tasks;
  for (const auto& [number, other] : left_behind) other->cancel();
  for (const auto& [number, other] : left_behind) loop.run_until_done(Future<>(other));
  return task.result();
}
}  // namespace by_hand
