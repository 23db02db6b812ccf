#include "asyncio/loop.h"

#include "asyncio/detail/observers.h"
#include "asyncio/observer.h"
#include "asyncio/sleep_core.h"

#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <string>

namespace asyncio {

struct Loop::Shuffle {
  explicit Shuffle(std::uint64_t seed) : random(seed) {}
  std::mt19937_64 random;
};

// A forked child has a copy of the loop, and of the stack that runs it, but does not run it. [_get_running_loop]
const int Loop::at_fork_ = pthread_atfork(nullptr, nullptr, [] { running_loop_ = nullptr; });

// ── one tick, and runs of ticks ─────────────────────────────────────────────────────────────────────────────────────

// The order is: earlier call_soon(), then descriptors, then timers. Runs exactly the callbacks that are ready now.
void Loop::run_once() {
  if (slow_path_ != 0) [[unlikely]]
    return run_once_on_slow_path();
  const bool nothing_else = !inbox_.pending() && !core_->watching() && timers_.idle();
  if (ready_.empty() || !nothing_else) collect_ready<false>();
  for (std::size_t todo = ready_.size(); todo > 0; --todo) ready_.pop_front().run(*this);
}

// Those behind the ring first, in their order.
void ReadyQueue::make_room() {
  let_in();
  if (size() < open_limit()) return;
  const std::size_t wider = 2 * capacity_;
  auto ring = std::make_unique<Runnable*[]>(wider);
  for (std::size_t i = head_; i != tail_; ++i) ring[i & (wider - 1)] = ring_[i & (capacity_ - 1)];
  ring_ = std::move(ring);
  capacity_ = wider;
  let_in();
  if (size() >= open_limit()) make_room();  // still not enough for those behind
}

void ReadyQueue::let_in() noexcept {
  while (!behind_.empty() && size() < capacity_) ring_[tail_++ & (capacity_ - 1)] = &behind_.pop_front();
  set_limit();
}

bool ReadyQueue::has_room() noexcept {
  if (size() < open_limit()) return true;
  try {
    make_room();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void ReadyQueue::make_room_for(const Runnable& runnable) {
  if (size() >= open_limit()) make_room();
  if (observers_) observers_->scheduled(runnable);
}

void ReadyQueue::push_slowly(Wakeup& wakeup) noexcept {
  if (has_room()) {
    ring_[tail_++ & (capacity_ - 1)] = &wakeup;
  } else {
    behind_.push_back(wakeup);
    set_limit();
  }
  if (observers_) observers_->scheduled(wakeup);
}

// Waits until something is ready, if nothing is, and appends what has become ready. A function of its own, because
// run_once() skips it as long as there are callbacks and nothing else to look at.
template <bool kSlowPath>
void Loop::collect_ready() {
  ready_.refill();
  if constexpr (kSlowPath) {
    if (get_debug() && ready_.empty() && !inbox_.pending() && !stopping_) services_.about_to_wait();
    if (observers()) observers()->look_at_timers();  // at one that a report's handler made
  }
  const bool busy = !ready_.empty() || inbox_.pending();
  if (!busy && !stopping_) {
    const std::optional<TimePoint> deadline = timers_.next_deadline();
    if constexpr (kSlowPath) about_to_wait(deadline);
    core_->wait(deadline);
  } else if (core_->watching()) {
    if constexpr (kSlowPath) about_to_poll();
    core_->wait(busy ? kDoNotWait : TimePoint{});  // TimePoint{} is past: a look, even in a core that skips busy ticks
  }
  if (inbox_.pending()) take_from_outside();
  if (core_->watching()) core_->collect(ready_);
  if (timers_.idle()) return;
  if (!busy || since_now_ >= kCallbacksPerLook || core_->clock_may_have_advanced()) {
    time();
    since_now_ = 0;
  }
  if constexpr (kSlowPath) {
    if (observers()) observers()->look_at_timers();  // at one that was made while the core waited
    note_lag();
  }
  timers_.pop_due(now_, ready_);
  since_now_ += ready_.size();  // they are about to run
}

void Loop::take_posted() noexcept { inbox_.take_callbacks(ready_); }

void Loop::take_from_outside() {
  take_posted();
  inbox_.take_signals(*this);
}

void Loop::run_forever() {
  check_closed();
  check_not_running();
  running_loop_ = this;
  running_.store(true, std::memory_order_relaxed);
  const detail::ScopeExit stopped([this] {
    stopping_ = false;
    running_.store(false, std::memory_order_relaxed);
    running_loop_ = nullptr;
  });
  try {
    do {
      try {
        run_once();
      } catch (const std::bad_alloc&) {  // the library's own; a callback's goes to the exception handler
        detail::report_without_memory("Exception in the event loop");
      }
    } while (!stopping_);
  } catch (const NeverWakes& error) {
    const std::string waits = services_.describe_waits();
    if (waits.empty()) throw;
    throw NeverWakes(std::string(error.what()) + "\n" + waits);
  }
}

void Loop::throw_not_running() { throw std::runtime_error("no running event loop"); }

void Loop::check_not_running() const {
  if (is_running()) throw std::runtime_error("This event loop is already running");
  if (running_loop_) throw std::runtime_error("Cannot run the event loop while another loop is running");
}

void Loop::throw_closed() { throw std::runtime_error("Event loop is closed"); }

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Loop::Loop() : Loop(std::make_unique<SleepCore>()) {}

Loop::Loop(std::unique_ptr<Core> core)
    : core_(std::move(core)), inbox_(core_.get()), weak_loop_(new detail::WeakLoop(*this), detail::adopt) {
  if (!core_) throw std::invalid_argument("Loop: the core is null");
  const char* debug = std::getenv("ASYNCIO_DEBUG");
  set_debug(debug && *debug);
  try {
    detail::add_observers_of_new_loops(*this);
  } catch (...) {  // those that observe it already hear of its end
    close();
    weak_loop_->loop_destroyed();
    throw;
  }
}

Loop::~Loop() {
  running_ = false;
  close();
  weak_loop_->loop_destroyed();
}

void Loop::close() {
  if (is_running()) throw std::runtime_error("Cannot close a running event loop");
  if (is_closed()) return;
  // The services first, the latest before those it may stand on. Ending a task runs destructors, which may schedule
  // callbacks; these are dropped below.
  services_.on_close();
  if (observers_) observers_->remove_all();
  inbox_.close();
  take_from_outside();
  do {  // again, because a dropped callback's destructor may have started a timer
    timers_.clear();
    for (; !ready_.empty(); ready_.refill()) ready_.pop_front().drop();
  } while (!timers_.empty());
  slow_path_ |= kClosed;
  core_->close();  // no other thread wakes it any more: the inbox is closed
}

void Loop::set_core(std::unique_ptr<Core> core) {
  if (!core) throw std::invalid_argument("Loop: the core is null");
  core->take_over(*core_);
  core->set_observers(observers());
  inbox_.set_core(*core);
  core_.swap(core);
  if (core_->watching()) core_->collect(ready_);
  // No wake-up of the old core is lost: it belongs to something in the inbox, which is checked before the next wait.
}

// ── debug mode, the shuffle, and observers ─────────────────────────────────────────────────────────────────────────────────────

void Loop::set_debug(bool on) noexcept {
  if (!on && get_debug()) services_.debug_mode_ended();
  slow_path_ = static_cast<std::uint8_t>(on ? slow_path_ | kDebug : slow_path_ & ~kDebug);
}

void Loop::set_shuffle_seed(std::optional<std::uint64_t> seed) {
  shuffle_ = seed ? std::make_unique<Shuffle>(*seed) : nullptr;
  slow_path_ = static_cast<std::uint8_t>(seed ? slow_path_ | kShuffle : slow_path_ & ~kShuffle);
}

void Loop::run_once_on_slow_path() {
  detail::Observers* const observers = this->observers();
  if (!observers) {
    collect_ready<true>();
    return run_ready_on_slow_path();
  }
  {
    observers->tick_begins();
    const detail::ScopeExit ends([&] { observers->tick_ends(); });
    {
      observers->collecting();
      const detail::ScopeExit collected([&] { observers->collected(); });
      collect_ready<true>();
    }
    run_ready_on_slow_path();
  }
  observers->report_failures();
}

void Loop::about_to_wait(std::optional<TimePoint> deadline) {
  if (stats_) ++stats_->waits;
  about_to_poll();
  if (observers()) observers()->core_waits(deadline);
}

void Loop::about_to_poll() noexcept {
  if (stats_) ++stats_->polls;
}

static std::string repr_or_nothing(const Runnable& callback) {
  try {
    return callback.repr();
  } catch (const std::bad_alloc&) {
    return {};
  }
}

static void report_slow(Loop& loop, const std::string& what, double took) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f", took);
  try {
    loop.call_exception_handler(ErrorContext("Executing " + what + " took " + seconds + " seconds"));
  } catch (const std::bad_alloc&) {
    detail::report_without_memory("A callback took long");
  }
}

void Loop::run_ready_on_slow_path() {
  if (stats_) {
    ++stats_->ticks;
    stats_->deepest_ready = std::max(stats_->deepest_ready, ready_.size());
  }
  // Fisher-Yates. (std::shuffle gives a different order with each standard library.)
  for (std::size_t n = ready_.size(); shuffle_ && n > 1; --n) ready_.swap(n - 1, shuffle_->random() % n);

  for (std::size_t todo = ready_.size(); todo > 0; --todo) {
    if (!get_debug()) {
      run_one(ready_.pop_front());
      continue;
    }
    Runnable& next = ready_.front();
    const std::string what = repr_or_nothing(next);  // now: it may be gone after run()
    const bool is_step = next.kind() == Runnable::Kind::task;
    if (is_step) services_.step_begins(next);
    const TimePoint start = time();
    {
      const detail::ScopeExit ended([&] {
        if (is_step) services_.step_ended();
      });
      run_one(ready_.pop_front());
    }
    const std::chrono::duration<double> took = time() - start;
    if (took >= slow_callback_duration) report_slow(*this, what, took.count());
  }
}

LoopStats Loop::stats() {
  if (!stats_) stats_ = std::make_unique<LoopStats>();
  slow_path_ |= kStats;
  stats_->ready = ready_.size();
  stats_->timers = timers_.live();
  if (observers_) {
    stats_->callbacks = observers_->callbacks();
    stats_->steps = observers_->steps();
  }
  return *stats_;
}

void Loop::note_lag() {
  constexpr std::size_t kMostLags = 16;
  if (!stats_) return;
  const TimePoint first = timers_.next_deadline().value_or(TimePoint::max());
  if (first > now_) return;
  if (stats_->lags.size() == kMostLags) stats_->lags.pop_back();
  stats_->lags.insert(stats_->lags.begin(), now_ - first);
}

void Loop::note_what_runs(bool on) noexcept {
  slow_path_ = static_cast<std::uint8_t>(on ? slow_path_ | kNoted : slow_path_ & ~kNoted);
  what_runs_ = {};
}

void Loop::run_one(Runnable& runnable) {
  const bool noted = (slow_path_ & kNoted) != 0;
  if (noted) what_runs_ = runnable.where();
  const detail::ScopeExit no_more([&] {
    if (noted) what_runs_ = {};
  });
  if (detail::Observers* observers = this->observers()) {
    runnable.run_observed(*this, *observers);
  } else {
    runnable.run(*this);
  }
}

void Loop::add_observer(std::shared_ptr<Observer> observer) {
  if (!observer) throw std::invalid_argument("Loop: the observer is null");
  check_closed();
  if (!observers_) observers_ = std::make_unique<detail::Observers>(*this);
  observers_->add(std::move(observer));
}

void Loop::remove_observer(const std::shared_ptr<Observer>& observer) {
  if (observers_) observers_->remove(observer);
}

void Loop::set_observed(bool on) noexcept {
  slow_path_ = static_cast<std::uint8_t>(on ? slow_path_ | kObserved : slow_path_ & ~kObserved);
  ready_.set_observers(observers());
  timers_.set_observers(observers());
  core_->set_observers(observers());
}

void Loop::check_may_schedule_in_debug() const {
  check_closed();
  if (observers()) observers()->look_at_timers();  // before there is another timer
  if (get_debug() && is_running() && running_loop_ != this) {
    throw std::runtime_error("Non-thread-safe operation invoked on an event loop other than the current one");
  }
}

// ── errors that nobody catches ──────────────────────────────────────────────────────────────────────────────────────

static void report_failed_handler(const ErrorContext& context) {
  try {
    ErrorContext both("Unhandled error in exception handler", std::current_exception());
    both.with("context", context.message);
    Loop::default_exception_handler(both);
  } catch (const std::bad_alloc&) {
    detail::report_without_memory("Unhandled error in exception handler");
  }
}

void Loop::call_exception_handler(const ErrorContext& context) {
  if (!exception_handler_) {
    default_exception_handler(context);
    return;
  }
  try {
    const ExceptionHandler handler = exception_handler_;  // it may replace itself
    handler(*this, context);
  } catch (...) {
    if (detail::current_exception_is_fatal()) throw;
    report_failed_handler(context);
  }
}

void Loop::default_exception_handler(const ErrorContext& context) {
  try {
    const std::string text = context.to_string() + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
  } catch (const std::bad_alloc&) {
    detail::report_without_memory(context.message.c_str());
  }
}

}  // namespace asyncio
