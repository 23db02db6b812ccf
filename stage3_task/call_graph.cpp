#include "asyncio/call_graph.h"

#include "asyncio/detail/awaiters.h"

#include <asyncio/detail/repr.h>
#include <algorithm>
#include <deque>
#include <iostream>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace asyncio {

struct FutureCallGraph::Node {
  AnyFuture future;
  std::vector<FrameCallGraphEntry> call_stack;
  std::vector<std::size_t> awaited_by;  // nodes
};

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {

// No link of the chain calls the next: it may be as long as memory allows.
AwaitersOf::AwaitersOf(const FutureBase& future) {
  Awaiters found;
  future.add_awaited_by(found);
  for (std::size_t i = 0; i < found.through.size(); ++i) {
    if (through.insert(found.through[i]).second) found.through[i]->add_awaited_by(found);
  }
  through.insert(found.waits.begin(), found.waits.end());
  std::unordered_set<const FutureBase*> seen;
  for (FutureBase* awaiter : found.tasks) {
    if (seen.insert(awaiter).second) all.push_back(awaiter);
  }
}

// Without the frame that owns a lambda, which create_task(lambda) puts around the lambda's own.
std::vector<FrameCallGraphEntry> frames_from(const PromiseBase* innermost) {
  std::vector<FrameCallGraphEntry> frames;
  for (const PromiseBase* frame = innermost; frame; frame = frame->caller()) {
    const std::string_view signature = frame->where().function_name();
    if (frame != innermost && signature.find("asyncio::detail::call(") != signature.npos) continue;
    frames.push_back({frame->where(), frame->line(), frame->is_generator()});
  }
  return frames;
}

namespace {

/// CPython's meaning of `limit`, for a stack that begins with the innermost frame.
void cut(std::vector<FrameCallGraphEntry>& stack, std::optional<int> limit) {
  if (!limit) return;
  const auto size = static_cast<std::ptrdiff_t>(stack.size());
  if (*limit >= 0) {
    stack.erase(stack.begin(), stack.end() - std::min<std::ptrdiff_t>(*limit, size));
  } else {
    stack.erase(stack.begin() + std::min(-static_cast<std::ptrdiff_t>(*limit), size), stack.end());
  }
}

const TaskBase* as_task(const FutureBase& future) {
  return future.is_task() ? static_cast<const TaskBase*>(&future) : nullptr;
}

/// `innermost` is a frame of `future`; null if it is not known.
FutureCallGraph capture(FutureBase& future, const PromiseBase* innermost, const CallGraphOptions& options) {
  auto nodes = std::make_shared<FutureCallGraph::Nodes>();
  std::unordered_map<FutureBase*, std::size_t> index;
  const auto add = [&](FutureBase& one) {
    const auto [place, is_new] = index.emplace(&one, nodes->size());
    if (is_new) {
      FutureCallGraph::Node& node = nodes->emplace_back();
      node.future = AnyFuture(Ref<FutureBase>(&one));
      const TaskBase* const task = as_task(one);
      if (task) node.call_stack = frames_from(&one == &future && innermost ? innermost : task->known_frame());
    }
    return place->second;
  };
  add(future);
  if (innermost) {
    auto& stack = nodes->front().call_stack;
    const std::size_t skipped = options.depth > 1 ? options.depth - 1 : 0;
    stack.erase(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(std::min(skipped, stack.size())));
  }
  for (std::size_t i = 0; i < nodes->size(); ++i) {
    for (FutureBase* awaiter : AwaitersOf((*nodes)[i].future.state()).all) {
      const std::size_t node = add(*awaiter);  // may move the nodes
      (*nodes)[i].awaited_by.push_back(node);
    }
    cut((*nodes)[i].call_stack, options.limit);
  }
  return FutureCallGraph(std::move(nodes), 0);
}

}  // namespace

FutureCallGraph CaptureAwaiter::await_resume() const { return capture(frame_->task(), frame_, options_); }

}  // namespace detail

std::string FrameCallGraphEntry::function() const { return std::string(detail::coroutine_name(where)); }

std::string FrameCallGraphEntry::file() const {
  const std::string place = detail::file_and_line(where);
  return place.substr(0, place.rfind(':'));
}

const AnyFuture& FutureCallGraph::future() const noexcept { return (*nodes_)[index_].future; }

const std::vector<FrameCallGraphEntry>& FutureCallGraph::call_stack() const noexcept {
  return (*nodes_)[index_].call_stack;
}

std::vector<FutureCallGraph> FutureCallGraph::awaited_by() const {
  std::vector<FutureCallGraph> all;
  for (const std::size_t node : (*nodes_)[index_].awaited_by) all.emplace_back(nodes_, node);
  return all;
}

FutureCallGraph capture_call_graph(const AnyFuture& future, CallGraphOptions options) {
  return detail::capture(future.state(), nullptr, options);
}

detail::CaptureCallGraph capture_call_graph(CallGraphOptions options) { return detail::CaptureCallGraph(options); }

// ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {
namespace {

std::string title(const FutureBase& future) {
  std::ostringstream id;
  id << "id=" << static_cast<const void*>(&future);
  const TaskBase* const task = as_task(future);
  return task ? "* Task(name=" + python_repr(task->name()) + ", " + id.str() + ")" : "* Future(" + id.str() + ")";
}

/// A task is printed once, and indented so far at most; otherwise the text would grow with the square of the depth.
std::string format(const FutureCallGraph& graph) {
  constexpr std::size_t kDeepest = 24;
  struct Item {
    FutureCallGraph graph;
    std::size_t level;
  };
  std::string text;
  std::unordered_set<const FutureBase*> printed;
  std::deque<FutureCallGraph> roots{graph};
  for (; !roots.empty(); roots.pop_front()) {
    std::vector<Item> to_do{{roots.front(), 0}};  // the next is the last
    while (!to_do.empty()) {
      const Item item = std::move(to_do.back());
      to_do.pop_back();
      const FutureBase& future = item.graph.future().state();
      const std::string indent(4 * item.level, ' ');
      text += indent + title(future);
      const std::vector<FutureCallGraph> awaited_by = item.graph.awaited_by();
      if (printed.contains(&future)) {
        text += " (see above)\n";
        continue;
      }
      if (item.level == kDeepest && !awaited_by.empty()) {
        text += " (continued below)\n";
        roots.push_back(item.graph);
        continue;
      }
      printed.insert(&future);
      text += "\n";
      if (!item.graph.call_stack().empty()) text += indent + "  + Call stack:\n";
      for (const FrameCallGraphEntry& frame : item.graph.call_stack()) {
        text += indent + "  |   File '" + frame.file() + "', line " + std::to_string(frame.line) +
                (frame.is_generator ? ", in async generator " : ", in async ") + frame.function() + "()\n";
      }
      if (!awaited_by.empty()) text += indent + "  + Awaited by:\n";
      for (auto awaiter = awaited_by.rbegin(); awaiter != awaited_by.rend(); ++awaiter) {
        to_do.push_back({*awaiter, item.level + 1});
      }
    }
  }
  text.pop_back();  // the last line's end
  return text;
}

}  // namespace

std::string FormatAwaiter::await_resume() const { return format(CaptureAwaiter::await_resume()); }
void PrintAwaiter::await_resume() const { out_ << FormatAwaiter::await_resume() << '\n'; }

}  // namespace detail

std::string format_call_graph(const AnyFuture& future, CallGraphOptions options) {
  return detail::format(capture_call_graph(future, options));
}

detail::FormatCallGraph format_call_graph(CallGraphOptions options) { return detail::FormatCallGraph(options); }

void print_call_graph(const AnyFuture& future, CallGraphOptions options) {
  print_call_graph(future, std::cout, options);
}

void print_call_graph(const AnyFuture& future, std::ostream& out, CallGraphOptions options) {
  out << format_call_graph(future, options) << '\n';
}

detail::PrintCallGraph print_call_graph(CallGraphOptions options) { return print_call_graph(std::cout, options); }

detail::PrintCallGraph print_call_graph(std::ostream& out, CallGraphOptions options) {
  return detail::PrintCallGraph(options, out);
}

std::vector<FrameCallGraphEntry> detail::get_stack(const TaskBase& task, std::optional<std::size_t> limit) {
  std::vector<FrameCallGraphEntry> stack = frames_from(task.known_frame());
  if (limit && *limit < stack.size()) stack.resize(*limit);
  std::reverse(stack.begin(), stack.end());
  return stack;
}

void detail::print_stack(const TaskBase& task, std::optional<std::size_t> limit, std::ostream* out) {
  std::ostream& to = out ? *out : std::cerr;
  const std::vector<FrameCallGraphEntry> stack = get_stack(task, limit);
  if (stack.empty()) {
    to << "No stack for " << task.repr() << '\n';
    return;
  }
  to << "Stack for " << task.repr() << " (most recent call last):\n";
  for (const FrameCallGraphEntry& frame : stack) {
    to << "  File \"" << frame.file() << "\", line " << frame.line << ", in " << frame.function() << '\n';
  }
}

// ── edges that somebody draws ───────────────────────────────────────────────────────────────────────────────────────

namespace detail {
namespace {

/// Waits for nothing: it is there to be found.
class AwaitedBy final : public DoneCallback, public Pooled {
 public:
  explicit AwaitedBy(Ref<FutureBase> waiter) noexcept : waiter_(std::move(waiter)) {}

  /// Unlike those that are counted up, and LogOnException's.
  static CallbackId id_of(const FutureBase& waiter) noexcept {
    return CallbackId{reinterpret_cast<std::uintptr_t>(&waiter) | std::uint64_t{1} << 62};
  }
  CallbackId id() const noexcept override { return id_of(*waiter_); }
  void add_awaiters(Awaiters& found) override { found.tasks.push_back(waiter_.get()); }
  void run(Loop&) override { delete this; }
  void drop() noexcept override { delete this; }

 private:
  Ref<FutureBase> waiter_;
};

}  // namespace
}  // namespace detail

void future_add_to_awaited_by(const AnyFuture& future, const AnyFuture& waiter) {
  if (future.done()) return;
  auto edge = std::make_unique<detail::AwaitedBy>(detail::Ref<detail::FutureBase>(&waiter.state()));
  future_discard_from_awaited_by(future, waiter);  // it is there once
  future.state().add_callback(*edge.release());
}

void future_discard_from_awaited_by(const AnyFuture& future, const AnyFuture& waiter) noexcept {
  if (future && waiter) future.state().remove_done_callback(detail::AwaitedBy::id_of(waiter.state()));
}

}  // namespace asyncio
