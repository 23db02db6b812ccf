#include "asyncio/task.h"

namespace asyncio {

AnyTask current_task() { return current_task(Loop::running()); }

AnyTask current_task(const Loop& loop) noexcept {
  detail::TaskBase* task = detail::TaskBase::current();
  return task && task->loop() == &loop ? AnyTask(task) : AnyTask();
}

std::vector<AnyTask> all_tasks(Loop& loop) {
  std::vector<AnyTask> tasks;
  for (detail::TaskBase* task : loop.service<detail::TaskRegistry>().all()) tasks.emplace_back(task);
  return tasks;
}

Future<> detail::all_done(std::vector<AnyTask> tasks, Loop& loop) {
  struct Waiting {
    Waiting(std::vector<AnyTask> all, Loop& loop) : tasks(std::move(all)), unfinished(tasks.size()), done(loop) {}
    std::vector<AnyTask> tasks;
    std::size_t unfinished;
    Future<> done;
  };
  struct OnTaskDone {
    void operator()(const AnyTask&) const {
      if (--waiting->unfinished > 0) return;
      for (const AnyTask& ended : waiting->tasks) ended.state().mark_retrieved();  // gather looks at each result
      if (!waiting->done.done()) waiting->done.set_result();
    }
    void add_awaiters(Awaiters& found) const { found.through.push_back(&waiting->done.state()); }
    std::shared_ptr<Waiting> waiting;
  };
  const auto waiting = std::make_shared<Waiting>(std::move(tasks), loop);
  for (const AnyTask& task : waiting->tasks) {
    if (task.done()) {  // it began eagerly and did not wait
      --waiting->unfinished;
      continue;
    }
    task.add_done_callback(OnTaskDone{waiting});
  }
  if (waiting->unfinished == 0) waiting->done.set_result();
  return waiting->done;
}

void set_task_factory(Loop& loop, TaskFactory factory) {
  loop.service<detail::TaskRegistry>().set_factory(std::move(factory));
}

const TaskFactory& get_task_factory(Loop& loop) { return loop.service<detail::TaskRegistry>().factory(); }

static TaskOptions eager(TaskOptions options) {
  if (!options.eager_start) options.eager_start = true;
  return options;
}

void eager_task_factory(Loop&, NewTask& make, const TaskOptions& options) { make(eager(options)); }

TaskFactory create_eager_task_factory(TaskFactory factory) {
  detail::check_callable(factory);
  return [factory = std::move(factory)](Loop& loop, NewTask& make, const TaskOptions& options) {
    factory(loop, make, eager(options));
  };
}

std::vector<AnyTask> all_tasks() { return all_tasks(Loop::running()); }

}  // namespace asyncio
