// A call graph on one line, in the form in which CPython compares it, and other views of its texts.
#pragma once

#include <asyncio/call_graph.h>

#include <algorithm>
#include <string>
#include <vector>

namespace asyncio::testing {

/// "Task-7" and others that are counted → "T<anon>"; a plain future → "F".
inline std::string kind_and_name(const AnyFuture& future) {
  if (!future.state().is_task()) return "F";
  const std::string name = static_cast<detail::TaskBase&>(future.state()).name();
  return "T<" + (name.find('-') == std::string::npos ? name : "anon") + ">";
}

/// `T<child> (a inner, a outer) [T<anon> (a main) []]`: the frames, innermost first, and who waits. In a graph without
/// cycles.
inline std::string walk(const FutureCallGraph& graph) {
  std::string text = kind_and_name(graph.future()) + " (";
  const char* comma = "";
  for (const FrameCallGraphEntry& frame : graph.call_stack()) {
    text += comma + std::string(frame.is_generator ? "ag " : "a ") + frame.function();
    comma = ", ";
  }
  std::vector<std::string> awaiters;
  for (const FutureCallGraph& awaiter : graph.awaited_by()) awaiters.push_back(walk(awaiter));
  std::sort(awaiters.begin(), awaiters.end());
  text += ") [";
  comma = "";
  for (const std::string& awaiter : awaiters) {
    text += comma + awaiter;
    comma = ", ";
  }
  return text + "]";
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  lines.push_back(text.substr(begin));
  return lines;
}

/// The text with "call_graph_test.cpp:12" → "here", and any other file's place → "there": a test of forms.
inline std::string without_places(std::string text) {
  for (std::size_t at = 0; (at = text.find(':', at)) != std::string::npos;) {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const std::size_t begin = text.find_last_of(" \n", at) + 1;
    const std::string file = text.substr(begin, at - begin);
    if (end == at + 1 || file.find('.') == std::string::npos) {
      at = end;
      continue;
    }
    const std::string word = file.ends_with("_test.cpp") ? "here" : "there";
    text.replace(begin, end - begin, word);
    at = begin + word.size();
  }
  return text;
}

}  // namespace asyncio::testing
