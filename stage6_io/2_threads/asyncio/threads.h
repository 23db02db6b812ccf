// to_thread() and run_coroutine_threadsafe(): from a loop into a thread, and from a thread into a loop.
// Mirrors: Lib/asyncio/threads.py, and run_coroutine_threadsafe of Lib/asyncio/tasks.py.
// Read next: watchdog.h
#pragma once

#include <asyncio/executor.h>
#include <asyncio/task.h>

#include <memory>
#include <utility>

namespace asyncio {

namespace detail {

template <class T, class F>
Coro<T> run_job_in_thread(F job) {
  auto in_context = [context = copy_context(), job = std::move(job)]() mutable -> T {
    return context.run(std::move(job));
  };
  Future<T> future = run_in_executor(std::move(in_context));
  co_return co_await std::move(future);
}

}  // namespace detail

/// `co_await to_thread(function, args…)`: calls the function in a thread of the default pool and returns its result.
/// The function sees a copy of the task's context variables. Nothing happens before the await. See run_in_executor().
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto to_thread(F&& function, Args&&... args) {
  using T = detail::job_result_t<F, Args...>;
  return detail::run_job_in_thread<T>(detail::bind_job(std::forward<F>(function), std::forward<Args>(args)...));
}

namespace detail {

/// The loop's end of a ConcurrentFuture. If it is destroyed without an outcome (the loop was closed), it cancels the
/// future, so that no thread waits for ever.
template <class T>
class ConcurrentPromise {
 public:
  explicit ConcurrentPromise(ConcurrentFuture<T> future) noexcept : state_(future.state()) {}
  ConcurrentPromise(ConcurrentPromise&&) noexcept = default;
  ~ConcurrentPromise() {
    if (state_) state_->cancel();
  }

  ConcurrentState& state() const noexcept { return *state_; }

  void set_exception(std::exception_ptr error) {
    if (const auto state = begin()) state->set_exception(std::move(error));
  }
  /// [_set_concurrent_future_state]
  void set(Task<T>& task) {
    if (task.cancelled()) return static_cast<void>(std::exchange(state_, nullptr)->cancel());
    if (std::exception_ptr error = std::move(task).exception()) return set_exception(std::move(error));
    const auto state = begin();
    if (!state) return;
    if constexpr (std::is_void_v<T>) {
      state->set_result();
    } else {
      try {
        state->set_result(std::move(task).result());
      } catch (...) {  // the value's constructor
        state->set_exception(std::current_exception());
      }
    }
  }

 private:
  std::shared_ptr<ConcurrentStateOf<T>> begin() {
    auto state = std::exchange(state_, nullptr);
    return state && state->set_running_or_notify_cancel() ? state : nullptr;
  }
  std::shared_ptr<ConcurrentStateOf<T>> state_;
};

/// Runs when the other thread has cancelled its future.
class CancelTask final : public BridgeCallback {
 public:
  explicit CancelTask(AnyTask task) noexcept : task_(std::move(task)) {}
  void run() override { task_.cancel(); }

 private:
  AnyTask task_;
};

/// The callback that makes the task on the loop. If it is destroyed without having run, the future is cancelled.
template <class T>
class StartTask {
 public:
  StartTask(Coro<T> coroutine, ConcurrentFuture<T> future, Loop& loop)
      : coroutine_(std::move(coroutine)), future_(std::move(future)), loop_(loop) {}

  void operator()() {
    try {
      auto& bridge = loop_.service<ThreadBridge>();
      auto task = create_task(std::move(coroutine_), {.loop = &loop_});
      try {
        connect(task, bridge);
      } catch (...) {  // no memory
        task.cancel();
        throw;
      }
    } catch (...) {
      if (!current_exception_is_fatal()) future_.set_exception(std::current_exception());
      throw;  // to the loop's exception handler as well
    }
  }

 private:
  void connect(Task<T>& task, ThreadBridge& bridge) {
    const auto number = bridge.add(std::make_unique<CancelTask>(task));
    try {
      ConcurrentState& state = future_.state();
      const auto notify_if_cancelled = [&state, notify = ThreadBridge::Notifier(bridge, number)] {
        if (state.cancelled()) notify();
      };
      using Callback = ConcurrentState::PlainCallback<std::decay_t<decltype(notify_if_cancelled)>>;
      auto callback = std::make_unique<Callback>(notify_if_cancelled);
      task.add_done_callback([&bridge, number, future = std::move(future_)](Task<T>& done) mutable {
        bridge.remove(number);
        future.set(done);
      });
      state.add_done_callback(std::move(callback));
    } catch (...) {
      bridge.remove(number);
      throw;
    }
  }

  Coro<T> coroutine_;
  ConcurrentPromise<T> future_;
  Loop& loop_;
};

}  // namespace detail

/// Runs a coroutine, or the one that a callable returns, as a task of `loop`, from another thread. Returns a future
/// that waits for the result. Cancelling the future cancels the task; closing the loop before the task has ended
/// cancels the future. Throws std::runtime_error("Event loop is closed").
/// Thread safety: any thread, while `loop` exists. (Waiting for the result on the loop's own thread is a deadlock.) The
/// coroutine's frame moves to the loop's thread: do not use it here any more.
template <class A>
  requires(detail::is_coro<A> || detail::CoroFunction<A>)
auto run_coroutine_threadsafe(A&& coroutine, Loop& loop) {
  auto owned = detail::to_coro(std::forward<A>(coroutine));
  using T = typename decltype(owned)::value_type;
  ConcurrentFuture<T> future;
  loop.call_soon_threadsafe(detail::StartTask<T>(std::move(owned), future, loop));
  return future;
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: to_thread() the thread of its loop, run_coroutine_threadsafe() any thread.
// Ticks: a job's result reaches the loop in the tick that finds its end. Who awaits it runs in the next one. The
//   other way round, the task is made in the tick that finds the call, and takes its first step in the next one.
// Errors: what the function or the coroutine throws, at the await or from result(); std::runtime_error for a closed
//   loop.
// Units: none.
