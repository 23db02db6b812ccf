#include "asyncio/watch.h"

#include "observe_loops.h"
#include "watch_log.h"

#include <asyncio/detail/c_string.h>
#include <asyncio/error_context.h>
#include <asyncio/loop.h>
#include <asyncio/observer.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace asyncio {

namespace {

using detail::WatchLog;

// Kinds of what is in a ready queue, as player/log.js numbers them.
enum Entry : int { kCallback = 0, kStep = 1, kTimer = 2, kDescriptor = 3, kPosted = 4 };

Entry entry_kind(const Observed& what) {
  switch (what.kind()) {
    case Observed::Kind::task:
      return kStep;
    case Observed::Kind::timer:
      return kTimer;
    case Observed::Kind::descriptor:
      return kDescriptor;
    case Observed::Kind::posted:
      return kPosted;
    default:
      return kCallback;
  }
}

// "Future" of `<Future pending>`, "ready()" of `<asyncio::detail::ReadyAwaiter>`.
std::string type_of(const std::string& repr) {
  std::string type = repr.substr(repr.starts_with('<') ? 1 : 0);
  type.resize(std::min(type.size(), type.find_first_of(" <>")));
  type.erase(0, type.rfind(':') + 1);
  if (type == "TimerHandle") return "a timer";  // sleep()
  if (!type.ends_with("Awaiter")) return type;
  type.resize(type.size() - 7);
  std::string function;
  for (const char c : type) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && !function.empty()) function += '_';
    function += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return function + "()";
}

// "result=5", "exception=…" or "cancelled", of `<Task finished name='Task-2' coro=<…> result=5>`.
std::string outcome_of(const std::string& repr) {
  for (const char* const key : {" result=", " exception="}) {
    if (const std::size_t found = repr.find(key); found != std::string::npos) {
      return repr.substr(found + 1, repr.rfind('>') - found - 1);
    }
  }
  return repr.find(" cancelled") != std::string::npos ? "cancelled" : "finished";
}

/// Writes what one loop does.
class Watcher final : public Observer {
 public:
  explicit Watcher(std::shared_ptr<WatchLog> log) : log_(std::move(log)), number_(log_->new_loop()) {}

  void added(Loop& loop) override {
    loop_ = &loop;
    core_ = &loop.core();
    start_ = loop.core().now();
    write("loop", log_->text(core_name()));
  }
  void removed(Loop&) override {
    write("close");
    log_->flush();
  }

  void tick_begins(std::uint64_t) override {
    if (core_ != &loop_->core()) {
      core_ = &loop_->core();
      write("core", log_->text(core_name()));
    }
    write("tick");
  }
  void tick_ends(std::uint64_t) override {
    const LoopStats stats = loop_->stats();
    write("tock", stats.ready, stats.timers);
  }
  void core_waits(std::optional<TimePoint> until) override {
    write("sleep", until ? microseconds(*until) : -1);
    log_->flush();
  }
  void core_woke(std::size_t descriptors) override { write("woke", descriptors); }

  void callback_scheduled(const Observed& callback, ObservedId) override {
    schedule(callback, entry_kind(callback), callback.id());
  }
  void callback_begins(const Observed& callback) override { begin(callback); }
  void callback_ends(ObservedId callback) override { write("ran", callback); }
  void callback_skipped(const Observed& callback) override { write("skip", callback.id()); }
  void thread_posted(const Observed& callback) override {
    write("post", callback.id());
    schedule(callback, kPosted, callback.id());
  }

  void timer_armed(const Observed& timer, TimePoint when, ObservedId) override {
    const auto [file, line] = place(timer);
    write("arm", timer.id(), microseconds(when), file, line);
  }
  void timer_due(const Observed& timer) override { write("due", timer.id()); }
  void timer_cancelled(const Observed& timer, ObservedId) override { write("off", timer.id()); }

  void future_done(const Observed& future, ObservedId) override {
    if (future.kind() == Observed::Kind::future) write("fut", future.id(), log_->text(outcome_of(future.repr())));
  }

  void task_made(const Observed& task, ObservedId) override {
    introduce(task);
    schedule(task, kStep, task.id());
  }
  void task_woken(const Observed& task, ObservedId) override {
    introduce(task);
    schedule(task, kStep, task.id());
  }
  void step_begins(const Observed& task) override {
    introduce(task);
    stepping_.push_back(task.id());
    begin(task);
  }
  void step_ends(const Observed& task, const Observed* waits_for) override {
    introduce(task);
    std::vector<std::int64_t> frames;
    for (const Place& place : task.places()) {
      for (const std::int64_t number : {log_->text(place.function), log_->file(place.file), std::int64_t{place.line}}) {
        frames.push_back(number);
      }
    }
    const std::int64_t what = waits_for ? log_->text(name_of(*waits_for)) : 0;
    const std::int64_t id = waits_for ? static_cast<std::int64_t>(waits_for->id()) : 0;
    log_->event_with_list("wait", number_, now(), {static_cast<std::int64_t>(task.id()), what, id}, frames);
    end_step(task);
  }
  void task_done(const Observed& task) override {
    introduce(task);
    write("done", task.id(), log_->text(outcome_of(task.repr())));
    end_step(task);
    known_tasks_.erase(task.id());
  }
  void cancel_asked(const Observed& task, const Place& where, ObservedId) override {
    write("ask", task.id(), log_->file(where.file), where.line);
  }

  void descriptor_watched(const Observed&, int fd, bool writing) override { change(fd, writing, true); }
  void descriptor_unwatched(ObservedId, int fd, bool writing) override { change(fd, writing, false); }
  void descriptor_ready(const Observed& callback, int fd, bool writing) override {
    write("io", fd, mask(writing));
    schedule(callback, kDescriptor, static_cast<std::uint64_t>(fd));
  }

 private:
  static int mask(bool writing) { return writing ? 2 : 1; }

  std::int64_t microseconds(TimePoint time) const {
    constexpr std::chrono::hours century(24 * 36525);
    if (time > start_ && time - start_ > century) return -1;  // "never"
    return std::chrono::duration_cast<std::chrono::microseconds>(time - start_).count();
  }
  std::int64_t now() const { return microseconds(loop_->core().now()); }
  template <class... Numbers>
  void write(const char* kind, Numbers... numbers) {
    log_->event(kind, number_, now(), numbers...);
  }

  std::string core_name() const {
    const Core& core = loop_->core();
    const std::string name = detail::demangle(typeid(core).name());
    return name.substr(name.rfind(':') + 1);
  }
  static std::string name_of(const Observed& what) {
    const std::string name = what.name();
    return name.empty() ? type_of(what.repr()) : name;
  }
  std::pair<std::int64_t, std::int64_t> place(const Observed& what) {
    const std::vector<Place> places = what.places();
    if (places.empty()) return {0, 0};
    return {log_->file(places.front().file), places.front().line};
  }

  // A task may be older than the log.
  void introduce(const Observed& task) {
    if (!known_tasks_.insert(task.id()).second) return;
    const std::vector<Place> places = task.places();
    const Place where = places.empty() ? Place() : places.back();
    write("task", task.id(), log_->text(task.name()), log_->text(where.function), log_->file(where.file), where.line);
  }
  void schedule(const Observed& what, Entry kind, std::uint64_t of) {
    const auto [file, line] = kind == kStep ? std::pair<std::int64_t, std::int64_t>() : place(what);
    write("soon", what.id(), kind, of, file, line);
  }
  void begin(const Observed& what) {
    write("run", what.id(), entry_kind(what));
    log_->flush();  // it may crash
  }
  // A task that the loop ends when it is closed is not in a step.
  void end_step(const Observed& task) {
    if (stepping_.empty() || stepping_.back() != task.id()) return;
    stepping_.pop_back();
    write("ran", task.id());
  }
  void change(int fd, bool writing, bool on) {
    int& events = watched_[fd];
    events = on ? events | mask(writing) : events & ~mask(writing);
    write("fd", fd, events);
  }

  const std::shared_ptr<WatchLog> log_;
  const int number_;
  Loop* loop_ = nullptr;
  const Core* core_ = nullptr;  // its last one
  TimePoint start_;
  std::unordered_set<ObservedId> known_tasks_;
  std::vector<ObservedId> stepping_;      // tasks; an eager one makes its first step within a step of another
  std::unordered_map<int, int> watched_;  // descriptor → events
};

// What watch() has begun. Its destructor ends the page when the program ends.
struct Watch {
  std::shared_ptr<WatchLog> log;
  std::uint64_t observing = 0;

  ~Watch() {
    try {
      stop();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
  void stop() {
    stop_observing_new_loops(std::exchange(observing, 0));
    const std::shared_ptr<WatchLog> ended = std::exchange(log, nullptr);
    if (ended) ended->finish();
  }
};
Watch the_watch;

bool is_set(const char* text) { return text && *text && std::string_view(text) != "0"; }

bool begin_by_environment() {
  const char* const path = std::getenv("ASYNCIO_WATCH");
  if (!path || !*path) return false;
  try {
    watch(path, {.output = is_set(std::getenv("ASYNCIO_WATCH_OUTPUT"))});
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ASYNCIO_WATCH: %s\n", error.what());
    return false;
  }
}

}  // namespace

void watch(const std::string& path, const WatchOptions& options) {
  detail::check_c_string(path);
  stop_watching();
  auto log = std::make_shared<WatchLog>(path, options);
  the_watch.observing = detail::observe_this_and_new_loops([log](Loop&) { return std::make_shared<Watcher>(log); });
  the_watch.log = std::move(log);
}

void stop_watching() { the_watch.stop(); }

}  // namespace asyncio

// Before main(). The linker is told to look for this name: see CMakeLists.txt.
extern "C" {
extern const bool asyncio_observe_watch_environment;
const bool asyncio_observe_watch_environment = asyncio::begin_by_environment();
}
