#include "asyncio/trace.h"

#include "json_text.h"
#include "observe_loops.h"

#include <asyncio/detail/c_string.h>
#include <asyncio/loop.h>
#include <asyncio/observer.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace asyncio {
namespace {

std::string json_text(std::string_view text) {
  std::string json;
  detail::append_json(json, text);
  return json;
}

std::string file_and_line(const Place& place) {
  const std::string_view path = place.file;
  return std::string(path.substr(path.find_last_of('/') + 1)) + ":" + std::to_string(place.line);
}

/// The file: lines of JSON from any thread, each of them in the file as soon as it is written.
class TraceFile {
 public:
  TraceFile(const std::string& path, const TraceOptions& options)
      : path_(path),
        file_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)),
        bytes_left_(options.most_bytes) {
    if (file_ < 0) throw_error(errno);
    put("[\n");
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile() { end(); }

  int new_loop() {
    const std::lock_guard lock(mutex_);
    return ++loops_;
  }
  /// `event` is an object without its closing brace. Throws std::system_error, once, if the file does not take it: then
  /// the loop removes its observer, and tells the exception handler why. From then on nothing is written.
  void write(const std::string& event) {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    if (file_ < 0) return;
    if (event.size() + 3 > bytes_left_) return finish("the trace is full");
    bytes_left_ -= event.size() + 3;
    put(event + "},\n");
  }
  void end() noexcept {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    finish("the end of the trace");
  }

 private:
  // A forked child has a copy of this, perhaps with the mutex locked; but the file is its parent's.
  bool is_ours() const { return getpid() == process_; }

  [[noreturn]] void throw_error(int error) const {
    throw std::system_error(error, std::generic_category(), "trace_to: " + path_);
  }
  void put(const std::string& lines) {
    std::size_t written = 0;
    while (written < lines.size()) {
      const ssize_t count = ::write(file_, lines.data() + written, lines.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) break;
      written += static_cast<std::size_t>(count);
    }
    if (written == lines.size()) {
      whole_ += static_cast<off_t>(written);
      return;
    }
    const int error = errno;
    const int cut = ftruncate(file_, whole_);  // a part of a line, which a full disk has taken
    static_cast<void>(cut);                    // not if it is a pipe
    close(std::exchange(file_, -1));
    throw_error(error);
  }
  void finish(const char* why) noexcept {
    if (file_ < 0) return;
    try {
      put(R"({"ph":"M","name":"process_labels","pid":1,"args":{"labels":")" + std::string(why) + "\"}}\n]\n");
    } catch (const std::exception&) {  // viewers do without the end
    }
    if (file_ >= 0) close(std::exchange(file_, -1));  // put() has closed it if it was full
  }

  const std::string path_;
  std::mutex mutex_;
  int file_;         // -1: nothing is written any more
  off_t whole_ = 0;  // bytes of whole lines
  std::size_t bytes_left_;
  int loops_ = 0;
  const pid_t process_ = getpid();
};

/// Writes what one loop does. A lane is a thread of the format: 0 is the loop's, others have the id of their task.
class Tracer final : public Observer {
 public:
  explicit Tracer(std::shared_ptr<TraceFile> file) : file_(std::move(file)), number_(file_->new_loop()) {}

  void added(Loop& loop) override { loop_ = &loop; }

  void tick_begins(std::uint64_t number) override {
    if (!std::exchange(is_named_, true)) {  // (not in added(): an error there would leave the constructor of the loop)
      name("process_name", 0, "loop " + std::to_string(number_));
      name("thread_name", 0, "loop");
    }
    begin(0, "tick " + std::to_string(number));
  }
  void tick_ends(std::uint64_t) override {
    end(0);
    const LoopStats stats = loop_->stats();
    count("ready", ready_, static_cast<double>(stats.ready));
    count("timers", timers_, static_cast<double>(stats.timers));
    count("tasks", tasks_, static_cast<double>(lanes_.size()));
    if (!stats.lags.empty()) {
      count("lag of timers, ms", lag_, std::chrono::duration<double, std::milli>(stats.lags.front()).count());
    }
  }
  void core_waits(std::optional<TimePoint>) override { begin(0, "wait"); }
  void core_woke(std::size_t descriptors) override { end(0, "\"descriptors ready\":" + std::to_string(descriptors)); }

  void callback_scheduled(const Observed& callback, ObservedId by) override { arrow_from(by, callback.id()); }
  void timer_armed(const Observed& timer, TimePoint, ObservedId by) override { arrow_from(by, timer.id()); }
  void timer_cancelled(const Observed& timer, ObservedId) override { arrows_.erase(timer.id()); }
  void callback_skipped(const Observed& callback) override { arrows_.erase(callback.id()); }
  void callback_begins(const Observed& callback) override {
    const auto places = callback.places();
    const char* const kind = callback.kind() == Observed::Kind::timer        ? "timer"
                             : callback.kind() == Observed::Kind::descriptor ? "descriptor"
                             : callback.kind() == Observed::Kind::posted     ? "posted"
                                                                             : "callback";
    begin(0, places.empty() ? callback.repr() : std::string(kind) + " " + file_and_line(places.front()));
    arrow_to(0, callback.id());
  }
  void callback_ends(ObservedId) override { end(0); }

  void task_made(const Observed& task, ObservedId by) override {
    lane_of(task);
    arrow_from(by, task.id());
  }
  void task_woken(const Observed& task, ObservedId by) override { arrow_from(by, task.id()); }
  void step_begins(const Observed& task) override {
    const auto places = task.places();
    begin(lane_of(task), places.empty() ? task.name() : places.back().function);
    arrow_to(lane_of(task), task.id());
  }
  void step_ends(const Observed& task, const Observed* waits_for) override {
    std::string at;
    for (const Place& place : task.places()) {
      at += (at.empty() ? "" : ",") + json_text(place.function + " " + file_and_line(place));
    }
    const std::string what = waits_for ? waits_for->repr() : "its next turn";
    end(lane_of(task), "\"waits for\":" + json_text(what) + ",\"at\":[" + at + "]");
  }
  void task_done(const Observed& task) override {
    if (open_[task.id()] > 0) end(lane_of(task), "\"done\":" + json_text(task.repr()));
    lanes_.erase(task.id());
    open_.erase(task.id());
    arrows_.erase(task.id());
  }
  void cancel_asked(const Observed& task, const Place& where, ObservedId) override {
    instant(lane_of(task), "cancel() at " + file_and_line(where));
  }

  void thread_posted(const Observed& callback) override {
    const auto places = callback.places();
    instant(0, "posted by a thread" + (places.empty() ? "" : " at " + file_and_line(places.front())));
  }
  void descriptor_ready(const Observed&, int fd, bool writing) override {
    instant(0, "descriptor " + std::to_string(fd) + (writing ? " writable" : " readable"));
  }

 private:
  /// The lane of a task; a new one is named.
  std::uint64_t lane_of(const Observed& task) {
    if (lanes_.emplace(task.id(), true).second) name("thread_name", task.id(), task.name());
    return task.id();
  }
  void name(const char* what, std::uint64_t lane, const std::string& text) {
    file_->write("{\"ph\":\"M\",\"name\":\"" + std::string(what) + "\"" + in(lane) +
                 ",\"args\":{\"name\":" + json_text(text) + "}");
    if (lane == 0) return;
    file_->write("{\"ph\":\"M\",\"name\":\"thread_sort_index\"" + in(lane) +
                 ",\"args\":{\"sort_index\":" + std::to_string(lane) + "}");
  }
  void begin(std::uint64_t lane, const std::string& what) {
    ++open_[lane];
    file_->write("{\"ph\":\"B\",\"name\":" + json_text(what) + in(lane) + now());
  }
  void end(std::uint64_t lane, const std::string& arguments = "") {
    if (open_[lane] == 0) return;  // it began before the trace
    --open_[lane];
    file_->write("{\"ph\":\"E\"" + in(lane) + now() + (arguments.empty() ? "" : ",\"args\":{" + arguments + "}"));
  }
  void instant(std::uint64_t lane, const std::string& what) {
    file_->write("{\"ph\":\"i\",\"s\":\"t\",\"name\":" + json_text(what) + in(lane) + now());
  }
  void count(const char* what, double& before, double value) {
    if (std::exchange(before, value) == value) return;
    char digits[32];  // (printf would write a comma where the program's language has one)
    const auto [end, error] = std::to_chars(digits, std::end(digits), value, std::chars_format::general, 12);
    file_->write("{\"ph\":\"C\",\"name\":" + json_text(what) + in(0) + now() +
                 ",\"args\":{\"value\":" + std::string(digits, end) + "}");
  }
  /// An arrow begins in what runs now; it ends where `to` begins to run.
  void arrow_from(ObservedId by, ObservedId to) {
    if (by == 0) return;
    const std::uint64_t lane = lanes_.contains(by) ? by : 0;
    arrows_[to] = ++last_arrow_;
    file_->write("{\"ph\":\"s\",\"cat\":\"wakes\",\"name\":\"wakes\",\"id\":" + arrow(last_arrow_) + in(lane) + now());
  }
  void arrow_to(std::uint64_t lane, ObservedId what) {
    const auto found = arrows_.find(what);
    if (found == arrows_.end()) return;
    file_->write("{\"ph\":\"f\",\"bp\":\"e\",\"cat\":\"wakes\",\"name\":\"wakes\",\"id\":" + arrow(found->second) +
                 in(lane) + now());
    arrows_.erase(found);
  }
  std::string arrow(std::uint64_t number) const {  // unique among the loops of the file
    char text[32];
    std::snprintf(text, sizeof text, "\"0x%x%08llx\"", static_cast<unsigned>(number_),
                  static_cast<unsigned long long>(number));
    return text;
  }
  std::string in(std::uint64_t lane) const {
    return ",\"pid\":" + std::to_string(number_) + ",\"tid\":" + std::to_string(lane);
  }
  std::string now() {
    const std::int64_t time = loop_->core().now().time_since_epoch() / std::chrono::nanoseconds(1);
    last_ = std::max(time, last_ + 1);
    char text[40];
    std::snprintf(text, sizeof text, ",\"ts\":%lld.%03d", static_cast<long long>(last_ / 1000),
                  static_cast<int>(last_ % 1000));
    return text;
  }

  std::shared_ptr<TraceFile> file_;
  int number_;
  Loop* loop_ = nullptr;
  std::int64_t last_ = 0;
  std::unordered_map<ObservedId, bool> lanes_;            // of the tasks that are not done
  std::unordered_map<std::uint64_t, int> open_;           // slices that have begun, by lane
  std::unordered_map<ObservedId, std::uint64_t> arrows_;  // under way to what waits for its turn
  std::uint64_t last_arrow_ = 0;
  bool is_named_ = false;
  double ready_ = -1, timers_ = -1, tasks_ = -1, lag_ = -1;
};

struct Tracing {
  std::shared_ptr<TraceFile> file;
  std::uint64_t new_loops = 0;
  ~Tracing() { stop(); }
  void stop() {
    if (!file) return;
    stop_observing_new_loops(new_loops);
    file->end();
    file = nullptr;
  }
};

Tracing& tracing() {
  static Tracing only;
  return only;
}

}  // namespace

void trace_to(const std::string& path, const TraceOptions& options) {
  detail::check_c_string(path);
  tracing().stop();  // first: it may be the same file
  auto file = std::make_shared<TraceFile>(path, options);
  tracing().new_loops = detail::observe_this_and_new_loops([file](Loop&) { return std::make_shared<Tracer>(file); });
  tracing().file = std::move(file);
}

void stop_tracing() { tracing().stop(); }

}  // namespace asyncio

// The linker takes this object into each program that links asyncio::observe: see CMakeLists.txt.
extern "C" {
extern const int asyncio_observe_trace_environment;
const int asyncio_observe_trace_environment = [] {
  const char* const path = std::getenv("ASYNCIO_TRACE");
  if (!path || !*path) return 0;
  try {
    asyncio::trace_to(path);
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ASYNCIO_TRACE: %s\n", error.what());
    return 0;
  }
}();
}
