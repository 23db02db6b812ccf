#include "asyncio/task.h"

namespace asyncio {

std::vector<AnyTask> all_tasks(Loop& loop) {
  std::vector<AnyTask> tasks;
  for (detail::TaskBase* task : loop.service<detail::TaskRegistry>().all()) tasks.emplace_back(task);
  return tasks;
}

std::vector<AnyTask> all_tasks() { return all_tasks(Loop::running()); }

}  // namespace asyncio
