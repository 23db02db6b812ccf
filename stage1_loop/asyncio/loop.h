// The event loop: a deque of callbacks, a heap of timers, and a core to wait in.
// Mirrors: Lib/asyncio/base_events.py, BaseEventLoop. Everything else in this project is built on this one class;
// read run_once() in loop.cpp first: it is the four lines of the notes' Loop, with timers.
#pragma once

#include <asyncio/core.h>
#include <asyncio/error_context.h>
#include <asyncio/handle.h>
#include <asyncio/threadsafe_handle.h>
#include <asyncio/timers.h>

#include <atomic>
#include <concepts>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <utility>
#include <vector>

namespace asyncio {

/// Anything callable without arguments; move-only is fine. What it returns is dropped.
template <class F>
concept Callback = std::invocable<std::decay_t<F>&>;

static_assert(Callback<void (*)()> && !Callback<void (*)(int)>);

/// What a higher stage keeps for each loop (the live tasks, the thread pool …), without stage 1 knowing of it.
class LoopService {
 public:
  virtual ~LoopService() = default;
  /// A Runner is about to close the loop, which does not run now, but still can: the place to wait for what has to end
  /// first, with run_until_complete(). All tasks have ended. Gives whether the loop ran.
  virtual bool shut_down() { return false; }
  /// The loop is being closed; callbacks may still be scheduled, but will not run.
  virtual void on_close() noexcept = 0;
};

namespace detail {

/// A future may outlive its loop. It holds this counted anchor, which says whether the loop is still there.
class LoopAnchor : public Pooled {
 public:
  explicit LoopAnchor(Loop& loop) noexcept : loop_(&loop) {}
  Loop* loop() const noexcept { return loop_; }  // null once the loop is destroyed
  void loop_destroyed() noexcept { loop_ = nullptr; }
  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  Loop* loop_;
  std::size_t refs_ = 1;
};

/// Throws std::invalid_argument for a null function pointer or an empty std::function.
template <class F>
void check_callable(const F& callback) {
  if constexpr (!std::is_function_v<F> && requires { static_cast<bool>(callback == nullptr); }) {
    if (callback == nullptr) throw std::invalid_argument("a callable object was expected, got an empty one");
  }
}

}  // namespace detail

/// One loop belongs to the thread that runs it. Only call_soon_threadsafe(), notify_signal() and, through it,
/// Core::wake() may be called from elsewhere. A tick is: look for what is ready, collect due timers, and run the
/// callbacks that are ready now; what they schedule runs in the next tick.
class Loop {
 public:
  using ExceptionHandler = std::function<void(Loop&, const ErrorContext&)>;

  Loop();
  explicit Loop(std::unique_ptr<Core> core);  // std::invalid_argument if null
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Closes it.
  ~Loop();

  /// Runs `callback` in the next tick, after those that were scheduled before it; in `context`, or else in a copy of
  /// the current one (see context.h). [BaseEventLoop.call_soon]
  /// Throws std::runtime_error("Event loop is closed"), std::invalid_argument for an empty callback.
  template <Callback F>
  Handle call_soon(F&& callback, OptionalContext context = {},
                   std::source_location where = std::source_location::current()) {
    check_may_schedule();
    detail::check_callable(callback);
    detail::Ref<detail::HandleState> node(
        new detail::CallbackNode<F, detail::HandleState>(std::forward<F>(callback), where, context), detail::adopt);
    enqueue(*node);
    detail::Ref<detail::HandleState>(node).leak();  // the queue's reference
    return Handle(std::move(node));
  }

  /// Runs `callback` once `delay` is over; a negative delay is over already, and yet waits for the next tick's timers.
  /// [BaseEventLoop.call_later]
  template <AnyDuration D, Callback F>
  TimerHandle call_later(D delay, F&& callback, OptionalContext context = {},
                         std::source_location where = std::source_location::current()) {
    return call_at(deadline_after(time(), to_duration(delay)), std::forward<F>(callback), context, where);
  }

  /// Runs `callback` at `when` on time()'s clock, or in the next tick if that is past. [BaseEventLoop.call_at]
  template <Callback F>
  TimerHandle call_at(TimePoint when, F&& callback, OptionalContext context = {},
                      std::source_location where = std::source_location::current()) {
    check_may_schedule();
    detail::check_callable(callback);
    detail::Ref<detail::TimerState> node(
        new detail::CallbackNode<F, detail::TimerState>(std::forward<F>(callback), where, context, when),
        detail::adopt);
    timers_.push(node);
    return TimerHandle(std::move(node));
  }

  /// call_soon() for other threads: keeps its place among the loop's own callbacks, and wakes the loop if it waits.
  /// Thread safety: any thread. [BaseEventLoop.call_soon_threadsafe]
  template <Callback F>
  ThreadSafeHandle call_soon_threadsafe(F&& callback, OptionalContext context = {},
                                        std::source_location where = std::source_location::current()) {
    detail::check_callable(callback);
    auto node = std::make_shared<detail::ThreadSafeNode<std::decay_t<F>>>(std::forward<F>(callback), where, context);
    post(node);
    return ThreadSafeHandle(std::move(node));
  }

  /// Runs until stop(). Throws std::runtime_error if this loop, or another in this thread, is running, or if it is
  /// closed. KeyboardInterrupt and SystemExit, thrown by a callback, leave at once; what was ready stays ready.
  void run_forever();

  /// Runs until the awaitable is done and returns its result, or throws its exception. The loop stops one tick after
  /// the future is done; if stop() came first: std::runtime_error("Event loop stopped before Future completed.").
  /// A higher stage says what is awaitable: this finds ensure_future(awaitable, *this) in its namespace.
  template <class Awaitable>
  auto run_until_complete(Awaitable&& awaitable);

  /// Lets run_forever() return at the end of this tick; before a run: after its first tick. [BaseEventLoop.stop]
  void stop() noexcept { stopping_ = true; }

  /// Drops all callbacks and timers unrun, and ends the tasks still pending. Idempotent; std::runtime_error if running.
  void close();

  /// Now, on the core's clock: the one by which call_at() counts.
  TimePoint time() { return now_ = core_->now(); }

  bool is_running() const noexcept { return running_.load(std::memory_order_relaxed); }
  bool is_closed() const noexcept { return (modes_ & kClosed) != 0; }

  /// The loop that runs in this thread. Throws std::runtime_error("no running event loop").  [get_running_loop]
  static Loop& running() {
    if (!running_loop_) [[unlikely]]
      throw_not_running();
    return *running_loop_;
  }
  /// The same, or null.
  static Loop* running_or_null() noexcept { return running_loop_; }

  /// Errors that nobody can catch go to `handler`; an empty one restores the default.
  void set_exception_handler(ExceptionHandler handler) { exception_handler_ = std::move(handler); }
  const ExceptionHandler& get_exception_handler() const noexcept { return exception_handler_; }
  /// Hands an error to the handler. Never throws, but for KeyboardInterrupt and SystemExit.
  void call_exception_handler(const ErrorContext& context);
  /// Prints to stderr what CPython prints.
  static void default_exception_handler(const ErrorContext& context);

  /// Debug mode looks for the usual mistakes: scheduling from a foreign thread throws std::runtime_error; a callback, or
  /// a step of a task, that keeps the loop for slow_callback_duration or longer is reported to the exception handler,
  /// as is a coroutine that was dropped without being awaited. On from the start if the environment variable
  /// ASYNCIO_DEBUG is set, and not empty. [PYTHONASYNCIODEBUG]
  void set_debug(bool on) noexcept;
  bool get_debug() const noexcept { return (modes_ & kDebug) != 0; }
  Duration slow_callback_duration = std::chrono::milliseconds(100);

  /// For tests: runs the callbacks that are ready in one tick in an order that depends on nothing but the seed, and is
  /// another one in each tick. What breaks then relied on an order; the same seed shows it again. Nullopt: in their own
  /// order again, first in, first out, which is CPython's.
  void set_shuffle_seed(std::optional<std::uint64_t> seed);

  Core& core() noexcept { return *core_; }
  /// Goes on with another core; callbacks, timers, wake-ups under way and watched descriptors are kept. Call it on the
  /// loop's thread. Throws std::invalid_argument for null and what Core::take_over() throws; nothing has changed then.
  void set_core(std::unique_ptr<Core> core);

  // ── for the higher stages ──────────────────────────────────────────────────────────────────────────────────────

  /// Appends something that runs itself; a task's step, for one. It must stay alive until run() or drop().
  void enqueue(Runnable& runnable) {
    if (attention_.load(std::memory_order_acquire) & kInbox) [[unlikely]]
      accept_inbox();  // what other threads posted before is before us in the queue
    ready_.push_back(runnable);
  }

  /// call_at() for a timer that runs itself; a new one.
  TimerHandle start_timer(detail::Ref<detail::TimerState> timer) {
    check_may_schedule();
    timers_.push(timer);
    return TimerHandle(std::move(timer));
  }

  /// run_until_complete() for a future, without its result.
  template <class Future>
  void run_until_done(const Future& future);

  /// Throws if closed. (While the loop is being closed, scheduling is allowed and comes to nothing.)
  void check_closed() const {
    if (is_closed()) [[unlikely]]
      throw_closed();
  }
  /// The same, and in debug mode whether the caller is on the right thread.
  void check_may_schedule() const {
    if (modes_ != 0) [[unlikely]]
      check_may_schedule_in_debug();
  }

  /// The service of type S, made at the first call; it lives until the loop is destroyed.
  template <std::derived_from<LoopService> S>
  S& service();
  /// Lets each service shut down, the latest first: what Runner::close() does before close(). Gives whether any of them
  /// ran the loop; what they throw passes.
  bool shut_down_services();

  /// Called for each signal noted by notify_signal(), in the tick that finds it: behind the callbacks that are ready then.
  void set_signal_callback(std::function<void(int)> callback) { signal_callback_ = std::move(callback); }
  /// Notes a signal, and wakes the loop. Async-signal-safe, if called on the loop's thread; 1 <= signal < 64.
  void notify_signal(int signal) noexcept;

  /// For futures, which may outlive the loop.
  detail::LoopAnchor& anchor() noexcept { return *anchor_; }

 private:
  class RunningScope;

  /// A look at the clock costs as much as five callbacks. While callbacks keep the loop busy it looks, if timers are
  /// pending, only once in so many callbacks; or sooner, when a coarser and cheaper clock has gone on. So a timer is late by
  /// less than this number of callbacks, and less than a tick of that clock (4 ms), at most. One that is due already when
  /// it is made is in time: making it looks at the clock.
  static constexpr std::size_t kCallbacksPerLook = 16;

  void run_once();
  void collect_ready();
  void run_ready_with_modes();
  void check_may_schedule_in_debug() const;
  void accept_from_outside();
  void accept_inbox();
  void post(std::shared_ptr<detail::ThreadSafeState> callback);
  void check_not_running() const;
  template <class S>
  static constinit inline std::atomic<std::size_t> service_index = 0;  // of type S in services_; 0: none yet
  template <class S>
  S& make_service(std::size_t index);
  static std::size_t number_service(std::atomic<std::size_t>& index) noexcept;
  LoopService& add_service(std::size_t index, std::unique_ptr<LoopService> service);
  [[noreturn]] static void throw_closed();
  [[noreturn]] static void throw_not_running();

  ReadyQueue ready_;           // the notes' _ready
  detail::TimerHeap timers_;   // CPython's _scheduled
  TimePoint now_{};            // when the clock was last read …
  std::size_t since_now_ = 0;  // … and how many callbacks have run since
  std::unique_ptr<Core> core_;
  std::atomic<std::uint64_t> attention_ = 0;  // bit 0: the inbox is not empty; bit n: signal n came
  static constexpr std::uint64_t kInbox = 1;
  bool stopping_ = false;
  std::atomic<bool> running_ = false;  // atomic for debug mode's sake, which looks at it from foreign threads

  static constexpr std::uint8_t kClosed = 1, kDebug = 2, kShuffle = 4;
  std::uint8_t modes_ = 0;  // what is out of the ordinary: one look tells that nothing is
  struct Shuffle;
  std::unique_ptr<Shuffle> shuffle_;

  std::mutex inbox_mutex_;  // guards the next two, and core_ against set_core()
  std::vector<std::shared_ptr<detail::ThreadSafeState>> inbox_;
  bool inbox_closed_ = false;

  ExceptionHandler exception_handler_;
  std::function<void(int)> signal_callback_;
  std::vector<std::unique_ptr<LoopService>> services_;  // by the index of their type
  std::vector<LoopService*> services_by_age_;
  detail::Ref<detail::LoopAnchor> anchor_;

  static constinit inline thread_local Loop* running_loop_ = nullptr;
};

template <std::derived_from<LoopService> S>
[[gnu::always_inline]] inline S& Loop::service() {
  // The same in every loop. No `static` of a function, which would be asked at each call whether it is made.
  std::size_t index = service_index<S>.load(std::memory_order_relaxed);
  if (index < services_.size() && services_[index]) [[likely]]
    return static_cast<S&>(*services_[index]);
  return make_service<S>(index);
}

template <class S>
[[gnu::noinline]] S& Loop::make_service(std::size_t index) {
  if (index == 0) index = number_service(service_index<S>);
  return static_cast<S&>(add_service(index, std::make_unique<S>(*this)));
}

template <class Future>
void Loop::run_until_done(const Future& future) {
  const auto id = future.add_done_callback([this](auto& done) {
    if (!done.cancelled()) done.exception();  // whoever runs the loop looks at it
    // KeyboardInterrupt leaves the loop by itself, and must not end the next run.
    if (!done.holds_fatal_exception()) stop();
  });
  struct RemoveAtEnd {
    const Future& done;
    decltype(id) callback;
    ~RemoveAtEnd() { done.remove_done_callback(callback); }
  };
  {
    const RemoveAtEnd remove{future, id};
    run_forever();
  }
  if (!future.done()) throw std::runtime_error("Event loop stopped before Future completed.");
}

template <class Awaitable>
auto Loop::run_until_complete(Awaitable&& awaitable) {
  check_closed();
  check_not_running();
  auto future = ensure_future(std::forward<Awaitable>(awaitable), *this);
  if constexpr (std::same_as<std::remove_cvref_t<Awaitable>, decltype(future)>) {
    run_until_done(future);
  } else {
    future.set_log_destroy_pending(false);  // a task of our own making: nobody wants to hear of it if we stop early
    try {
      run_until_done(future);
    } catch (...) {  // KeyboardInterrupt of that task: it leaves through us, and so it was looked at
      if (future.done() && !future.cancelled()) future.exception();
      throw;
    }
  }
  return std::move(future).result();
}

}  // namespace asyncio
