// Watchdog: a thread that speaks up while a callback or a step of a task still blocks the loop.
// Mirrors: nothing. asyncio's debug mode reports a slow callback when it has ended; one that never ends, it cannot.
// Read next: ../../3_sockets/asyncio/address.h
#pragma once

#include <asyncio/loop.h>
#include <asyncio/observer.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

/// What a Watchdog has seen.
struct WatchdogReport {
  /// What was found.
  enum class Kind : std::uint8_t {
    blocked,  // a callback or a step runs, and has not ended
    busy,     // a task makes one step after the other, and the loop never waits: it never lets the process rest
    stuck,    // tasks wait for each other in a circle, and the loop waits without a limit
  };

  Kind kind = Kind::blocked;  // what was found
  /// repr() of the callback, or of the task: its name, and the line of its last await. Empty for `stuck`.
  std::string what = {};
  /// The task's awaits, the innermost first; for a callback the line that scheduled it.
  std::vector<Place> places = {};
  Duration took = {};  // how long it has taken so far
  /// `busy`: the steps since the loop waited last.
  std::size_t steps = 0;
  /// `blocked`: the C++ functions of the loop's thread, the innermost first, as return addresses: addr2line and
  /// llvm-symbolizer turn them into lines. Empty without glibc.
  std::vector<void*> stack = {};
  /// `stuck`: format_task_tree().
  std::string tree = {};

  /// All of it, in lines, each with its end.
  std::string to_string() const;
};

/// When a Watchdog reports, and to whom.
struct WatchdogOptions {
  /// How long a callback may take. Without: the loop's slow_callback_duration, 0.1 s if nobody has changed it.
  std::optional<Duration> limit = std::nullopt;
  /// How many steps a task may make without a wait before it counts as busy.
  std::size_t steps_without_a_wait = 1000;
  /// Whether to interrupt the loop's thread for its stack, by a signal (SIGURG). What blocks may then fail with EINTR.
  bool with_stack = true;
  /// Without: to_string(), to stderr. `blocked` comes from the watchdog's thread, the others from the loop's.
  std::function<void(const WatchdogReport&)> report = nullptr;
};

/// `const Watchdog watchdog;` in a coroutine watches its loop as long as it lives. A callback or step that blocks is
/// reported when it has taken `limit`, again at twice that, four times that, and so on. A task that is busy, and a
/// circle of tasks, are reported once. An exception from `report` is swallowed: there is nobody to catch it.
///
/// It observes the loop (see observer.h), and that makes a text of each callback. When the loop waits without a limit,
/// it looks at all tasks: at most once in as many steps as a sixteenth of them, and when nothing has happened for
/// `limit`. Its thread wakes four times in `limit`. Make and destroy it on the loop's thread, before the loop is
/// destroyed. A forked child is not watched. Throws std::invalid_argument if a limit is not positive,
/// std::system_error without a thread.
class Watchdog {
 public:
  /// Watches `loop`, or the running one, until it is destroyed.
  [[nodiscard("a watchdog without a name stops at once")]] explicit Watchdog(Loop& loop, WatchdogOptions options = {});
  [[nodiscard("a watchdog without a name stops at once")]] explicit Watchdog(WatchdogOptions options = {})
      : Watchdog(Loop::running(), std::move(options)) {}
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  class Watch;
  Loop& loop_;
  std::shared_ptr<Watch> watch_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of the loop makes and destroys it; `report` is called as WatchdogOptions says.
// Ticks: `blocked` is reported while the tick still runs.
// Errors: std::invalid_argument and std::system_error from the constructor. What `report` throws is dropped.
// Units: limit and took are nanoseconds; steps are counted.
