// The event loop: a deque of callbacks, a heap of timers, and a core to wait in.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop. Everything else in this project is built on this one class;
// read run_once() in loop.cpp first: it is the four lines of the notes' Loop, with timers.
// Read next: ready_queue.h
#pragma once

#include <asyncio/core.h>
#include <asyncio/detail/inbox.h>
#include <asyncio/detail/pool.h>
#include <asyncio/error_context.h>
#include <asyncio/handle.h>
#include <asyncio/loop_service.h>
#include <asyncio/threadsafe_handle.h>
#include <asyncio/timers.h>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// Anything callable without arguments; it may be move-only. Its return value is dropped.
template <class F>
concept Callback = std::invocable<std::decay_t<F>&>;

static_assert(Callback<void (*)()> && !Callback<void (*)(int)>);

class Observer;

/// What Loop::stats() counts.
struct LoopStats {
  std::uint64_t ticks = 0;        // ticks that were run
  std::uint64_t waits = 0;        // ticks that found nothing to run, and waited in the core
  std::uint64_t polls = 0;        // ticks that asked the core what is ready; the waits are among them
  std::size_t deepest_ready = 0;  // the longest ready queue of a tick
  /// By how much the first timer was late, in each of the last 16 ticks that had one due; the latest tick first. It
  /// shows how long callbacks keep the loop from its timers.
  std::vector<Duration> lags;
  std::size_t ready = 0;   // now: what is in the ready queue …
  std::size_t timers = 0;  // … and the timers that are not cancelled
  // What has run since the loop got its first observer, as long as it had one. Without one, nobody counts: each callback
  // would pay for it.
  std::uint64_t callbacks = 0;  // of call_soon(), timers, descriptors, futures and other threads
  std::uint64_t steps = 0;      // of tasks
};

namespace detail {

/// A reference to a loop that does not keep it alive. Futures hold one, because they may outlive their loop.
class WeakLoop : public RefCounted<WeakLoop>, public Pooled {
 public:
  explicit WeakLoop(Loop& loop) noexcept : loop_(&loop) {}
  Loop* loop() const noexcept { return loop_; }  // null once the loop is destroyed
  void loop_destroyed() noexcept { loop_ = nullptr; }

 private:
  Loop* loop_;
};

/// Whether a T is a coroutine that has not begun, so that dropping it is a mistake. Stage 3 says so of Coro.
template <class T>
inline constexpr bool is_coro = false;

/// Whether calling an F makes a coroutine, and nothing more. As a callback it would do nothing. [_check_callback]
template <class F, class... Args>
inline constexpr bool returns_coro = is_coro<std::invoke_result_t<std::decay_t<F>&, Args...>>;

/// Throws std::invalid_argument for a null function pointer or an empty std::function.
template <class F>
void check_callable(const F& callback) {
  if constexpr (!std::is_function_v<F> && requires { static_cast<bool>(callback == nullptr); }) {
    if (callback == nullptr) throw std::invalid_argument("a callable object was expected, got an empty one");
  }
}

}  // namespace detail

/// A loop belongs to the thread that runs it; only call_soon_threadsafe() may be called from elsewhere. A tick collects
/// what has become ready, then due timers, and runs the callbacks that are ready now. What they schedule runs in the
/// next tick.
class Loop {
 public:
  /// Gets the loop and the error. See set_exception_handler().
  using ExceptionHandler = std::function<void(Loop&, const ErrorContext&)>;

  /// With a SleepCore, which does until something needs a descriptor. Throws std::system_error. [new_event_loop]
  Loop();
  explicit Loop(std::unique_ptr<Core> core);  // std::invalid_argument if null
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Closes it. Not in one of its own callbacks, which return into the loop.
  ~Loop();

  /// Runs `callback` in the next tick, after those scheduled before it; in `context`, or else in a copy of the current
  /// one (see context.h). [BaseEventLoop.call_soon]
  /// Throws std::runtime_error("Event loop is closed"), std::invalid_argument for an empty callback.
  template <Callback F>
  Handle call_soon(F&& callback, OptionalContext context = {},
                   std::source_location where = std::source_location::current()) {
    static_assert(!detail::returns_coro<F>,
                  "coroutines cannot be used with call_soon(): call create_task() in the callback");
    check_may_schedule();
    detail::check_callable(callback);
    detail::Ref<detail::HandleState> node(
        new detail::CallbackNode<F, detail::HandleState>(std::forward<F>(callback), where, context), detail::adopt);
    enqueue(*node);
    node->add_ref();  // the queue's
    return Handle(std::move(node));
  }

  /// Runs `callback` after `delay`; with a negative delay in the next tick. [BaseEventLoop.call_later]
  template <AnyDuration D, Callback F>
  TimerHandle call_later(D delay, F&& callback, OptionalContext context = {},
                         std::source_location where = std::source_location::current()) {
    return call_at(deadline_after(time(), to_duration(delay)), std::forward<F>(callback), context, where);
  }

  /// Runs `callback` at `when` on time()'s clock, or in the next tick if that is past. [BaseEventLoop.call_at]
  template <Callback F>
  TimerHandle call_at(TimePoint when, F&& callback, OptionalContext context = {},
                      std::source_location where = std::source_location::current()) {
    static_assert(!detail::returns_coro<F>,
                  "coroutines cannot be used with call_at() or call_later(): call create_task() in the callback");
    check_may_schedule();
    detail::check_callable(callback);
    detail::Ref<detail::TimerState> node(
        new detail::CallbackNode<F, detail::TimerState>(std::forward<F>(callback), where, context, when),
        detail::adopt);
    timers_.push(node);
    return TimerHandle(std::move(node));
  }

  /// call_soon() for other threads: also wakes the loop if it waits. Callbacks of both kinds run in the order of the
  /// calls. Thread safety: any thread. [BaseEventLoop.call_soon_threadsafe]
  template <Callback F>
  ThreadSafeHandle call_soon_threadsafe(F&& callback, OptionalContext context = {},
                                        std::source_location where = std::source_location::current()) {
    static_assert(!detail::returns_coro<F>,
                  "coroutines cannot be used with call_soon_threadsafe(): call create_task() in the callback");
    detail::check_callable(callback);
    using Node = detail::ThreadSafeNode<std::decay_t<F>>;
    auto node =
        std::allocate_shared<Node>(detail::HandedOverAllocator<Node>{}, std::forward<F>(callback), where, context);
    inbox_.post(node);
    return ThreadSafeHandle(std::move(node));
  }

  /// Runs until stop(). Throws std::runtime_error if it is closed, or if a loop is running in this thread.
  /// KeyboardInterrupt and SystemExit thrown by a callback leave at once; what was ready stays ready.
  void run_forever();

  /// Runs until the awaitable is done and returns its result, or throws its exception. The loop stops one tick after
  /// the future is done. Throws std::runtime_error("Event loop stopped before Future completed.") if stop() comes
  /// first. Defined in stage 2, which knows what a future is: see future.h.
  template <class Awaitable>
  auto run_until_complete(Awaitable&& awaitable);

  /// Makes run_forever() return at the end of this tick, or after the first tick of the next run. [BaseEventLoop.stop]
  void stop() noexcept { stopping_ = true; }

  /// Drops all callbacks and timers, and ends pending tasks. May be called twice. Throws std::runtime_error if running.
  void close();

  /// The time on the core's clock, which call_at() refers to.
  TimePoint time() { return now_ = core_->now(); }

  /// Whether run_forever() is under way. Thread safety: any thread. [BaseEventLoop.is_running]
  bool is_running() const noexcept { return running_.load(std::memory_order_relaxed); }
  /// Whether close() was called. [BaseEventLoop.is_closed]
  bool is_closed() const noexcept { return (slow_path_ & kClosed) != 0; }

  /// The loop that runs in this thread. Throws std::runtime_error("no running event loop"), and so in a child that a
  /// callback has forked: the loop is its parent's. [get_running_loop]
  static Loop& running() {
    if (!running_loop_) [[unlikely]]
      throw_not_running();
    return *running_loop_;
  }
  /// The loop that runs in this thread, or null.
  static Loop* running_or_null() noexcept { return running_loop_; }

  /// `handler` gets the errors that nobody can catch; an empty one restores the default.
  void set_exception_handler(ExceptionHandler handler) { exception_handler_ = std::move(handler); }
  /// The handler; empty: it is the default one. [get_exception_handler]
  const ExceptionHandler& get_exception_handler() const noexcept { return exception_handler_; }
  /// Passes an error to the handler. Throws nothing but KeyboardInterrupt and SystemExit.
  void call_exception_handler(const ErrorContext& context);
  /// Prints to stderr what CPython prints.
  static void default_exception_handler(const ErrorContext& context);

  /// Debug mode finds common mistakes. Scheduling from a foreign thread throws std::runtime_error. The exception
  /// handler hears of a callback, or a step of a task, that takes slow_callback_duration or longer; of a coroutine that
  /// is dropped without an await; and, once each, of a task that has run a thousand steps while the loop never waited,
  /// and of tasks that wait for each other in a circle. The repr() of a task that was cancelled then ends with the
  /// place: `cancelled at demo.cpp:12`. It is on from the start if the environment variable ASYNCIO_DEBUG is set and
  /// not empty.
  /// [PYTHONASYNCIODEBUG]
  void set_debug(bool on) noexcept;
  /// Whether debug mode is on. [get_debug]
  bool get_debug() const noexcept { return (slow_path_ & kDebug) != 0; }
  /// From how long on debug mode reports a callback or a step. 100 ms as in CPython. [slow_callback_duration]
  Duration slow_callback_duration = std::chrono::milliseconds(100);

  /// For tests: runs the callbacks of each tick in a random order, which depends only on the seed. A test that fails
  /// then relied on an order, and fails again with the same seed. Nullopt restores CPython's order: first in, first
  /// out.
  void set_shuffle_seed(std::optional<std::uint64_t> seed);

  /// From now on `observer` hears of what the loop does: see observer.h. Callbacks are observed from the next tick on.
  /// The order in which observers are told is that in which they were added. Throws std::invalid_argument for null.
  void add_observer(std::shared_ptr<Observer> observer);
  /// Has no effect if it is not there.
  void remove_observer(const std::shared_ptr<Observer>& observer);

  /// How busy the loop is. It counts from the first call on: a loop that nobody asks does not count.
  LoopStats stats();

  /// The core that it waits in. It is valid until set_core(), or until the loop is destroyed.
  Core& core() noexcept { return *core_; }
  /// Replaces the core; keeps callbacks, timers, wake-ups under way and watched descriptors. Throws
  /// std::invalid_argument for null, and what Core::take_over() throws; the loop is unchanged then.
  void set_core(std::unique_ptr<Core> core);

  // ── for the higher stages ──────────────────────────────────────────────────────────────────────────────────────

  /// Appends something that runs itself. It must stay alive until run() or drop(). Throws std::bad_alloc.
  void enqueue(Runnable& runnable) {
    if (inbox_.has_callbacks()) [[unlikely]]
      take_posted();  // other threads posted these before
    ready_.push_back(runnable);
  }
  /// Appends what somebody waits for, such as a task's step. That cannot fail.
  void enqueue(Wakeup& wakeup) noexcept {
    if (inbox_.has_callbacks()) [[unlikely]]
      take_posted();  // other threads posted these before
    ready_.push_back(wakeup);
  }

  /// call_at() for a new timer.
  TimerHandle start_timer(detail::Ref<detail::TimerState> timer) {
    check_may_schedule();
    timers_.push(timer);
    return TimerHandle(std::move(timer));
  }

  /// run_until_complete() for a future, without its result. Defined in stage 2.
  template <class Future>
  void run_until_done(const Future& future);

  /// Throws if closed. (While the loop is being closed, scheduling is allowed and has no effect.)
  void check_closed() const {
    if (is_closed()) [[unlikely]]
      throw_closed();
  }
  /// Throws std::runtime_error("Event loop is closed").
  [[noreturn]] static void throw_closed();
  /// Throws if closed; in debug mode, also on a thread that is not the loop's.
  void check_may_schedule() const {
    if (slow_path_ != 0) [[unlikely]]
      check_may_schedule_in_debug();
  }

  /// The service of type S, made at the first call; it lives until the loop is destroyed.
  template <std::derived_from<LoopService> S>
  S& service() {
    return services_.get<S>(*this);
  }
  /// Lets each service shut down, the latest first, as Runner::close() does before close(). Returns whether any of them
  /// ran the loop. Throws what they throw.
  bool shut_down_services() { return services_.shut_down(); }

  /// The way in for other threads and for signals.
  detail::Inbox& inbox() noexcept { return inbox_; }

  /// Those to tell; null, if nobody observes the loop.
  detail::Observers* observers() const noexcept { return (slow_path_ & kObserved) != 0 ? observers_.get() : nullptr; }
  /// Whether check_may_schedule() has to look, or an observer wants to hear of it: one test for all of that.
  bool takes_slow_path() const noexcept { return slow_path_ != 0; }

  /// From now on what_runs() is kept up to date, for a few instructions a callback; or no longer.
  void note_what_runs(bool on) noexcept;
  /// Where the callback that runs was scheduled; line 0: none runs, or it is unknown. Async-signal-safe, for a handler on
  /// the loop's thread.
  std::source_location what_runs() const noexcept { return what_runs_; }

  /// For what may outlive the loop.
  detail::WeakLoop& weak_loop() noexcept { return *weak_loop_; }

 private:
  friend detail::Observers;

  /// Reading the clock costs as much as a few callbacks. A busy loop with pending timers therefore reads it once in
  /// this number of callbacks, or when a coarser and cheaper clock has advanced. A timer may thus be late by less than
  /// this number of callbacks, and by less than a step of that clock (4 ms). One that is due when it is made is in
  /// time, because making it reads the clock.
  static constexpr std::size_t kCallbacksPerLook = 16;

  void run_once();
  template <bool kSlowPath>
  void collect_ready();
  void about_to_wait(std::optional<TimePoint> deadline);
  void about_to_poll() noexcept;
  void note_lag();
  void run_once_on_slow_path();
  void run_ready_on_slow_path();
  void run_one(Runnable& runnable);
  void set_observed(bool on) noexcept;
  void check_may_schedule_in_debug() const;
  void take_from_outside();
  void take_posted() noexcept;
  void check_not_running() const;
  [[noreturn]] static void throw_not_running();

  ReadyQueue ready_;           // the notes' _ready
  detail::TimerHeap timers_;   // CPython's _scheduled
  TimePoint now_{};            // when the clock was last read …
  std::size_t since_now_ = 0;  // … and how many callbacks have run since
  std::unique_ptr<Core> core_;
  detail::Inbox inbox_;
  bool stopping_ = false;
  std::atomic<bool> running_ = false;  // atomic because debug mode reads it on foreign threads

  static constexpr std::uint8_t kClosed = 1, kDebug = 2, kShuffle = 4, kObserved = 8, kStats = 16, kNoted = 32;
  std::uint8_t slow_path_ = 0;  // why a tick takes the slow path; 0, which is one test, if it does not
  struct Shuffle;
  std::unique_ptr<Shuffle> shuffle_;
  std::unique_ptr<LoopStats> stats_;
  std::source_location what_runs_;
  std::unique_ptr<detail::Observers> observers_;  // kept from the first one on

  ExceptionHandler exception_handler_;
  detail::LoopServices services_;
  detail::Ref<detail::WeakLoop> weak_loop_;

  static constinit inline thread_local Loop* running_loop_ = nullptr;
  static const int at_fork_;
};

/// Loop::running(), by Python's name. [get_running_loop]
inline Loop& get_running_loop() { return Loop::running(); }

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread that runs the loop; call_soon_threadsafe() and is_running() any thread. running() and
//   running_or_null() are about the thread that asks.
// Ticks: what is scheduled during a tick runs in the next. run_until_complete() returns a tick after the result is
//   there.
// Errors: what schedules throws std::runtime_error once the loop is closed, and std::invalid_argument for an empty
//   callback. What a callback throws goes to the exception handler; KeyboardInterrupt and SystemExit leave
//   run_forever().
// Units: a delay is any std::chrono duration, a time is in nanoseconds on the clock of time(). LoopStats counts
//   ticks and callbacks, and its lags are in nanoseconds.
