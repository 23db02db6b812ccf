// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#ifdef BY_HAND

#include <by_hand/task.h>

#include "../stage2_future/demo_print.h"

namespace by_hand {

/// <Task finished name='Task-1' coro=<execute() done, defined at demo.cpp:12> result=1>
template <class T>
std::ostream& operator<<(std::ostream& out, const Task<T>& task) {
  const auto& state = dynamic_cast<const TaskState&>(*task.state);
  std::string file = state.where.file_name(), function = state.where.function_name();
  file.erase(0, file.rfind('/') + 1);
  function.erase(function.find('('));  // of "by_hand::Coro<int> execute(int)"
  function.erase(0, function.rfind(' ') + 1);
  out << "<Task " << state_of(state) << " name='Task-" << state.number << "' coro=<" << function << "() "
      << (task.done() ? "done, defined" : "running") << " at " << file << ':' << state.where.line() << '>';
  print_end(out, task);
  return out << '>';
}

}  // namespace by_hand

namespace lib = by_hand;

#else
#include <asyncio/call_graph.h>
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>
namespace lib = asyncio;
#endif
