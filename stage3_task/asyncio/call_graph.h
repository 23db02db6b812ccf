// The call graph: in which functions a task is, and who waits for it. For programs that hang.
// Nothing is recorded while a program runs. Who wants to know looks: at the frames of a task, and at the callbacks of
// what others wait for.
// Mirrors: Lib/asyncio/graph.py; and Lib/asyncio/tools.py, `python -m asyncio ps` and `pstree`.
// Read next: ../../stage4_combinators/README.md
#pragma once

#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/task.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace asyncio {

/// One coroutine of a task.
struct FrameCallGraphEntry {
  std::source_location where;  // the coroutine function
  std::uint32_t line = 0;      // of its current await; before the first, that of the function
  bool is_generator = false;   // an asynchronous generator

  /// "TaskGroup::exit", "<lambda>"
  std::string function() const;
  /// "demo.cpp"
  std::string file() const;
};

/// A future and all that wait for it, at the moment when it was captured. Copies share the graph. Each future is in it
/// once, however many ways lead to it, and a cycle is a cycle. It keeps the futures alive: so a task must not have a graph
/// for its result that the task itself is in.
class FutureCallGraph {
 public:
  /// The future or task at which this part of the graph begins.
  const AnyFuture& future() const noexcept;
  /// The coroutines of a task, innermost first; empty for a plain future, and for a task that is done.
  const std::vector<FrameCallGraphEntry>& call_stack() const noexcept;
  /// Those who wait for future().
  std::vector<FutureCallGraph> awaited_by() const;

  // ── for the library ──
  struct Node;
  using Nodes = std::vector<Node>;
  FutureCallGraph(std::shared_ptr<const Nodes> nodes, std::size_t index) noexcept
      : nodes_(std::move(nodes)), index_(index) {}

 private:
  std::shared_ptr<const Nodes> nodes_;
  std::size_t index_;
};

/// How much of the graph is captured.
struct CallGraphOptions {
  /// With which frame of the calling task to begin: 1, the coroutine that asks; 2, the one that awaits it; and so on.
  std::size_t depth = 1;
  /// How many frames of each task: at most `limit` outermost ones, or if negative, `-limit` innermost ones.
  std::optional<int> limit = {};
};

namespace detail {

/// Captures the graph of the calling task. An await, because only that tells which coroutine asks. It does not suspend.
class CaptureAwaiter {
 public:
  explicit CaptureAwaiter(CallGraphOptions options) noexcept : options_(options) {}

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> P>
  bool await_suspend(std::coroutine_handle<P> frame) noexcept {
    frame_ = &frame.promise();
    return false;
  }
  FutureCallGraph await_resume() const;

 private:
  CallGraphOptions options_;
  PromiseBase* frame_ = nullptr;
};

class FormatAwaiter : public CaptureAwaiter {
 public:
  using CaptureAwaiter::CaptureAwaiter;
  std::string await_resume() const;
};

class PrintAwaiter : public FormatAwaiter {
 public:
  PrintAwaiter(CallGraphOptions options, std::ostream& out) noexcept : FormatAwaiter(options), out_(out) {}
  void await_resume() const;

 private:
  std::ostream& out_;
};

using CaptureCallGraph = LazyAwaitable<CaptureAwaiter, CallGraphOptions>;
using FormatCallGraph = LazyAwaitable<FormatAwaiter, CallGraphOptions>;
using PrintCallGraph = LazyAwaitable<PrintAwaiter, CallGraphOptions, std::reference_wrapper<std::ostream>>;

}  // namespace detail

/// The graph of a future or a task: its coroutines, who waits for it, who waits for those, and so on. Edges lead through
/// await, gather(), wait(), shield(), wait_for(), as_completed() and TaskGroup, and are those of now: a gather() that
/// nobody awaits has none. Of a task in the midst of a step, only the outermost coroutine is known: the task itself
/// should `co_await capture_call_graph()`. Call it on the thread of the loop. Throws InvalidStateError for an empty
/// handle. [capture_call_graph]
FutureCallGraph capture_call_graph(const AnyFuture& future, CallGraphOptions options = {});
/// `FutureCallGraph graph = co_await capture_call_graph();` The graph of the task that asks.
detail::CaptureCallGraph capture_call_graph(CallGraphOptions options = {});

/// The graph as a text, in CPython's form. What was printed before is not repeated, and what is nested too deeply
/// continues below. [format_call_graph]
std::string format_call_graph(const AnyFuture& future, CallGraphOptions options = {});
/// `std::string text = co_await format_call_graph();`
detail::FormatCallGraph format_call_graph(CallGraphOptions options = {});

/// format_call_graph(), and a new line, to `out`; without one, to std::cout. [print_call_graph]
void print_call_graph(const AnyFuture& future, CallGraphOptions options = {});
void print_call_graph(const AnyFuture& future, std::ostream& out, CallGraphOptions options = {});
/// `co_await print_call_graph();`
detail::PrintCallGraph print_call_graph(CallGraphOptions options = {});
detail::PrintCallGraph print_call_graph(std::ostream& out, CallGraphOptions options = {});

/// For a combinator of your own: tells that `waiter`, most often the current task, waits for `future`. It is forgotten
/// when the future is done. Has no effect if it is done already. [future_add_to_awaited_by]
void future_add_to_awaited_by(const AnyFuture& future, const AnyFuture& waiter);
/// Takes that back. [future_discard_from_awaited_by]
void future_discard_from_awaited_by(const AnyFuture& future, const AnyFuture& waiter) noexcept;

/// All pending tasks of the loop, one line for each that waits for one, as `python -m asyncio ps` prints them: ids, names,
/// coroutines (the innermost first), and those of who waits. Call it on the loop's thread.
std::string format_task_table(Loop& loop);
std::string format_task_table();

/// The tasks of the loop that wait for each other in a circle: in each of these lists, a task waits for the next one,
/// and the last for the first. Of circles that share tasks, not all are found. It looks at all
/// tasks. Call it on the loop's thread.
std::vector<std::vector<AnyTask>> find_cycles(Loop& loop);
std::vector<std::vector<AnyTask>> find_cycles();

/// All pending tasks of the loop, as `python -m asyncio pstree` prints them: a task stands below the line that waits for
/// it. Below the innermost line of the others stands what they wait for, as far as it is known. Tasks that wait for each
/// other in a circle are named first. Call it on the loop's thread.
std::string format_task_tree(Loop& loop);
std::string format_task_tree();

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: none: they tell what is now, and `co_await` of them does not suspend.
// Errors: InvalidStateError for an empty handle; std::runtime_error("no running event loop") if none is given and
//   none runs.
// Units: `depth` and `limit` count frames, and lines are counted from 1.
