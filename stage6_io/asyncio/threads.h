// to_thread() and run_coroutine_threadsafe(): from a loop into a thread, and from a thread into a loop.
// Mirrors: Lib/asyncio/threads.py, and run_coroutine_threadsafe of Lib/asyncio/tasks.py. Read next: signals.h
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

/// `co_await to_thread(function, args…)`: calls it in a thread of the default pool, and gives what it returns; there it
/// sees a copy of the task's context variables. As with any coroutine, nothing happens before the await. See
/// run_in_executor().
template <class F, class... Args>
  requires detail::Job<F, Args...>
auto to_thread(F&& function, Args&&... args) {
  using T = detail::job_result_t<F, Args...>;
  return detail::run_job_in_thread<T>(detail::bind_job(std::forward<F>(function), std::forward<Args>(args)...));
}

namespace detail {

/// The loop's end of a ConcurrentFuture. Destroyed before it came to an outcome (the loop was closed, the task ended
/// with it), it cancels: nobody waits for ever.
template <class T>
class Outgoing {
 public:
  explicit Outgoing(ConcurrentFuture<T> future) noexcept : state_(future.state()) {}
  Outgoing(Outgoing&&) noexcept = default;
  ~Outgoing() {
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

/// The other thread has cancelled its future.
class CancelArrival final : public Arrival {
 public:
  explicit CancelArrival(AnyTask task) noexcept : task_(std::move(task)) {}
  void arrive() override { task_.cancel(); }

 private:
  AnyTask task_;
};

/// The callback, on the loop, that makes the task. Not run, it cancels the future.
template <class T>
class StartTask {
 public:
  StartTask(Coro<T> coroutine, ConcurrentFuture<T> future, Loop& loop)
      : coroutine_(std::move(coroutine)), future_(std::move(future)), loop_(loop) {}

  void operator()() {
    try {
      auto task = create_task(std::move(coroutine_), {.loop = &loop_});
      auto& bridge = loop_.service<ThreadBridge>();
      const auto number = bridge.expect(std::make_unique<CancelArrival>(task));
      using Ticket = ThreadBridge::Ticket;
      ConcurrentState& state = future_.state();
      task.add_done_callback([&bridge, number, future = std::move(future_)](Task<T>& done) mutable {
        bridge.forget(number);
        future.set(done);
      });
      const auto knock_if_cancelled = [&state, ticket = Ticket(bridge, number)] {
        if (state.cancelled()) ticket();
      };
      using Callback = ConcurrentState::PlainCallback<std::decay_t<decltype(knock_if_cancelled)>>;
      state.add_done_callback(std::make_unique<Callback>(knock_if_cancelled));
    } catch (...) {
      if (!current_exception_is_fatal()) future_.set_exception(std::current_exception());
      throw;  // the loop's exception handler hears of it, too
    }
  }

 private:
  Coro<T> coroutine_;
  Outgoing<T> future_;
  Loop& loop_;
};

}  // namespace detail

/// Runs a coroutine (or what a callable returns) as a task of `loop`, from another thread; the handle waits for its
/// result. Cancelling the handle cancels the task. If the loop is closed before the task has ended, the handle is
/// cancelled. Throws std::runtime_error("Event loop is closed").
/// Thread safety: any thread, while `loop` lives. (On the loop's own thread, waiting for the result would be a
/// deadlock.) The coroutine's frame moves to the loop's thread: it must not be in use here.
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
