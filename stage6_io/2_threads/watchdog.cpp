#include "asyncio/watchdog.h"

#include <asyncio/call_graph.h>
#include <asyncio/detail/fork_mutex.h>
#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#endif

namespace asyncio {
namespace {

std::string in_seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double>(duration).count());
  return text;
}

// ── the stack of another thread ─────────────────────────────────────────────────────────────────────────────────────

#if __has_include(<execinfo.h>)
struct Capture {
  void* frames[64];
  std::atomic<int> count = 0;
  sem_t taken;
  Capture() { sem_init(&taken, 0, 0); }
};
// One at a time. It stays for ever, since a handler may come late.
Capture& stack_capture() {
  static Capture* const one = new Capture;
  return *one;
}

void take_stack(int) {
  const int before = errno;
  stack_capture().count = backtrace(stack_capture().frames, 64);
  sem_post(&stack_capture().taken);
  errno = before;
}

std::vector<void*> stack_of(pthread_t thread) {
  static detail::ForkMutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time.get());
  Capture& one = stack_capture();
  void* first[1];
  backtrace(first, 1);  // the first call loads a library, which a signal handler must not
  while (sem_trywait(&one.taken) == 0) continue;
  struct sigaction ours = {}, before = {};
  ours.sa_handler = take_stack;
  ours.sa_flags = SA_RESTART;
  sigaction(SIGURG, &ours, &before);
  int count = 0;
  if (pthread_kill(thread, SIGURG) == 0) {
    timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;  // it may have blocked the signal
    int failed = 0;
    do failed = sem_timedwait(&one.taken, &until);
    while (failed != 0 && errno == EINTR);
    if (failed == 0) count = one.count;
  }
  sigaction(SIGURG, &before, nullptr);
  constexpr int kOfTheHandler = 2;  // the handler, and where the kernel returns from it
  return std::vector<void*>(one.frames + std::min(kOfTheHandler, count), one.frames + count);
}
#else
std::vector<void*> stack_of(pthread_t) { return {}; }
#endif

}  // namespace

// ── what it watches ─────────────────────────────────────────────────────────────────────────────────────────────────

/// Invariant: running_ is written by the loop's thread only, and, as closed_ and silent_since_, under mutex_.
class Watchdog::Watch final : public Observer, public std::enable_shared_from_this<Watch> {
 public:
  Watch(WatchdogOptions options, Duration limit) : options_(std::move(options)), limit_(limit) {
    thread_ = std::thread([this] { watch(); });
  }

  void stop() noexcept {
    if (!is_ours()) return leave();
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    close_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void added(Loop& loop) override { loop_ = &loop; }
  void removed(Loop&) override {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    running_.clear();
    silent_since_.reset();
  }

  void callback_begins(const Observed& callback) override { begin(callback); }
  void callback_ends(ObservedId callback) override { end(callback); }
  void step_begins(const Observed& task) override {
    begin(task);
    ++steps_since_look_;
    if_there_is_memory([&] { count_step(task); });
  }
  void step_ends(const Observed& task, const Observed*) override { end(task.id()); }
  void task_done(const Observed& task) override {
    steps_.erase(task.id());
    busy_.erase(task.id());
    end(task.id());
  }

  // Nothing but another thread or a descriptor can end this wait. So if tasks wait in a circle, it is worth a look. A
  // look takes time for each task, so there is one for some steps at most; what is left of them, watch() looks after.
  void core_waits(std::optional<TimePoint> until) override {
    steps_.clear();
    if (!is_ours() || until || stuck_told_ || steps_since_look_ == 0) return;
    if (kTasksOfAStep * steps_since_look_ >= tasks_at_look_ && if_there_is_memory([this] { look(); })) return;
    const std::lock_guard lock(mutex_);
    silent_since_ = Clock::now();
  }
  void core_woke(std::size_t) override {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    silent_since_.reset();
  }

 private:
  struct Running {
    ObservedId id;
    std::string what;
    std::vector<Place> places;
    Clock::time_point since;
    Duration told_at;  // when it has taken that long
  };

  // An observer that throws is removed, but this one is still of use when there is memory again.
  template <class Action>
  static bool if_there_is_memory(Action action) {
    try {
      action();
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  // A forked child has a copy, but not the thread, which may have had the mutex. That copy watches nothing, and stays for
  // ever: the thread can be neither joined nor waited for.
  bool is_ours() const noexcept { return forks_ == detail::forks(); }
  void leave() noexcept {
    if (left_) return;
    left_ = shared_from_this();
    left_before_ = std::exchange(all_left, this);
  }

  // An eager task's first step runs within the step of the task that made it.
  void begin(const Observed& thing) {
    if (!is_ours()) return;
    if_there_is_memory([&] {
      Running running{thing.id(), thing.repr(), thing.places(), Clock::now(), limit_};
      const std::lock_guard lock(mutex_);
      running_.push_back(std::move(running));
    });
  }
  // It may not be there: it began before it was watched, or when there was no memory. An end may have got lost too.
  void end(ObservedId id) noexcept {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    const auto is_it = [id](const Running& running) { return running.id == id; };
    const auto found = std::find_if(running_.rbegin(), running_.rend(), is_it);
    if (found != running_.rend()) running_.erase(std::prev(found.base()), running_.end());
  }

  void count_step(const Observed& task) {
    if (++steps_[task.id()] < options_.steps_without_a_wait || busy_.contains(task.id())) return;
    const WatchdogReport report{.kind = WatchdogReport::Kind::busy,
                                .what = task.repr(),
                                .places = task.places(),
                                .steps = options_.steps_without_a_wait};
    busy_.insert(task.id());
    tell(report);
  }

  void look() {
    tasks_at_look_ = all_tasks(*loop_).size();
    const bool stuck = !stuck_told_ && !find_cycles(*loop_).empty();
    steps_since_look_ = 0;
    if (!stuck) return;
    const WatchdogReport report{.kind = WatchdogReport::Kind::stuck, .tree = format_task_tree(*loop_)};
    stuck_told_ = true;
    tell(report);
  }
  // False without memory: then later.
  bool look_in_the_loop() noexcept {
    try {
      return if_there_is_memory([this] {
        loop_->call_soon_threadsafe([weak = weak_from_this()] {
          const auto self = weak.lock();
          if (self) if_there_is_memory([&] { self->look(); });  // else when the loop waits again
        });
      });
    } catch (const std::exception&) {  // the loop is being closed
      return true;
    }
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!close_.wait_for(lock, limit_ / 4, [this] { return closed_; })) {
      if (silent_since_ && Clock::now() - *silent_since_ >= limit_) {
        if (look_in_the_loop()) silent_since_.reset();
      }
      std::optional<WatchdogReport> report = overdue();
      if (!report) continue;
      lock.unlock();
      if_there_is_memory([&] {
        if (options_.with_stack) report->stack = stack_of(loop_thread_);
      });
      tell(*report);
      lock.lock();
    }
  }
  // Without memory, there is one with the next look.
  std::optional<WatchdogReport> overdue() noexcept {
    if (running_.empty()) return std::nullopt;
    Running& running = running_.back();
    const auto took = std::chrono::duration_cast<Duration>(Clock::now() - running.since);
    if (took < running.told_at) return std::nullopt;
    try {
      WatchdogReport report{.kind = WatchdogReport::Kind::blocked, .what = running.what, .places = running.places};
      report.took = took;
      while (running.told_at <= took) running.told_at *= 2;
      return report;
    } catch (const std::bad_alloc&) {
      return std::nullopt;
    }
  }

  void tell(const WatchdogReport& report) noexcept {
    try {
      if (options_.report) {
        options_.report(report);
      } else {
        const std::string text = report.to_string();
        std::fwrite(text.data(), 1, text.size(), stderr);
      }
    } catch (...) {  // from the user's function, or no memory
    }
  }

  const WatchdogOptions options_;
  const Duration limit_;
  const pthread_t loop_thread_ = pthread_self();
  Loop* loop_ = nullptr;

  // The loop's thread alone uses these.
  std::unordered_map<ObservedId, std::size_t> steps_;  // since the loop waited last
  std::unordered_set<ObservedId> busy_;                // reported already
  bool stuck_told_ = false;
  std::size_t steps_since_look_ = 0;
  std::size_t tasks_at_look_ = 0;
  static constexpr std::size_t kTasksOfAStep = 16;

  std::mutex mutex_;
  std::condition_variable close_;
  std::vector<Running> running_;                   // the innermost last
  std::optional<Clock::time_point> silent_since_;  // the loop waits, and has not been looked at
  bool closed_ = false;
  std::thread thread_;

  const unsigned forks_ = detail::forks();
  std::shared_ptr<Watch> left_;  // itself
  Watch* left_before_ = nullptr;
  static Watch* all_left;
};
Watchdog::Watch* Watchdog::Watch::all_left = nullptr;

Watchdog::Watchdog(Loop& loop, WatchdogOptions options) : loop_(loop) {
  const Duration limit = options.limit.value_or(loop.slow_callback_duration);
  if (limit <= Duration::zero()) throw std::invalid_argument("Watchdog: the limit must be positive");
  if (options.steps_without_a_wait == 0) throw std::invalid_argument("Watchdog: steps_without_a_wait must be positive");
  watch_ = std::make_shared<Watch>(std::move(options), limit);
  try {
    loop.add_observer(watch_);
  } catch (...) {
    watch_->stop();
    throw;
  }
}

Watchdog::~Watchdog() {
  loop_.remove_observer(watch_);
  watch_->stop();
}

// ── the text ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string WatchdogReport::to_string() const {
  if (kind == Kind::stuck) return "The loop waits, and tasks wait for each other:\n" + tree;
  std::string text = what;
  text += kind == Kind::busy ? " has made " + std::to_string(steps) + " steps, and the loop has not waited since\n"
                             : " blocks the loop for " + in_seconds(took) + " seconds\n";
  for (const Place& place : places) {
    text += "  " + place.function + "  " + place.file + ":" + std::to_string(place.line) + "\n";
  }
  if (!stack.empty()) {
    text += "  stack:";
    for (void* const address : stack) {
      char hexadecimal[32];
      std::snprintf(hexadecimal, sizeof hexadecimal, " %p", address);
      text += hexadecimal;
    }
    text += "\n";
  }
  return text;
}

}  // namespace asyncio
