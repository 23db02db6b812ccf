#include "asyncio/loop.h"

#include "asyncio/sleep_core.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace asyncio {

struct Loop::Shuffle {
  explicit Shuffle(std::uint64_t seed) : random(seed) {}
  std::mt19937_64 random;
};

// ── one tick, and runs of ticks ─────────────────────────────────────────────────────────────────────────────────────

// Older call_soon first, then descriptors, then timers; and exactly the callbacks that are ready now.
void Loop::run_once() {
  const bool nothing_else = attention_.load(std::memory_order_acquire) == 0 && !core_->watching() && timers_.idle();
  if (ready_.empty() || !nothing_else) collect_ready();

  if (modes_ != 0) [[unlikely]] {
    run_ready_with_modes();
  } else {
    for (std::size_t todo = ready_.size(); todo > 0; --todo) ready_.pop_front().run(*this);
  }
}

void ReadyQueue::grow() {
  const std::size_t wider = capacity_ == 0 ? 64 : 2 * capacity_;
  auto ring = std::make_unique<Runnable*[]>(wider);
  for (std::size_t i = head_; i != tail_; ++i) ring[i & (wider - 1)] = ring_[i & (capacity_ - 1)];
  ring_ = std::move(ring);
  capacity_ = wider;
}

// Waits until something is ready, if nothing is, and appends what has become so. Apart from run_once(), which passes it by
// as long as there are callbacks and nothing else to look at: a tick of one callback then takes 38 instructions, not 51.
void Loop::collect_ready() {
  const bool busy = !ready_.empty() || attention_.load(std::memory_order_acquire) != 0;
  if (!busy && !stopping_) {
    core_->wait(timers_.next_deadline());
  } else if (core_->watching()) {
    core_->wait(busy ? kDoNotWait : TimePoint{});  // long past: a look now, whatever the core's bound on busy ticks
  }
  if (attention_.load(std::memory_order_acquire) != 0) accept_from_outside();
  if (core_->watching()) core_->collect(ready_);
  if (timers_.idle()) return;
  if (!busy || since_now_ >= kCallbacksPerLook || core_->clock_went_on()) {
    time();
    since_now_ = 0;
  }
  timers_.pop_due(now_, ready_);
  since_now_ += ready_.size();  // those that are about to run
}

class Loop::RunningScope {
 public:
  explicit RunningScope(Loop& loop) : loop_(loop) {
    running_loop_ = &loop_;
    loop_.running_.store(true, std::memory_order_relaxed);
  }
  ~RunningScope() {
    loop_.stopping_ = false;
    loop_.running_.store(false, std::memory_order_relaxed);
    running_loop_ = nullptr;
  }

 private:
  Loop& loop_;
};

void Loop::run_forever() {
  check_closed();
  check_not_running();
  const RunningScope scope(*this);
  do {
    run_once();
  } while (!stopping_);
}

void Loop::throw_not_running() { throw std::runtime_error("no running event loop"); }

void Loop::check_not_running() const {
  if (is_running()) throw std::runtime_error("This event loop is already running");
  if (running_loop_) throw std::runtime_error("Cannot run the event loop while another loop is running");
}

void Loop::throw_closed() { throw std::runtime_error("Event loop is closed"); }

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Loop::Loop() : Loop(std::make_unique<SleepCore>()) {}

Loop::Loop(std::unique_ptr<Core> core) : core_(std::move(core)), anchor_(new detail::LoopAnchor(*this), detail::adopt) {
  if (!core_) throw std::invalid_argument("Loop: the core is null");
  const char* debug = std::getenv("ASYNCIO_DEBUG");
  set_debug(debug && *debug);
}

Loop::~Loop() {
  running_ = false;
  close();
  anchor_->loop_destroyed();
}

void Loop::close() {
  if (is_running()) throw std::runtime_error("Cannot close a running event loop");
  if (is_closed()) return;
  // The services first, the latest before those it may stand on: ending a task runs its destructors, and those may
  // schedule once more, which comes to nothing when the queues are emptied.
  for (std::size_t i = services_by_age_.size(); i-- > 0;) services_by_age_[i]->on_close();
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_closed_ = true;
  }
  accept_from_outside();
  do {  // again for what a dropped callback's destructor may have scheduled
    timers_.clear();
    while (!ready_.empty()) ready_.pop_front().drop();
  } while (!timers_.empty());
  modes_ |= kClosed;
}

std::size_t Loop::number_service(std::atomic<std::size_t>& index) noexcept {
  static constinit std::atomic<std::size_t> last = 0;
  const std::size_t number = ++last;
  std::size_t taken = 0;  // by another thread, at the same moment: then one number is left out
  return index.compare_exchange_strong(taken, number) ? number : taken;
}

LoopService& Loop::add_service(std::size_t index, std::unique_ptr<LoopService> service) {
  check_closed();
  if (services_.size() <= index) services_.resize(index + 1);
  services_by_age_.push_back(service.get());
  services_[index] = std::move(service);
  return *services_[index];
}

bool Loop::shut_down_services() {
  bool ran = false;
  for (std::size_t i = services_by_age_.size(); i-- > 0;) ran |= services_by_age_[i]->shut_down();  // may add services
  return ran;
}

void Loop::set_core(std::unique_ptr<Core> core) {
  if (!core) throw std::invalid_argument("Loop: the core is null");
  core->take_over(*core_);
  {
    const std::lock_guard lock(inbox_mutex_);
    core_.swap(core);
  }
  if (core_->watching()) core_->collect(ready_);
  // A wake-up that the old core got belongs to a callback in the inbox, and that is looked at before the next wait.
}

// ── from other threads, and from signal handlers ────────────────────────────────────────────────────────────────────

void Loop::post(std::shared_ptr<detail::ThreadSafeState> callback) {
  const std::lock_guard lock(inbox_mutex_);
  if (inbox_closed_) throw_closed();
  inbox_.push_back(std::move(callback));
  attention_.fetch_or(kInbox, std::memory_order_release);
  core_->wake();
}

void Loop::notify_signal(int signal) noexcept {
  attention_.fetch_or(std::uint64_t{1} << signal, std::memory_order_release);
  core_->wake();
}

void Loop::accept_from_outside() {
  accept_inbox();
  const std::uint64_t signals = attention_.fetch_and(kInbox, std::memory_order_acquire) & ~kInbox;
  for (int signal = 1; signal < 64; ++signal) {
    if (signals >> signal & 1) {
      call_soon([this, signal] {
        if (signal_callback_) signal_callback_(signal);
      });
    }
  }
}

void Loop::accept_inbox() {
  std::vector<std::shared_ptr<detail::ThreadSafeState>> arrived;
  {
    const std::lock_guard lock(inbox_mutex_);
    attention_.fetch_and(~kInbox, std::memory_order_relaxed);
    arrived.swap(inbox_);
  }
  for (auto& callback : arrived) detail::ThreadSafeState::enqueue(std::move(callback), ready_);
}

void detail::ThreadSafeState::enqueue(std::shared_ptr<ThreadSafeState> state, ReadyQueue& ready) {
  ready.push_back(*state);
  state->self_ = std::move(state);
}

void detail::ThreadSafeState::run(Loop& loop) {
  const auto self = std::move(self_);
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  running_ = true;
  const DestroyAtEnd callback{*this};
  const ContextScope scope(context_);
  try {
    call();
  } catch (...) {
    report_callback_exception(loop, where_, repr());
  }
}

std::string detail::ThreadSafeState::repr() const {
  return "<ThreadSafeHandle created at " + file_and_line(where_) + ">";
}

void detail::ThreadSafeState::drop() noexcept {
  const auto self = std::move(self_);
  cancel();
}

void detail::ThreadSafeState::cancel() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(cancelled_, true) || running_) return;
  destroy_callback();
}

bool detail::ThreadSafeState::cancelled() const noexcept {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

// ── debug mode, and the shuffle ─────────────────────────────────────────────────────────────────────────────────────

void Loop::set_debug(bool on) noexcept { modes_ = static_cast<std::uint8_t>(on ? modes_ | kDebug : modes_ & ~kDebug); }

void Loop::set_shuffle_seed(std::optional<std::uint64_t> seed) {
  shuffle_ = seed ? std::make_unique<Shuffle>(*seed) : nullptr;
  modes_ = static_cast<std::uint8_t>(seed ? modes_ | kShuffle : modes_ & ~kShuffle);
}

void Loop::run_ready_with_modes() {
  // Fisher and Yates. (std::shuffle gives another order with each standard library.)
  for (std::size_t n = ready_.size(); shuffle_ && n > 1; --n) ready_.swap(n - 1, shuffle_->random() % n);

  for (std::size_t todo = ready_.size(); todo > 0; --todo) {
    if (!get_debug()) {
      ready_.pop_front().run(*this);
      continue;
    }
    const std::string what = ready_.front().repr();  // first: it may be gone when it has run
    const TimePoint start = time();
    ready_.pop_front().run(*this);
    const std::chrono::duration<double> took = time() - start;
    if (took < slow_callback_duration) continue;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", took.count());
    call_exception_handler(ErrorContext("Executing " + what + " took " + seconds + " seconds"));
  }
}

void Loop::check_may_schedule_in_debug() const {
  check_closed();
  if (get_debug() && is_running() && running_loop_ != this) {
    throw std::runtime_error("Non-thread-safe operation invoked on an event loop other than the current one");
  }
}

// ── errors that nobody catches ──────────────────────────────────────────────────────────────────────────────────────

void Loop::call_exception_handler(const ErrorContext& context) {
  if (!exception_handler_) {
    default_exception_handler(context);
    return;
  }
  const ExceptionHandler handler = exception_handler_;  // it may replace itself
  try {
    handler(*this, context);
  } catch (...) {
    if (detail::current_exception_is_fatal()) throw;
    ErrorContext both("Unhandled error in exception handler", std::current_exception());
    both.with("context", context.message);
    default_exception_handler(both);
  }
}

void Loop::default_exception_handler(const ErrorContext& context) {
  const std::string text = context.to_string() + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace asyncio
