// format_task_table(), format_task_tree(): all tasks of a loop, and who waits for whom.
#include "asyncio/call_graph.h"
#include "asyncio/detail/awaiters.h"

#include <asyncio/detail/repr.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>
#include <unordered_map>
#include <utility>

namespace asyncio {
namespace detail {
namespace {

/// A task, the tasks that it waits for, and the tasks and futures that wait for it.
struct Entry {
  TaskBase* task;
  std::vector<std::size_t> awaits;  // entries
  std::vector<FutureBase*> awaited_by;
  bool awaits_only_these = false;  // what it waits for is one of these, or stands between: as the future of a gather()
};

std::vector<Entry> look_at(const std::vector<TaskBase*>& tasks) {
  std::vector<Entry> entries;
  std::unordered_map<const FutureBase*, std::size_t> index;
  for (TaskBase* task : tasks) {
    index.emplace(task, entries.size());
    entries.push_back({task, {}, {}});
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    AwaitersOf awaiters(*entries[i].task);
    for (FutureBase* awaiter : awaiters.all) {
      const auto found = index.find(awaiter);
      if (found == index.end()) continue;  // a plain future, of which somebody said that it waits
      Entry& waiting = entries[found->second];
      waiting.awaits.push_back(i);
      const Waitable* waits_for = waiting.task->waits_for();
      if (waits_for == entries[i].task || awaiters.through.contains(waits_for)) waiting.awaits_only_these = true;
    }
    entries[i].awaited_by = std::move(awaiters.all);
  }
  for (Entry& entry : entries) {
    if (!entry.task->waits_for()) continue;
    const auto holder = index.find(entry.task->waits_for()->held_by().task);
    if (holder != index.end()) entry.awaits.push_back(holder->second);
  }
  return entries;
}

std::string describe_frame(const FrameCallGraphEntry& frame) {
  return frame.function() + " " + frame.file() + ":" + std::to_string(frame.line);
}

/// The innermost first. Of a deep stack both ends: otherwise the tree would grow with the square of the depth.
template <class Describe>
std::vector<std::string> describe_stack(const TaskBase& task, Describe describe) {
  constexpr std::size_t kMost = 32;
  const std::vector<FrameCallGraphEntry> frames = frames_from(task.known_frame());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (frames.size() > kMost && i == kMost / 2) {
      const std::size_t left_out = frames.size() - kMost;
      texts.push_back("… " + std::to_string(left_out) + " more …");
      i += left_out;
    }
    texts.push_back(describe(frames[i]));
  }
  return texts;
}

// ── circles ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Each waits for the next, and the last for the first. CPython reports the same.
using Circle = std::vector<std::size_t>;  // entries

std::vector<Circle> circles_of(const std::vector<Entry>& entries) {
  std::vector<std::size_t> roots(entries.size());
  std::iota(roots.begin(), roots.end(), 0);
  std::vector<Circle> found;
  find_circles(
      roots, [&](std::size_t entry) { return entries[entry].awaits; },
      [&](const Circle& circle) { found.push_back(circle); });
  return found;
}

std::string describe_cycles(const std::vector<Entry>& entries) {
  constexpr std::size_t kMost = 16;
  const std::vector<Circle> circles = circles_of(entries);
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, circles.size()); ++i) {
    text += "cycle: ";
    for (const std::size_t entry : circles[i]) text += on_one_line(entries[entry].task->name()) + " → ";
    text += on_one_line(entries[circles[i].front()].task->name()) + "\n";
  }
  if (circles.size() > kMost) text += "… and " + std::to_string(circles.size() - kMost) + " more\n";
  return text;
}

// ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────────

class Tree {
 public:
  explicit Tree(const std::vector<Entry>& entries) : entries_(entries), printed_(entries.size()) {}

  std::string text() {
    std::vector<bool> below_another(entries_.size());
    for (const Entry& entry : entries_) {
      for (const std::size_t awaited : entry.awaits) below_another[awaited] = true;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!below_another[i]) print_from(i);
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!printed_[i]) print_from(i);  // only reached through a circle
    }
    return std::move(text_);
  }

 private:
  static constexpr std::size_t kDeepest = 48;

  struct Item {
    std::string text;
    std::optional<std::size_t> task;
    std::string prefix;
    bool last;
    std::size_t level;
  };

  void print_from(std::size_t root) {
    for (continue_with_.push_back(root); !continue_with_.empty(); continue_with_.pop_front()) {
      std::vector<Item> to_do{{"", continue_with_.front(), "", true, 0}};  // the next is the last
      while (!to_do.empty()) {
        const Item item = std::move(to_do.back());
        to_do.pop_back();
        text_ += item.prefix + (item.last ? "└── " : "├── ");
        if (item.task) {
          print_task(item, to_do);
        } else {
          text_ += item.text + "\n";
        }
      }
    }
  }

  void print_task(const Item& item, std::vector<Item>& to_do) {
    const Entry& entry = entries_[*item.task];
    text_ += "(T) " + on_one_line(entry.task->name());
    if (printed_[*item.task]) {
      text_ += " (see above)\n";
      return;
    }
    if (item.level > kDeepest) {
      text_ += " (continued below)\n";
      continue_with_.push_back(*item.task);
      return;
    }
    const std::source_location cancelled_at = entry.task->cancelled_at();
    text_ += cancelled_at.line() != 0 ? " (cancelled at " + file_and_line(cancelled_at) + ")\n" : "\n";
    printed_[*item.task] = true;

    std::string prefix = item.prefix + (item.last ? "    " : "│   ");
    std::size_t level = item.level + 1;
    const std::vector<std::string> frames = describe_stack(*entry.task, describe_frame);
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame, ++level) {
      text_ += prefix + "└──  " + *frame + "\n";
      prefix += "    ";
    }
    const Waitable* const waits_for = entry.awaits_only_these ? nullptr : entry.task->waits_for();
    bool last = true;
    for (auto awaited = entry.awaits.rbegin(); awaited != entry.awaits.rend(); ++awaited) {
      to_do.push_back({"", *awaited, prefix, std::exchange(last, false), level});
    }
    if (waits_for) to_do.push_back({" waits for " + waits_for->repr(), {}, prefix, last, level});
  }

  const std::vector<Entry>& entries_;
  std::vector<bool> printed_;
  std::deque<std::size_t> continue_with_;
  std::string text_;
};

// ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Filled up with blanks to `width` characters.
std::string cell(std::string text, std::size_t width) {
  const auto characters = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return characters < width ? text + std::string(width - characters, ' ') : text;
}

std::string hex(const FutureBase& future) {
  std::ostringstream text;
  text << static_cast<const void*>(&future);
  return text.str();
}

std::string chain(const TaskBase& task) {
  std::string text;
  for (const std::string& function : describe_stack(task, std::mem_fn(&FrameCallGraphEntry::function))) {
    text += (text.empty() ? "" : " -> ") + function;
  }
  return text;
}

std::string row(const std::string& thread, const std::string& id, const std::string& name, const std::string& stack,
                const std::string& chain, const std::string& awaiter, const std::string& awaiter_id) {
  return cell(thread, 10) + " " + cell(id, 20) + " " + cell(name, 20) + " " + cell(stack, 50) + " " + cell(chain, 50) +
         " " + cell(awaiter, 15) + " " + cell(awaiter_id, 15);
}

}  // namespace

std::string format_task_tree(const std::vector<TaskBase*>& tasks) {
  const std::vector<Entry> entries = look_at(tasks);
  const std::string cycles = describe_cycles(entries);
  std::string text = cycles.empty() ? "" : "ERROR: await-graph contains cycles\n\n" + cycles + "\n";
  text += Tree(entries).text();
  if (!text.empty()) text.pop_back();  // the last line's end
  return text;
}

}  // namespace detail

std::string format_task_table(Loop& loop) {
  using namespace detail;
  std::ostringstream thread;
  thread << std::this_thread::get_id();
  std::string text =
      row("tid", "task id", "task name", "coroutine stack", "awaiter chain", "awaiter name", "awaiter id");
  text += "\n" + std::string(180, '-');
  for (const Entry& entry : look_at(loop.service<TaskRegistry>().all())) {
    const std::string id = hex(*entry.task);
    const std::string name = on_one_line(entry.task->name());
    const std::string stack = chain(*entry.task);
    if (entry.awaited_by.empty()) text += "\n" + row(thread.str(), id, name, stack, "", "", "0x0");
    for (const FutureBase* awaiter : entry.awaited_by) {
      const TaskBase* const task = awaiter->is_task() ? static_cast<const TaskBase*>(awaiter) : nullptr;
      text += "\n" + row(thread.str(), id, name, stack, task ? chain(*task) : "",
                         task ? on_one_line(task->name()) : "Future", hex(*awaiter));
    }
  }
  return text;
}

std::vector<std::vector<AnyTask>> find_cycles(Loop& loop) {
  const std::vector<detail::Entry> entries = detail::look_at(loop.service<detail::TaskRegistry>().all());
  std::vector<std::vector<AnyTask>> cycles;
  for (const detail::Circle& circle : detail::circles_of(entries)) {
    auto& cycle = cycles.emplace_back();
    for (const std::size_t entry : circle) cycle.emplace_back(entries[entry].task);
  }
  return cycles;
}

std::string format_task_tree(Loop& loop) {
  return detail::format_task_tree(loop.service<detail::TaskRegistry>().all());
}

std::string format_task_table() { return format_task_table(Loop::running()); }
std::string format_task_tree() { return format_task_tree(Loop::running()); }
std::vector<std::vector<AnyTask>> find_cycles() { return find_cycles(Loop::running()); }

}  // namespace asyncio
