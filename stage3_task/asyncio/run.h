// run(): runs a coroutine from main(), and cleans up behind it.
// Mirrors: Lib/asyncio/runners.py: run, Runner. Read next: task_factory.h
#pragma once

#include <asyncio/sleep.h>
#include <asyncio/task.h>

#include <memory>
#include <optional>
#include <utility>

namespace asyncio {

/// A loop that is made at the first use and cleaned up at the end. run() may be called several times.
///
/// close() cancels all tasks, waits for them (in debug mode, after 5 s it reports those that have not ended, see
/// call_graph.h), reports what they throw, lets the loop's services shut down (the jobs of
/// its thread pool end), and closes the loop.
///
/// Ctrl-C (SIGINT) cancels the main task, on the main thread and if the program has no handler of its own. When the
/// task has ended, run() throws KeyboardInterrupt. A second Ctrl-C throws it at once; if a callback blocks the loop, it
/// ends the program.
class Runner {
 public:
  /// `core`: null for the default one. `debug`: whether to use debug mode; nullopt: as the environment says.
  explicit Runner(std::unique_ptr<Core> core = nullptr, std::optional<bool> debug = std::nullopt)
      : core_(std::move(core)), debug_(debug) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  /// Closes it. A destructor must not throw: an error is printed to stderr.
  ~Runner();

  /// Runs the awaitable to its end; returns its result, or throws its exception. It runs in `context`, or else in the
  /// runner's own context, which all its runs share. Throws std::runtime_error inside a running loop, or once closed.
  template <class Awaitable>
  auto run(Awaitable&& main) {
    check_may_run();
    get_loop();
    return run(std::forward<Awaitable>(main), *context_);
  }
  template <class Awaitable>
  auto run(Awaitable&& main, const Context& context) {
    check_may_run();
    auto task = create_task(detail::to_coro(std::forward<Awaitable>(main)), {.loop = &get_loop(), .context = &context});
    try {
      {
        const CatchSigint catch_sigint(*this, task);
        get_loop().run_until_done(task);
      }
      return std::move(task).result();
    } catch (const CancelledError&) {
      if (interrupts_ > 0 && task.uncancel() == 0) throw KeyboardInterrupt();
      throw;
    }
  }

  /// The loop. Throws std::runtime_error("Runner is closed").
  Loop& get_loop();

  /// May be called twice. Inside of its own loop it cancels all tasks and throws std::runtime_error.
  void close();

 private:
  /// Directs SIGINT to `main` for a scope.
  class CatchSigint {
   public:
    CatchSigint(Runner& runner, AnyTask main);
    ~CatchSigint();
    CatchSigint(const CatchSigint&) = delete;
    CatchSigint& operator=(const CatchSigint&) = delete;

   private:
    Runner& runner_;
    bool installed_ = false;
  };

  static void check_may_run();
  void on_sigint();
  static void cancel_all_tasks(Loop& loop);

  std::unique_ptr<Core> core_;
  std::optional<bool> debug_;
  std::optional<Loop> loop_;
  std::optional<Context> context_;  // a copy of the one in which the loop was made
  bool closed_ = false;
  AnyTask main_;
  int interrupts_ = 0;
};

/// Runs `main` (a coroutine, anything else that can be awaited, or a function that returns a coroutine) on a new loop,
/// and cleans up behind it: see Runner. `core` may be a VirtualCore, in which hours pass in microseconds. `debug`
/// switches debug mode on or off (see Loop::set_debug).
template <class Awaitable>
auto run(Awaitable&& main, std::unique_ptr<Core> core = nullptr, std::optional<bool> debug = std::nullopt) {
  if (Loop::running_or_null()) throw std::runtime_error("asyncio.run() cannot be called from a running event loop");
  Runner runner(std::move(core), debug);
  using Result = decltype(runner.run(std::forward<Awaitable>(main)));
  if constexpr (std::is_void_v<Result>) {
    runner.run(std::forward<Awaitable>(main));
    runner.close();
  } else {
    Result result = runner.run(std::forward<Awaitable>(main));
    runner.close();
    return result;
  }
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread that calls run(); each thread may have a Runner of its own. Only the main thread hears Ctrl-C.
// Ticks: the main task takes its first step in the first tick. The loop stops a tick after its end, and runs again
//   to clean up.
// Errors: what the main task throws; KeyboardInterrupt after Ctrl-C; std::runtime_error inside of a running loop,
//   and once closed.
// Units: none.
