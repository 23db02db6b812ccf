// Looking at futures and tasks: who waits for one, and in which coroutines a task is.
// Mirrors: Future._asyncio_awaited_by, which CPython keeps up to date all the time. Skip on a first reading.
#pragma once

#include <asyncio/call_graph.h>

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Exists for a moment only, in which nothing runs: it holds no references.
struct AwaitersOf {
  explicit AwaitersOf(const FutureBase& future);

  std::vector<FutureBase*> all;                 // each once; in the order in which they began to wait
  std::unordered_set<const Waitable*> through;  // what stands between, as the future of a gather()
};

/// A depth-first search through a graph. Calls `found` for each edge that leads back to a node on the way: the nodes of
/// that circle, in the order of the way. `next_of` gives the nodes that follow one.
template <class Node, class NextOf, class Found>
void find_circles(const std::vector<Node>& roots, NextOf next_of, Found found) {
  enum class Mark : std::uint8_t { unseen, on_the_way, seen };
  struct Step {
    Node node;
    std::vector<Node> next;
    std::size_t done = 0;  // of these
  };
  std::unordered_map<Node, Mark> marks;
  std::vector<Step> way;
  const auto enter = [&](Node node) {
    marks[node] = Mark::on_the_way;
    way.push_back({node, next_of(node)});
  };
  for (const Node root : roots) {
    if (marks[root] != Mark::unseen) continue;
    for (enter(root); !way.empty();) {
      Step& step = way.back();
      if (step.done == step.next.size()) {
        marks[step.node] = Mark::seen;
        way.pop_back();
        continue;
      }
      const Node next = step.next[step.done++];
      const Mark mark = marks[next];
      if (mark == Mark::unseen) enter(next);
      if (mark != Mark::on_the_way) continue;
      std::vector<Node> circle;
      auto at = std::find_if(way.begin(), way.end(), [&](const Step& on) { return on.node == next; });
      for (; at != way.end(); ++at) circle.push_back(at->node);
      found(circle);
    }
  }
}

/// Of this frame and of those that wait for it, innermost first.
std::vector<FrameCallGraphEntry> frames_from(const PromiseBase* innermost);

}  // namespace asyncio::detail
