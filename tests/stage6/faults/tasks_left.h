// After a scenario: which of its tasks have not ended.
#pragma once

#include <asyncio/sleep.h>
#include <asyncio/task.h>

#include <chrono>
#include <string>
#include <vector>

namespace asyncio::testing {

/// Waits until servers' and clients' other ends have ended as well: so many turns, of which those beyond 100 take 10 ms.
/// Gives the tasks that have not, but for this one.
inline Coro<std::vector<std::string>> tasks_left(int turns = 500) {
  const AnyTask self = current_task();
  std::vector<std::string> left;
  for (int i = 0; i < turns; ++i) {
    left.clear();
    for (const AnyTask& task : all_tasks()) {
      if (!task.done() && task != self) left.push_back(task.repr());
    }
    if (left.empty()) break;
    co_await sleep(std::chrono::milliseconds(i < 100 ? 0 : 10));
  }
  co_return left;
}

}  // namespace asyncio::testing
